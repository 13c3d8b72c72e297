// Dates and timestamps from text and back. All functions are pure. The calendar is the proleptic
// Gregorian one, years 1 to 9999.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::table::internal {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

/// Days since 1970-01-01; nothing if there is no such day.
std::optional<int32_t> DaysFromCivil(int year, int month, int day);

/// "2021-03-04", exactly. False for anything else.
bool ParseIsoDate(std::string_view text, int32_t& days);

/// "2021-03-04 05:06", with 'T', 't' or a blank between; seconds and a fraction ('.' or ',', to
/// nine digits) may follow, then "Z", " UTC" or an offset ("+02:00", "+0200", "-05"), which is
/// taken off: the value is UTC. A fraction finer than microseconds is refused unless
/// `cut_fraction`. Microseconds since the epoch. A date alone is refused.
bool ParseIsoTimestamp(std::string_view text, bool cut_fraction, int64_t& micros);

/// "2021-03-04"; years beyond 4 digits or before 1 are printed as they are ("-0042-01-01",
/// "12021-01-01").
void AppendDate(int32_t days, std::string& out);
/// "2021-03-04 05:06:07" with a fraction only if there is one, without trailing zeros.
void AppendTimestamp(int64_t micros, std::string& out);

/// A date format of CsvOptions::date_formats, ready for use.
class DateFormat {
 public:
  /// Errors: kInvalidArgument naming an unknown letter or a missing part (year, month, day).
  static Result<DateFormat> Compile(std::string_view format);

  /// Gives microseconds for %H formats, else days * kMicrosPerDay.
  bool Parse(std::string_view text, int64_t& micros) const;
  bool has_time() const { return has_time_; }

 private:
  std::string format_;
  bool has_time_ = false;
};

}  // namespace sluice::table::internal
