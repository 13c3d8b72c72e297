#include "table/internal/parse_time.h"

#include <gtest/gtest.h>

#include <ctime>

namespace sluice::table::internal {
namespace {

std::optional<int64_t> Micros(std::string_view text, bool cut_fraction = false) {
  int64_t micros = 0;
  if (!ParseIsoTimestamp(text, cut_fraction, micros)) return std::nullopt;
  return micros;
}

std::string Shown(std::string_view text) {
  std::optional<int64_t> micros = Micros(text);
  if (!micros) return "refused";
  std::string out;
  AppendTimestamp(*micros, out);
  return out;
}

TEST(ParseIsoDateTest, EveryDayOfFourCenturiesRoundTrips) {
  int32_t begin = *DaysFromCivil(1800, 1, 1);
  for (int32_t days = begin; days < begin + 146097; ++days) {
    std::string text;
    AppendDate(days, text);
    int32_t back = 0;
    ASSERT_TRUE(ParseIsoDate(text, back)) << text;
    ASSERT_EQ(back, days) << text;
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
  int32_t days = 0;
  for (const char* text :
       {"2021-02-29", "1900-02-29", "2021-13-01", "2021-00-10", "2021-01-32", "2021-1-1",
        "2021/01/01", "0000-01-01", "2021-01-01 ", "20210101", "", "abcd-ef-gh", "2021-0\xb1-01"}) {
    EXPECT_FALSE(ParseIsoDate(text, days)) << text;
  }
  EXPECT_TRUE(ParseIsoDate("2000-02-29", days));
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

TEST(DateFormatTest, ReadsGivenFormats) {
  auto shown = [](std::string_view format, std::string_view text) -> std::string {
    Result<DateFormat> compiled = DateFormat::Compile(format);
    if (!compiled.ok()) return compiled.error().message();
    int64_t micros = 0;
    if (!compiled->Parse(text, micros)) return "refused";
    std::string out;
    AppendTimestamp(micros, out);
    return out;
  };
  EXPECT_EQ(shown("%d.%m.%Y", "4.3.2021"), "2021-03-04 00:00:00");
  EXPECT_EQ(shown("%m/%d/%y %I:%M %p", "3/4/21 12:30 AM"), "2021-03-04 00:30:00");
  EXPECT_EQ(shown("%m/%d/%y %I:%M %p", "3/4/69 1:30 pm"), "1969-03-04 13:30:00");
  EXPECT_EQ(shown("%d %b %Y", "04 Sept 2021"), "2021-09-04 00:00:00");
  EXPECT_EQ(shown("%d-%B-%Y", "04-march-2021"), "2021-03-04 00:00:00");
  EXPECT_EQ(shown("%Y%m%d", "20210304"), "2021-03-04 00:00:00");
  EXPECT_EQ(shown("%Y%m%d", "2021034"), "2021-03-04 00:00:00");
  EXPECT_EQ(shown("%d/%m/%Y", "31/02/2021"), "refused");
  EXPECT_EQ(shown("%d/%m/%Y", "01/02/21"), "refused");
  EXPECT_EQ(shown("%Y-%m-%dT%H:%M:%S.%f%z", "2021-03-04T05:06:07.5+01:00"),
            "2021-03-04 04:06:07.5");
  EXPECT_EQ(shown("%d/%m", "x"),
            "date format '%d/%m' needs a year (%Y, %y), a month (%m, %b, %B) and a day (%d)");
  EXPECT_NE(shown("%Q", "x").find("unknown '%Q'"), std::string::npos);
}

}  // namespace
}  // namespace sluice::table::internal
