#include "auth/bulk_writer.h"

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

}  // namespace sluice::auth
