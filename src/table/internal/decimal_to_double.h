// digits * 10^exponent as the nearest double.
#pragma once

#include <cstdint>

namespace sluice::table::internal {

/// Rounds to nearest, ties to even, as strtod does. False, rarely: this method cannot decide (or
/// the result would be subnormal, zero by underflow, or infinite); use an exact one. Pure. About 5
/// ns.
///
/// Up to 2^53 and 10^22 both factors are exact and one multiplication or division rounds once (W.
/// Clinger, "How to read floating point numbers accurately", 1990). Beyond that a 128-bit product
/// with a cut power of five decides nearly always (D. Lemire, "Number parsing at a gigabyte per
/// second", Software: Practice and Experience, 2021).
bool DecimalToDouble(uint64_t digits, int64_t exponent, double& value);

}  // namespace sluice::table::internal
