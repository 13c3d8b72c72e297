#include "table/internal/parse_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <iterator>

namespace sluice::table::internal {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

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

/// Two digits at p, -1 if they are none.
int TwoDigits(const char* p) {
  auto tens = static_cast<unsigned>(p[0] - '0');
  auto ones = static_cast<unsigned>(p[1] - '0');
  return tens < 10 && ones < 10 ? static_cast<int>(tens * 10 + ones) : -1;
}

/// Reads up to `max_count` digits, at least one.
bool TakeNumber(std::string_view& text, size_t max_count, int& value, size_t* count = nullptr) {
  size_t length = 0;
  value = 0;
  while (length < std::min(max_count, text.size()) && IsDigit(text[length])) {
    value = value * 10 + (text[length++] - '0');
  }
  text.remove_prefix(length);
  if (count != nullptr) *count = length;
  return length > 0;
}

/// A fraction's digits behind the point, as microseconds.
bool TakeFraction(std::string_view& text, bool cut_fraction, int& micros) {
  micros = 0;
  size_t length = 0;
  for (int unit = 100'000; length < text.size() && IsDigit(text[length]); ++length) {
    int digit = text[length] - '0';
    if (length >= 9 || (unit == 0 && digit != 0 && !cut_fraction)) return false;
    micros += digit * unit;
    unit /= 10;
  }
  text.remove_prefix(length);
  return length > 0;
}

/// What follows a time: nothing, "Z", " UTC" or an offset, as minutes east of UTC.
bool TakeZone(std::string_view& text, int& offset_minutes) {
  offset_minutes = 0;
  if (text.empty()) return true;
  if (text == "Z" || text == "z" || text == " UTC" || text == "UTC") {
    text = {};
    return true;
  }
  if (text[0] == ' ' && text.size() > 1) text.remove_prefix(1);
  if (text[0] != '+' && text[0] != '-') return false;
  int sign = text[0] == '-' ? -1 : 1;
  if (text.size() < 3) return false;
  int hours = TwoDigits(text.data() + 1);
  text.remove_prefix(3);
  int minutes = 0;
  if (!text.empty() && text[0] == ':') text.remove_prefix(1);
  if (!text.empty()) {
    if (text.size() < 2) return false;
    minutes = TwoDigits(text.data());
    text.remove_prefix(2);
  }
  if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return false;
  offset_minutes = sign * (hours * 60 + minutes);
  return true;
}

bool TakeMonthName(std::string_view& text, int& month) {
  size_t length = 0;
  std::string lower;
  while (length < text.size() && std::isalpha(static_cast<unsigned char>(text[length])) != 0) {
    lower += static_cast<char>(text[length++] | 0x20);
  }
  for (size_t i = 0; i < kMonths.size(); ++i) {
    if (lower == kMonths[i] || lower == kMonths[i].substr(0, 3) || (i == 8 && lower == "sept")) {
      month = static_cast<int>(i) + 1;
      text.remove_prefix(length);
      return true;
    }
  }
  return false;
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

bool ParseIsoDate(std::string_view text, int32_t& days) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  int century = TwoDigits(text.data());
  int year = TwoDigits(text.data() + 2);
  int month = TwoDigits(text.data() + 5);
  int day = TwoDigits(text.data() + 8);
  if ((century | year | month | day) < 0) return false;
  std::optional<int32_t> result = DaysFromCivil(century * 100 + year, month, day);
  if (!result) return false;
  days = *result;
  return true;
}

bool ParseIsoTimestamp(std::string_view text, bool cut_fraction, int64_t& micros) {
  int32_t days = 0;
  if (text.size() < 16 || !ParseIsoDate(text.substr(0, 10), days)) return false;
  if ((text[10] != ' ' && (text[10] | 0x20) != 't') || text[13] != ':') return false;
  int hour = TwoDigits(text.data() + 11);
  int minute = TwoDigits(text.data() + 14);
  int second = 0;
  int fraction = 0;
  int offset_minutes = 0;
  text.remove_prefix(16);
  if (!text.empty() && text[0] == ':') {
    if (text.size() < 3) return false;
    second = TwoDigits(text.data() + 1);
    text.remove_prefix(3);
    if (!text.empty() && (text[0] == '.' || text[0] == ',')) {
      text.remove_prefix(1);
      if (!TakeFraction(text, cut_fraction, fraction)) return false;
    }
  }
  if ((hour | minute | second) < 0 || hour > 23 || minute > 59 || second > 59) return false;
  if (!TakeZone(text, offset_minutes) || !text.empty()) return false;
  int64_t seconds = (hour * 60 + minute - offset_minutes) * 60 + second;
  micros = days * kMicrosPerDay + seconds * kMicrosPerSecond + fraction;
  return true;
}

void AppendDate(int32_t days, std::string& out) {
  Civil civil = CivilOf(days);
  fmt::format_to(std::back_inserter(out), "{}{:04}-{:02}-{:02}", civil.year < 0 ? "-" : "",
                 std::abs(civil.year), civil.month, civil.day);
}

void AppendTimestamp(int64_t micros, std::string& out) {
  int64_t days = micros / kMicrosPerDay - (micros % kMicrosPerDay < 0 ? 1 : 0);
  int64_t rest = micros - days * kMicrosPerDay;
  AppendDate(static_cast<int32_t>(days), out);
  int64_t seconds = rest / kMicrosPerSecond;
  fmt::format_to(std::back_inserter(out), " {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  if (int64_t fraction = rest % kMicrosPerSecond; fraction != 0) {
    fmt::format_to(std::back_inserter(out), ".{:06}", fraction);
    while (out.back() == '0') out.pop_back();
  }
}

Result<DateFormat> DateFormat::Compile(std::string_view format) {
  DateFormat result;
  result.format_ = format;
  bool has_year = false;
  bool has_month = false;
  bool has_day = false;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    char letter = ++i < format.size() ? format[i] : '\0';
    switch (letter) {
      case 'Y':
      case 'y': has_year = true; break;
      case 'm':
      case 'b':
      case 'B': has_month = true; break;
      case 'd': has_day = true; break;
      case 'H':
      case 'I': result.has_time_ = true; break;
      case 'M':
      case 'S':
      case 'f':
      case 'p':
      case 'z':
      case '%': break;
      default:
        return InvalidArgument(fmt::format(
            "date format '{}': unknown '%{}' (known: %Y %y %m %d %H %I %M %S %f %p %b %B %z %%)",
            format, letter == '\0' ? std::string() : std::string(1, letter)));
    }
  }
  if (!has_year || !has_month || !has_day) {
    return InvalidArgument(fmt::format(
        "date format '{}' needs a year (%Y, %y), a month (%m, %b, %B) and a day (%d)", format));
  }
  return result;
}

