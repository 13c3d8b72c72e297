#include "api/authorization.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/endpoint.h"
#include "api/errors.h"
#include "base/base64.h"
#include "base/check.h"
#include "registry/store.h"

namespace sluice::api {

namespace {

using auth::EffectivePermission;
using auth::Grant;
using auth::Need;
using auth::Permission;
using auth::ResourceKey;

Need NeedOf(Level level) {
  switch (level) {
    case Level::kRead: return Need::kRead;
    case Level::kUse: return Need::kUse;
    case Level::kEdit: return Need::kUpdate;
    case Level::kManage: return Need::kManage;
  }
  return Need::kManage;
}

/// "192.0.2.1:5000" → "192.0.2.1".
std::string_view AddressOf(std::string_view peer) { return peer.substr(0, peer.rfind(':')); }

Result<bool> IsPrompt(registry::Store& registry, std::string_view name) {
  const Result<registry::RegisteredModel> model = registry.GetModel(name);
  if (model.ok()) return registry::HasPromptTag(model->tags);
  if (model.error().code() == ErrorCode::kNotFound) return false;
  return model.error();
}

/// The grants of one user as one request needs them: the first question is one look-up in the
/// database, the second loads everything, so that a search may ask for each of its rows.
class GrantsOfRequest {
 public:
  GrantsOfRequest(auth::Store& store, int64_t user_id) : store_(store), user_id_(user_id) {}

  Result<std::vector<Grant>> On(std::span<const ResourceKey> keys) {
    if (!was_asked_) {
      was_asked_ = true;
      return store_.LoadGrantsOn(user_id_, keys);
    }
    RETURN_IF_ERROR(LoadAll());
    std::vector<Grant> grants;
    const auto add = [&](std::string_view type, std::string_view pattern) {
      const auto [begin, end] = all_->equal_range(TableKey(type, pattern));
      for (auto entry = begin; entry != end; ++entry) grants.push_back(entry->second);
    };
    add(auth::kWorkspace, "*");
    for (const ResourceKey& key : keys) {
      add(key.type, "*");
      if (key.id != "*") add(key.type, key.id);
    }
    return grants;
  }

  /// Does any grant withhold something?
  Result<bool> HasRestrictions() { return store_.HasRestrictions(user_id_); }

  Result<bool> DeniesAnyOf(std::string_view type) {
    RETURN_IF_ERROR(LoadAll());
    for (const auto& [key, grant] : *all_) {
      if (grant.resource_type == type && grant.permission == Permission::kDeny) return true;
    }
    return false;
  }

 private:
  using Table = std::unordered_multimap<std::string, Grant>;

  static std::string TableKey(std::string_view type, std::string_view pattern) {
    std::string key(type);
    key.push_back('\0');
    return key.append(pattern);
  }

  Status LoadAll() {
    if (all_) return Ok();
    ASSIGN_OR_RETURN(std::vector<auth::UserGrant> grants, store_.ListGrants(user_id_));
    all_.emplace();
    for (auth::UserGrant& entry : grants) {
      std::string key = TableKey(entry.grant.resource_type, entry.grant.resource_pattern);
      all_->emplace(std::move(key), std::move(entry.grant));
    }
    return Ok();
  }

  auth::Store& store_;
  const int64_t user_id_;
  bool was_asked_ = false;
  std::optional<Table> all_;
};

class UserCaller final : public Caller {
 public:
  UserCaller(auth::Store& store, registry::Store& registry, Permission default_permission,
             auth::Principal principal)
      : store_(store),
        registry_(registry),
        default_permission_(default_permission),
        principal_(std::move(principal)),
        grants_(store, principal_.user_id) {}

  const auth::Principal& principal() const { return principal_; }
  std::string_view username() const override { return principal_.username; }
  bool is_admin() const override { return principal_.CanAdminister(); }

  Result<bool> May(Level level, const Resource& resource) override {
    if (principal_.CanAdminister()) return true;
    if (!IsInScope(level, resource)) return false;
    if (resource.kind == ResourceKind::kWorkspace) return MayAdministerWorkspace();
    // What belongs to no experiment is for whoever administers, which was answered above.
    if (resource.id.empty()) return false;
    if (principal_.is_admin) return true;
    if (resource.kind == ResourceKind::kExperiment) {
      const std::vector<ResourceKey> keys = KeysOf(auth::kExperiment, resource.part, resource.id);
      ASSIGN_OR_RETURN(const std::vector<Grant> grants, grants_.On(keys));
      return MayOn(level, grants, keys);
    }
    const std::string_view prompt_part = resource.part.empty() ? "" : auth::kPromptVersion;
    const std::vector<ResourceKey> keys =
        KeysOf(auth::kRegisteredModel, resource.part, resource.id);
    const std::vector<ResourceKey> prompt_keys = KeysOf(auth::kPrompt, prompt_part, resource.id);
    std::vector<ResourceKey> both = keys;
    both.insert(both.end(), prompt_keys.begin(), prompt_keys.end());
    ASSIGN_OR_RETURN(const std::vector<Grant> grants, grants_.On(both));
    const bool may_as_model = MayOn(level, grants, keys);
    const bool may_as_prompt = MayOn(level, grants, prompt_keys);
    if (may_as_model == may_as_prompt) return may_as_model;
    ASSIGN_OR_RETURN(const bool is_prompt, IsPrompt(registry_, resource.id));
    return is_prompt ? may_as_prompt : may_as_model;
  }

