// Dates in forms that a user states, as strptime has them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::table::internal {

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
