#include "auth/permission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace sluice::auth {
namespace {

constexpr std::array<Permission, 6> kAll = {Permission::kNoPermissions, Permission::kRead,
                                            Permission::kUse,           Permission::kEdit,
                                            Permission::kManage,        Permission::kDeny};

Grant On(std::string_view type, std::string_view pattern, Permission permission) {
  return {std::string(type), std::string(pattern), permission};
}

const ResourceKey kExperimentSeven{std::string(kExperiment), "7"};
const ResourceKey kAnyRun{std::string(kRun), "*"};

TEST(Permission, NamesReadBack) {
  for (Permission permission : kAll) {
    EXPECT_EQ(ParsePermission(PermissionName(permission)).value(), permission);
  }
  Result<Permission> wrong = ParsePermission("read");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message(),
            "Invalid permission 'read'. Valid permissions are: ('READ', 'USE', 'EDIT', 'MANAGE', "
            "'NO_PERMISSIONS', 'DENY')");
}

TEST(Permission, LevelsGiveWhatMLflowsGive) {
  struct Row {
    Permission have;
    std::string_view may;  // r read, u use, w update, d delete, m manage
  };
  const Row rows[] = {{Permission::kNoPermissions, ""}, {Permission::kRead, "r"},
                      {Permission::kUse, "ru"},         {Permission::kEdit, "ruw"},
                      {Permission::kManage, "ruwdm"},   {Permission::kDeny, ""}};
  for (const Row& row : rows) {
    EXPECT_EQ(Allows(row.have, Need::kRead), row.may.find('r') != std::string_view::npos);
    EXPECT_EQ(Allows(row.have, Need::kUse), row.may.find('u') != std::string_view::npos);
    EXPECT_EQ(Allows(row.have, Need::kUpdate), row.may.find('w') != std::string_view::npos);
    EXPECT_EQ(Allows(row.have, Need::kDelete), row.may.find('d') != std::string_view::npos);
    EXPECT_EQ(Allows(row.have, Need::kManage), row.may.find('m') != std::string_view::npos);
  }
}

/// The rules once more, written another way: by sets, without short cuts.
Permission Expected(const std::vector<Permission>& on_run, const std::vector<Permission>& on_id,
                    const std::vector<Permission>& on_all, Permission default_permission) {
  std::vector<Permission> experiment = on_id;
  experiment.insert(experiment.end(), on_all.begin(), on_all.end());
  for (const std::vector<Permission>& tier : {on_run, experiment}) {
    if (tier.empty()) continue;
    if (std::count(tier.begin(), tier.end(), Permission::kDeny) > 0) return Permission::kDeny;
    const Permission highest = *std::max_element(tier.begin(), tier.end());
    if (highest == Permission::kNoPermissions) return highest;
    return highest < default_permission ? default_permission : highest;
  }
  return default_permission;
}

TEST(Permission, EveryCombinationOfGrantsResolvesByTheRules) {
  // No grant, each single one, and each pair, at each of three places, under each default.
  std::vector<std::vector<Permission>> choices = {{}};
  for (Permission one : kAll) choices.push_back({one});
  for (Permission one : kAll) {
    for (Permission other : kAll) {
      if (one < other) choices.push_back({one, other});
    }
  }
  const std::vector<ResourceKey> keys = {kAnyRun, kExperimentSeven};
  int64_t case_count = 0;
  for (const auto& on_run : choices) {
    for (const auto& on_id : choices) {
      for (const auto& on_all : choices) {
        std::vector<Grant> grants = {On(kExperiment, "8", Permission::kDeny),
                                     On(kRegisteredModel, "7", Permission::kManage),
                                     On(kWorkspace, "*", Permission::kUse)};
        for (Permission permission : on_run) grants.push_back(On(kRun, "*", permission));
        for (Permission permission : on_id) grants.push_back(On(kExperiment, "7", permission));
        for (Permission permission : on_all) grants.push_back(On(kExperiment, "*", permission));
        for (Permission fallback : {Permission::kNoPermissions, Permission::kRead, Permission::kUse,
                                    Permission::kEdit, Permission::kManage}) {
          ASSERT_EQ(EffectivePermission(grants, keys, fallback),
                    Expected(on_run, on_id, on_all, fallback));
          ++case_count;
        }
      }
    }
  }
  EXPECT_EQ(case_count, 22 * 22 * 22 * 5);
}

TEST(Permission, ManageOnTheWorkspaceBeatsEveryDenial) {
  const std::vector<Grant> grants = {On(kExperiment, "7", Permission::kDeny),
                                     On(kWorkspace, "*", Permission::kManage)};
  EXPECT_EQ(EffectivePermission(grants, std::vector{kExperimentSeven}, Permission::kNoPermissions),
            Permission::kManage);
}

TEST(Permission, PatternsAreIdsNotGlobs) {
  const std::vector<Grant> grants = {On(kRegisteredModel, "team-*", Permission::kManage)};
  EXPECT_FALSE(FoldGrants(grants, {std::string(kRegisteredModel), "team-a"}).has_value());
  EXPECT_TRUE(FoldGrants(grants, {std::string(kRegisteredModel), "team-*"}).has_value());
}

TEST(Permission, GrantsAreCheckedAgainstTheirType) {
  EXPECT_TRUE(CheckGrant(On(kExperiment, "1", Permission::kDeny)).ok());
  EXPECT_TRUE(CheckGrant(On(kRun, "*", Permission::kEdit)).ok());
  EXPECT_TRUE(CheckGrant(On(kWorkspace, "*", Permission::kUse)).ok());
  const std::pair<Grant, std::string_view> wrong[] = {
      {On("table", "1", Permission::kRead), "Invalid resource type 'table'. Valid resource types"},
      {On(kRun, "r1", Permission::kRead), "supports only wildcard ('*') grants."},
      {On(kExperiment, "", Permission::kRead), "resource_pattern"},
      {On(kWorkspace, "*", Permission::kRead), "grants accept only: ('MANAGE', 'USE')."},
      {On(kWorkspace, "*", Permission::kDeny), "grants accept only: ('MANAGE', 'USE')."},
      {On(kExperiment, "1", Permission::kNoPermissions),
       "grants accept only: ('DENY', 'EDIT', 'MANAGE', 'READ', 'USE')."}};
  for (const auto& [grant, text] : wrong) {
    const Status status = CheckGrant(grant);
    ASSERT_FALSE(status.ok()) << text;
    EXPECT_EQ(status.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(status.error().message().find(text), std::string::npos) << status.error().message();
  }
  EXPECT_TRUE(CheckOldGrant(On(kExperiment, "1", Permission::kNoPermissions)).ok());
  EXPECT_FALSE(CheckOldGrant(On(kRun, "r1", Permission::kNoPermissions)).ok());
}

}  // namespace
}  // namespace sluice::auth
