// Grants given to one user personally, and the look-up of what a user may.
#include <fmt/format.h>

#include "auth/internal/rows.h"
#include "auth/store.h"

namespace sluice::auth {

using internal::GetUserIn;
using internal::PermissionFromText;
using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

namespace {

constexpr Query kFindRole{"auth.find_personal_role", "SELECT id FROM auth_roles WHERE name = $1"};
constexpr Query kInsertRole{
    "auth.insert_personal_role",
    "INSERT INTO auth_roles (name) VALUES ($1) ON CONFLICT (name) DO NOTHING"};
constexpr Query kInsertAssignment{
    "auth.assign_personal_role",
    "INSERT INTO auth_role_assignments (user_id, role_id) VALUES ($1, $2) "
    "ON CONFLICT (user_id, role_id) DO NOTHING"};
constexpr Query kInsertGrant{
    "auth.insert_personal_grant",
    "INSERT INTO auth_role_permissions (role_id, resource_type, resource_pattern, permission) "
    "VALUES ($1, $2, $3, $4)"};
constexpr Query kUpsertGrant{
    "auth.set_personal_grant",
    "INSERT INTO auth_role_permissions (role_id, resource_type, resource_pattern, permission) "
    "VALUES ($1, $2, $3, $4) ON CONFLICT (role_id, resource_type, resource_pattern) "
    "DO UPDATE SET permission = excluded.permission"};
constexpr Query kDeleteGrant{
    "auth.delete_personal_grant",
    "DELETE FROM auth_role_permissions WHERE resource_type = $2 AND resource_pattern = $3 "
    "AND role_id = (SELECT id FROM auth_roles WHERE name = $1)"};
constexpr Query kFindGrant{
    "auth.find_personal_grant",
    "SELECT p.permission FROM auth_roles r JOIN auth_role_permissions p ON p.role_id = r.id "
    "WHERE r.name = $1 AND p.resource_type = $2 AND p.resource_pattern = $3"};
constexpr Query kListPersonal{
    "auth.list_personal_grants",
    "SELECT p.resource_type, p.resource_pattern, p.permission FROM auth_roles r "
    "JOIN auth_role_permissions p ON p.role_id = r.id WHERE r.name = $1 ORDER BY p.id"};

// Each wanted (type, pattern) is one look-up in the unique index, however many grants there are.
constexpr Query kLoadGrantsOn{
    "auth.load_grants_on",
    "WITH wanted (type, pattern) AS (VALUES ($2, $3), ($2, '*'), ($4, $5), ($4, '*'), ($6, $7), "
    "($6, '*'), ($8, $9), ($8, '*'), ('workspace', '*')) "
    "SELECT p.resource_type, p.resource_pattern, p.permission FROM auth_role_assignments a "
    "CROSS JOIN wanted w JOIN auth_role_permissions p ON p.role_id = a.role_id "
    "AND p.resource_type = w.type AND p.resource_pattern = w.pattern WHERE a.user_id = $1"};
constexpr Query kHasRestrictions{
    "auth.has_restrictions",
    "SELECT 1 FROM auth_role_assignments a JOIN auth_role_permissions p ON p.role_id = a.role_id "
    "WHERE a.user_id = $1 AND p.permission IN ('DENY', 'NO_PERMISSIONS') LIMIT 1"};
constexpr Query kListGrants{
    "auth.list_grants",
    "SELECT p.resource_type, p.resource_pattern, p.permission, r.id, r.name "
    "FROM auth_role_assignments a JOIN auth_roles r ON r.id = a.role_id "
    "JOIN auth_role_permissions p ON p.role_id = r.id WHERE a.user_id = $1 ORDER BY r.id, p.id"};
constexpr Query kListGrantsOfType{
    "auth.list_grants_of_type",
    "SELECT p.resource_type, p.resource_pattern, p.permission, r.id, r.name "
    "FROM auth_role_assignments a JOIN auth_roles r ON r.id = a.role_id "
    "JOIN auth_role_permissions p ON p.role_id = r.id WHERE a.user_id = $1 "
    "AND p.resource_type IN ($2, 'workspace') ORDER BY r.id, p.id"};

constexpr Query kForgetGrants{
    "auth.forget_resource",
    "DELETE FROM auth_role_permissions WHERE resource_type = $1 AND resource_pattern = $2 "
    "AND role_id IN (SELECT id FROM auth_roles WHERE SUBSTR(name, 1, 7) = '__user_')"};
constexpr Query kForgetInTokens{
    "auth.forget_resource_in_tokens",
    "DELETE FROM auth_token_resources WHERE resource_type = $1 AND resource_id = $2"};
constexpr Query kRenameGrants{
    "auth.rename_resource",
    "UPDATE auth_role_permissions SET resource_pattern = $3 WHERE resource_type = $1 "
    "AND resource_pattern = $2 AND NOT EXISTS (SELECT 1 FROM auth_role_permissions o "
    "WHERE o.role_id = auth_role_permissions.role_id AND o.resource_type = $1 "
    "AND o.resource_pattern = $3)"};
constexpr Query kForgetNewNameInTokens{
    "auth.forget_new_name_in_tokens",
    "DELETE FROM auth_token_resources WHERE resource_type = $1 AND resource_id = $3 "
    "AND token_id IN (SELECT token_id FROM auth_token_resources WHERE resource_type = $1 "
    "AND resource_id = $2)"};
constexpr Query kRenameInTokens{"auth.rename_resource_in_tokens",
                                "UPDATE auth_token_resources SET resource_id = $3 "
                                "WHERE resource_type = $1 AND resource_id = $2"};

constexpr size_t kKeysPerLookup = 4;

Result<Grant> GrantFromRow(const Row& row) {
  ASSIGN_OR_RETURN(const Permission permission, PermissionFromText(row.GetTextView(2)));
  return Grant{.resource_type = row.GetText(0),
               .resource_pattern = row.GetText(1),
               .permission = permission};
}

Result<UserGrant> UserGrantFromRow(const Row& row) {
  ASSIGN_OR_RETURN(Grant grant, GrantFromRow(row));
  return UserGrant{
      .grant = std::move(grant), .role_id = row.GetInt64(3), .role_name = row.GetText(4)};
}

Result<int64_t> PersonalRoleIn(Tx& tx, int64_t user_id) {
  const std::string name = PersonalRoleName(user_id);
  const auto id_from_row = [](const Row& row) { return row.GetInt64(0); };
  ASSIGN_OR_RETURN(std::optional<int64_t> id, tx.FindOne(kFindRole, {name}, id_from_row));
  if (id) return *id;
  RETURN_IF_ERROR(tx.Execute(kInsertRole, {name}));
  ASSIGN_OR_RETURN(id, tx.FindOne(kFindRole, {name}, id_from_row));
  if (!id) return Unavailable(fmt::format("role '{}' is being made by another server", name));
  RETURN_IF_ERROR(tx.Execute(kInsertAssignment, {user_id, *id}));
  return *id;
}

}  // namespace

Result<User> Store::SetPersonalGrant(std::string_view username, const Grant& grant,
                                     bool is_new_only) {
  RETURN_IF_ERROR(CheckOldGrant(grant));
  return db_.Write([&](Tx& tx) -> Result<User> {
    ASSIGN_OR_RETURN(User user, GetUserIn(tx, username));
    ASSIGN_OR_RETURN(const int64_t role_id, PersonalRoleIn(tx, user.id));
    const Result<int64_t> count = tx.Execute(
        is_new_only ? kInsertGrant : kUpsertGrant,
        {role_id, grant.resource_type, grant.resource_pattern, PermissionName(grant.permission)});
    if (!count.ok() && count.error().code() == ErrorCode::kAlreadyExists) {
      return AlreadyExists(
          fmt::format("Permission for user={} on resource_type={}, resource_id={} already exists.",
                      username, grant.resource_type, grant.resource_pattern));
    }
    RETURN_IF_ERROR(count);
    return user;
  });
}

Status Store::RemovePersonalGrant(std::string_view username, const ResourceKey& key) {
  RETURN_IF_ERROR(CheckResourceType(key.type));
  return db_.Write([&](Tx& tx) -> Status {
    ASSIGN_OR_RETURN(const User user, GetUserIn(tx, username));
    ASSIGN_OR_RETURN(const int64_t count,
                     tx.Execute(kDeleteGrant, {PersonalRoleName(user.id), key.type, key.id}));
    if (count > 0) return Ok();
    return NotFound(
        fmt::format("Permission for user={} on resource_type={}, resource_id={} not found.",
                    username, key.type, key.id));
  });
}

Result<std::optional<Permission>> Store::FindPersonalGrant(std::string_view username,
                                                           const ResourceKey& key) {
  return db_.Read([&](Reader& reader) -> Result<std::optional<Permission>> {
    ASSIGN_OR_RETURN(const User user, GetUserIn(reader, username));
    return reader.FindOne(kFindGrant, {PersonalRoleName(user.id), key.type, key.id},
                          [](const Row& row) { return PermissionFromText(row.GetTextView(0)); });
  });
}

Result<std::vector<Grant>> Store::ListPersonalGrants(int64_t user_id) {
  return db_.Read([&](Reader& reader) {
    return reader.FindAll(kListPersonal, {PersonalRoleName(user_id)}, GrantFromRow);
  });
}

Status Store::GrantToCreator(int64_t user_id, const ResourceKey& key) {
  // All rows are this user's own, so on PostgreSQL nobody waits for the experiments of others.
  const std::string scope = PersonalRoleName(user_id);
  return db_.Write(
      [&](Tx& tx) -> Status {
        ASSIGN_OR_RETURN(const int64_t role_id, PersonalRoleIn(tx, user_id));
        return tx.Post(kUpsertGrant,
                       {role_id, key.type, key.id, PermissionName(Permission::kManage)});
      },
      sql::WriteOptions{.scope = scope});
}

Status Store::ForgetResource(const ResourceKey& key) {
  const Status status = db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(tx.Execute(kForgetGrants, {key.type, key.id}));
    RETURN_IF_ERROR(tx.Execute(kForgetInTokens, {key.type, key.id}));
    return Ok();
  });
  if (status.ok()) Changed();
  return status;
}

