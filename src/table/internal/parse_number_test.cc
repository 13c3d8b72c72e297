#include "table/internal/parse_number.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/random.h"

namespace sluice::table::internal {
namespace {

constexpr uint64_t kSeed = 20240301;

std::optional<int64_t> Int(std::string text, NumberForm form = NumberForm::kInferred) {
  size_t size = text.size();
  text.resize(size + kNumberSlackBytes + 16, '7');
  int64_t value = 0;
  if (!ParseInt64(text.data(), text.data() + size, form, value)) return std::nullopt;
  return value;
}

std::optional<double> Real(std::string text, NumberForm form = NumberForm::kInferred) {
  size_t size = text.size();
  text.resize(size + kNumberSlackBytes + 16, '7');
  double value = 0;
  if (!ParseDouble(text.data(), text.data() + size, form, value)) return std::nullopt;
  return value;
}

/// Bit-equal to strtod, whose overflow to infinity is a refusal here.
void ExpectAsStrtod(const std::string& text) {
  double wanted = std::strtod(text.c_str(), nullptr);
  std::optional<double> got = Real(text, NumberForm::kGiven);
  if (std::isinf(wanted)) {
    EXPECT_FALSE(got) << text;
    return;
  }
  ASSERT_TRUE(got) << text;
  EXPECT_EQ(std::bit_cast<uint64_t>(*got), std::bit_cast<uint64_t>(wanted)) << text;
}

TEST(ParseInt64Test, ReadsWholeRangeAndRefusesTheRest) {
  EXPECT_EQ(Int("0"), 0);
  EXPECT_EQ(Int("-0"), 0);
  EXPECT_EQ(Int("7"), 7);
  EXPECT_EQ(Int("12345678"), 12345678);
  EXPECT_EQ(Int("123456789"), 123456789);
  EXPECT_EQ(Int("1234567890123456"), 1234567890123456);
  EXPECT_EQ(Int("-1234567890123456"), -1234567890123456);
  EXPECT_EQ(Int("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(Int("-9223372036854775808"), INT64_MIN);
  for (const char* text : {"", "-", "+", "9223372036854775808", "-9223372036854775809",
                           "99999999999999999999", "1a", "a1", "1 ", " 1", "1.0", "1e3", "--1",
                           "12345678x", "x12345678", "12345678901234x6", "\xb1", "1/", "1:"}) {
    EXPECT_FALSE(Int(text)) << text;
  }
}

TEST(ParseInt64Test, RefusesCodesWhenInferred) {
  EXPECT_FALSE(Int("02134"));
  EXPECT_FALSE(Int("00"));
  EXPECT_EQ(Int("02134", NumberForm::kGiven), 2134);
  EXPECT_EQ(Int("00", NumberForm::kGiven), 0);
  EXPECT_EQ(Int("+5"), 5);
  EXPECT_EQ(Int("+123456"), 123456);
  EXPECT_FALSE(Int("+4915112345678"));
  EXPECT_EQ(Int("+4915112345678", NumberForm::kGiven), 4915112345678);
}

TEST(ParseInt64Test, EveryLengthRoundTrips) {
  Random random(kSeed);
  for (int i = 0; i < 200'000; ++i) {
    int64_t value = std::bit_cast<int64_t>(random.NextU64()) >> random.NextBelow(64);
    ASSERT_EQ(Int(std::to_string(value)), value);
  }
}

TEST(ParseDoubleTest, ReadsUsualForms) {
  EXPECT_EQ(Real("1.5"), 1.5);
  EXPECT_EQ(Real(".5"), 0.5);
  EXPECT_EQ(Real("5."), 5.0);
  EXPECT_EQ(Real("-1e3"), -1000.0);
  EXPECT_EQ(Real("1E+2"), 100.0);
  EXPECT_EQ(Real("inf"), INFINITY);
  EXPECT_EQ(Real("-Infinity"), -INFINITY);
  EXPECT_TRUE(std::isnan(Real("NaN").value()));
  EXPECT_TRUE(std::signbit(Real("-0.0").value()));
  for (const char* text : {"", ".", "-", "e5", "1e", "1e+", "1.2.3", "1,5", "0x10", "1_000", "1.5f",
                           "12 ", "infin", "nanx", "1e999", "02.5", "+4915112345678.0"}) {
    EXPECT_FALSE(Real(text)) << text;
  }
  EXPECT_EQ(Real("02.5", NumberForm::kGiven), 2.5);
}

TEST(ParseDoubleTest, EqualsStrtodOnRandomBits) {
  Random random(kSeed);
  for (int i = 0; i < 300'000; ++i) {
    double value = std::bit_cast<double>(random.NextU64());
    if (!std::isfinite(value)) continue;
    ExpectAsStrtod(fmt::format("{}", value));
    ExpectAsStrtod(fmt::format("{:.16e}", value));
    if (std::abs(value) < 1e40) ExpectAsStrtod(fmt::format("{:.3f}", value));
  }
}

TEST(ParseDoubleTest, EqualsStrtodOnRandomDigits) {
  Random random(kSeed + 1);
  for (int i = 0; i < 300'000; ++i) {
    std::string text;
    uint64_t digit_count = 1 + random.NextBelow(25);
    uint64_t point = random.NextBelow(digit_count + 1);
    for (uint64_t d = 0; d < digit_count; ++d) {
      if (d == point) text += '.';
      text += static_cast<char>('0' + random.NextBelow(10));
    }
    if (random.NextBelow(2) == 0)
      text += fmt::format("e{}", static_cast<int64_t>(random.NextBelow(700)) - 350);
    ExpectAsStrtod(text);
  }
}

TEST(ParseDoubleTest, EqualsStrtodAroundHalfwayPoints) {
  Random random(kSeed + 2);
  for (int i = 0; i < 30'000; ++i) {
    // Exactly between two neighbours, and one unit in the last printed place beside it.
    double low =
        std::ldexp(1.0 + random.NextDouble(), static_cast<int>(random.NextBelow(120)) - 60);
    double high = std::nextafter(low, INFINITY);
    std::string text = fmt::format(
        "{:.120f}", static_cast<long double>(low) + (static_cast<long double>(high) - low) / 2);
    ExpectAsStrtod(text);
    text.back() = '1';
    ExpectAsStrtod(text);
  }
  for (const char* text :
       {"9007199254740993", "9007199254740992.5", "2.2250738585072011e-308",
        "2.2250738585072014e-308", "4.9406564584124654e-324", "2.4703282292062327e-324",
        "1.7976931348623157e308", "1.7976931348623159e308", "1e-400", "0e999",
        "0.000000000000000000000000000000000000000000000000000000000000001e63",
        "123456789012345678901234567890", "1e23", "8.988465674311579e307", "6929495644600919.5"}) {
    ExpectAsStrtod(text);
  }
}

}  // namespace
}  // namespace sluice::table::internal
