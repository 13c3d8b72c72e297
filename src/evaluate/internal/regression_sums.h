// All regression metrics from one set of weights, so that a bootstrap resample costs two passes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::evaluate::internal {

struct RegressionMetrics {
  double mae = 0;
  double mse = 0;
  double rmse = 0;
  double r2 = 0;
  double explained_variance = 0;
  double mape = 0;
  double median_absolute_error = 0;
  double max_error = 0;
  double mean_error = 0;
};

/// Row indices by rising |prediction - label|, ties by index.
std::vector<uint32_t> RankByAbsoluteError(std::span<const double> labels,
                                          std::span<const double> predictions);

/// Labels, predictions and weights in row order. Pure.
RegressionMetrics ComputeRegressionMetrics(std::span<const double> labels,
                                           std::span<const double> predictions,
                                           std::span<const double> weights,
                                           std::span<const uint32_t> by_absolute_error);

}  // namespace sluice::evaluate::internal