  Result<bool> MayReadAll(ResourceKind kind) override {
    if (principal_.scope.only) return false;
    if (principal_.is_admin) return true;
    if (auth::Allows(default_permission_, Need::kRead)) {
      ASSIGN_OR_RETURN(const bool has_restrictions, grants_.HasRestrictions());
      if (!has_restrictions) return true;
    }
    // A wildcard that reads, and nothing denied that it would cover.
    using Types = std::vector<std::string_view>;
    const Types types = kind == ResourceKind::kExperiment
                            ? Types{auth::kExperiment}
                            : Types{auth::kRegisteredModel, auth::kPrompt};
    const Types parts = kind == ResourceKind::kExperiment
                            ? Types{auth::kRun, auth::kLoggedModel}
                            : Types{auth::kRegisteredModelVersion, auth::kPromptVersion};
    for (std::string_view type : types) {
      const std::vector<ResourceKey> keys = {{std::string(type), "*"}};
      ASSIGN_OR_RETURN(const std::vector<Grant> grants, grants_.On(keys));
      if (auth::IsWorkspaceAdmin(grants)) return true;
      const std::optional<Permission> wildcard = auth::FoldGrants(grants, keys[0]);
      if (!wildcard || !auth::Allows(*wildcard, Need::kRead)) return false;
      ASSIGN_OR_RETURN(const bool denies_some, grants_.DeniesAnyOf(type));
      if (denies_some) return false;
    }
    for (std::string_view part : parts) {
      const std::vector<ResourceKey> keys = {{std::string(part), "*"}};
      ASSIGN_OR_RETURN(const std::vector<Grant> grants, grants_.On(keys));
      const std::optional<Permission> granted = auth::FoldGrants(grants, keys[0]);
      if (granted && !auth::Allows(*granted, Need::kRead)) return false;
    }
    return true;
  }

  Status OnCreated(const Resource& resource) override {
    ASSIGN_OR_RETURN(const std::string_view type, TypeOf(resource));
    return store_.GrantToCreator(principal_.user_id, {std::string(type), resource.id});
  }
  // A name is a model's or a prompt's, and here it is too late to ask which.
  Status OnRenamed(const Resource& resource, std::string_view new_id) override {
    for (std::string_view type : TypesOf(resource)) {
      RETURN_IF_ERROR(store_.RenameResource({std::string(type), resource.id}, new_id));
    }
    return Ok();
  }
  Status OnDeleted(const Resource& resource) override {
    for (std::string_view type : TypesOf(resource)) {
      RETURN_IF_ERROR(store_.ForgetResource({std::string(type), resource.id}));
    }
    return Ok();
  }

 private:
  /// What the token, if one was used, is good for.
  bool IsInScope(Level level, const Resource& resource) const {
    if (principal_.scope.is_read_only && level != Level::kRead) return false;
    if (!principal_.scope.only) return true;
    for (const ResourceKey& key : *principal_.scope.only) {
      const bool is_same_kind =
          (key.type == auth::kExperiment && resource.kind == ResourceKind::kExperiment) ||
          (key.type == auth::kRegisteredModel && resource.kind == ResourceKind::kRegisteredModel);
      if (is_same_kind && key.id == resource.id) return true;
    }
    return false;
  }

  /// Users, roles and grants on everything: an explicit MANAGE on the workspace, never the default.
  Result<bool> MayAdministerWorkspace() {
    if (principal_.token_id && !principal_.scope.is_admin) return false;
    const std::vector<ResourceKey> keys = {{std::string(auth::kWorkspace), "*"}};
    ASSIGN_OR_RETURN(const std::vector<Grant> grants, grants_.On(keys));
    return auth::IsWorkspaceAdmin(grants);
  }

  /// From the narrowest to the widest.
  static std::vector<ResourceKey> KeysOf(std::string_view type, std::string_view part,
                                         const std::string& id) {
    std::vector<ResourceKey> keys;
    if (!part.empty()) keys.push_back({std::string(part), "*"});
    keys.push_back({std::string(type), id});
    return keys;
  }

  bool MayOn(Level level, std::span<const Grant> grants, std::span<const ResourceKey> keys) const {
    const Permission whole = EffectivePermission(grants, keys.last(1), default_permission_);
    if (keys.size() == 1) return auth::Allows(whole, NeedOf(level));
    return auth::Allows(whole, Need::kRead) &&
           auth::Allows(EffectivePermission(grants, keys, default_permission_), NeedOf(level));
  }

