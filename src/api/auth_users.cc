// Users: MLflow's routes of all ages. The reply has the lists of permissions that clients
// until 3.16 read; newer ones pass over them.
#include <fmt/format.h>

#include <charconv>

#include "api/errors.h"
#include "api/internal/auth_rows.h"
#include "auth/store.h"
#include "http/target.h"

namespace sluice::api::internal {

namespace {

using auth::User;
using formats::Json;
using http::Method;

Json UserJson(const User& user) {
  return Json::MakeObject(
      {{"id", user.id}, {"username", user.username}, {"is_admin", user.is_admin}});
}

/// With the personal grants on single resources, by kind.
Result<Json> UserWithPermissionsJson(Services& services, const User& user) {
  ASSIGN_OR_RETURN(const std::vector<auth::Grant> grants,
                   services.auth->ListPersonalGrants(user.id));
  Json experiments = Json::MakeArray();
  Json models = Json::MakeArray();
  Json scorers = Json::MakeArray();
  for (const auth::Grant& grant : grants) {
    const std::string& id = grant.resource_pattern;
    const std::string_view permission = auth::PermissionName(grant.permission);
    if (id == "*") continue;
    if (grant.resource_type == auth::kExperiment) {
      experiments.Append(Json::MakeObject(
          {{"experiment_id", id}, {"user_id", user.id}, {"permission", permission}}));
    } else if (grant.resource_type == auth::kRegisteredModel ||
               grant.resource_type == auth::kPrompt) {
      models.Append(Json::MakeObject({{"workspace", auth::kDefaultWorkspace},
                                      {"name", id},
                                      {"user_id", user.id},
                                      {"permission", permission}}));
    } else if (grant.resource_type == auth::kScorer) {
      const size_t slash = id.find('/');
      if (slash == std::string::npos) continue;
      const Result<std::string> name = http::PercentDecode(id.substr(slash + 1));
      if (!name.ok()) continue;
      scorers.Append(Json::MakeObject({{"experiment_id", id.substr(0, slash)},
                                       {"scorer_name", *name},
                                       {"user_id", user.id},
                                       {"permission", permission}}));
    }
  }
  Json json = UserJson(user);
  json["experiment_permissions"] = std::move(experiments);
  json["registered_model_permissions"] = std::move(models);
  json["scorer_permissions"] = std::move(scorers);
  return json;
}

Result<Answer> AnswerUser(Services& services, const User& user) {
  ASSIGN_OR_RETURN(Json json, UserWithPermissionsJson(services, user));
  return Answer(Json::MakeObject({{"user", std::move(json)}}));
}

Result<Answer> Create(Services& services, Call& call) {
  const std::string username = call.fields.RequirePresentString("username");
  const std::string password = call.fields.RequirePresentString("password");
  RETURN_IF_ERROR(call.fields.status());
  if (username.empty() || password.empty()) {
    return Answer(http::Response::Text(400, "Username and password cannot be empty."));
  }
  ASSIGN_OR_RETURN(const User user,
                   services.auth->CreateUser({.username = username, .password = password}));
  return AnswerUser(services, user);
}

Result<Answer> Get(Services& services, Call& call) {
  const std::string username = call.fields.RequireString("username");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const User user, services.auth->GetUser(username));
  return AnswerUser(services, user);
}

Result<Answer> GetCurrent(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const User user, services.auth->GetUser(call.caller.username()));
  return Answer(Json::MakeObject({{"user", UserJson(user)}, {"is_basic_auth", true}}));
}

Result<Answer> List(Services& services, Call& call) {
  using UserRoles = std::pair<User, std::vector<auth::Role>>;
  ASSIGN_OR_RETURN(const std::vector<UserRoles> all, services.auth->ListUsersWithRoles());
  ASSIGN_OR_RETURN(const bool sees_all,
                   call.caller.May(Level::kManage, {.kind = ResourceKind::kWorkspace, .id = "*"}));
  Json users = Json::MakeArray();
  for (const auto& [user, roles] : all) {
    Json seen = Json::MakeArray();
    if (sees_all || user.username == call.caller.username()) {
      for (const auth::Role& role : roles) seen.Append(RoleJson(role));
    }
    Json json = UserJson(user);
    json["roles"] = std::move(seen);
    users.Append(std::move(json));
  }
  return Answer(Json::MakeObject({{"users", std::move(users)}}));
}

