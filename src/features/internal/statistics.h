// Statistics that operations learn; missing values (NaN) are left out everywhere. All functions
// here are pure and agree with numpy and scikit-learn to rounding.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::features::internal {

/// The values that are not NaN, in order.
std::vector<double> Present(std::span<const double> values);

/// Sum with Neumaier's compensation: error independent of the length. 0 for none.
double CompensatedSum(std::span<const double> values);

/// Mean and population variance (ddof = 0), two passes. `values` must not be empty (CHECK).
struct Moments {
  double mean = 0;
  double variance = 0;
};
Moments ComputeMoments(std::span<const double> values);

/// numpy.quantile(method="linear") of sorted values; share within [0, 1]. Not empty (CHECK).
double SortedQuantile(std::span<const double> sorted, double share);

/// numpy.quantile(method="averaged_inverted_cdf"): the mean of the two order statistics where share
/// × n is whole.
double SortedAveragedInverseCdf(std::span<const double> sorted, double share);

/// The most frequent value, the smallest among equals (as scikit-learn's most_frequent). Sorted,
/// not empty (CHECK).
double SortedMode(std::span<const double> sorted);

}  // namespace sluice::features::internal
