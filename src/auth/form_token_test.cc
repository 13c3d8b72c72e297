#include "auth/form_token.h"

#include <gtest/gtest.h>

namespace sluice::auth {
namespace {

TEST(FormToken, IsGoodForOneUserAndOneHour) {
  const User ada{.id = 1, .username = "ada", .password_hash = "scrypt:a"};
  const User bob{.id = 2, .username = "bob", .password_hash = "scrypt:a"};
  const User changed{.id = 1, .username = "ada", .password_hash = "scrypt:b"};
  const std::string token = MakeFormToken(ada, 1000);
  EXPECT_TRUE(IsFormToken(ada, token, 1000));
  EXPECT_TRUE(IsFormToken(ada, token, 1000 + kFormTokenLifeMs - 1));
  EXPECT_FALSE(IsFormToken(ada, token, 1000 + kFormTokenLifeMs));
  EXPECT_FALSE(IsFormToken(bob, token, 1000));
  EXPECT_FALSE(IsFormToken(changed, token, 1000));
  const std::string later = "9" + token;
  for (std::string_view wrong : {std::string_view(), std::string_view("."), std::string_view("1."),
                                 std::string_view(later), std::string_view(token).substr(1)}) {
    EXPECT_FALSE(IsFormToken(ada, wrong, 1000)) << wrong;
  }
}

}  // namespace
}  // namespace sluice::auth
