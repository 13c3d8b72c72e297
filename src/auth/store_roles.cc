// Roles, their permissions and who has them.
#include <fmt/format.h>

#include <map>

#include "auth/internal/rows.h"
#include "auth/store.h"

namespace sluice::auth {

using internal::GetUserIn;
using internal::PermissionFromText;
using internal::UserFromRow;
using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

namespace {

constexpr std::string_view kReservedPrefix = "__user_";

constexpr Query kInsertRole{
    "auth.insert_role", "INSERT INTO auth_roles (name, description) VALUES ($1, $2) RETURNING id"};
constexpr Query kFindRole{"auth.find_role",
                          "SELECT id, name, description FROM auth_roles WHERE id = $1"};
constexpr Query kListRoles{"auth.list_roles",
                           "SELECT id, name, description FROM auth_roles ORDER BY id"};
constexpr Query kListUserRoles{
    "auth.list_user_roles",
    "SELECT r.id, r.name, r.description FROM auth_role_assignments a "
    "JOIN auth_roles r ON r.id = a.role_id WHERE a.user_id = $1 ORDER BY r.id"};
constexpr Query kUpdateRole{"auth.update_role",
                            "UPDATE auth_roles SET name = $2, description = $3 WHERE id = $1"};
constexpr Query kDeleteRole{"auth.delete_role", "DELETE FROM auth_roles WHERE id = $1"};

constexpr Query kInsertPermission{
    "auth.insert_role_permission",
    "INSERT INTO auth_role_permissions (role_id, resource_type, resource_pattern, permission) "
    "VALUES ($1, $2, $3, $4) RETURNING id"};
constexpr Query kFindPermission{
    "auth.find_role_permission",
    "SELECT id, role_id, resource_type, resource_pattern, permission FROM auth_role_permissions "
    "WHERE id = $1"};
constexpr Query kListPermissions{
    "auth.list_role_permissions",
    "SELECT id, role_id, resource_type, resource_pattern, permission FROM auth_role_permissions "
    "WHERE role_id = $1 ORDER BY id"};
constexpr Query kListAllPermissions{
    "auth.list_all_role_permissions",
    "SELECT id, role_id, resource_type, resource_pattern, permission FROM auth_role_permissions "
    "ORDER BY id"};
constexpr Query kUpdatePermission{"auth.update_role_permission",
                                  "UPDATE auth_role_permissions SET permission = $2 WHERE id = $1"};
constexpr Query kDeletePermission{"auth.delete_role_permission",
                                  "DELETE FROM auth_role_permissions WHERE id = $1"};

constexpr Query kInsertAssignment{
    "auth.insert_role_assignment",
    "INSERT INTO auth_role_assignments (user_id, role_id) VALUES ($1, $2) RETURNING id"};
constexpr Query kDeleteAssignment{
    "auth.delete_role_assignment",
    "DELETE FROM auth_role_assignments WHERE user_id = $1 AND role_id = $2"};
constexpr Query kListRoleUsers{
    "auth.list_role_users",
    "SELECT id, user_id, role_id FROM auth_role_assignments WHERE role_id = $1 ORDER BY id"};
constexpr Query kListAssignments{
    "auth.list_role_assignments",
    "SELECT id, user_id, role_id FROM auth_role_assignments ORDER BY id"};
constexpr Query kListUsers{
    "auth.list_users_with_roles",
    "SELECT id, username, password_hash, is_admin FROM auth_users ORDER BY id"};

Role RoleFromRow(const Row& row) {
  return {.id = row.GetInt64(0), .name = row.GetText(1), .description = row.FindText(2)};
}

Result<RolePermission> RolePermissionFromRow(const Row& row) {
  ASSIGN_OR_RETURN(const Permission permission, PermissionFromText(row.GetTextView(4)));
  return RolePermission{.id = row.GetInt64(0),
                        .role_id = row.GetInt64(1),
                        .grant = {.resource_type = row.GetText(2),
                                  .resource_pattern = row.GetText(3),
                                  .permission = permission}};
}

RoleAssignment AssignmentFromRow(const Row& row) {
  return {.id = row.GetInt64(0), .user_id = row.GetInt64(1), .role_id = row.GetInt64(2)};
}

int64_t IdFromRow(const Row& row) { return row.GetInt64(0); }

Result<Role> GetRoleIn(Reader& reader, int64_t role_id) {
  ASSIGN_OR_RETURN(std::optional<Role> role, reader.FindOne(kFindRole, {role_id}, RoleFromRow));
  if (!role) return NotFound(fmt::format("Role with id={} not found", role_id));
  ASSIGN_OR_RETURN(role->permissions,
                   reader.FindAll(kListPermissions, {role_id}, RolePermissionFromRow));
  return *std::move(role);
}

Result<RolePermission> GetPermissionIn(Reader& reader, int64_t role_permission_id) {
  ASSIGN_OR_RETURN(std::optional<RolePermission> permission,
                   reader.FindOne(kFindPermission, {role_permission_id}, RolePermissionFromRow));
  if (!permission) {
    return NotFound(fmt::format("Role permission with id={} not found", role_permission_id));
  }
  return *std::move(permission);
}

/// A role that people may change: personal ones are the business of personal grants, since a second
/// user in one of them would get the first one's grants.
Status CheckShared(const Role& role, std::string_view what) {
  if (!IsPersonalRoleName(role.name)) return Ok();
  return InvalidArgument(
      fmt::format("Role '{}' holds the personal grants of one user and cannot be {}; grant or "
                  "revoke the user's permissions instead.",
                  role.name, what));
}

Status CheckRoleName(std::string_view name) {
  if (name.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return InvalidArgument("Role name cannot be empty.");
  }
  if (name.size() > 255) {
    return InvalidArgument(
        fmt::format("Role name is {} bytes long; at most 255 are allowed.", name.size()));
  }
  if (name.starts_with(kReservedPrefix)) {
    return InvalidArgument(
        fmt::format("Role name '{}' uses the reserved '__user_' prefix, which is held for the "
                    "per-user permission representation. Choose a different name.",
                    name));
  }
  return Ok();
}

Error RoleExists(std::string_view name) {
  return AlreadyExists(
      fmt::format("Role (name={}, workspace={}) already exists.", name, kDefaultWorkspace));
}

}  // namespace

bool IsPersonalRoleName(std::string_view name) { return name.starts_with(kReservedPrefix); }

std::string PersonalRoleName(int64_t user_id) {
  return fmt::format("{}{}__", kReservedPrefix, user_id);
}

Result<Permission> internal::PermissionFromText(std::string_view text) {
  Result<Permission> permission = ParsePermission(text);
  if (permission.ok()) return permission;
  return DataLoss(fmt::format("the database has permission '{}', which is none", text));
}

Result<Role> Store::CreateRole(std::string_view name, std::optional<std::string> description) {
  RETURN_IF_ERROR(CheckRoleName(name));
  return db_.Write([&](Tx& tx) -> Result<Role> {
    Result<std::optional<int64_t>> id = tx.FindOne(kInsertRole, {name, description}, IdFromRow);
    if (!id.ok()) {
      if (id.error().code() == ErrorCode::kAlreadyExists) return RoleExists(name);
      return std::move(id).error();
    }
    return GetRoleIn(tx, id->value_or(0));
  });
}

Result<Role> Store::GetRole(int64_t role_id) {
  return db_.Read([&](Reader& reader) { return GetRoleIn(reader, role_id); });
}

Result<RolePermission> Store::GetRolePermission(int64_t role_permission_id) {
  return db_.Read([&](Reader& reader) { return GetPermissionIn(reader, role_permission_id); });
}

Result<std::vector<Role>> Store::ListRoles() {
  return db_.Read([&](Reader& reader) -> Result<std::vector<Role>> {
    ASSIGN_OR_RETURN(std::vector<Role> roles, reader.FindAll(kListRoles, {}, RoleFromRow));
    std::map<int64_t, Role*> by_id;
    for (Role& role : roles) by_id[role.id] = &role;
    ASSIGN_OR_RETURN(const std::vector<RolePermission> permissions,
                     reader.FindAll(kListAllPermissions, {}, RolePermissionFromRow));
    for (const RolePermission& permission : permissions) {
      if (auto role = by_id.find(permission.role_id); role != by_id.end()) {
        role->second->permissions.push_back(permission);
      }
    }
    return roles;
  });
}

Result<Role> Store::UpdateRole(int64_t role_id, std::optional<std::string> name,
                               std::optional<std::string> description) {
  if (name) RETURN_IF_ERROR(CheckRoleName(*name));
  return db_.Write([&](Tx& tx) -> Result<Role> {
    ASSIGN_OR_RETURN(Role role, GetRoleIn(tx, role_id));
    RETURN_IF_ERROR(CheckShared(role, "changed"));
    if (name) role.name = *name;
    if (description) role.description = *description;
    const Result<int64_t> updated = tx.Execute(kUpdateRole, {role_id, role.name, role.description});
    if (!updated.ok() && updated.error().code() == ErrorCode::kAlreadyExists) {
      return AlreadyExists(fmt::format("Role with name={} already exists in workspace={}",
                                       role.name, kDefaultWorkspace));
    }
    RETURN_IF_ERROR(updated);
    return role;
  });
}

Status Store::DeleteRole(int64_t role_id) {
  return db_.Write([&](Tx& tx) -> Status {
    ASSIGN_OR_RETURN(const Role role, GetRoleIn(tx, role_id));
    RETURN_IF_ERROR(CheckShared(role, "deleted"));
    RETURN_IF_ERROR(tx.Execute(kDeleteRole, {role_id}));
    return Ok();
  });
}

Result<RolePermission> Store::AddRolePermission(int64_t role_id, const Grant& grant) {
  RETURN_IF_ERROR(CheckGrant(grant));
  return db_.Write([&](Tx& tx) -> Result<RolePermission> {
    RETURN_IF_ERROR(GetRoleIn(tx, role_id));
    Result<std::optional<int64_t>> id = tx.FindOne(
        kInsertPermission,
        {role_id, grant.resource_type, grant.resource_pattern, PermissionName(grant.permission)},
        IdFromRow);
    if (!id.ok()) {
      if (id.error().code() != ErrorCode::kAlreadyExists) return std::move(id).error();
      return AlreadyExists(
          fmt::format("Role permission (role_id={}, resource_type={}, resource_pattern={}) "
                      "already exists.",
                      role_id, grant.resource_type, grant.resource_pattern));
    }
    return RolePermission{.id = id->value_or(0), .role_id = role_id, .grant = grant};
  });
}

Result<RolePermission> Store::UpdateRolePermission(int64_t role_permission_id,
                                                   Permission permission) {
  return db_.Write([&](Tx& tx) -> Result<RolePermission> {
    ASSIGN_OR_RETURN(RolePermission changed, GetPermissionIn(tx, role_permission_id));
    changed.grant.permission = permission;
    RETURN_IF_ERROR(CheckGrant(changed.grant));
    RETURN_IF_ERROR(
        tx.Execute(kUpdatePermission, {role_permission_id, PermissionName(permission)}));
    return changed;
  });
}

Status Store::RemoveRolePermission(int64_t role_permission_id) {
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(GetPermissionIn(tx, role_permission_id));
    RETURN_IF_ERROR(tx.Execute(kDeletePermission, {role_permission_id}));
    return Ok();
  });
}

