// Personal grants: MLflow's routes since 3.17 for any kind of resource, and those until 3.16 for
// experiments, registered models and scorers. Both are views of the same rows.
#include <fmt/format.h>

#include "api/internal/auth_rows.h"
#include "auth/store.h"
#include "http/target.h"

namespace sluice::api::internal {

namespace {

using auth::Grant;
using auth::Permission;
using auth::ResourceKey;
using auth::User;
using formats::Json;
using http::Method;

// Since 3.17.

struct GrantFields {
  std::string username;
  ResourceKey key;
};

Result<GrantFields> ReadGrantFields(const Fields& fields) {
  GrantFields read = {
      .username = fields.RequireString("username"),
      .key = {fields.RequireString("resource_type"), fields.RequireString("resource_id")}};
  RETURN_IF_ERROR(fields.status());
  if (read.key.type == auth::kWorkspace) {
    return InvalidArgument(
        "resource_type 'workspace' is not supported by the per-user permission convenience APIs. "
        "Give a role that has it instead (roles/permissions/add, roles/assign).");
  }
  RETURN_IF_ERROR(auth::CheckResourceType(read.key.type));
  return read;
}

/// Whoever may manage the resource may share it; what no single resource owns is the workspace's.
Result<std::vector<Resource>> SharedResource(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const GrantFields fields, ReadGrantFields(call.fields));
  const ResourceKey& key = fields.key;
  if (key.id == "*") return TheWorkspace(services, call);
  if (key.type == auth::kExperiment || key.type == auth::kScorer) {
    return std::vector<Resource>{
        {.kind = ResourceKind::kExperiment, .id = key.id.substr(0, key.id.find('/'))}};
  }
  if (key.type == auth::kRegisteredModel || key.type == auth::kPrompt) {
    return std::vector<Resource>{{.kind = ResourceKind::kRegisteredModel, .id = key.id}};
  }
  return std::vector<Resource>{AdministratorsOnly()};
}

Result<Answer> GrantToUser(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const GrantFields fields, ReadGrantFields(call.fields));
  const std::string name = call.fields.RequireString("permission");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const Permission permission, auth::ParsePermission(name));
  const Grant grant = {fields.key.type, fields.key.id, permission};
  RETURN_IF_ERROR(auth::CheckGrant(grant));
  RETURN_IF_ERROR(services.auth->SetPersonalGrant(fields.username, grant, true));
  return Answer::Empty();
}

Result<Answer> RevokeFromUser(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const GrantFields fields, ReadGrantFields(call.fields));
  RETURN_IF_ERROR(services.auth->RemovePersonalGrant(fields.username, fields.key));
  return Answer::Empty();
}

Result<Answer> GetOfUser(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const GrantFields fields, ReadGrantFields(call.fields));
  ASSIGN_OR_RETURN(const User user, services.auth->GetUser(fields.username));
  ASSIGN_OR_RETURN(const Permission permission,
                   UsersOf(services).EffectivePermissionOf(user, fields.key));
  return Answer(Json::MakeObject({{"allowed", auth::Allows(permission, auth::Need::kUse)},
                                  {"permission", auth::PermissionName(permission)}}));
}

Result<Answer> AnswerGrantsOf(Services& services, std::string_view username) {
  ASSIGN_OR_RETURN(const User user, services.auth->GetUser(username));
  ASSIGN_OR_RETURN(const std::vector<auth::UserGrant> grants, services.auth->ListGrants(user.id));
  Json permissions = Json::MakeArray();
  for (const auth::UserGrant& grant : grants) {
    permissions.Append(
        Json::MakeObject({{"permission", auth::PermissionName(grant.grant.permission)},
                          {"resource_pattern", grant.grant.resource_pattern},
                          {"resource_type", grant.grant.resource_type},
                          {"role_id", grant.role_id},
                          {"role_name", grant.role_name},
                          {"workspace", auth::kDefaultWorkspace}}));
  }
  return Answer(
      Json::MakeObject({{"is_admin", user.is_admin}, {"permissions", std::move(permissions)}}));
}

Result<Answer> ListOfUser(Services& services, Call& call) {
  const std::string username = call.fields.RequireString("username");
  RETURN_IF_ERROR(call.fields.status());
  return AnswerGrantsOf(services, username);
}

Result<Answer> ListOfCaller(Services& services, Call& call) {
  return AnswerGrantsOf(services, call.caller.username());
}

// Until 3.16: four routes for each of three kinds, which differ in names alone.

