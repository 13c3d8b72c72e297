// Users, roles and tokens as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/permission.h"

namespace sluice::auth {

/// There is one workspace; MLflow's replies name it.
inline constexpr std::string_view kDefaultWorkspace = "default";

struct User {
  int64_t id = 0;
  std::string username;
  std::string password_hash;  ///< never sent to anybody
  bool is_admin = false;
};

struct RolePermission {
  int64_t id = 0;
  int64_t role_id = 0;
  Grant grant;
};

/// A named list of grants. The grants given to one user personally live in a role of their own,
/// "__user_<id>__", which is assigned to nobody else.
struct Role {
  int64_t id = 0;
  std::string name;
  std::optional<std::string> description;
  std::vector<RolePermission> permissions;  ///< in order of id
};
bool IsPersonalRoleName(std::string_view name);
std::string PersonalRoleName(int64_t user_id);

struct RoleAssignment {
  int64_t id = 0;
  int64_t user_id = 0;
  int64_t role_id = 0;
};

/// A grant a user has, and through which role.
struct UserGrant {
  Grant grant;
  int64_t role_id = 0;
  std::string role_name;
};

/// What a token may do of what its user may do.
struct TokenScope {
  bool is_read_only = false;
  /// May also do what only administrators may, if its user is one.
  bool is_admin = false;
  /// Only these experiments and registered models (types kExperiment and kRegisteredModel), instead
  /// of all. An empty list allows none: the resources a token was limited to may have been deleted.
  std::optional<std::vector<ResourceKey>> only;
};

struct ApiToken {
  std::string id;  ///< 16 hexadecimal digits, public
  int64_t user_id = 0;
  std::string username;
  std::string name;  ///< what for, in the user's words
  TokenScope scope;
  int64_t created_ms = 0;
  std::optional<int64_t> expires_ms;
  std::optional<int64_t> revoked_ms;
};

/// "slt_" and 43 letters and digits: 256 random bits.
inline constexpr std::string_view kTokenPrefix = "slt_";
inline constexpr size_t kTokenSecretLength = 43;
bool LooksLikeToken(std::string_view text);
/// The name that goes with a token in Basic credentials when the user's own is not at hand.
inline constexpr std::string_view kTokenUsername = "__token__";

/// Who is asking, once that is known.
struct Principal {
  int64_t user_id = 0;
  std::string username;
  bool is_admin = false;  ///< the user is one; see CanAdminister for what this request may
  /// Set when a token was used instead of the password.
  std::optional<std::string> token_id;
  TokenScope scope;  ///< everything, with a password

  /// Everything is allowed, no grant is asked.
  bool CanAdminister() const { return is_admin && (!token_id || scope.is_admin) && !IsLimited(); }
  bool IsLimited() const { return scope.is_read_only || scope.only.has_value(); }
};

}  // namespace sluice::auth
