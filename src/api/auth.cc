// Everything about users: the rows of all their files, and what these share.
#include "api/internal/auth_rows.h"
#include "base/check.h"
#include "registry/store.h"

namespace sluice::api {

std::vector<Endpoint> AuthEndpoints() {
  std::vector<Endpoint> all;
  for (const std::vector<Endpoint>& rows :
       {internal::UserRows(), internal::UserGrantRows(), internal::ResourceGrantRows(),
        internal::RoleRows(), internal::TokenRows(), internal::SignupRows()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

namespace internal {

namespace {

bool IsOwn(const Call& call) {
  const std::string username = call.fields.StringOr("username");
  return username.empty() || username == call.caller.username();
}

}  // namespace

formats::Json RolePermissionJson(const auth::RolePermission& permission) {
  return formats::Json::MakeObject(
      {{"id", permission.id},
       {"role_id", permission.role_id},
       {"resource_type", permission.grant.resource_type},
       {"resource_pattern", permission.grant.resource_pattern},
       {"permission", auth::PermissionName(permission.grant.permission)}});
}

formats::Json RoleJson(const auth::Role& role) {
  formats::Json permissions = formats::Json::MakeArray();
  for (const auth::RolePermission& permission : role.permissions) {
    permissions.Append(RolePermissionJson(permission));
  }
  return formats::Json::MakeObject(
      {{"id", role.id},
       {"name", role.name},
       {"workspace", auth::kDefaultWorkspace},
       {"description", role.description ? formats::Json(*role.description) : formats::Json()},
       {"permissions", std::move(permissions)}});
}

const auth::Principal& PrincipalOf(const Call& call) {
  const auth::Principal* principal = FindPrincipal(call.caller);
  CHECK(principal != nullptr);
  return *principal;
}

UserAuthorization& UsersOf(Services& services) {
  auto* users = dynamic_cast<UserAuthorization*>(services.authorization);
  CHECK(users != nullptr);
  return *users;
}

Result<std::string> ModelGrantType(Services& services, std::string_view name) {
  const Result<registry::RegisteredModel> model = services.registry->GetModel(name);
  if (!model.ok() && model.error().code() != ErrorCode::kNotFound) return model.error();
  const bool is_prompt = model.ok() && registry::HasPromptTag(model->tags);
  return std::string(is_prompt ? auth::kPrompt : auth::kRegisteredModel);
}

Result<std::vector<Resource>> OwnUser(Services& /*services*/, Call& call) {
  if (IsOwn(call)) return std::vector<Resource>();
  return std::vector<Resource>{AdministratorsOnly()};
}

Result<std::vector<Resource>> OwnUserOrWorkspace(Services& services, Call& call) {
  if (IsOwn(call)) return std::vector<Resource>();
  return TheWorkspace(services, call);
}

}  // namespace internal

}  // namespace sluice::api