enum class Kind : uint8_t { kExperiment, kModel, kScorer };

struct OldFields {
  std::string username;
  ResourceKey key;
  std::string scorer_name;
  std::string experiment_id;
};

Result<OldFields> ReadOldFields(Services& services, const Fields& fields, Kind kind) {
  OldFields read;
  if (kind == Kind::kModel) {
    read.key.id = fields.RequireString("name");
  } else {
    read.experiment_id = fields.RequireString("experiment_id");
    if (kind == Kind::kScorer) read.scorer_name = fields.RequireString("scorer_name");
  }
  read.username = fields.RequireString("username");
  RETURN_IF_ERROR(fields.status());
  switch (kind) {
    case Kind::kExperiment: read.key = {std::string(auth::kExperiment), read.experiment_id}; break;
    case Kind::kModel: {
      ASSIGN_OR_RETURN(read.key.type, ModelGrantType(services, read.key.id));
      break;
    }
    case Kind::kScorer:
      read.key = {std::string(auth::kScorer),
                  fmt::format("{}/{}", read.experiment_id, http::PercentEncode(read.scorer_name))};
      break;
  }
  // These routes are about one resource; a wildcard would be a grant on all of them.
  if (read.key.id == "*") {
    return InvalidArgument("'*' names no resource; grants on all of them are given by roles.");
  }
  return read;
}

/// "experiment_id=1, username=ada" or "experiment_id=1 and username=ada".
std::string Describe(const OldFields& fields, Kind kind, std::string_view last_separator) {
  switch (kind) {
    case Kind::kExperiment:
      return fmt::format("experiment_id={}{}username={}", fields.experiment_id, last_separator,
                         fields.username);
    case Kind::kModel:
      return fmt::format("name={}{}username={}", fields.key.id, last_separator, fields.username);
    case Kind::kScorer:
      return fmt::format("experiment_id={}, scorer_name={}{}username={}", fields.experiment_id,
                         fields.scorer_name, last_separator, fields.username);
  }
  return {};
}

std::string_view TitleOf(Kind kind) {
  switch (kind) {
    case Kind::kExperiment: return "Experiment permission";
    case Kind::kModel: return "Registered model permission";
    case Kind::kScorer: return "Scorer permission";
  }
  return {};
}

Error NoSuchGrant(const OldFields& fields, Kind kind) {
  return NotFound(
      fmt::format("{} with {} not found", TitleOf(kind), Describe(fields, kind, " and ")));
}

Answer AnswerOldGrant(const OldFields& fields, Kind kind, const User& user, Permission permission) {
  Json json = Json::MakeObject();
  if (kind == Kind::kModel) {
    json["workspace"] = auth::kDefaultWorkspace;
    json["name"] = fields.key.id;
  } else {
    json["experiment_id"] = fields.experiment_id;
    if (kind == Kind::kScorer) json["scorer_name"] = fields.scorer_name;
  }
  json["user_id"] = user.id;
  json["permission"] = auth::PermissionName(permission);
  const char* const name = kind == Kind::kExperiment ? "experiment_permission"
                           : kind == Kind::kModel    ? "registered_model_permission"
                                                     : "scorer_permission";
  return Answer(Json::MakeObject({{name, std::move(json)}}));
}

Result<Permission> RequirePermission(const Fields& fields) {
  const std::string name = fields.RequireString("permission");
  RETURN_IF_ERROR(fields.status());
  return auth::ParsePermission(name);
}

template <Kind kKind>
Result<Answer> CreateOld(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const OldFields fields, ReadOldFields(services, call.fields, kKind));
  ASSIGN_OR_RETURN(const Permission permission, RequirePermission(call.fields));
  Result<User> user = services.auth->SetPersonalGrant(
      fields.username, {fields.key.type, fields.key.id, permission}, true);
  if (!user.ok() && user.error().code() == ErrorCode::kAlreadyExists) {
    return AlreadyExists(
        fmt::format("{} ({}) already exists.", TitleOf(kKind), Describe(fields, kKind, ", ")));
  }
  RETURN_IF_ERROR(user);
  return AnswerOldGrant(fields, kKind, *user, permission);
}

template <Kind kKind>
Result<Answer> GetOld(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const OldFields fields, ReadOldFields(services, call.fields, kKind));
  ASSIGN_OR_RETURN(const User user, services.auth->GetUser(fields.username));
  ASSIGN_OR_RETURN(const std::optional<Permission> permission,
                   services.auth->FindPersonalGrant(fields.username, fields.key));
  if (!permission) return NoSuchGrant(fields, kKind);
  return AnswerOldGrant(fields, kKind, user, *permission);
}

