// Who may do what: levels, grants, and the one function that folds grants into an answer. All
// functions here are pure, so that the rules can be tested as a table.
//
// A grant is (resource type, pattern, permission). Many may match one resource: a user has several
// roles, and a pattern is an id or "*". Three rules decide, as in MLflow since 3.17:
//
//   1. Within one resource type, DENY beats everything; otherwise the highest level wins.
//   2. A resource may stand below others (a run below its experiment). The first of them, from the
//      narrowest, that any grant speaks about decides; the rest are not asked. So a DENY is never
//      rescued by a wider grant, and a grant on the child may say more than its parent's.
//   3. Where no grant speaks, `default_permission` does. It is a floor too: a positive grant never
//      gives less than the default. NO_PERMISSIONS and DENY are not lifted.
//   0. Before all of them: MANAGE on the workspace is MANAGE on everything, whatever is denied.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::auth {

/// In ascending order; DENY stands apart. Stored and sent by name, never by number.
enum class Permission : uint8_t { kNoPermissions, kRead, kUse, kEdit, kManage, kDeny };

/// "NO_PERMISSIONS", "READ", "USE", "EDIT", "MANAGE", "DENY".
std::string_view PermissionName(Permission permission);
/// Errors: kInvalidArgument, listing the names there are.
Result<Permission> ParsePermission(std::string_view name);

/// What an operation needs of a resource. DELETE and MANAGE are both given by MANAGE alone; they
/// differ only in what is said.
enum class Need : uint8_t { kRead, kUse, kUpdate, kDelete, kManage };
bool Allows(Permission have, Need need);

/// One row of the table of resource types.
struct ResourceType {
  std::string_view name;
  /// Only the pattern "*" may be granted: the workspace, and things that stand below others.
  bool is_wildcard_only = false;
};
std::span<const ResourceType> ResourceTypes();
/// Null if there is none of that name.
const ResourceType* FindResourceType(std::string_view name);

/// The resource types this program itself asks about.
inline constexpr std::string_view kExperiment = "experiment";
inline constexpr std::string_view kRegisteredModel = "registered_model";
inline constexpr std::string_view kPrompt = "prompt";
inline constexpr std::string_view kScorer = "scorer";
inline constexpr std::string_view kRun = "run";
inline constexpr std::string_view kLoggedModel = "logged_model";
inline constexpr std::string_view kRegisteredModelVersion = "registered_model_version";
inline constexpr std::string_view kPromptVersion = "prompt_version";
inline constexpr std::string_view kTrace = "trace";
inline constexpr std::string_view kWorkspace = "workspace";

struct Grant {
  std::string resource_type;
  std::string resource_pattern;  ///< an id or "*"
  Permission permission = Permission::kNoPermissions;

  friend bool operator==(const Grant&, const Grant&) = default;
};

/// A resource, or a class of them when `id` is "*".
struct ResourceKey {
  std::string type;
  std::string id;

  friend bool operator==(const ResourceKey&, const ResourceKey&) = default;
};

/// Errors: kInvalidArgument, listing the types there are.
Status CheckResourceType(std::string_view name);
/// May this be granted, by MLflow's rules since 3.17? Errors: kInvalidArgument for an unknown type,
/// an empty pattern, a pattern other than "*" or a level that the type does not take (the
/// workspace: only USE and MANAGE; others: all but NO_PERMISSIONS, which only CheckOldGrant lets
/// in).
Status CheckGrant(const Grant& grant);
/// May this be granted through the routes MLflow had until 3.16? READ, USE, EDIT, MANAGE and
/// NO_PERMISSIONS, which there means "not even the default".
Status CheckOldGrant(const Grant& grant);

/// Rule 1. Nothing if no grant speaks about `key`.
std::optional<Permission> FoldGrants(std::span<const Grant> grants, const ResourceKey& key);
bool IsWorkspaceAdmin(std::span<const Grant> grants);

/// All the rules. `keys` goes from the narrowest to the widest, at least one (CHECK).
Permission EffectivePermission(std::span<const Grant> grants, std::span<const ResourceKey> keys,
                               Permission default_permission);

}  // namespace sluice::auth
