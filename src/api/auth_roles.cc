// Roles, their permissions and who has them. There is one workspace, "default", which requests may
// name and replies do.
#include <fmt/format.h>

#include "api/internal/auth_rows.h"
#include "auth/store.h"
#include "http/target.h"

namespace sluice::api::internal {

namespace {

using auth::Role;
using formats::Json;
using http::Method;

Status CheckWorkspace(const Fields& fields) {
  for (const std::string& workspace : fields.Strings("workspace")) {
    if (workspace != auth::kDefaultWorkspace) {
      return InvalidArgument(
          fmt::format("Workspace '{}' does not exist: this server has only '{}'.", workspace,
                      auth::kDefaultWorkspace));
    }
  }
  return fields.status();
}

Result<int64_t> ReadRoleId(const Fields& fields) {
  const int64_t role_id = fields.RequireInt64("role_id");
  RETURN_IF_ERROR(fields.status());
  return role_id;
}

Answer AnswerRole(const Role& role) { return Answer(Json::MakeObject({{"role", RoleJson(role)}})); }

Answer AnswerRoles(const std::vector<Role>& roles) {
  Json list = Json::MakeArray();
  for (const Role& role : roles) list.Append(RoleJson(role));
  return Answer(Json::MakeObject({{"roles", std::move(list)}}));
}

Answer AnswerPermission(const auth::RolePermission& permission) {
  return Answer(Json::MakeObject({{"role_permission", RolePermissionJson(permission)}}));
}

Json AssignmentJson(const auth::RoleAssignment& assignment) {
  return Json::MakeObject(
      {{"id", assignment.id}, {"user_id", assignment.user_id}, {"role_id", assignment.role_id}});
}

Result<Answer> Create(Services& services, Call& call) {
  const std::string name = call.fields.RequirePresentString("name");
  const std::string workspace = call.fields.RequireString("workspace");
  const std::optional<std::string> description = call.fields.FindString("description");
  RETURN_IF_ERROR(call.fields.status());
  if (workspace != auth::kDefaultWorkspace) {
    return InvalidArgument(fmt::format("Workspace '{}' does not exist: this server has only '{}'.",
                                       workspace, auth::kDefaultWorkspace));
  }
  ASSIGN_OR_RETURN(const Role role, services.auth->CreateRole(name, description));
  return AnswerRole(role);
}

Result<Answer> Get(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const int64_t role_id, ReadRoleId(call.fields));
  ASSIGN_OR_RETURN(const Role role, services.auth->GetRole(role_id));
  return AnswerRole(role);
}

Result<Answer> List(Services& services, Call& call) {
  RETURN_IF_ERROR(CheckWorkspace(call.fields));
  ASSIGN_OR_RETURN(const std::vector<Role> roles, services.auth->ListRoles());
  return AnswerRoles(roles);
}

Result<Answer> Update(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const int64_t role_id, ReadRoleId(call.fields));
  const std::optional<std::string> name = call.fields.FindString("name");
  const std::optional<std::string> description = call.fields.FindString("description");
  RETURN_IF_ERROR(call.fields.status());
  if (!name && !description) {
    return InvalidArgument(
        "At least one of 'name' or 'description' must be provided to update a role.");
  }
  ASSIGN_OR_RETURN(const Role role, services.auth->UpdateRole(role_id, name, description));
  return AnswerRole(role);
}

Result<Answer> Delete(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const int64_t role_id, ReadRoleId(call.fields));
  RETURN_IF_ERROR(services.auth->DeleteRole(role_id));
  return Answer::Empty();
}

Result<auth::Permission> ReadPermission(const Fields& fields) {
  const std::string name = fields.RequireString("permission");
  RETURN_IF_ERROR(fields.status());
  return auth::ParsePermission(name);
}

Result<Answer> AddPermission(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const int64_t role_id, ReadRoleId(call.fields));
  auth::Grant grant = {.resource_type = call.fields.RequireString("resource_type"),
                       .resource_pattern = call.fields.RequireString("resource_pattern")};
  ASSIGN_OR_RETURN(grant.permission, ReadPermission(call.fields));
  ASSIGN_OR_RETURN(const auth::RolePermission permission,
                   services.auth->AddRolePermission(role_id, grant));
  return AnswerPermission(permission);
}

Result<Answer> RemovePermission(Services& services, Call& call) {
  const int64_t id = call.fields.RequireInt64("role_permission_id");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.auth->RemoveRolePermission(id));
  return Answer::Empty();
}

