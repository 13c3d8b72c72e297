// What the store must do on every engine. Instantiate it with a function that opens an empty,
// migrated database.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "auth/store.h"
#include "base/clock.h"
#include "sql/testing/test_database.h"

namespace sluice::auth {

using DbFactory = std::function<std::shared_ptr<sql::Db>(Clock& clock)>;

class AuthStoreContract : public testing::TestWithParam<DbFactory> {
 protected:
  void SetUp() override {
    db_ = GetParam()(clock_);
    if (db_ == nullptr) GTEST_SKIP() << sql::kNoPostgres;
    store_ = std::make_unique<Store>(*db_, hasher_, clock_);
  }
  /// Scrypt is slow: most tests need a user, not its password.
  User Make(const std::string& username, bool is_admin = false) {
    return store().ImportUser(username, kCheapHash, is_admin).value();
  }
  Store& store() { return *store_; }
  static ErrorCode CodeOf(const Status& status) {
    return status.ok() ? ErrorCode::kInternal : status.error().code();
  }
  template <typename T>
  static std::string TextOf(const Result<T>& result) {
    return result.ok() ? "no error" : result.error().message();
  }
  static Grant On(std::string_view type, std::string_view pattern, Permission permission) {
    return {std::string(type), std::string(pattern), permission};
  }
  std::vector<Grant> GrantsOn(int64_t user_id, std::string_view type, std::string_view id) {
    const ResourceKey key{std::string(type), std::string(id)};
    return store().LoadGrantsOn(user_id, std::vector{key}).value();
  }

