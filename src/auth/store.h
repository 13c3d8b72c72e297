// Users, roles, grants and tokens in the database.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/password.h"
#include "auth/user.h"
#include "base/clock.h"
#include "base/result.h"
#include "sql/db.h"
#include "sql/migrator.h"

namespace sluice::auth {

struct NewUser {
  std::string username;
  std::string password;
  bool is_admin = false;
};

struct UserChange {
  std::optional<std::string> password;
  std::optional<bool> is_admin;
};

struct NewToken {
  std::string name;
  TokenScope scope;
  std::optional<int64_t> expires_ms;
};

struct IssuedToken {
  ApiToken token;
  std::string secret;  ///< shown once: only its SHA-256 is kept
};

/// Thread-safe, and safe for several processes. Every call is one transaction. Messages are those
/// of MLflow, since clients match on them.
///
/// Errors, all methods: kNotFound for a user, role, permission, assignment or token that does not
/// exist; kInvalidArgument for names and values that break the rules; those of sql::Db, and of
/// PasswordHasher where a password is given.
class Store {
 public:
  /// All must outlive the store; the database is migrated.
  Store(sql::Db& db, PasswordHasher& hasher, Clock& clock = SystemClock())
      : db_(db), hasher_(hasher), clock_(clock) {}

  // Users.

  /// Errors: kAlreadyExists.
  Result<User> CreateUser(const NewUser& user);
  /// With a hash that was made elsewhere. Errors: kAlreadyExists; kInvalidArgument if
  /// IsKnownPasswordHash is false.
  Result<User> ImportUser(std::string_view username, std::string_view password_hash, bool is_admin);
  /// The first user, an administrator; nothing if there is a user already (another replica was
  /// quicker).
  Result<std::optional<User>> CreateFirstAdmin(std::string_view username,
                                               std::string_view password);
  Result<bool> HasUsers();
  Result<User> GetUser(std::string_view username);
  Result<std::optional<User>> FindUser(std::string_view username);
  Result<std::optional<User>> FindUserById(int64_t user_id);
  Result<std::vector<User>> ListUsers();  ///< by id
  /// Errors: kFailedPrecondition if no administrator would be left.
  Result<User> UpdateUser(std::string_view username, const UserChange& change);
  /// With personal grants, assignments and tokens. Errors: kFailedPrecondition if no administrator
  /// would be left.
  Status DeleteUser(std::string_view username);

  // Personal grants: rows of the role "__user_<id>__".

  /// Errors: kAlreadyExists, when `is_new_only` and the user has a personal grant on that very
  /// pattern; otherwise it is replaced.
  Result<User> SetPersonalGrant(std::string_view username, const Grant& grant, bool is_new_only);
  /// Errors: kNotFound when the user has none on that very pattern.
  Status RemovePersonalGrant(std::string_view username, const ResourceKey& key);
  /// Nothing if the user has none on that very pattern.
  Result<std::optional<Permission>> FindPersonalGrant(std::string_view username,
                                                      const ResourceKey& key);
  Result<std::vector<Grant>> ListPersonalGrants(int64_t user_id);  ///< by id
  /// MANAGE for whoever made the resource; replaces what an earlier one of that name left.
  Status GrantToCreator(int64_t user_id, const ResourceKey& key);
  /// The resource is gone: every personal grant on it and every token's mention of it go too. What
  /// roles made by administrators say about its name stays (a DENY must outlive a deletion).
  Status ForgetResource(const ResourceKey& key);
  /// All grants and tokens that name it name `new_id` from now on, roles made by administrators
  /// included: a rename must not shake off a DENY.
  Status RenameResource(const ResourceKey& key, std::string_view new_id);

  // What a user may do.

  /// Those of the user's grants that speak about one of `keys` or about the workspace: an indexed
  /// look-up, however many grants there are. A grant may come twice.
  Result<std::vector<Grant>> LoadGrantsOn(int64_t user_id, std::span<const ResourceKey> keys);
  /// Is any of the user's grants DENY or NO_PERMISSIONS?
  Result<bool> HasRestrictions(int64_t user_id);
  /// All of them, or all on one type (`resource_type` not empty), in order of role and permission.
  Result<std::vector<UserGrant>> ListGrants(int64_t user_id, std::string_view resource_type = {});

  // Roles.

  /// Errors: kAlreadyExists; kInvalidArgument for a blank name and the reserved prefix "__user_".
  Result<Role> CreateRole(std::string_view name, std::optional<std::string> description);
  Result<Role> GetRole(int64_t role_id);
  Result<RolePermission> GetRolePermission(int64_t role_permission_id);
  Result<std::vector<Role>> ListRoles();  ///< personal ones too; by id
  Result<Role> UpdateRole(int64_t role_id, std::optional<std::string> name,
                          std::optional<std::string> description);
  Status DeleteRole(int64_t role_id);

  /// Errors: kAlreadyExists.
  Result<RolePermission> AddRolePermission(int64_t role_id, const Grant& grant);
  Result<RolePermission> UpdateRolePermission(int64_t role_permission_id, Permission permission);
  Status RemoveRolePermission(int64_t role_permission_id);

  /// Errors: kAlreadyExists; kInvalidArgument for a personal role.
  Result<RoleAssignment> AssignRole(std::string_view username, int64_t role_id);
  Status UnassignRole(std::string_view username, int64_t role_id);
  Result<std::vector<RoleAssignment>> ListRoleUsers(int64_t role_id);
  Result<std::vector<Role>> ListUserRoles(std::string_view username);  ///< the personal one too
  Result<std::vector<std::pair<User, std::vector<Role>>>> ListUsersWithRoles();

  // Tokens.

  /// Errors: kInvalidArgument for a name over 255 bytes, an expiry in the past, an unknown resource
  /// type.
  Result<IssuedToken> CreateToken(int64_t user_id, const NewToken& token);
  /// Of one user, or of all; revoked and expired ones too, oldest first.
  Result<std::vector<ApiToken>> ListTokens(std::optional<int64_t> user_id);
  Result<ApiToken> GetToken(std::string_view token_id);
  /// Revoking a revoked token is fine.
  Status RevokeToken(std::string_view token_id);
  /// The token and its user, if `secret` is one that is neither revoked nor expired.
  Result<std::optional<std::pair<ApiToken, User>>> FindToken(std::string_view secret);

  /// Grows with every change to users and tokens made through this object: what was remembered of
  /// them before is stale.
  int64_t change_count() const { return change_count_.load(std::memory_order_acquire); }

 private:
  void Changed() { change_count_.fetch_add(1, std::memory_order_release); }

  sql::Db& db_;
  PasswordHasher& hasher_;
  Clock& clock_;
  std::atomic<int64_t> change_count_{0};
};

/// What this module's tables need; pass it with those of the other modules to sql::Migrate.
std::vector<sql::Migration> Migrations();

}  // namespace sluice::auth