Result<Answer> ListPermissions(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const int64_t role_id, ReadRoleId(call.fields));
  ASSIGN_OR_RETURN(const Role role, services.auth->GetRole(role_id));
  Json list = Json::MakeArray();
  for (const auth::RolePermission& permission : role.permissions) {
    list.Append(RolePermissionJson(permission));
  }
  return Answer(Json::MakeObject({{"role_permissions", std::move(list)}}));
}

Result<Answer> UpdatePermission(Services& services, Call& call) {
  const int64_t id = call.fields.RequireInt64("role_permission_id");
  ASSIGN_OR_RETURN(const auth::Permission level, ReadPermission(call.fields));
  ASSIGN_OR_RETURN(const auth::RolePermission permission,
                   services.auth->UpdateRolePermission(id, level));
  return AnswerPermission(permission);
}

Result<Answer> Assign(Services& services, Call& call) {
  const std::string username = call.fields.RequireString("username");
  ASSIGN_OR_RETURN(const int64_t role_id, ReadRoleId(call.fields));
  ASSIGN_OR_RETURN(const auth::RoleAssignment assignment,
                   services.auth->AssignRole(username, role_id));
  return Answer(Json::MakeObject({{"assignment", AssignmentJson(assignment)}}));
}

Result<Answer> Unassign(Services& services, Call& call) {
  const std::string username = call.fields.RequireString("username");
  ASSIGN_OR_RETURN(const int64_t role_id, ReadRoleId(call.fields));
  RETURN_IF_ERROR(services.auth->UnassignRole(username, role_id));
  return Answer::Empty();
}

Result<Answer> ListUsersOfRole(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const int64_t role_id, ReadRoleId(call.fields));
  ASSIGN_OR_RETURN(const std::vector<auth::RoleAssignment> assignments,
                   services.auth->ListRoleUsers(role_id));
  Json list = Json::MakeArray();
  for (const auth::RoleAssignment& assignment : assignments) {
    list.Append(AssignmentJson(assignment));
  }
  return Answer(Json::MakeObject({{"assignments", std::move(list)}}));
}

Result<Answer> ListRolesOfUser(Services& services, Call& call) {
  const std::string username = call.fields.RequireString("username");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const std::vector<Role> roles, services.auth->ListUserRoles(username));
  return AnswerRoles(roles);
}

}  // namespace

Result<std::vector<Resource>> RolesOfWorkspace(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const std::vector<Role> roles,
                   services.auth->ListUserRoles(call.caller.username()));
  if (!roles.empty()) return std::vector<Resource>();
  return TheWorkspace(services, call);
}

std::vector<Endpoint> RoleRows() {
  const Access manages = Access::Needs(Level::kManage, TheWorkspace);
  const Access reads = Access::Needs(Level::kRead, RolesOfWorkspace);
  return {
      {Method::kPost, "/api/3.0/mlflow/roles/create", "roles.create", manages, Create},
      {Method::kGet, "/api/3.0/mlflow/roles/get", "roles.get", reads, Get},
      {Method::kGet, "/api/3.0/mlflow/roles/list", "roles.list", reads, List},
      {Method::kPatch, "/api/3.0/mlflow/roles/update", "roles.update", manages, Update},
      {Method::kDelete, "/api/3.0/mlflow/roles/delete", "roles.delete", manages, Delete},
      {Method::kPost, "/api/3.0/mlflow/roles/permissions/add", "roles.permissions.add", manages,
       AddPermission},
      {Method::kDelete, "/api/3.0/mlflow/roles/permissions/remove", "roles.permissions.remove",
       manages, RemovePermission},
      {Method::kGet, "/api/3.0/mlflow/roles/permissions/list", "roles.permissions.list", reads,
       ListPermissions},
      {Method::kPatch, "/api/3.0/mlflow/roles/permissions/update", "roles.permissions.update",
       manages, UpdatePermission},
      {Method::kPost, "/api/3.0/mlflow/roles/assign", "roles.assign", manages, Assign},
      {Method::kDelete, "/api/3.0/mlflow/roles/unassign", "roles.unassign", manages, Unassign},
      {Method::kGet, "/api/3.0/mlflow/roles/users/list", "roles.users.list", reads,
       ListUsersOfRole},
      {Method::kGet, "/api/3.0/mlflow/users/roles/list", "users.roles.list",
       Access::Needs(Level::kManage, OwnUserOrWorkspace), ListRolesOfUser},
  };
}

}  // namespace sluice::api::internal
