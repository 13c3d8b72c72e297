#include "formats/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::formats {
namespace {

using ::testing::HasSubstr;

TEST(Size, ReadsDecimalAndBinaryUnits) {
  EXPECT_EQ(*ParseSizeBytes("4096"), 4096);
  EXPECT_EQ(*ParseSizeBytes("2GB"), 2'000'000'000);
  EXPECT_EQ(*ParseSizeBytes("512MiB"), 512 << 20);
  EXPECT_EQ(*ParseSizeBytes("1.5 GiB"), 1'610'612'736);
  EXPECT_EQ(*ParseSizeBytes("10kb"), 10'000);
  EXPECT_EQ(*ParseSizeBytes("0.3B"), 0);
  EXPECT_EQ(*ParseSizeBytes("1TiB"), int64_t{1} << 40);
}

TEST(Size, RefusesTheRestAndSaysWhy) {
  const std::pair<const char*, const char*> cases[] = {{"", "begin with a number"},
                                                       {"GB", "begin with a number"},
                                                       {"-1GB", "begin with a number"},
                                                       {"5G", "'G' is not one"},
                                                       {"5  GB", "not one"},
                                                       {"1.2.3MB", "cannot be read"},
                                                       {"9999999999TB", "too large"},
                                                       {"5 ", "not one"},
                                                       {"9223372.1TiB", "too large"},
                                                       {"99999999999999999999", "too large"}};
  for (auto [text, expected] : cases) {
    Result<int64_t> parsed = ParseSizeBytes(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_THAT(parsed.error().message(), HasSubstr(expected)) << text;
  }
}

TEST(Size, PrintsExactly) {
  EXPECT_EQ(PrintSizeBytes(512 << 20), "512MiB");
  EXPECT_EQ(PrintSizeBytes(1000), "1000B");
  EXPECT_EQ(PrintSizeBytes(0), "0B");
}

}  // namespace
}  // namespace sluice::formats
