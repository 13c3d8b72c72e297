// Dates and times as JSON has them: text in ISO 8601's extended form, Python's isoformat()
// included.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "model/signature.h"

namespace sluice::model {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
constexpr int64_t kFirstMicros = -719'528 * kMicrosPerDay;      // 0000-01-01
constexpr int64_t kLastMicros = 2'932'897 * kMicrosPerDay - 1;  // 9999-12-31

/// Reads text from the front, digit by digit; once something does not fit, everything after fails.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  /// Exactly `digit_count` digits.
  int Number(int digit_count) {
    int value = 0;
    for (int i = 0; i < digit_count; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
        is_good_ = false;
        return 0;
      }
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void Expect(char c) { is_good_ = Take(c) && is_good_; }

  /// ".25" as microseconds, digits past the sixth dropped.
  int Fraction() {
    int value = 0;
    int digit_count = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      if (digit_count < 6) value = value * 10 + (rest_.front() - '0');
      ++digit_count;
      rest_.remove_prefix(1);
    }
    for (int i = digit_count; i < 6; ++i) value *= 10;
    is_good_ = is_good_ && digit_count >= 1 && digit_count <= 9;
    return value;
  }

  bool is_good() const { return is_good_; }
  bool is_done() const { return is_good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool is_good_ = true;
};

bool IsLeap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/// Days since 1970-01-01 in the proleptic Gregorian calendar; nothing if there is no such day.
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::optional<int32_t> DaysOf(int year, int month, int day) {
  constexpr std::array kMonthDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return std::nullopt;
  const int month_days =
      kMonthDays[static_cast<size_t>(month - 1)] + (month == 2 && IsLeap(year) ? 1 : 0);
  if (day > month_days) return std::nullopt;
  const int shifted_year = year - (month <= 2 ? 1 : 0);
  const int era = (shifted_year >= 0 ? shifted_year : shifted_year - 399) / 400;
  const int year_of_era = shifted_year - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

std::optional<int32_t> ReadDate(Reader& reader) {
  const int year = reader.Number(4);
  reader.Expect('-');
  const int month = reader.Number(2);
  reader.Expect('-');
  const int day = reader.Number(2);
  if (!reader.is_good()) return std::nullopt;
  return DaysOf(year, month, day);
}

}  // namespace

std::optional<int32_t> ParseIsoDate(std::string_view text) {
  // A datetime at midnight is a date: pandas writes date columns so.
  const std::optional<int64_t> micros = ParseIsoDatetime(text);
  if (!micros || *micros % kMicrosPerDay != 0) return std::nullopt;
  return static_cast<int32_t>(*micros / kMicrosPerDay);
}

std::optional<int64_t> ParseIsoDatetime(std::string_view text) {
  Reader reader(text);
  const std::optional<int32_t> days = ReadDate(reader);
  if (!days) return std::nullopt;
  int64_t micros = *days * kMicrosPerDay;
  if (reader.is_done()) return micros;
  if (!reader.Take('T')) reader.Expect(' ');
  const int hour = reader.Number(2);
  reader.Expect(':');
  const int minute = reader.Number(2);
  int second = 0;
  int fraction_us = 0;
  if (reader.Take(':')) {
    second = reader.Number(2);
    if (reader.Take('.')) fraction_us = reader.Fraction();
  }
  int offset_minutes = 0;
  if (!reader.Take('Z') && !reader.is_done()) {
    const bool is_west = reader.Take('-');
    if (!is_west) reader.Expect('+');
    const int offset_hour = reader.Number(2);
    reader.Take(':');
    const int offset_minute = reader.Number(2);
    if (offset_hour > 23 || offset_minute > 59) return std::nullopt;
    offset_minutes = (is_west ? -1 : 1) * (offset_hour * 60 + offset_minute);
  }
  if (!reader.is_done() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  micros += ((hour * 60 + minute - offset_minutes) * int64_t{60} + second) * kMicrosPerSecond;
  micros += fraction_us;
  // An offset must not lead out of the years that can be written again.
  return micros < kFirstMicros || micros > kLastMicros ? std::nullopt : std::optional(micros);
}

}  // namespace sluice::model
