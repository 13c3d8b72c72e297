#include "objects/internal/utc_time.h"

#include <charconv>
#include <chrono>

namespace sluice::objects::internal {
namespace {

/// The digits at `at`, which must be that many.
std::optional<int> Number(std::string_view text, size_t at, size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  int value = 0;
  const char* const begin = text.data() + at;
  const auto [stop, error] = std::from_chars(begin, begin + digits, value);
  if (error != std::errc() || stop != begin + digits || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::optional<int64_t> ParseIsoUtc(std::string_view text) {
  const std::optional<int> year = Number(text, 0, 4), month = Number(text, 5, 2),
                           day = Number(text, 8, 2), hour = Number(text, 11, 2),
                           minute = Number(text, 14, 2), second = Number(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second || !text.ends_with('Z') ||
      text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  int64_t ms = ((days * 24 + *hour) * 60 + *minute) * 60'000 + *second * int64_t{1000};
  if (text[19] == '.') ms += Number(text, 20, 3).value_or(0);
  return ms;
}

}  // namespace sluice::objects::internal
