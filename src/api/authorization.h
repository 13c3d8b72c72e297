// Users at the door: who asks (Basic or Bearer), and what they may.
//
// MLflow's answers: 401 with WWW-Authenticate and text, 403 "Permission denied" as text. A call is
// allowed if every resource that its row's finder names gives the level; a part of a resource (a
// run of an experiment) needs the resource to be readable besides. Administrators may everything,
// tokens never more than their scope.
#pragma once

#include <optional>
#include <string_view>

#include "api/access.h"
#include "auth/authenticator.h"
#include "auth/permission.h"
#include "auth/store.h"

namespace sluice::registry {
class Store;
}

namespace sluice::api {

/// Thread-safe. All references must outlive it.
class UserAuthorization final : public Authorization {
 public:
  /// `registry` tells prompts from models, for which grants are of different types.
  UserAuthorization(auth::Store& store, auth::Authenticator& authenticator,
                    registry::Store& registry, auth::Permission default_permission)
      : store_(store),
        authenticator_(authenticator),
        registry_(registry),
        default_permission_(default_permission) {}

  Identity Identify(const http::Request& request) override;
  std::optional<http::Response> Check(Services& services, const Access& access,
                                      Call& call) override;

  /// Is this the password of `username`? Counts as an attempt to sign in from the request's peer.
  /// Errors: kResourceExhausted, kUnavailable as Authenticator has them.
  Result<bool> IsPassword(const http::Request& request, std::string_view username,
                          std::string_view password);
  /// What `user` may on one resource, as MLflow's users/permissions/get tells it. Errors: those of
  /// the stores.
  Result<auth::Permission> EffectivePermissionOf(const auth::User& user,
                                                 const auth::ResourceKey& key);

 private:
  auth::Store& store_;
  auth::Authenticator& authenticator_;
  registry::Store& registry_;
  const auth::Permission default_permission_;
};

/// The user and token behind a call; null where there are no users, or the row is public.
const auth::Principal* FindPrincipal(const Caller& caller);

http::Response UnauthenticatedAnswer();
http::Response ForbiddenAnswer();

}  // namespace sluice::api
