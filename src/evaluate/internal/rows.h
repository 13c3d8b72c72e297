// Small pieces that the metric files share: weights that may be absent, labels as integers.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace sluice::evaluate::internal {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// numpy's finfo(float64).eps, at which scikit-learn clips.
inline constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// The row's weight; 1 where there are none.
inline double WeightAt(std::span<const double> weights, size_t row) {
  return weights.empty() ? 1.0 : weights[row];
}

/// `weights`, or ones.
inline std::vector<double> ExpandWeights(std::span<const double> weights, size_t row_count) {
  if (weights.empty()) return std::vector<double>(row_count, 1.0);
  return {weights.begin(), weights.end()};
}

inline std::vector<int32_t> ToClassIndices(std::span<const double> labels) {
  std::vector<int32_t> indices(labels.size());
  for (size_t row = 0; row < labels.size(); ++row) indices[row] = static_cast<int32_t>(labels[row]);
  return indices;
}

/// -ln p, p clipped as scikit-learn does.
double ClippedLoss(double probability);

/// The bin i of `bin_count` equal ones over [0, 1] with value in (i/m, (i+1)/m]; the first takes 0.
int64_t UpperClosedBin(double value, int64_t bin_count);

}  // namespace sluice::evaluate::internal
