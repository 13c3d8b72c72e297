#include "formats/duration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::formats {
namespace {

using ::testing::HasSubstr;

TEST(Duration, ReadsWhatPeopleWrite) {
  EXPECT_EQ(*ParseDurationMs("250ms"), 250);
  EXPECT_EQ(*ParseDurationMs("30s"), 30'000);
  EXPECT_EQ(*ParseDurationMs("5m"), 300'000);
  EXPECT_EQ(*ParseDurationMs("1h30m"), 5'400'000);
  EXPECT_EQ(*ParseDurationMs("2d3h4m5s6ms"), 183'845'006);
  EXPECT_EQ(*ParseDurationMs("0s"), 0);
  EXPECT_EQ(*ParseDurationMs("10000d"), int64_t{864'000'000'000});
}

TEST(Duration, RefusesTheRestAndSaysWhy) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "it is empty"},        {"30", "the unit is missing"},
      {"-5s", "whole number"},    {"1.5h", "'.' is not one of the units"},
      {"5 m", "' m' is not one"}, {"30sec", "'sec' is not one of the units d, h, m, s and ms"},
      {"30m1h", "largest"},       {"1s1s", "each once"},
      {"10001d", "too long"},     {"99999999999999999999s", "too long"},
      {"s", "expected a whole"},  {"1h-5m", "'h-' is not one"}};
  for (auto [text, expected] : cases) {
    Result<int64_t> parsed = ParseDurationMs(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_THAT(parsed.error().message(), HasSubstr(expected));
    EXPECT_THAT(parsed.error().message(), HasSubstr("write it like"));
  }
}

TEST(Duration, PrintsWhatItReads) {
  for (int64_t ms : {0ll, 1ll, 999ll, 1'000ll, 61'001ll, 5'400'000ll, 90'061'001ll}) {
    EXPECT_EQ(*ParseDurationMs(PrintDurationMs(ms)), ms);
  }
  EXPECT_EQ(PrintDurationMs(5'400'000), "1h30m");
}

}  // namespace
}  // namespace sluice::formats
