#include "base/hmac.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hex.h"

namespace sluice {
namespace {

TEST(Hmac, KnownAnswers) {  // RFC 4231, test cases 1, 2 and 6
  EXPECT_EQ(ComputeHmacSha256(std::string(20, '\x0b'), "Hi There").ToHex(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(ComputeHmacSha256("Jefe", "what do ya want for nothing?").ToHex(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(ComputeHmacSha256(std::string(131, '\xaa'),
                              "Test Using Larger Than Block-Size Key - Hash Key First")
                .ToHex(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(ComputeHmacSha256({}, {}).ToHex(),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hmac, ComparesBytes) {
  EXPECT_TRUE(EqualInConstantTime("", {}));
  EXPECT_TRUE(EqualInConstantTime(std::string("a\0b", 3), std::string("a\0b", 3)));
  EXPECT_FALSE(EqualInConstantTime(std::string("a\0b", 3), std::string("a\0c", 3)));
  EXPECT_FALSE(EqualInConstantTime("a", "ab"));
}

TEST(Hex, GoesThereAndBack) {
  EXPECT_EQ(EncodeHex(std::string("\0\xff\x10", 3)), "00ff10");
  EXPECT_EQ(DecodeHex("00fF10"), std::string("\0\xff\x10", 3));
  EXPECT_EQ(DecodeHex(""), "");
  for (const char* text : {"0", "0g", "g0", "0x", " 0", "00 "})
    EXPECT_FALSE(DecodeHex(text)) << text;
}

}  // namespace
}  // namespace sluice
