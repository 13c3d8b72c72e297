// A metric's value as the tables hold it.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::tracking::internal {

/// NaN is 0 with a flag, since not every engine stores it and none compares
/// it as one would like; infinities are the greatest numbers there are, as MLflow has it.
struct StoredValue {
  explicit StoredValue(double given) : is_nan(std::isnan(given)) {
    constexpr double kMax = std::numeric_limits<double>::max();
    value = is_nan ? 0 : std::clamp(given, -kMax, kMax);
  }
  bool is_nan;
  double value;
};

}  // namespace sluice::tracking::internal