Result<RoleAssignment> Store::AssignRole(std::string_view username, int64_t role_id) {
  return db_.Write([&](Tx& tx) -> Result<RoleAssignment> {
    ASSIGN_OR_RETURN(const User user, GetUserIn(tx, username));
    ASSIGN_OR_RETURN(const Role role, GetRoleIn(tx, role_id));
    RETURN_IF_ERROR(CheckShared(role, "assigned"));
    Result<std::optional<int64_t>> id =
        tx.FindOne(kInsertAssignment, {user.id, role_id}, IdFromRow);
    if (!id.ok()) {
      if (id.error().code() != ErrorCode::kAlreadyExists) return std::move(id).error();
      return AlreadyExists(fmt::format(
          "User role assignment (user_id={}, role_id={}) already exists", user.id, role_id));
    }
    return RoleAssignment{.id = id->value_or(0), .user_id = user.id, .role_id = role_id};
  });
}

Status Store::UnassignRole(std::string_view username, int64_t role_id) {
  return db_.Write([&](Tx& tx) -> Status {
    ASSIGN_OR_RETURN(const User user, GetUserIn(tx, username));
    ASSIGN_OR_RETURN(const std::optional<Role> role, tx.FindOne(kFindRole, {role_id}, RoleFromRow));
    if (role) RETURN_IF_ERROR(CheckShared(*role, "unassigned"));
    ASSIGN_OR_RETURN(const int64_t count, tx.Execute(kDeleteAssignment, {user.id, role_id}));
    if (count > 0) return Ok();
    return NotFound(
        fmt::format("User role assignment (user_id={}, role_id={}) not found", user.id, role_id));
  });
}