  Result<std::string_view> TypeOf(const Resource& resource) {
    if (resource.kind == ResourceKind::kExperiment) return auth::kExperiment;
    ASSIGN_OR_RETURN(const bool is_prompt, IsPrompt(registry_, resource.id));
    return is_prompt ? auth::kPrompt : auth::kRegisteredModel;
  }
  static std::vector<std::string_view> TypesOf(const Resource& resource) {
    if (resource.kind == ResourceKind::kExperiment) return {auth::kExperiment};
    return {auth::kRegisteredModel, auth::kPrompt};
  }

  auth::Store& store_;
  registry::Store& registry_;
  const Permission default_permission_;
  const auth::Principal principal_;
  GrantsOfRequest grants_;
};

http::Response RefusalOf(const Error& error, const http::Request& request) {
  if (error.code() == ErrorCode::kPermissionDenied) return UnauthenticatedAnswer();
  http::Response response = ErrorAnswer(error, request);
  if (error.code() == ErrorCode::kResourceExhausted) response.headers.Set("Retry-After", "60");
  if (error.code() == ErrorCode::kUnavailable) response.headers.Set("Retry-After", "1");
  return response;
}

}  // namespace

http::Response UnauthenticatedAnswer() {
  http::Response response = http::Response::Text(
      401,
      "You are not authenticated. Please see "
      "https://www.mlflow.org/docs/latest/auth/index.html#authenticating-to-mlflow on how to "
      "authenticate.");
  response.headers.Set("WWW-Authenticate", "Basic realm=\"mlflow\"");
  return response;
}

http::Response ForbiddenAnswer() { return http::Response::Text(403, "Permission denied"); }

Authorization::Identity UserAuthorization::Identify(const http::Request& request) {
  const std::string* field = request.headers.Find("Authorization");
  // Two fields are two identities: neither.
  if (!field || request.headers.CountOf("Authorization") != 1) {
    return {nullptr, UnauthenticatedAnswer()};
  }
  Result<auth::Principal> principal = authenticator_.Authenticate(*field, AddressOf(request.peer));
  if (!principal.ok()) return {nullptr, RefusalOf(principal.error(), request)};
  return {
      std::make_unique<UserCaller>(store_, registry_, default_permission_, *std::move(principal)),
      std::nullopt};
}

std::optional<http::Response> UserAuthorization::Check(Services& services, const Access& access,
                                                       Call& call) {
  const auth::Principal* principal = FindPrincipal(call.caller);
  CHECK(principal != nullptr);
  switch (access.form()) {
    case Access::Form::kPublic:
    case Access::Form::kSignedIn: return std::nullopt;
    case Access::Form::kCreates:
      if (principal->IsLimited()) return ForbiddenAnswer();
      return std::nullopt;
    case Access::Form::kAdmin:
      if (!principal->CanAdminister()) return ForbiddenAnswer();
      return std::nullopt;
    case Access::Form::kLevel: break;
  }
  if (principal->CanAdminister()) return std::nullopt;
  const Result<std::vector<Resource>> resources = access.finder()(services, call);
  if (!resources.ok()) return ErrorAnswer(resources.error(), call.request);
  for (const Resource& resource : *resources) {
    const Result<bool> may = call.caller.May(resource.needs.value_or(access.level()), resource);
    if (!may.ok()) return ErrorAnswer(may.error(), call.request);
    if (!*may) return ForbiddenAnswer();
  }
  // No resource at all: the handler will refuse, or it is the user's own affairs. A limited token
  // has no part in those.
  const bool is_limited =
      principal->scope.only || (principal->scope.is_read_only && access.level() != Level::kRead);
  if (resources->empty() && is_limited) return ForbiddenAnswer();
  return std::nullopt;
}

Result<bool> UserAuthorization::IsPassword(const http::Request& request, std::string_view username,
                                           std::string_view password) {
  const std::string field = "Basic " + EncodeBase64(fmt::format("{}:{}", username, password));
  const Result<auth::Principal> principal =
      authenticator_.Authenticate(field, AddressOf(request.peer));
  if (principal.ok()) return principal->username == username && !principal->token_id;
  if (principal.error().code() == ErrorCode::kPermissionDenied) return false;
  return principal.error();
}

Result<Permission> UserAuthorization::EffectivePermissionOf(const auth::User& user,
                                                            const ResourceKey& key) {
  if (user.is_admin) return Permission::kManage;
  const std::vector<ResourceKey> keys = {key};
  ASSIGN_OR_RETURN(const std::vector<Grant> grants, store_.LoadGrantsOn(user.id, keys));
  return EffectivePermission(grants, keys, default_permission_);
}

const auth::Principal* FindPrincipal(const Caller& caller) {
  const auto* user = dynamic_cast<const UserCaller*>(&caller);
  return user ? &user->principal() : nullptr;
}

}  // namespace sluice::api