template <Kind kKind>
Result<Answer> UpdateOld(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const OldFields fields, ReadOldFields(services, call.fields, kKind));
  ASSIGN_OR_RETURN(const Permission permission, RequirePermission(call.fields));
  ASSIGN_OR_RETURN(const std::optional<Permission> present,
                   services.auth->FindPersonalGrant(fields.username, fields.key));
  if (!present) return NoSuchGrant(fields, kKind);
  RETURN_IF_ERROR(services.auth->SetPersonalGrant(
      fields.username, {fields.key.type, fields.key.id, permission}, false));
  return Answer::Empty();
}

template <Kind kKind>
Result<Answer> DeleteOld(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const OldFields fields, ReadOldFields(services, call.fields, kKind));
  RETURN_IF_ERROR(services.auth->GetUser(fields.username));
  const Status removed = services.auth->RemovePersonalGrant(fields.username, fields.key);
  if (!removed.ok() && removed.error().code() == ErrorCode::kNotFound) {
    return NoSuchGrant(fields, kKind);
  }
  RETURN_IF_ERROR(removed);
  return Answer::Empty();
}

}  // namespace

std::vector<Endpoint> UserGrantRows() {
  const Access shares = Access::Needs(Level::kManage, SharedResource);
  const Access own = Access::Needs(Level::kManage, OwnUserOrWorkspace);
  return {
      {Method::kPost, "/api/3.0/mlflow/users/permissions/grant", "users.permissions.grant", shares,
       GrantToUser},
      {Method::kPost, "/api/3.0/mlflow/users/permissions/revoke", "users.permissions.revoke",
       shares, RevokeFromUser},
      {Method::kGet, "/api/3.0/mlflow/users/permissions/get", "users.permissions.get", own,
       GetOfUser},
      {Method::kGet, "/api/3.0/mlflow/users/permissions/list", "users.permissions.list", own,
       ListOfUser},
      {Method::kGet, "/api/3.0/mlflow/users/current/permissions", "users.current.permissions",
       Access::SignedIn(), ListOfCaller},
  };
}

std::vector<Endpoint> ResourceGrantRows() {
  const Access experiment = Access::Needs(Level::kManage, ExperimentById);
  const Access model = Access::Needs(Level::kManage, RegisteredModelByName);
  return {
      {Method::kPost, "/api/2.0/mlflow/experiments/permissions/create",
       "experiments.permissions.create", experiment, CreateOld<Kind::kExperiment>},
      {Method::kGet, "/api/2.0/mlflow/experiments/permissions/get", "experiments.permissions.get",
       experiment, GetOld<Kind::kExperiment>},
      {Method::kPatch, "/api/2.0/mlflow/experiments/permissions/update",
       "experiments.permissions.update", experiment, UpdateOld<Kind::kExperiment>},
      {Method::kDelete, "/api/2.0/mlflow/experiments/permissions/delete",
       "experiments.permissions.delete", experiment, DeleteOld<Kind::kExperiment>},
      {Method::kPost, "/api/2.0/mlflow/registered-models/permissions/create",
       "registered_models.permissions.create", model, CreateOld<Kind::kModel>},
      {Method::kGet, "/api/2.0/mlflow/registered-models/permissions/get",
       "registered_models.permissions.get", model, GetOld<Kind::kModel>},
      {Method::kPatch, "/api/2.0/mlflow/registered-models/permissions/update",
       "registered_models.permissions.update", model, UpdateOld<Kind::kModel>},
      {Method::kDelete, "/api/2.0/mlflow/registered-models/permissions/delete",
       "registered_models.permissions.delete", model, DeleteOld<Kind::kModel>},
      {Method::kPost, "/api/3.0/mlflow/scorers/permissions/create", "scorers.permissions.create",
       experiment, CreateOld<Kind::kScorer>},
      {Method::kGet, "/api/3.0/mlflow/scorers/permissions/get", "scorers.permissions.get",
       experiment, GetOld<Kind::kScorer>},
      {Method::kPatch, "/api/3.0/mlflow/scorers/permissions/update", "scorers.permissions.update",
       experiment, UpdateOld<Kind::kScorer>},
      {Method::kDelete, "/api/3.0/mlflow/scorers/permissions/delete", "scorers.permissions.delete",
       experiment, DeleteOld<Kind::kScorer>},
  };
}

}  // namespace sluice::api::internal
