#include "table/internal/parse_number.h"

#include <locale.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "table/internal/decimal_to_double.h"

namespace sluice::table::internal {

static_assert(std::endian::native == std::endian::little,
              "EightDigits reads the first digit from the lowest byte");

namespace {

constexpr int kMaxPlusDigits = 6;  // "+4915112345678" is a phone number, "+12.5" a number

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

uint64_t LoadEight(const char* p) {
  uint64_t bytes;
  std::memcpy(&bytes, p, sizeof bytes);
  return bytes;
}

/// 1 to 8 digits in one go; reads eight bytes whatever the count.
bool ParseUpToEight(const char* p, int64_t count, uint64_t& value) {
  unsigned shift = 64 - 8 * static_cast<unsigned>(count);
  uint64_t filler = 0x3030303030303030 & ((uint64_t{1} << (shift & 63)) - 1);
  uint64_t bytes = (LoadEight(p) << (shift & 63)) | filler;
  value = EightDigits(bytes);
  return AreEightDigits(bytes);
}

bool EqualsIgnoringCase(const char* p, const char* end, std::string_view lower) {
  return static_cast<size_t>(end - p) == lower.size() &&
         std::equal(p, end, lower.begin(), [](char a, char b) { return (a | 0x20) == b; });
}

bool ParseNonFinite(const char* p, const char* end, bool is_negative, double& value) {
  if (EqualsIgnoringCase(p, end, "inf") || EqualsIgnoringCase(p, end, "infinity")) {
    value = is_negative ? -INFINITY : INFINITY;
    return true;
  }
  if (EqualsIgnoringCase(p, end, "nan")) {
    value = NAN;
    return true;
  }
  return false;
}

/// Any number of digits; exact. `p` is behind the sign.
bool ParseDoubleSlowly(const char* p, const char* end, bool is_negative, double& value) {
  double magnitude = 0;
  auto [stop, error] = std::from_chars(p, end, magnitude);
  if (error == std::errc::result_out_of_range ||
      (error == std::errc() && (magnitude == 0 || std::isinf(magnitude)))) {
    // Too large or too small; strtod tells which and gives the right zero or subnormal.
    static const locale_t c_locale = newlocale(LC_ALL_MASK, "C", nullptr);
    magnitude = strtod_l(std::string(p, end).c_str(), nullptr, c_locale);
    if (std::isinf(magnitude)) return false;
  } else if (error != std::errc() || stop != end) {
    return false;
  }
  value = is_negative ? -magnitude : magnitude;
  return true;
}

}  // namespace

bool ParseInt64(const char* begin, const char* end, NumberForm form, int64_t& value) {
  const char* p = begin;
  bool is_negative = false;
  bool has_plus = false;
  if (p < end && (*p == '-' || *p == '+')) {
    is_negative = *p == '-';
    has_plus = *p == '+';
    ++p;
  }
  int64_t count = end - p;
  if (count <= 0) return false;
  if (form == NumberForm::kInferred) {
    if (count > 1 && *p == '0') return false;
    if (has_plus && count > kMaxPlusDigits) return false;
  } else {
    while (count > 1 && *p == '0') ++p, --count;
  }
  uint64_t magnitude = 0;
  if (count <= 8) {
    if (!ParseUpToEight(p, count, magnitude)) return false;
  } else if (count <= 16) {
    uint64_t high = 0;
    uint64_t low = LoadEight(end - 8);
    if (!ParseUpToEight(p, count - 8, high) || !AreEightDigits(low)) return false;
    magnitude = high * 100'000'000 + EightDigits(low);
  } else if (count <= 19) {
    for (; p < end; ++p) {
      if (!IsDigit(*p)) return false;
      magnitude = magnitude * 10 + static_cast<uint64_t>(*p - '0');
    }
    if (magnitude > uint64_t{INT64_MAX} + (is_negative ? 1 : 0)) return false;
  } else {
    return false;
  }
  value = static_cast<int64_t>(is_negative ? 0 - magnitude : magnitude);
  return true;
}

bool ParseDouble(const char* begin, const char* end, NumberForm form, double& value) {
  const char* p = begin;
  bool is_negative = false;
  bool has_plus = false;
  if (p < end && (*p == '-' || *p == '+')) {
    is_negative = *p == '-';
    has_plus = *p == '+';
    ++p;
  }
  const char* number = p;
  uint64_t digits = 0;
  while (p < end && IsDigit(*p)) digits = digits * 10 + static_cast<uint64_t>(*p++ - '0');
  int64_t integer_count = p - number;
  if (form == NumberForm::kInferred) {
    if (integer_count > 1 && *number == '0') return false;
    if (has_plus && integer_count > kMaxPlusDigits) return false;
  }
  int64_t digit_count = integer_count;
  int64_t exponent = 0;
  if (p < end && *p == '.') {
    const char* fraction = ++p;
    while (end - p >= 8) {
      uint64_t bytes = LoadEight(p);
      if (!AreEightDigits(bytes)) break;
      digits = digits * 100'000'000 + EightDigits(bytes);
      p += 8;
    }
    while (p < end && IsDigit(*p)) digits = digits * 10 + static_cast<uint64_t>(*p++ - '0');
    exponent = -(p - fraction);
    digit_count -= exponent;
  }
  if (digit_count == 0) return ParseNonFinite(number, end, is_negative, value);
  if (p < end && (*p == 'e' || *p == 'E')) {
    ++p;
    bool is_small = false;
    if (p < end && (*p == '-' || *p == '+')) is_small = *p++ == '-';
    if (p == end) return false;
    int64_t shift = 0;
    for (; p < end && IsDigit(*p); ++p) shift = std::min<int64_t>(shift * 10 + (*p - '0'), 100'000);
    exponent += is_small ? -shift : shift;
  }
  if (p != end) return false;

  if (digit_count > 19) {  // `digits` may have overflowed, unless the first ones were zeros
    const char* first = number;
    while (first < end && (*first == '0' || *first == '.')) {
      if (*first == '0') --digit_count;
      ++first;
    }
    if (digit_count > 19) return ParseDoubleSlowly(number, end, is_negative, value);
  }
  double magnitude = 0;
  if (!DecimalToDouble(digits, exponent, magnitude))
    return ParseDoubleSlowly(number, end, is_negative, value);
  value = is_negative ? -magnitude : magnitude;
  return true;
}

bool IsHugeInteger(const char* begin, const char* end) {
  const char* p = begin;
  if (p < end && *p == '-') ++p;
  return end - p >= 19 && *p != '0' && std::all_of(p, end, IsDigit);
}

}  // namespace sluice::table::internal