bool DateFormat::Parse(std::string_view text, int64_t& micros) const {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, fraction = 0,
      offset_minutes = 0;
  bool is_afternoon = false;
  bool has_half = false;
  for (size_t i = 0; i < format_.size(); ++i) {
    if (format_[i] != '%') {
      if (text.empty() || text[0] != format_[i]) return false;
      text.remove_prefix(1);
      continue;
    }
    bool is_taken = false;
    size_t digit_count = 0;
    switch (format_[++i]) {
      case 'Y': is_taken = TakeNumber(text, 4, year, &digit_count) && digit_count == 4; break;
      case 'y':
        is_taken = TakeNumber(text, 2, year, &digit_count) && digit_count == 2;
        year += year < 69 ? 2000 : 1900;  // as POSIX has it
        break;
      case 'm': is_taken = TakeNumber(text, 2, month); break;
      case 'd': is_taken = TakeNumber(text, 2, day); break;
      case 'H': is_taken = TakeNumber(text, 2, hour); break;
      case 'I':
        is_taken = TakeNumber(text, 2, hour) && hour >= 1 && hour <= 12;
        has_half = true;
        break;
      case 'M': is_taken = TakeNumber(text, 2, minute); break;
      case 'S': is_taken = TakeNumber(text, 2, second); break;
      case 'f': is_taken = TakeFraction(text, false, fraction); break;
      case 'b':
      case 'B': is_taken = TakeMonthName(text, month); break;
      case 'p':
        is_taken = text.size() >= 2 && (text[1] | 0x20) == 'm' &&
                   ((text[0] | 0x20) == 'a' || (text[0] | 0x20) == 'p');
        if (is_taken) {
          is_afternoon = (text[0] | 0x20) == 'p';
          text.remove_prefix(2);
        }
        break;
      case 'z': is_taken = TakeZone(text, offset_minutes); break;
      default:  // '%', by Compile
        is_taken = !text.empty() && text[0] == '%';
        if (is_taken) text.remove_prefix(1);
    }
    if (!is_taken) return false;
  }
  if (!text.empty() || hour > 23 || minute > 59 || second > 59) return false;
  if (has_half) hour = hour % 12 + (is_afternoon ? 12 : 0);
  std::optional<int32_t> days = DaysFromCivil(year, month, day);
  if (!days) return false;
  int64_t seconds = (hour * 60 + minute - offset_minutes) * 60 + second;
  micros = *days * kMicrosPerDay + seconds * kMicrosPerSecond + fraction;
  return true;
}

}  // namespace sluice::table::internal
