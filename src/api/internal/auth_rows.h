// What the files of users, grants, roles and tokens share. All rows exist only where there are
// users (Services::auth).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/authorization.h"
#include "api/endpoint.h"
#include "auth/user.h"
#include "formats/json.h"

namespace sluice::api::internal {

std::vector<Endpoint> UserRows();
std::vector<Endpoint> UserGrantRows();      ///< MLflow's since 3.17
std::vector<Endpoint> ResourceGrantRows();  ///< MLflow's until 3.16
std::vector<Endpoint> RoleRows();
std::vector<Endpoint> TokenRows();
std::vector<Endpoint> SignupRows();

formats::Json RoleJson(const auth::Role& role);
formats::Json RolePermissionJson(const auth::RolePermission& permission);

/// Who calls (CHECK that somebody does).
const auth::Principal& PrincipalOf(const Call& call);
UserAuthorization& UsersOf(Services& services);

/// The type of grants on this name: kPrompt or kRegisteredModel.
Result<std::string> ModelGrantType(Services& services, std::string_view name);

// Finders. What they call nothing to protect is the caller's own.

/// The caller, if `username` names nobody else; else administrators only.
Result<std::vector<Resource>> OwnUser(Services& services, Call& call);
/// The caller, if `username` names nobody else; else the workspace.
Result<std::vector<Resource>> OwnUserOrWorkspace(Services& services, Call& call);

/// Members of the workspace, those who have a role of any kind; others need the workspace.
Result<std::vector<Resource>> RolesOfWorkspace(Services& services, Call& call);

/// A resource that only administrators may touch.
inline Resource AdministratorsOnly() { return {.kind = ResourceKind::kExperiment, .id = {}}; }

}  // namespace sluice::api::internal
