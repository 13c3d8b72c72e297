// Numbers from text, fast and exact: what ParseDouble gives is bit for bit what strtod gives. All
// functions are pure. Each takes [begin, end), at most the whole of which must be the number: no
// blanks around it.
#pragma once

#include <cstdint>

namespace sluice::table::internal {

/// How much a number's form may lose.
enum class NumberForm : uint8_t {
  kInferred,  ///< refuses leading zeros and a plus sign before more than six integer digits: those
              ///< are codes
  kGiven,     ///< takes them: the column's type was given
};

/// Some bytes behind `end` that must be readable (their values do not matter) for the functions
/// below.
inline constexpr int kNumberSlackBytes = 8;

/// Decimal digits with an optional sign. False: other characters, nothing, out of range, or refused
/// by `form`.
bool ParseInt64(const char* begin, const char* end, NumberForm form, int64_t& value);

/// Decimal with optional fraction and exponent, "inf", "infinity" and "nan" in any case. False:
/// other characters, nothing, a finite number too large for a double, or refused by `form`.
bool ParseDouble(const char* begin, const char* end, NumberForm form, double& value);

/// True for text that is an integer by its characters but does not fit int64, and is not refused as
/// a code.
bool IsHugeInteger(const char* begin, const char* end);

/// True if all eight bytes are digits.
inline bool AreEightDigits(uint64_t bytes) {
  return ((bytes & 0xF0F0F0F0F0F0F0F0) |
          (((bytes + 0x0606060606060606) & 0xF0F0F0F0F0F0F0F0) >> 4)) == 0x3333333333333333;
}

/// The number that eight digits mean; the first digit is in the lowest byte.
inline uint64_t EightDigits(uint64_t bytes) {
  bytes = (bytes & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8;
  bytes = (bytes & 0x00FF00FF00FF00FF) * 6553601 >> 16;
  return (bytes & 0x0000FFFF0000FFFF) * 42949672960001 >> 32;
}

}  // namespace sluice::table::internal