Result<std::vector<RoleAssignment>> Store::ListRoleUsers(int64_t role_id) {
  return db_.Read([&](Reader& reader) -> Result<std::vector<RoleAssignment>> {
    RETURN_IF_ERROR(GetRoleIn(reader, role_id));
    return reader.FindAll(kListRoleUsers, {role_id}, AssignmentFromRow);
  });
}

Result<std::vector<Role>> Store::ListUserRoles(std::string_view username) {
  return db_.Read([&](Reader& reader) -> Result<std::vector<Role>> {
    ASSIGN_OR_RETURN(const User user, GetUserIn(reader, username));
    ASSIGN_OR_RETURN(std::vector<Role> roles,
                     reader.FindAll(kListUserRoles, {user.id}, RoleFromRow));
    for (Role& role : roles) {
      ASSIGN_OR_RETURN(role.permissions,
                       reader.FindAll(kListPermissions, {role.id}, RolePermissionFromRow));
    }
    return roles;
  });
}

Result<std::vector<std::pair<User, std::vector<Role>>>> Store::ListUsersWithRoles() {
  using UserRoles = std::pair<User, std::vector<Role>>;
  ASSIGN_OR_RETURN(const std::vector<Role> roles, ListRoles());
  std::map<int64_t, const Role*> by_id;
  for (const Role& role : roles) by_id[role.id] = &role;
  return db_.Read([&](Reader& reader) -> Result<std::vector<UserRoles>> {
    ASSIGN_OR_RETURN(
        const std::vector<User> users,
        reader.FindAll(kListUsers, {}, [](const Row& row) { return UserFromRow(row); }));
    std::vector<UserRoles> all;
    std::map<int64_t, size_t> index_of;
    for (const User& user : users) {
      index_of[user.id] = all.size();
      all.emplace_back(user, std::vector<Role>());
    }
    ASSIGN_OR_RETURN(const std::vector<RoleAssignment> assignments,
                     reader.FindAll(kListAssignments, {}, AssignmentFromRow));
    for (const RoleAssignment& assignment : assignments) {
      const auto index = index_of.find(assignment.user_id);
      const auto role = by_id.find(assignment.role_id);
      if (index == index_of.end() || role == by_id.end()) continue;
      all[index->second].second.push_back(*role->second);
    }
    return all;
  });
}

}  // namespace sluice::auth
