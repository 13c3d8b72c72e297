#include "table/internal/date_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "table/internal/time_pieces.h"
#include "table/time_text.h"

namespace sluice::table::internal {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};

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

}  // namespace

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
