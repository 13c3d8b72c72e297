// The pieces of which dates and times are read, shared by the ISO reader and by date formats. All
// functions are pure; the Take functions remove what they read from the front of `text`.
#pragma once

#include <string_view>

namespace sluice::table::internal {

/// Two digits at p, -1 if they are none.
inline int TwoDigits(const char* p) {
  auto tens = static_cast<unsigned>(p[0] - '0');
  auto ones = static_cast<unsigned>(p[1] - '0');
  return tens < 10 && ones < 10 ? static_cast<int>(tens * 10 + ones) : -1;
}

inline bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

/// A fraction's digits behind the point, as microseconds: one to nine. A digit beyond the sixth is
/// dropped with `cut_fraction`, else it must be 0.
bool TakeFraction(std::string_view& text, bool cut_fraction, int& micros);

/// What follows a time, to the end of the text: nothing, "Z", " UTC" or an offset, as minutes east
/// of UTC.
bool TakeZone(std::string_view& text, int& offset_minutes);

}  // namespace sluice::table::internal
