#include "auth/config.h"

#include <gtest/gtest.h>

#include <map>

#include "sql/sqlite.h"

namespace sluice::auth {
namespace {

TEST(AuthConfig, ReadsMLflowsFile) {
  Config config = ParseConfig(R"([other]
admin_username = nobody
[mlflow]
# MLflow ships no default admin password.
default_permission = NO_PERMISSIONS
Database_URI: sqlite:///basic_auth.db
admin_username = root
admin_password = 100%% secret words
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
grant_default_workspace_access = false
auth_cache_ttl_seconds = 60
)",
                              "basic_auth.ini")
                      .value();
  EXPECT_EQ(config.default_permission, Permission::kNoPermissions);
  EXPECT_EQ(config.database_uri, "sqlite:///basic_auth.db");
  EXPECT_EQ(config.admin_username, "root");
  EXPECT_EQ(config.admin_password, "100% secret words");
  EXPECT_EQ(config.cache_ttl_s, 60);
}

TEST(AuthConfig, SaysWhereAndWhatIsWrong) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"[mlflow]\ndefault_permission = SEE", "a.ini:2: Invalid permission 'SEE'."},
      {"[mlflow]\ndefault_permission = DENY", "a.ini:2: default_permission cannot be DENY"},
      {"[mlflow]\n\ndefault_permision = READ",
       "a.ini:3: unknown setting 'default_permision'; did "
       "you mean 'default_permission'?"},
      {"[mlflow]\nauthorization_function = my.module:check",
       "a.ini:2: authorization_function 'my.module:check' is Python code"},
      {"[mlflow]\nauth_cache_ttl_seconds = -1", "a.ini:2: auth_cache_ttl_seconds is '-1'"},
      {"[mlflow]\nauth_cache_ttl_seconds = 5s", "a.ini:2: auth_cache_ttl_seconds is '5s'"},
      {"admin_username = a", "a.ini:1: this line stands before any section"},
      {"[mlflow\n", "a.ini:1: '[mlflow' is no section header"},
      {"[mlflow]\nadmin_username", "a.ini:2: 'admin_username' is no 'key = value'"},
      {"[mlflow]\nadmin_username = a\nadmin_username = b",
       "a.ini:3: 'admin_username' is set twice"},
  };
  for (const auto& [text, message] : cases) {
    Result<Config> config = ParseConfig(text, "a.ini");
    ASSERT_FALSE(config.ok()) << text;
    EXPECT_TRUE(config.error().ToString().starts_with(message)) << config.error().ToString();
  }
}

TEST(AuthConfig, TheEnvironmentWinsEvenWhenEmpty) {
  const std::map<std::string, std::string, std::less<>> variables = {
      {"MLFLOW_AUTH_ADMIN_USERNAME", "root"}, {"MLFLOW_AUTH_ADMIN_PASSWORD", ""}};
  Config config = LoadConfig([&](std::string_view name) -> std::optional<std::string> {
                    auto found = variables.find(name);
                    if (found == variables.end()) return std::nullopt;
                    return found->second;
                  }).value();
  EXPECT_EQ(config.admin_username, "root");
  EXPECT_EQ(config.admin_password, "");
  EXPECT_EQ(config.default_permission, Permission::kRead);
  Result<Config> absent = LoadConfig([](std::string_view name) -> std::optional<std::string> {
    if (name == "MLFLOW_AUTH_CONFIG_PATH") return "/no/such/file.ini";
    return std::nullopt;
  });
  ASSERT_FALSE(absent.ok());
  EXPECT_NE(absent.error().message().find("MLFLOW_AUTH_CONFIG_PATH"), std::string::npos);
}

class FirstStart : public testing::Test {
 protected:
  void SetUp() override { CHECK(sql::Migrate(*db_, Migrations(), clock_).ok()); }

  std::unique_ptr<sql::Db> db_ = sql::OpenSqlite(":memory:").value();
  ManualClock clock_;
  PasswordHasher hasher_;
  Store store_{*db_, hasher_, clock_};
};

TEST_F(FirstStart, MakesUpAPasswordOnce) {
  auth::FirstStart first = EnsureAdmin(store_, {}).value();
  EXPECT_TRUE(first.is_admin_created);
  ASSERT_TRUE(first.generated_password);
  const User admin = store_.GetUser("admin").value();
  EXPECT_TRUE(admin.is_admin);
  EXPECT_TRUE(VerifyPassword(*first.generated_password, admin.password_hash));
  auth::FirstStart second = EnsureAdmin(store_, {}).value();
  EXPECT_FALSE(second.is_admin_created || second.generated_password);
}

TEST_F(FirstStart, TakesTheConfiguredPassword) {
  auth::FirstStart first =
      EnsureAdmin(store_, {.admin_username = "root", .admin_password = "long enough words"})
          .value();
  EXPECT_TRUE(first.is_admin_created);
  EXPECT_FALSE(first.generated_password);
  EXPECT_TRUE(VerifyPassword("long enough words", store_.GetUser("root")->password_hash));
}

TEST_F(FirstStart, RefusesThePublishedAndTheShortPassword) {
  for (std::string_view password : {"password1234", "short"}) {
    Result<auth::FirstStart> start = EnsureAdmin(store_, {.admin_password = std::string(password)});
    ASSERT_FALSE(start.ok());
    EXPECT_NE(start.error().message().find("MLFLOW_AUTH_ADMIN_PASSWORD"), std::string::npos);
  }
  EXPECT_FALSE(store_.HasUsers().value());
}

}  // namespace
}  // namespace sluice::auth
