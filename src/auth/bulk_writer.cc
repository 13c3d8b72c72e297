#include "auth/bulk_writer.h"

#include <map>

#include "auth/internal/rows.h"

namespace sluice::auth {
namespace {

using sql::Query;
using sql::Row;
using sql::Tx;

constexpr Query kInsertUser{
    "auth.bulk_users",
    "INSERT INTO auth_users (username, password_hash, is_admin, created_ms, updated_ms) "
    "VALUES ($1, $2, $3, $4, $4) ON CONFLICT (username) DO NOTHING"};
constexpr Query kInsertRole{"auth.bulk_roles",
                            "INSERT INTO auth_roles (name, description) VALUES ($1, $2) "
                            "ON CONFLICT (name) DO NOTHING"};
constexpr Query kFindRole{"auth.bulk_find_role", "SELECT id FROM auth_roles WHERE name = $1"};
constexpr Query kInsertGrant{
    "auth.bulk_grants",
    "INSERT INTO auth_role_permissions (role_id, resource_type, resource_pattern, permission) "
    "VALUES ($1, $2, $3, $4) ON CONFLICT (role_id, resource_type, resource_pattern) DO NOTHING"};
constexpr Query kInsertAssignment{
    "auth.bulk_assignments",
    "INSERT INTO auth_role_assignments (user_id, role_id) VALUES ($1, $2) "
    "ON CONFLICT (user_id, role_id) DO NOTHING"};

constexpr Query kFindGrant{"auth.bulk_find_grant",
                           "SELECT permission FROM auth_role_permissions WHERE role_id = $1 "
                           "AND resource_type = $2 AND resource_pattern = $3"};
constexpr Query kReadUsers{
    "auth.bulk_read_users",
    "SELECT id, username, password_hash, is_admin FROM auth_users ORDER BY id"};
constexpr Query kReadRoles{"auth.bulk_read_roles",
                           "SELECT id, name, description FROM auth_roles ORDER BY id"};
constexpr Query kReadGrants{"auth.bulk_read_grants",
                            "SELECT role_id, resource_type, resource_pattern, permission "
                            "FROM auth_role_permissions ORDER BY id"};
constexpr Query kReadAssignments{
    "auth.bulk_read_assignments",
    "SELECT a.role_id, u.username FROM auth_role_assignments a JOIN auth_users u "
    "ON u.id = a.user_id ORDER BY a.id"};

/// Its name here; nothing if it belongs to a user who is not here.
Result<std::optional<std::string>> NameHereIn(sql::Reader& reader, const BulkRole& role) {
  if (!role.personal_of) return std::optional(role.name);
  ASSIGN_OR_RETURN(const auto owner, internal::FindUserIn(reader, *role.personal_of));
  return owner ? std::optional(PersonalRoleName(owner->id)) : std::nullopt;
}

}  // namespace

Status AddUsersIn(Tx& tx, std::span<const User> users, int64_t now_ms) {
  for (const User& user : users) {
    RETURN_IF_ERROR(
        tx.Post(kInsertUser, {user.username, user.password_hash, user.is_admin, now_ms}));
  }
  return Ok();
}

Result<int64_t> AddRolesIn(Tx& tx, std::span<const BulkRole> roles) {
  int64_t left_out_count = 0;
  for (const BulkRole& role : roles) {
    std::string name = role.name;
    std::vector<std::string> usernames = role.usernames;
    if (role.personal_of) {
      ASSIGN_OR_RETURN(const auto owner, internal::FindUserIn(tx, *role.personal_of));
      if (!owner) {
        ++left_out_count;
        continue;
      }
      name = PersonalRoleName(owner->id);
      usernames = {owner->username};
    }
    RETURN_IF_ERROR(tx.Execute(kInsertRole, {name, role.description}));
    ASSIGN_OR_RETURN(const std::optional<int64_t> role_id,
                     tx.FindOne(kFindRole, {name}, [](const Row& row) { return row.GetInt64(0); }));
    if (!role_id) return Internal("a role is gone as soon as it came");
    for (const Grant& grant : role.grants) {
      RETURN_IF_ERROR(tx.Post(kInsertGrant, {*role_id, grant.resource_type, grant.resource_pattern,
                                             PermissionName(grant.permission)}));
    }
    for (const std::string& username : usernames) {
      ASSIGN_OR_RETURN(const auto user, internal::FindUserIn(tx, username));
      if (!user) {
        ++left_out_count;
        continue;
      }
      RETURN_IF_ERROR(tx.Post(kInsertAssignment, {user->id, *role_id}));
    }
  }
  return left_out_count;
}

Result<BulkCounts> CountIn(sql::Reader& reader, std::span<const User> users,
                           std::span<const BulkRole> roles) {
  BulkCounts counts;
  for (const User& user : users) {
    ASSIGN_OR_RETURN(const auto found, internal::FindUserIn(reader, user.username));
    counts.users += found && found->password_hash == user.password_hash;
  }
  for (const BulkRole& role : roles) {
    ASSIGN_OR_RETURN(const std::optional<std::string> name, NameHereIn(reader, role));
    if (!name) continue;
    ASSIGN_OR_RETURN(
        const std::optional<int64_t> role_id,
        reader.FindOne(kFindRole, {*name}, [](const Row& row) { return row.GetInt64(0); }));
    if (!role_id) continue;
    ++counts.roles;
    for (const Grant& grant : role.grants) {
      ASSIGN_OR_RETURN(
          const auto permission,
          reader.FindOne(kFindGrant, {*role_id, grant.resource_type, grant.resource_pattern},
                         [](const Row& row) { return row.GetText(0); }));
      counts.grants += permission && *permission == PermissionName(grant.permission);
    }
  }
  return counts;
}

Result<BulkAuth> ReadAllIn(sql::Reader& reader) {
  BulkAuth all;
  ASSIGN_OR_RETURN(all.users, reader.FindAll(kReadUsers, {}, [](const Row& row) {
    return internal::UserFromRow(row);
  }));
  std::map<int64_t, BulkRole> roles;
  RETURN_IF_ERROR(reader.ForEach(kReadRoles, {}, [&](const Row& row) -> Status {
    BulkRole& role = roles[row.GetInt64(0)];
    role.name = row.GetText(1);
    role.description = row.FindText(2);
    for (const User& user : all.users) {
      if (role.name == PersonalRoleName(user.id)) role.personal_of = user.username;
    }
    return Ok();
  }));
  RETURN_IF_ERROR(reader.ForEach(kReadGrants, {}, [&](const Row& row) -> Status {
    ASSIGN_OR_RETURN(const Permission permission, internal::PermissionFromText(row.GetTextView(3)));
    roles[row.GetInt64(0)].grants.push_back({row.GetText(1), row.GetText(2), permission});
    return Ok();
  }));
  RETURN_IF_ERROR(reader.ForEach(kReadAssignments, {}, [&](const Row& row) -> Status {
    roles[row.GetInt64(0)].usernames.push_back(row.GetText(1));
    return Ok();
  }));
  for (auto& [id, role] : roles) all.roles.push_back(std::move(role));
  return all;
}

}  // namespace sluice::auth
