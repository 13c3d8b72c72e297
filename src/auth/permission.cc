#include "auth/permission.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace sluice::auth {
namespace {

struct NamedPermission {
  Permission permission;
  std::string_view name;
};
// In the order in which MLflow's messages list them.
constexpr std::array<NamedPermission, 6> kPermissions = {
    {{Permission::kRead, "READ"},
     {Permission::kUse, "USE"},
     {Permission::kEdit, "EDIT"},
     {Permission::kManage, "MANAGE"},
     {Permission::kNoPermissions, "NO_PERMISSIONS"},
     {Permission::kDeny, "DENY"}}};

// By name, as MLflow's messages list them.
constexpr std::array<ResourceType, 18> kResourceTypes = {{{"assessment", true},
                                                          {"experiment", false},
                                                          {"gateway_endpoint", false},
                                                          {"gateway_model_definition", false},
                                                          {"gateway_secret", false},
                                                          {"logged_model", true},
                                                          {"mcp_server", false},
                                                          {"mcp_server_version", true},
                                                          {"prompt", false},
                                                          {"prompt_version", true},
                                                          {"registered_model", false},
                                                          {"registered_model_version", true},
                                                          {"review_queue", true},
                                                          {"run", true},
                                                          {"scorer", false},
                                                          {"scorer_version", true},
                                                          {"trace", true},
                                                          {"workspace", true}}};

/// "('A', 'B')", as MLflow prints a tuple.
template <typename Names>
std::string Tuple(const Names& names) {
  std::string text = "(";
  for (std::string_view name : names) {
    if (text.size() > 1) text += ", ";
    text += fmt::format("'{}'", name);
  }
  return text + (names.size() == 1 ? ",)" : ")");
}

Status CheckPattern(const Grant& grant) {
  const ResourceType* type = FindResourceType(grant.resource_type);
  if (grant.resource_pattern.empty()) {
    return InvalidArgument("Missing value for required parameter 'resource_pattern'.");
  }
  if (type->is_wildcard_only && grant.resource_pattern != "*") {
    return InvalidArgument(
        fmt::format("Invalid resource_pattern '{}' for resource_type='{}'. This resource type "
                    "supports only wildcard ('*') grants.",
                    grant.resource_pattern, grant.resource_type));
  }
  return Ok();
}

bool Matches(const Grant& grant, const ResourceKey& key) {
  return grant.resource_type == key.type &&
         (grant.resource_pattern == "*" || grant.resource_pattern == key.id);
}

}  // namespace

std::string_view PermissionName(Permission permission) {
  for (const NamedPermission& named : kPermissions) {
    if (named.permission == permission) return named.name;
  }
  return {};
}

Result<Permission> ParsePermission(std::string_view name) {
  std::vector<std::string_view> names;
  for (const NamedPermission& named : kPermissions) {
    if (named.name == name) return named.permission;
    names.push_back(named.name);
  }
  return InvalidArgument(
      fmt::format("Invalid permission '{}'. Valid permissions are: {}", name, Tuple(names)));
}

bool Allows(Permission have, Need need) {
  if (have == Permission::kDeny) return false;
  switch (need) {
    case Need::kRead: return have >= Permission::kRead;
    case Need::kUse: return have >= Permission::kUse;
    case Need::kUpdate: return have >= Permission::kEdit;
    case Need::kDelete:
    case Need::kManage: return have >= Permission::kManage;
  }
  return false;
}

std::span<const ResourceType> ResourceTypes() { return kResourceTypes; }

const ResourceType* FindResourceType(std::string_view name) {
  auto found = std::find_if(kResourceTypes.begin(), kResourceTypes.end(),
                            [&](const ResourceType& type) { return type.name == name; });
  return found == kResourceTypes.end() ? nullptr : &*found;
}

Status CheckResourceType(std::string_view name) {
  if (FindResourceType(name)) return Ok();
  std::vector<std::string_view> names;
  for (const ResourceType& type : kResourceTypes) names.push_back(type.name);
  return InvalidArgument(
      fmt::format("Invalid resource type '{}'. Valid resource types are: {}", name, Tuple(names)));
}

Status CheckGrant(const Grant& grant) {
  using Names = std::vector<std::string_view>;
  RETURN_IF_ERROR(CheckResourceType(grant.resource_type));
  RETURN_IF_ERROR(CheckPattern(grant));
  if (grant.resource_type == kWorkspace) {
    if (grant.permission != Permission::kUse && grant.permission != Permission::kManage) {
      return InvalidArgument(
          fmt::format("Invalid permission '{}' for resource_type='workspace'. Workspace-wide "
                      "grants accept only: {}.",
                      PermissionName(grant.permission), Tuple(Names{"MANAGE", "USE"})));
    }
    return Ok();
  }
  if (grant.permission == Permission::kNoPermissions) {
    return InvalidArgument(
        fmt::format("Invalid permission 'NO_PERMISSIONS' for resource_type='{}'. Resource-level "
                    "grants accept only: {}.",
                    grant.resource_type, Tuple(Names{"DENY", "EDIT", "MANAGE", "READ", "USE"})));
  }
  return Ok();
}

Status CheckOldGrant(const Grant& grant) {
  if (grant.permission != Permission::kNoPermissions) return CheckGrant(grant);
  RETURN_IF_ERROR(CheckResourceType(grant.resource_type));
  return CheckPattern(grant);
}

std::optional<Permission> FoldGrants(std::span<const Grant> grants, const ResourceKey& key) {
  std::optional<Permission> best;
  for (const Grant& grant : grants) {
    if (!Matches(grant, key)) continue;
    if (grant.permission == Permission::kDeny) return Permission::kDeny;
    if (!best || grant.permission > *best) best = grant.permission;
  }
  return best;
}

bool IsWorkspaceAdmin(std::span<const Grant> grants) {
  return std::any_of(grants.begin(), grants.end(), [](const Grant& grant) {
    return grant.resource_type == kWorkspace && grant.resource_pattern == "*" &&
           grant.permission == Permission::kManage;
  });
}

Permission EffectivePermission(std::span<const Grant> grants, std::span<const ResourceKey> keys,
                               Permission default_permission) {
  CHECK(!keys.empty());
  if (IsWorkspaceAdmin(grants)) return Permission::kManage;
  for (const ResourceKey& key : keys) {
    const std::optional<Permission> granted = FoldGrants(grants, key);
    if (!granted) continue;
    const bool is_positive =
        *granted != Permission::kNoPermissions && *granted != Permission::kDeny;
    if (!is_positive || default_permission == Permission::kDeny) return *granted;
    return std::max(*granted, default_permission);
  }
  return default_permission;
}

}  // namespace sluice::auth
