#include "auth/password.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "auth/user.h"

namespace sluice::auth {
namespace {

// Made by werkzeug 3.1.
constexpr std::string_view kScrypt =
    "scrypt:32768:8:1$5M5jLgUl5DSRJr5W$14c5315cbbbece424cc08fa9d51d0f502e538b5f864ebba5085bd8e51e39"
    "ecfa2989c6b6a6e12c7ecfa562e485d56d9da5e07c2998b55e94b50c68e6262a097c";
constexpr std::string_view kOtherScrypt =
    "scrypt:16384:8:2$rme77KEEcFVuBGGW$e3a317fb46a3162cb23ba50b52a058de3aaac5d40167221093b26a54382e"
    "73aa9a4fd520145656711c0898864a733e3e1f7fa526a03172366e011db90116f8ac";
constexpr std::string_view kSha256 =
    "pbkdf2:sha256:1000$FnXt68rCjO69DUyo$"
    "e0a6c75fef2076b20d5885d812161b4286a42352fecf5d55a77768d4c681acf7";
constexpr std::string_view kSha512 =
    "pbkdf2:sha512:1000$nY7qgJcqj2KNMgyL$1d50b7a5c4c188e1a1bbe7e5b7d55de988a5a1b656d875a0791a82d601"
    "1438b3d67290e1d0bb8e3dbbb60c7688238032be0e801c4d7da59019a09223be87146a";
constexpr std::string_view kSha1 =
    "pbkdf2:sha1:1000$PrOkLf9OwnRQZPyN$017a81bbd50f6802a940ecaa92b9ac8d8e259a14";

TEST(Password, VerifiesWhatWerkzeugMade) {
  EXPECT_TRUE(VerifyPassword("correct horse battery", kScrypt));
  EXPECT_TRUE(VerifyPassword("correct horse battery", kOtherScrypt));
  EXPECT_TRUE(VerifyPassword("pä$$wörd-ünicode", kSha256));
  EXPECT_TRUE(VerifyPassword("correct horse battery", kSha512));
  EXPECT_TRUE(VerifyPassword("correct horse battery", kSha1));
  EXPECT_FALSE(VerifyPassword("correct horse batterx", kScrypt));
  EXPECT_FALSE(VerifyPassword("", kSha256));
}

TEST(Password, MakesWhatWerkzeugVerifies) {
  EXPECT_EQ(HashPassword("correct horse battery", "5M5jLgUl5DSRJr5W"), kScrypt);
}

TEST(Password, RefusesHashesItDoesNotKnowOrThatCostTooMuch) {
  const std::string digits(128, 'a');
  for (const std::string& hash : std::vector<std::string>{
           std::string(), std::string("plain"), std::string("$$"), "scrypt:32768:8$s$" + digits,
           "scrypt:32768:8:1$s$abc", "scrypt:32767:8:1$s$" + digits, "scrypt:0:8:1$s$" + digits,
           "scrypt:1048576:8:1$s$" + digits, "scrypt:32768:8:100$s$" + digits,
           "scrypt:18446744073709551615:8:1$s$" + digits, "scrypt:32768:-8:1$s$" + digits,
           "scrypt:2:18446744073709551615:1$s$" + digits,
           std::string("pbkdf2:md5:1$s$d41d8cd98f00b204e9800998ecf8427e"),
           "pbkdf2:sha256:99999999999$s$" + digits.substr(64), "pbkdf2:sha256:1$s$" + digits,
           std::string("sha256$s$") + digits, std::string("scrypt:32768:8:1$s$a$b")}) {
    EXPECT_FALSE(IsKnownPasswordHash(hash)) << hash;
    EXPECT_FALSE(VerifyPassword("correct horse battery", hash)) << hash;
  }
  EXPECT_TRUE(IsKnownPasswordHash("scrypt$s$" + digits));
  EXPECT_TRUE(IsKnownPasswordHash("pbkdf2:sha256$s$" + digits.substr(64)));
}

TEST(Password, RulesAreMLflowsAndAFewOfOurs) {
  EXPECT_TRUE(CheckPassword("twelve chars").ok());
  EXPECT_TRUE(CheckPassword("zwölf Zeiche").ok());
  EXPECT_EQ(CheckPassword("elevenchars").error().message(),
            "Password must be at least 12 characters.");
  EXPECT_FALSE(CheckPassword(std::string(1001, 'x')).ok());
  EXPECT_FALSE(CheckPassword(std::string(kTokenPrefix) + std::string(43, 'x')).ok());
  EXPECT_TRUE(CheckUsername("ada@example.org").ok());
  EXPECT_EQ(CheckUsername("").error().message(), "Username cannot be empty.");
  EXPECT_FALSE(CheckUsername("a:b").ok());
  EXPECT_FALSE(CheckUsername("a\nb").ok());
  EXPECT_FALSE(CheckUsername("__token__").ok());
}

TEST(Password, GeneratedTextIsLongAndNeverTwiceTheSame) {
  EXPECT_EQ(NewPassword().size(), 24U);
  EXPECT_NE(NewPassword(), NewPassword());
  EXPECT_TRUE(CheckPassword(NewPassword()).ok());
}

TEST(Password, AFullQueueTurnsAwayInsteadOfGrowing) {
  PasswordHasher hasher({.concurrent_count = 1, .waiting_count_max = 1, .wait_timeout_ms = 60'000});
  std::atomic<int> right_count{0};
  std::atomic<int> refused_count{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      Result<bool> is_right = hasher.Verify("correct horse battery", kScrypt);
      if (is_right.ok()) {
        right_count += *is_right ? 1 : 0;
      } else {
        EXPECT_EQ(is_right.error().code(), ErrorCode::kUnavailable);
        ++refused_count;
      }
    });
  }
  threads.clear();
  EXPECT_GE(right_count.load(), 1);
  EXPECT_EQ(right_count + refused_count, 8);
  EXPECT_TRUE(hasher.Verify("correct horse battery", kScrypt).value());
}

TEST(Password, AnUnknownUserCostsAsMuchAsAWrongPassword) {
  PasswordHasher hasher;
  EXPECT_TRUE(hasher.VerifyNothing("correct horse battery").ok());
}

}  // namespace
}  // namespace sluice::auth
