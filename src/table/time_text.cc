#include "table/time_text.h"

#include <fmt/format.h>

#include <cstdlib>
#include <iterator>

#include "table/internal/time_pieces.h"

namespace sluice::table {

namespace {

using internal::TwoDigits;

constexpr int64_t kFirstMicros = -719'162 * kMicrosPerDay;      // 0001-01-01
constexpr int64_t kLastMicros = 2'932'897 * kMicrosPerDay - 1;  // 9999-12-31

bool IsLeapYear(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysInMonth(int year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[month - 1];
}

/// Days before each month, in a common year.
constexpr int kDaysBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
constexpr int kDaysBefore1970 = 719162;  // from 0001-01-01

/// A valid date, year 1 or later.
int32_t DaysOf(int year, int month, int day) {
  int past = year - 1;
  int days = past * 365 + past / 4 - past / 100 + past / 400 + kDaysBefore[month - 1] + day - 1;
  return days + (month > 2 && IsLeapYear(year) ? 1 : 0) - kDaysBefore1970;
}

struct Civil {
  int year;
  int month;
  int day;
};

Civil CivilOf(int64_t days) {  // H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t day_of_era = days - era * 146097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted_month = (5 * day_of_year + 2) / 153;
  int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)), static_cast<int>(month),
          static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1)};
}

}  // namespace

std::optional<int32_t> DaysFromCivil(int year, int month, int day) {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
      day > DaysInMonth(year, month))
    return {};
  return DaysOf(year, month, day);
}

std::optional<int32_t> ParseIsoDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  int century = TwoDigits(text.data());
  int year = TwoDigits(text.data() + 2);
  int month = TwoDigits(text.data() + 5);
  int day = TwoDigits(text.data() + 8);
  if ((century | year | month | day) < 0) return std::nullopt;
  return DaysFromCivil(century * 100 + year, month, day);
}

std::optional<int64_t> ParseIsoTimestamp(std::string_view text, IsoTimestampRules rules) {
  if (text.size() < 10) return std::nullopt;
  std::optional<int32_t> days = ParseIsoDate(text.substr(0, 10));
  if (!days) return std::nullopt;
  if (text.size() == 10 && rules.takes_date_only) return *days * kMicrosPerDay;
  if (text.size() < 16) return std::nullopt;
  if ((text[10] != ' ' && (text[10] | 0x20) != 't') || text[13] != ':') return std::nullopt;
  int hour = TwoDigits(text.data() + 11);
  int minute = TwoDigits(text.data() + 14);
  int second = 0;
  int fraction = 0;
  int offset_minutes = 0;
  text.remove_prefix(16);
  if (!text.empty() && text[0] == ':') {
    if (text.size() < 3) return std::nullopt;
    second = TwoDigits(text.data() + 1);
    text.remove_prefix(3);
    if (!text.empty() && (text[0] == '.' || text[0] == ',')) {
      text.remove_prefix(1);
      if (!internal::TakeFraction(text, rules.cuts_fraction, fraction)) return std::nullopt;
    }
  }
  if ((hour | minute | second) < 0 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  if (!internal::TakeZone(text, offset_minutes) || !text.empty()) return std::nullopt;
  int64_t seconds = (hour * 60 + minute - offset_minutes) * 60 + second;
  int64_t micros = *days * kMicrosPerDay + seconds * kMicrosPerSecond + fraction;
  // An offset must not lead to a time that could not be read again.
  if (micros < kFirstMicros || micros > kLastMicros) return std::nullopt;
  return micros;
}

void AppendDate(int32_t days, std::string& out) {
  Civil civil = CivilOf(days);
  std::string_view sign = civil.year < 0 ? "-" : civil.year > 9999 ? "+" : "";
  fmt::format_to(std::back_inserter(out), "{}{:04}-{:02}-{:02}", sign, std::abs(civil.year),
                 civil.month, civil.day);
}

void AppendTimestamp(int64_t micros, TimestampStyle style, std::string& out) {
  int64_t days = micros / kMicrosPerDay - (micros % kMicrosPerDay < 0 ? 1 : 0);
  int64_t rest = micros - days * kMicrosPerDay;
  AppendDate(static_cast<int32_t>(days), out);
  int64_t seconds = rest / kMicrosPerSecond;
  fmt::format_to(std::back_inserter(out), "{}{:02}:{:02}:{:02}",
                 style == TimestampStyle::kBlank ? ' ' : 'T', seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  if (int64_t fraction = rest % kMicrosPerSecond; fraction != 0) {
    fmt::format_to(std::back_inserter(out), ".{:06}", fraction);
    while (style != TimestampStyle::kLocal && out.back() == '0') out.pop_back();
  }
  if (style == TimestampStyle::kUtc) out += 'Z';
}

}  // namespace sluice::table
