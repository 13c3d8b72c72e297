#include "table/internal/date_format.h"

#include <gtest/gtest.h>

#include "table/time_text.h"

namespace sluice::table::internal {
namespace {

TEST(DateFormatTest, ReadsGivenFormats) {
  auto shown = [](std::string_view format, std::string_view text) -> std::string {
    Result<DateFormat> compiled = DateFormat::Compile(format);
    if (!compiled.ok()) return compiled.error().message();
    int64_t micros = 0;
    if (!compiled->Parse(text, micros)) return "refused";
    std::string out;
    AppendTimestamp(micros, TimestampStyle::kBlank, out);
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