Status Store::RenameResource(const ResourceKey& key, std::string_view new_id) {
  if (key.id == new_id) return Ok();
  const Status status = db_.Write([&](Tx& tx) -> Status {
    // What an earlier resource of the new name left behind must not meet the newcomer.
    RETURN_IF_ERROR(tx.Execute(kForgetGrants, {key.type, new_id}));
    RETURN_IF_ERROR(tx.Execute(kRenameGrants, {key.type, key.id, new_id}));
    RETURN_IF_ERROR(tx.Execute(kForgetNewNameInTokens, {key.type, key.id, new_id}));
    RETURN_IF_ERROR(tx.Execute(kRenameInTokens, {key.type, key.id, new_id}));
    return Ok();
  });
  if (status.ok()) Changed();
  return status;
}

Result<std::vector<Grant>> Store::LoadGrantsOn(int64_t user_id, std::span<const ResourceKey> keys) {
  return db_.Read([&](Reader& reader) -> Result<std::vector<Grant>> {
    std::vector<Grant> grants;
    for (size_t first = 0; first < keys.size(); first += kKeysPerLookup) {
      std::vector<sql::Param> params = {user_id};
      for (size_t i = first; i < first + kKeysPerLookup; ++i) {
        // No grant has the type "", so what is not asked for finds nothing.
        params.emplace_back(i < keys.size() ? std::string_view(keys[i].type) : "");
        params.emplace_back(i < keys.size() ? std::string_view(keys[i].id) : "");
      }
      ASSIGN_OR_RETURN(std::vector<Grant> found,
                       reader.FindAll(kLoadGrantsOn, params, GrantFromRow));
      grants.insert(grants.end(), std::make_move_iterator(found.begin()),
                    std::make_move_iterator(found.end()));
    }
    return grants;
  });
}

Result<bool> Store::HasRestrictions(int64_t user_id) {
  return db_.Read([&](Reader& reader) -> Result<bool> {
    ASSIGN_OR_RETURN(const std::optional<int64_t> any,
                     reader.FindOne(kHasRestrictions, {user_id},
                                    [](const Row& row) { return row.GetInt64(0); }));
    return any.has_value();
  });
}

Result<std::vector<UserGrant>> Store::ListGrants(int64_t user_id, std::string_view resource_type) {
  return db_.Read([&](Reader& reader) {
    return resource_type.empty()
               ? reader.FindAll(kListGrants, {user_id}, UserGrantFromRow)
               : reader.FindAll(kListGrantsOfType, {user_id, resource_type}, UserGrantFromRow);
  });
}

}  // namespace sluice::auth