  static constexpr std::string_view kCheapHash =
      "pbkdf2:sha256:1$salt$0000000000000000000000000000000000000000000000000000000000000000";
  ManualClock clock_;
  std::shared_ptr<sql::Db> db_;
  PasswordHasher hasher_;
  std::unique_ptr<Store> store_;
};

TEST_P(AuthStoreContract, KeepsUsers) {
  EXPECT_FALSE(store().HasUsers().value());
  const User ada = store().CreateUser({"ada", "correct horse battery"}).value();
  EXPECT_TRUE(store().HasUsers().value());
  EXPECT_FALSE(ada.is_admin);
  EXPECT_TRUE(VerifyPassword("correct horse battery", store().GetUser("ada")->password_hash));
  EXPECT_EQ(TextOf(store().CreateUser({"ada", "another password"})),
            "User (username=ada) already exists.");
  EXPECT_EQ(CodeOf(store().ImportUser("ada", kCheapHash, false).ok()
                       ? Ok()
                       : Status(store().ImportUser("ada", kCheapHash, false).error())),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(TextOf(store().GetUser("bob")), "User with username=bob not found");
  EXPECT_FALSE(store().FindUser("Ada").value().has_value());
  EXPECT_EQ(store().FindUserById(ada.id).value()->username, "ada");
  EXPECT_EQ(TextOf(store().CreateUser({"bob", "short"})),
            "Password must be at least 12 characters.");
  EXPECT_FALSE(store().ImportUser("bob", "md5$x$y", false).ok());

  const int64_t before = store().change_count();
  const User changed =
      store().UpdateUser("ada", {.password = "a different password", .is_admin = true}).value();
  EXPECT_GT(store().change_count(), before);
  EXPECT_TRUE(changed.is_admin);
  EXPECT_EQ(changed.id, ada.id);
  EXPECT_TRUE(VerifyPassword("a different password", store().GetUser("ada")->password_hash));
  EXPECT_EQ(CodeOf(store().DeleteUser("nobody")), ErrorCode::kNotFound);
}

TEST_P(AuthStoreContract, NeverLosesItsLastAdministrator) {
  Make("ada", true);
  EXPECT_EQ(CodeOf(store().DeleteUser("ada")), ErrorCode::kFailedPrecondition);
  EXPECT_NE(TextOf(store().UpdateUser("ada", {.is_admin = false})).find("only administrator"),
            std::string::npos);
  Make("bob", true);
  EXPECT_TRUE(store().UpdateUser("ada", {.is_admin = false}).ok());
  EXPECT_TRUE(store().DeleteUser("ada").ok());
  EXPECT_EQ(store().ListUsers().value().size(), 1U);
}

TEST_P(AuthStoreContract, MakesTheFirstAdministratorOnce) {
  EXPECT_TRUE(store().CreateFirstAdmin("root", "correct horse battery").value().has_value());
  EXPECT_FALSE(store().CreateFirstAdmin("other", "correct horse battery").value().has_value());
  EXPECT_EQ(store().ListUsers().value().size(), 1U);
}

TEST_P(AuthStoreContract, IdsOfUsersAreNotReused) {
  const int64_t first = Make("ada").id;
  ASSERT_TRUE(store().DeleteUser("ada").ok());
  EXPECT_GT(Make("ada").id, first);
}

TEST_P(AuthStoreContract, PersonalGrantsLiveInARoleOfTheirOwn) {
  const User ada = Make("ada");
  const User bob = Make("bob");
  const Grant read = On(kExperiment, "1", Permission::kRead);
  EXPECT_EQ(store().SetPersonalGrant("ada", read, true).value().id, ada.id);
  EXPECT_EQ(TextOf(store().SetPersonalGrant("ada", read, true)),
            "Permission for user=ada on resource_type=experiment, resource_id=1 already exists.");
  EXPECT_TRUE(store().SetPersonalGrant("ada", On(kExperiment, "1", Permission::kEdit), false).ok());
  EXPECT_EQ(store().FindPersonalGrant("ada", {"experiment", "1"}).value(), Permission::kEdit);
  EXPECT_FALSE(store().FindPersonalGrant("bob", {"experiment", "1"}).value().has_value());
  EXPECT_FALSE(store().FindPersonalGrant("carol", {"experiment", "1"}).ok());
  EXPECT_EQ(GrantsOn(ada.id, kExperiment, "1"),
            std::vector{On(kExperiment, "1", Permission::kEdit)});
  EXPECT_TRUE(GrantsOn(bob.id, kExperiment, "1").empty());

  const std::vector<UserGrant> grants = store().ListGrants(ada.id).value();
  ASSERT_EQ(grants.size(), 1U);
  EXPECT_EQ(grants[0].role_name, PersonalRoleName(ada.id));
  EXPECT_TRUE(store().RemovePersonalGrant("ada", {"experiment", "1"}).ok());
  EXPECT_EQ(store().RemovePersonalGrant("ada", {"experiment", "1"}).error().message(),
            "Permission for user=ada on resource_type=experiment, resource_id=1 not found.");
  EXPECT_TRUE(store().ListPersonalGrants(ada.id).value().empty());
  EXPECT_TRUE(
      store().SetPersonalGrant("ada", On(kExperiment, "2", Permission::kNoPermissions), true).ok());
  ASSERT_TRUE(store().DeleteUser("ada").ok());
  EXPECT_TRUE(store().ListRoles().value().empty());
}

TEST_P(AuthStoreContract, RolesGiveTheirUsersTheirPermissions) {
  const User ada = Make("ada");
  const Role team = store().CreateRole("team", "scientists").value();
  EXPECT_EQ(TextOf(store().CreateRole("team", std::nullopt)),
            "Role (name=team, workspace=default) already exists.");
  EXPECT_FALSE(store().CreateRole("  ", std::nullopt).ok());
  EXPECT_FALSE(store().CreateRole("__user_1__", std::nullopt).ok());

  const RolePermission edit =
      store().AddRolePermission(team.id, On(kExperiment, "*", Permission::kEdit)).value();
  EXPECT_EQ(CodeOf(store().AddRolePermission(team.id, edit.grant).ok() ? Ok()
                                                                       : Status(AlreadyExists(""))),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(TextOf(store().AddRolePermission(99, edit.grant)), "Role with id=99 not found");
  EXPECT_TRUE(GrantsOn(ada.id, kExperiment, "5").empty());

  const RoleAssignment assignment = store().AssignRole("ada", team.id).value();
  EXPECT_EQ(assignment.user_id, ada.id);
  EXPECT_NE(TextOf(store().AssignRole("ada", team.id)).find("already exists"), std::string::npos);
  EXPECT_EQ(GrantsOn(ada.id, kExperiment, "5").size(), 1U);
  EXPECT_EQ(store().ListUserRoles("ada").value()[0].permissions.size(), 1U);
  EXPECT_EQ(store().ListRoleUsers(team.id).value().size(), 1U);
  EXPECT_EQ(store().ListUsersWithRoles().value()[0].second[0].name, "team");

  EXPECT_EQ(store().UpdateRolePermission(edit.id, Permission::kDeny)->grant.permission,
            Permission::kDeny);
  EXPECT_FALSE(store().UpdateRolePermission(edit.id, Permission::kNoPermissions).ok());
  EXPECT_EQ(store().GetRolePermission(edit.id)->grant.permission, Permission::kDeny);
  EXPECT_EQ(store().UpdateRole(team.id, "crew", std::nullopt)->description, "scientists");
  EXPECT_TRUE(store().RemoveRolePermission(edit.id).ok());
  EXPECT_EQ(TextOf(store().UpdateRolePermission(edit.id, Permission::kRead)),
            fmt::format("Role permission with id={} not found", edit.id));
  EXPECT_TRUE(store().UnassignRole("ada", team.id).ok());
  EXPECT_EQ(CodeOf(store().UnassignRole("ada", team.id)), ErrorCode::kNotFound);
  EXPECT_TRUE(store().DeleteRole(team.id).ok());
  EXPECT_EQ(CodeOf(store().DeleteRole(team.id)), ErrorCode::kNotFound);
}

TEST_P(AuthStoreContract, PersonalRolesAreNobodyElses) {
  const User ada = Make("ada");
  Make("bob");
  ASSERT_TRUE(store().GrantToCreator(ada.id, {"experiment", "1"}).ok());
  const int64_t role_id = store().ListGrants(ada.id).value()[0].role_id;
  EXPECT_EQ(CodeOf(store().AssignRole("bob", role_id).ok() ? Ok() : Status(InvalidArgument(""))),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(store().UnassignRole("ada", role_id)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(store().DeleteRole(role_id)), ErrorCode::kInvalidArgument);
  EXPECT_FALSE(store().UpdateRole(role_id, "mine", std::nullopt).ok());
}

TEST_P(AuthStoreContract, LooksUpGrantsOfSeveralKeysAndTheWorkspace) {
  const User ada = Make("ada");
  const Role role = store().CreateRole("r", std::nullopt).value();
  ASSERT_TRUE(store().AssignRole("ada", role.id).ok());
  for (const Grant& grant :
       {On(kRun, "*", Permission::kDeny), On(kExperiment, "1", Permission::kRead),
        On(kExperiment, "2", Permission::kRead), On(kPrompt, "p", Permission::kEdit),
        On(kWorkspace, "*", Permission::kUse), On(kRegisteredModel, "*", Permission::kManage)}) {
    ASSERT_TRUE(store().AddRolePermission(role.id, grant).ok());
  }
  const auto count = [&](std::vector<ResourceKey> keys) {
    std::vector<Grant> grants = store().LoadGrantsOn(ada.id, keys).value();
    std::sort(grants.begin(), grants.end(), [](const Grant& a, const Grant& b) {
      return std::tie(a.resource_type, a.resource_pattern) <
             std::tie(b.resource_type, b.resource_pattern);
    });
    grants.erase(std::unique(grants.begin(), grants.end()), grants.end());
    return grants.size();
  };
  EXPECT_EQ(count({{"scorer", "x"}}), 1U);  // the workspace
  EXPECT_EQ(count({{"experiment", "1"}}), 2U);
  EXPECT_EQ(count({{"run", "*"}, {"experiment", "1"}}), 3U);
  EXPECT_EQ(count({{"run", "*"},
                   {"experiment", "1"},
                   {"prompt", "p"},
                   {"registered_model", "m"},
                   {"experiment", "2"}}),
            6U);
}

TEST_P(AuthStoreContract, GrantsFollowTheirResource) {
  const User ada = Make("ada");
  const User bob = Make("bob");
  ASSERT_TRUE(store().GrantToCreator(ada.id, {"registered_model", "a"}).ok());
  ASSERT_TRUE(
      store().SetPersonalGrant("bob", On(kRegisteredModel, "b", Permission::kEdit), true).ok());
  const Role role = store().CreateRole("guards", std::nullopt).value();
  ASSERT_TRUE(store().AssignRole("bob", role.id).ok());
  ASSERT_TRUE(
      store().AddRolePermission(role.id, On(kRegisteredModel, "a", Permission::kDeny)).ok());
  const IssuedToken token =
      store()
          .CreateToken(bob.id, {.name = "ci", .scope = {.only = {{{"registered_model", "a"}}}}})
          .value();

  ASSERT_TRUE(store().RenameResource({"registered_model", "a"}, "b").ok());
  EXPECT_EQ(GrantsOn(ada.id, kRegisteredModel, "b"),
            std::vector{On(kRegisteredModel, "b", Permission::kManage)});
  // What bob had on an earlier "b" is gone; the denial of his role moved along.
  EXPECT_EQ(GrantsOn(bob.id, kRegisteredModel, "b"),
            std::vector{On(kRegisteredModel, "b", Permission::kDeny)});
  EXPECT_EQ(store().FindToken(token.secret).value()->first.scope.only,
            (std::vector<ResourceKey>{{"registered_model", "b"}}));

  ASSERT_TRUE(store().ForgetResource({"registered_model", "b"}).ok());
  EXPECT_TRUE(GrantsOn(ada.id, kRegisteredModel, "b").empty());
  EXPECT_EQ(GrantsOn(bob.id, kRegisteredModel, "b").size(), 1U);
  const std::optional<std::vector<ResourceKey>> only =
      store().FindToken(token.secret).value()->first.scope.only;
  ASSERT_TRUE(only.has_value()) << "a token must not become unlimited";
  EXPECT_TRUE(only->empty());
}

TEST_P(AuthStoreContract, TokensAreShownOnceAndEnd) {
  const User ada = Make("ada");
  const IssuedToken token =
      store()
          .CreateToken(ada.id, {.name = "ci",
                                .scope = {.is_read_only = true,
                                          .only = {{{"experiment", "1"}, {"experiment", "1"}}}},
                                .expires_ms = clock_.NowMs() + 1000})
          .value();
  EXPECT_TRUE(LooksLikeToken(token.secret));
  auto found = store().FindToken(token.secret).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->first.id, token.token.id);
  EXPECT_EQ(found->second.username, "ada");
  EXPECT_TRUE(found->first.scope.is_read_only);
  EXPECT_EQ(found->first.scope.only->size(), 1U);
  std::string other = token.secret;
  other.back() = other.back() == 'x' ? 'y' : 'x';
  EXPECT_FALSE(store().FindToken(other).value().has_value());
  EXPECT_FALSE(store().FindToken("slt_").value().has_value());
  clock_.AdvanceMs(1000);
  EXPECT_FALSE(store().FindToken(token.secret).value().has_value());

  const IssuedToken forever = store().CreateToken(ada.id, {.name = "ci"}).value();
  ASSERT_TRUE(store().RevokeToken(forever.token.id).ok());
  ASSERT_TRUE(store().RevokeToken(forever.token.id).ok());
  EXPECT_FALSE(store().FindToken(forever.secret).value().has_value());
  EXPECT_EQ(store().ListTokens(ada.id).value().size(), 2U);
  EXPECT_EQ(store().ListTokens(std::nullopt).value()[0].username, "ada");
  EXPECT_EQ(CodeOf(store().RevokeToken("nope")), ErrorCode::kNotFound);
  ASSERT_TRUE(store().DeleteUser("ada").ok());
  EXPECT_TRUE(store().ListTokens(std::nullopt).value().empty());
}

TEST_P(AuthStoreContract, RefusesTokensThatMakeNoSense) {
  const User ada = Make("ada");
  for (const NewToken& token :
       {NewToken{.name = ""}, NewToken{.name = "x", .expires_ms = clock_.NowMs()},
        NewToken{.name = "x", .scope = {.only = std::vector<ResourceKey>()}},
        NewToken{.name = "x", .scope = {.only = {{{"run", "1"}}}}},
        NewToken{.name = "x", .scope = {.is_admin = true, .only = {{{"experiment", "1"}}}}}}) {
    EXPECT_EQ(CodeOf(store().CreateToken(ada.id, token).ok() ? Ok() : Status(InvalidArgument(""))),
              ErrorCode::kInvalidArgument);
  }
  EXPECT_FALSE(store().CreateToken(12345, {.name = "x"}).ok());
}

TEST_P(AuthStoreContract, ManyMakeTheirFirstGrantsAtOnce) {
  const User ada = Make("ada");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 5; ++j) {
        const Status status =
            store().GrantToCreator(ada.id, {"experiment", std::to_string(10 * i + j)});
        EXPECT_TRUE(status.ok()) << status.error().ToString();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(store().ListPersonalGrants(ada.id).value().size(), 40U);
}

}  // namespace sluice::auth
