#include "auth/authenticator.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/base64.h"
#include "sql/sqlite.h"

namespace sluice::auth {
namespace {

constexpr std::string_view kAda = "Basic YWRhOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==";
constexpr std::string_view kAdaWrong = "Basic YWRhOndyb25nIGhvcnNlIGJhdHRlcnk=";
constexpr std::string_view kNobody = "Basic bm9ib2R5OmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==";

class AuthenticatorTest : public testing::Test {
 protected:
  void SetUp() override {
    CHECK(sql::Migrate(*db_, Migrations(), clock_).ok());
    ada_ = store_.CreateUser({"ada", "correct horse battery"}).value();
  }
  Result<Principal> Ask(std::string_view field, std::string_view peer = "10.0.0.1") {
    return authenticator_.Authenticate(field, peer);
  }
  static ErrorCode CodeOf(const Result<Principal>& result) {
    return result.ok() ? ErrorCode::kInternal : result.error().code();
  }

  std::unique_ptr<sql::Db> db_ = sql::OpenSqlite(":memory:").value();
  ManualClock clock_;
  PasswordHasher hasher_;
  Store store_{*db_, hasher_, clock_};
  /// A second replica: its changes are not counted here.
  Store elsewhere_{*db_, hasher_, clock_};
  Authenticator authenticator_{
      store_, hasher_, clock_, {.cache_ttl_ms = 10'000, .recheck_interval_ms = 1'000}};
  User ada_;
};

TEST_F(AuthenticatorTest, KnowsPasswordsAndRemembersThem) {
  EXPECT_EQ(Ask(kAda)->username, "ada");
  EXPECT_EQ(Ask(kAda)->user_id, ada_.id);
  EXPECT_EQ(authenticator_.stats().verify_count, 1);
  EXPECT_EQ(authenticator_.stats().hit_count, 1);
  for (std::string_view field :
       {std::string_view(), kAdaWrong, kNobody, std::string_view("Basic x")}) {
    EXPECT_EQ(CodeOf(Ask(field)), ErrorCode::kPermissionDenied);
  }
  clock_.AdvanceMs(10'000);
  EXPECT_TRUE(Ask(kAda).ok());
  EXPECT_EQ(authenticator_.stats().verify_count, 4);
}

TEST_F(AuthenticatorTest, AChangedPasswordEndsWhatWasRemembered) {
  ASSERT_TRUE(Ask(kAda).ok());
  ASSERT_TRUE(store_.UpdateUser("ada", {.password = "another password"}).ok());
  EXPECT_EQ(CodeOf(Ask(kAda)), ErrorCode::kPermissionDenied);
}

TEST_F(AuthenticatorTest, ChangesElsewhereAreSeenWithinTheRecheckInterval) {
  ASSERT_TRUE(Ask(kAda).ok());
  ASSERT_TRUE(elsewhere_.UpdateUser("ada", {.is_admin = true}).ok());
  EXPECT_FALSE(Ask(kAda)->is_admin);
  clock_.AdvanceMs(1'000);
  EXPECT_TRUE(Ask(kAda)->is_admin);
  EXPECT_EQ(authenticator_.stats().verify_count, 1) << "the row was read, nothing was hashed";
  ASSERT_TRUE(elsewhere_.ImportUser("root", ada_.password_hash, true).ok());
  ASSERT_TRUE(elsewhere_.DeleteUser("ada").ok());
  clock_.AdvanceMs(1'000);
  EXPECT_EQ(CodeOf(Ask(kAda)), ErrorCode::kPermissionDenied);
}

TEST_F(AuthenticatorTest, TakesTokensAsBearerAndAsPassword) {
  const IssuedToken token =
      store_.CreateToken(ada_.id, {.name = "ci", .scope = {.is_read_only = true}}).value();
  const auto basic = [](const std::string& text) { return "Basic " + EncodeBase64(text); };
  const Result<Principal> bearer = Ask("Bearer " + token.secret);
  ASSERT_TRUE(bearer.ok());
  EXPECT_EQ(bearer->token_id, token.token.id);
  EXPECT_TRUE(bearer->scope.is_read_only);
  EXPECT_EQ(Ask(basic("ada:" + token.secret))->username, "ada");
  EXPECT_EQ(Ask(basic("__token__:" + token.secret))->username, "ada");
  EXPECT_EQ(CodeOf(Ask(basic("bob:" + token.secret))), ErrorCode::kPermissionDenied);
  EXPECT_EQ(CodeOf(Ask("Bearer correct horse battery")), ErrorCode::kPermissionDenied);
  EXPECT_EQ(authenticator_.stats().verify_count, 0);

  ASSERT_TRUE(store_.RevokeToken(token.token.id).ok());
  EXPECT_EQ(CodeOf(Ask("Bearer " + token.secret)), ErrorCode::kPermissionDenied);
}

TEST_F(AuthenticatorTest, ATokenEndsOnTimeThoughItIsRemembered) {
  const IssuedToken token =
      store_.CreateToken(ada_.id, {.name = "ci", .expires_ms = clock_.NowMs() + 500}).value();
  ASSERT_TRUE(Ask("Bearer " + token.secret).ok());
  clock_.AdvanceMs(500);
  EXPECT_EQ(CodeOf(Ask("Bearer " + token.secret)), ErrorCode::kPermissionDenied);
}

TEST_F(AuthenticatorTest, GuessingIsSlowedDownAndTheOwnerStaysIn) {
  ASSERT_TRUE(Ask(kAda).ok());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(CodeOf(Ask(kAdaWrong)), ErrorCode::kPermissionDenied);
  EXPECT_EQ(CodeOf(Ask(kAdaWrong)), ErrorCode::kResourceExhausted);
  EXPECT_TRUE(Ask(kAda).ok()) << "what was verified before passes";
  EXPECT_EQ(CodeOf(Ask(kAdaWrong, "10.0.0.2")), ErrorCode::kPermissionDenied);
  clock_.AdvanceMs(60'000);
  EXPECT_EQ(CodeOf(Ask(kAdaWrong)), ErrorCode::kPermissionDenied);
}

TEST_F(AuthenticatorTest, TheSameCredentialsAtOnceAreVerifiedOnce) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 32; ++i) {
    threads.emplace_back([&] { EXPECT_TRUE(Ask(kAda).ok()); });
  }
  threads.clear();
  EXPECT_LE(authenticator_.stats().verify_count, 3);
}

TEST_F(AuthenticatorTest, NoAdministratorSignsInWithThePublishedPassword) {
  ASSERT_TRUE(store_.CreateUser({"root", "password1234", true}).ok());
  ASSERT_TRUE(store_.CreateUser({"user", "password1234", false}).ok());
  EXPECT_EQ(CodeOf(Ask("Basic cm9vdDpwYXNzd29yZDEyMzQ=")), ErrorCode::kPermissionDenied);
  EXPECT_TRUE(Ask("Basic dXNlcjpwYXNzd29yZDEyMzQ=").ok());
}

TEST_F(AuthenticatorTest, WithoutMemoryEveryRequestIsVerified) {
  Authenticator forgetful(store_, hasher_, clock_, {.cache_ttl_ms = 0});
  ASSERT_TRUE(forgetful.Authenticate(kAda, "p").ok());
  ASSERT_TRUE(forgetful.Authenticate(kAda, "p").ok());
  EXPECT_EQ(forgetful.stats().verify_count, 2);
}

TEST_F(AuthenticatorTest, TheMemoryIsBounded) {
  Authenticator small(store_, hasher_, clock_, {.cache_count_max = 2});
  for (int i = 0; i < 5; ++i) {
    const IssuedToken token = store_.CreateToken(ada_.id, {.name = "t"}).value();
    EXPECT_TRUE(small.Authenticate("Bearer " + token.secret, "p").ok());
    EXPECT_TRUE(small.Authenticate("Bearer " + token.secret, "p").ok());
  }
  EXPECT_EQ(small.stats().hit_count, 5);
}

}  // namespace
}  // namespace sluice::auth
