// Dates and timestamps from ISO 8601 text and back: the one place for it. All functions are pure.
// The calendar is the proleptic Gregorian one; text is read for the years 1 to 9999.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::table {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

/// Days since 1970-01-01; nothing if there is no such day or the year is not of 1 to 9999.
std::optional<int32_t> DaysFromCivil(int year, int month, int day);

/// "2021-03-04", exactly: days since 1970-01-01. Nothing for anything else.
std::optional<int32_t> ParseIsoDate(std::string_view text);

/// What a reader of timestamps takes beyond the strict form.
struct IsoTimestampRules {
  bool cuts_fraction = false;    ///< drops what is finer than microseconds instead of refusing it
  bool takes_date_only = false;  ///< "2021-03-04" is its midnight
};

/// "2021-03-04 05:06", with 'T', 't' or a blank between; seconds and a fraction ('.' or ',', to
/// nine digits) may follow, then "Z", " UTC" or an offset ("+02:00", "+0200", "-05", to 18 hours),
/// which is taken off: the value is UTC, in microseconds since 1970. Nothing for anything else, and
/// where an offset leads out of the years that are read.
std::optional<int64_t> ParseIsoTimestamp(std::string_view text, IsoTimestampRules rules = {});

/// "2021-03-04"; years outside 0 to 9999 have a sign ("-0042-01-01", "+12021-01-01").
void AppendDate(int32_t days, std::string& out);

enum class TimestampStyle : uint8_t {
  kBlank,  ///< "2021-03-04 05:06:07", as pandas and databases print it
  kLocal,  ///< "2021-03-04T05:06:07", as Python's isoformat() does: a fraction has six digits
  kUtc,    ///< "2021-03-04T05:06:07Z"
};
/// With a fraction only if there is one; without trailing zeros, but for kLocal.
void AppendTimestamp(int64_t micros, TimestampStyle style, std::string& out);

}  // namespace sluice::table
