#include "table/internal/decimal_to_double.h"

#include <bit>

#include "table/internal/powers_of_five.h"

namespace sluice::table::internal {

namespace {

constexpr double kExactPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int kMantissaBits = 52;
constexpr int kExponentBias = 1023;
constexpr int kInfiniteExponent = 0x7FF;

struct Product {
  uint64_t high;
  uint64_t low;
};

__extension__ typedef unsigned __int128 Uint128;

Product Multiply(uint64_t a, uint64_t b) {
  Uint128 product = static_cast<Uint128>(a) * b;
  return {static_cast<uint64_t>(product >> 64), static_cast<uint64_t>(product)};
}

/// The upper bits of digits * 5^q: all that rounding needs, or more exactly when the first product
/// leaves it open.
Product MultiplyByPower(uint64_t digits, int64_t q) {
  const PowerOfFive& power = kPowersOfFive[q - kMinPowerOfFive];
  Product first = Multiply(digits, power.high);
  constexpr uint64_t kBelowPrecision = UINT64_MAX >> (kMantissaBits + 3);
  if ((first.high & kBelowPrecision) == kBelowPrecision) {
    Product second = Multiply(digits, power.low);
    first.low += second.high;
    if (second.high > first.low) ++first.high;
  }
  return first;
}

}  // namespace

bool DecimalToDouble(uint64_t digits, int64_t exponent, double& value) {
  if (digits <= (uint64_t{1} << 53) && exponent >= -22 && exponent <= 22) {
    value = static_cast<double>(digits);
    if (exponent < 0) {
      value /= kExactPowers[-exponent];
    } else {
      value *= kExactPowers[exponent];
    }
    return true;
  }
  if (digits == 0) {
    value = 0;
    return true;
  }
  if (exponent < kMinPowerOfFive || exponent > kMaxPowerOfFive) return false;

  int leading_zeros = std::countl_zero(digits);
  Product product = MultiplyByPower(digits << leading_zeros, exponent);
  // All ones outside the range in which powers of five fit 128 bits: the cut may matter.
  if (product.low == UINT64_MAX && (exponent < -27 || exponent > 55)) return false;

  int upper_bit = static_cast<int>(product.high >> 63);
  uint64_t mantissa = product.high >> (upper_bit + 64 - kMantissaBits - 3);
  // floor(exponent * log2(10)) + 63, exact for |exponent| <= 400.
  int64_t binary_exponent = (((152170 + 65536) * exponent) >> 16) + 63;
  int64_t biased = binary_exponent + upper_bit - leading_zeros + kExponentBias;
  if (biased <= 0) return false;  // subnormal

  // Exactly between two doubles is possible only for small powers; then round to even, not up.
  if (product.low <= 1 && exponent >= -4 && exponent <= 23 && (mantissa & 3) == 1 &&
      (mantissa << (upper_bit + 64 - kMantissaBits - 3)) == product.high) {
    mantissa &= ~uint64_t{1};
  }
  mantissa += mantissa & 1;
  mantissa >>= 1;
  if (mantissa >= (uint64_t{2} << kMantissaBits)) {
    mantissa = uint64_t{1} << kMantissaBits;
    ++biased;
  }
  if (biased >= kInfiniteExponent) return false;
  mantissa &= ~(uint64_t{1} << kMantissaBits);
  value = std::bit_cast<double>(mantissa | (static_cast<uint64_t>(biased) << kMantissaBits));
  return true;
}

}  // namespace sluice::table::internal