/// MLflow's clients before 3.17 have no field for the current password. Theirs comes with every
/// request, in the Authorization field, and was verified; a page in a browser, which the field
/// guards against, sends another User-Agent.
bool IsClientWithoutCurrentPassword(const Call& call) {
  constexpr std::string_view kClient = "mlflow-python-client/";
  const std::string* agent = call.request.headers.Find("User-Agent");
  if (!agent || !agent->starts_with(kClient) || PrincipalOf(call).token_id) return false;
  const char* end = agent->data() + agent->size();
  int major = 0;
  int minor = 0;
  const auto after = std::from_chars(agent->data() + kClient.size(), end, major);
  if (after.ec != std::errc() || after.ptr == end || *after.ptr != '.') return false;
  if (std::from_chars(after.ptr + 1, end, minor).ec != std::errc()) return false;
  return major < 3 || (major == 3 && minor < 17);
}

Result<Answer> UpdatePassword(Services& services, Call& call) {
  const std::string username = call.fields.RequireString("username");
  const std::string password = call.fields.RequirePresentString("password");
  const std::string current_password = call.fields.StringOr("current_password");
  RETURN_IF_ERROR(call.fields.status());
  const bool is_own = username == call.caller.username();
  if (is_own && (!current_password.empty() || !IsClientWithoutCurrentPassword(call))) {
    if (current_password.empty()) {
      return InvalidArgument("Current password is required when changing your own password.");
    }
    ASSIGN_OR_RETURN(const bool is_right,
                     UsersOf(services).IsPassword(call.request, username, current_password));
    if (!is_right) return InvalidArgument("Current password does not match.");
    if (password == current_password) {
      return InvalidArgument("New password must differ from the current password.");
    }
  }
  RETURN_IF_ERROR(services.auth->UpdateUser(username, {.password = password}));
  return Answer::Empty();
}

Result<Answer> UpdateAdmin(Services& services, Call& call) {
  const std::string username = call.fields.RequireString("username");
  const std::optional<bool> is_admin = call.fields.FindBool("is_admin");
  if (!is_admin) call.fields.RequirePresentString("is_admin");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.auth->UpdateUser(username, {.is_admin = is_admin}));
  return Answer::Empty();
}

Result<Answer> Delete(Services& services, Call& call) {
  const std::string username = call.fields.RequireString("username");
  RETURN_IF_ERROR(call.fields.status());
  if (username == call.caller.username()) {
    return Answer(ErrorAnswer(400, "BAD_REQUEST",
                              "Users cannot delete their own account. Ask another admin to delete "
                              "this user instead."));
  }
  RETURN_IF_ERROR(services.auth->DeleteUser(username));
  return Answer::Empty();
}

}  // namespace

std::vector<Endpoint> UserRows() {
  return {
      {Method::kPost, "/api/2.0/mlflow/users/create", "users.create",
       Access::Needs(Level::kManage, TheWorkspace), Create},
      {Method::kGet, "/api/2.0/mlflow/users/get", "users.get",
       Access::Needs(Level::kManage, OwnUser), Get},
      {Method::kGet, "/api/2.0/mlflow/users/current", "users.current", Access::SignedIn(),
       GetCurrent},
      {Method::kGet, "/api/2.0/mlflow/users/list", "users.list", Access::SignedIn(), List},
      {Method::kPatch, "/api/2.0/mlflow/users/update-password", "users.update_password",
       Access::Needs(Level::kManage, OwnUser), UpdatePassword},
      {Method::kPatch, "/api/2.0/mlflow/users/update-admin", "users.update_admin", Access::Admin(),
       UpdateAdmin},
      {Method::kDelete, "/api/2.0/mlflow/users/delete", "users.delete", Access::Admin(), Delete},
  };
}

}  // namespace sluice::api::internal
