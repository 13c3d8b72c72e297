#include "table/time_text.h"

#include <gtest/gtest.h>

#include <ctime>

namespace sluice::table {
namespace {

std::optional<int64_t> Micros(std::string_view text, bool cut_fraction = false) {
  return ParseIsoTimestamp(text, {.cuts_fraction = cut_fraction});
}

std::string Shown(std::string_view text) {
  std::optional<int64_t> micros = Micros(text);
  if (!micros) return "refused";
  std::string out;
  AppendTimestamp(*micros, TimestampStyle::kBlank, out);
  return out;
}

TEST(ParseIsoDateTest, EveryDayOfFourCenturiesRoundTrips) {
  int32_t begin = *DaysFromCivil(1800, 1, 1);
  for (int32_t days = begin; days < begin + 146097; ++days) {
    std::string text;
    AppendDate(days, text);
    ASSERT_EQ(ParseIsoDate(text), days) << text;
    // The C library agrees.
    std::time_t seconds = std::time_t{days} * 86400;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char wanted[16];
    std::strftime(wanted, sizeof wanted, "%Y-%m-%d", &parts);
    ASSERT_EQ(text, wanted);
  }
}

TEST(ParseIsoDateTest, RefusesDaysThatDoNotExist) {
  for (const char* text :
       {"2021-02-29", "1900-02-29", "2021-13-01", "2021-00-10", "2021-01-32", "2021-1-1",
        "2021/01/01", "0000-01-01", "2021-01-01 ", "20210101", "", "abcd-ef-gh", "2021-0\xb1-01"}) {
    EXPECT_FALSE(ParseIsoDate(text)) << text;
  }
  EXPECT_TRUE(ParseIsoDate("2000-02-29"));
}

TEST(ParseIsoTimestampTest, ReadsIsoVariants) {
  EXPECT_EQ(Shown("2021-03-04 05:06:07"), "2021-03-04 05:06:07");
  EXPECT_EQ(Shown("2021-03-04T05:06"), "2021-03-04 05:06:00");
  EXPECT_EQ(Shown("2021-03-04T05:06:07.25Z"), "2021-03-04 05:06:07.25");
  EXPECT_EQ(Shown("2021-03-04T05:06:07.123456+02:00"), "2021-03-04 03:06:07.123456");
  EXPECT_EQ(Shown("2021-03-04 05:06:07-0530"), "2021-03-04 10:36:07");
  EXPECT_EQ(Shown("2021-03-04 05:06:07 UTC"), "2021-03-04 05:06:07");
  EXPECT_EQ(Shown("2021-03-04 05:06:07 +01"), "2021-03-04 04:06:07");
  EXPECT_EQ(Shown("1969-12-31 23:59:59.999999"), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(Shown("2021-03-04 05:06:07.123000000"), "2021-03-04 05:06:07.123");
  for (const char* text :
       {"2021-03-04", "2021-03-04 24:00:00", "2021-03-04 05:60", "2021-03-04 05:06:61",
        "2021-03-04 05:06:07.", "2021-03-04 05:06:07+", "2021-03-04 05:06:07 CET",
        "2021-03-04 05:06:07.1234567", "2021-03-04_05:06:07", "2021-03-04 05:06:07+19:00",
        "2021-03-04 5:06:07"}) {
    EXPECT_FALSE(Micros(text)) << text;
  }
  EXPECT_TRUE(Micros("2021-03-04 05:06:07.1234567", /*cut_fraction=*/true));
}

TEST(ParseIsoTimestampTest, TakesDatesAloneAndCutsFractionsWhenAsked) {
  constexpr IsoTimestampRules kWide{.cuts_fraction = true, .takes_date_only = true};
  EXPECT_EQ(ParseIsoTimestamp("1970-01-02", kWide), kMicrosPerDay);
  EXPECT_EQ(ParseIsoTimestamp("1970-01-01T00:00:00.123456789Z", kWide), 123'456);
  EXPECT_EQ(ParseIsoTimestamp("1970-01-01T02:00:00+02:00", kWide), 0);
  EXPECT_EQ(ParseIsoTimestamp("1969-12-31T20:30:00-0330", kWide), 0);
  EXPECT_EQ(ParseIsoTimestamp("1969-12-31T23:59:59.999999", kWide), -1);
  for (const char* text :
       {"", "2024", "2024-1-1", "2024-02-30", "2024-01-01T", "2024-01-01T10", "2024-01-01T1:00",
        "2024-01-01T24:00", "2024-01-01T10:00:60", "2024-01-01T10:00:00.",
        "2024-01-01T10:00:00.1234567890", "2024-01-01T10:00ZZ", "2024-01-01T10:00+25:00",
        "2024-01-01x", " 2024-01-01", "01/02/2024", "1577836800", "-024-01-01"}) {
    EXPECT_FALSE(ParseIsoTimestamp(text, kWide)) << text;
  }
}

TEST(ParseIsoTimestampTest, RefusesAnOffsetOutOfTheYearsThatAreRead) {
  EXPECT_EQ(Shown("0001-01-01 00:00"), "0001-01-01 00:00:00");
  EXPECT_EQ(Shown("0001-01-01 00:00+01:00"), "refused");
  EXPECT_EQ(Shown("9999-12-31 23:59:59.999999"), "9999-12-31 23:59:59.999999");
  EXPECT_EQ(Shown("9999-12-31 23:00-01:00"), "refused");
}

TEST(AppendDateTest, YearsOutsideFourDigitsHaveASign) {
  const std::pair<int32_t, const char*> cases[] = {
      {0, "1970-01-01"},         {-1, "1969-12-31"},        {-719'528, "0000-01-01"},
      {-719'529, "-0001-12-31"}, {2'932'896, "9999-12-31"}, {2'932'897, "+10000-01-01"}};
  for (const auto& [days, wanted] : cases) {
    std::string text;
    AppendDate(days, text);
    EXPECT_EQ(text, wanted);
  }
}

TEST(AppendTimestampTest, HasThreeStyles) {
  auto shown = [](int64_t micros, TimestampStyle style) {
    std::string text;
    AppendTimestamp(micros, style, text);
    return text;
  };
  EXPECT_EQ(shown(1'500'000, TimestampStyle::kBlank), "1970-01-01 00:00:01.5");
  EXPECT_EQ(shown(1'500'000, TimestampStyle::kLocal), "1970-01-01T00:00:01.500000");
  EXPECT_EQ(shown(1'500'000, TimestampStyle::kUtc), "1970-01-01T00:00:01.5Z");
  EXPECT_EQ(shown(-1, TimestampStyle::kUtc), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(shown(0, TimestampStyle::kLocal), "1970-01-01T00:00:00");
}

}  // namespace
}  // namespace sluice::table
