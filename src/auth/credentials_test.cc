#include "auth/credentials.h"

#include <gtest/gtest.h>

namespace sluice::auth {
namespace {

TEST(Credentials, ReadsBasicAndBearer) {
  std::optional<Credentials> basic = ParseAuthorization("Basic YWRhOnBhc3M6d29yZA==");
  ASSERT_TRUE(basic);
  EXPECT_FALSE(basic->is_bearer);
  EXPECT_EQ(basic->username, "ada");
  EXPECT_EQ(basic->secret, "pass:word");
  EXPECT_TRUE(ParseAuthorization("bAsIc  YTo="));
  std::optional<Credentials> bearer = ParseAuthorization("Bearer slt_x");
  ASSERT_TRUE(bearer);
  EXPECT_TRUE(bearer->is_bearer);
  EXPECT_EQ(bearer->secret, "slt_x");
}

TEST(Credentials, RefusesEverythingElse) {
  for (std::string_view field :
       {"", "Basic", "Basic ", "Basic YWRh", "Basic YWRhOnBhc3M6d29yZA", "Basic YW=hOnBhc3M=",
        "Basic Y===", "Basic ====", "Basic YWRhOn\xff", "Basic /zo=", "Digest YWRhOg==", "Bearer",
        "Bearer ", "Bearer a b", "BasicYWRhOg==", "YWRhOg=="}) {
    EXPECT_FALSE(ParseAuthorization(field)) << field;
  }
  EXPECT_FALSE(ParseAuthorization("Bearer " + std::string(5000, 'x')));
}

}  // namespace
}  // namespace sluice::auth
