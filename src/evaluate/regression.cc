// The metrics of regression.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "evaluate/internal/regression_sums.h"
#include "evaluate/internal/rows.h"
#include "evaluate/metrics.h"

namespace sluice::evaluate {

namespace internal {

std::vector<uint32_t> RankByAbsoluteError(std::span<const double> labels,
                                          std::span<const double> predictions) {
  CHECK(labels.size() <= std::numeric_limits<uint32_t>::max());
  std::vector<std::pair<double, uint32_t>> rows(labels.size());
  for (size_t row = 0; row < labels.size(); ++row) {
    rows[row] = {std::abs(predictions[row] - labels[row]), static_cast<uint32_t>(row)};
  }
  std::sort(rows.begin(), rows.end());
  std::vector<uint32_t> order(labels.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = rows[i].second;
  return order;
}

namespace {

/// scikit-learn's _weighted_percentile(50, average=True): the first value at which the cumulative
/// weight reaches half, or the mean of it and the next where half is met exactly.
double WeightedMedian(std::span<const double> labels, std::span<const double> predictions,
                      std::span<const double> weights, std::span<const uint32_t> order) {
  auto error_at = [&](size_t i) { return std::abs(predictions[order[i]] - labels[order[i]]); };
  double total = 0;
  for (uint32_t row : order) total += weights[row];
  if (!(total > 0)) return kNan;
  double half = 0.5 * total;
  double cumulative = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    cumulative += weights[order[i]];
    if (cumulative < half) continue;
    if (cumulative - half > kEpsilon) return error_at(i);
    size_t next = i + 1;
    while (next < order.size() && weights[order[next]] == 0) ++next;
    return next < order.size() ? (error_at(i) + error_at(next)) / 2 : error_at(i);
  }
  return error_at(order.size() - 1);
}

/// 1 - numerator / denominator, finite for a constant label.
double ExplainedFraction(double numerator, double denominator) {
  if (numerator == 0) return 1;
  if (denominator == 0) return 0;
  return 1 - numerator / denominator;
}

/// Least and greatest value seen, to know a constant as such whatever a mean's rounding says.
struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void Add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool is_constant() const { return low == high; }
};

}  // namespace

RegressionMetrics ComputeRegressionMetrics(std::span<const double> labels,
                                           std::span<const double> predictions,
                                           std::span<const double> weights,
                                           std::span<const uint32_t> by_absolute_error) {
  double weight_sum = 0, label_sum = 0, error_sum = 0, absolute_sum = 0, square_sum = 0,
         share_sum = 0;
  Extent label_extent, error_extent;
  RegressionMetrics result;
  for (size_t row = 0; row < labels.size(); ++row) {
    double weight = weights[row];
    if (weight == 0) continue;
    double error = predictions[row] - labels[row];
    double size = std::abs(error);
    weight_sum += weight;
    label_sum += weight * labels[row];
    error_sum += weight * error;
    absolute_sum += weight * size;
    square_sum += weight * error * error;
    share_sum += weight * (size / std::max(std::abs(labels[row]), kEpsilon));
    result.max_error = std::max(result.max_error, size);
    label_extent.Add(labels[row]);
    error_extent.Add(error);
  }
  if (!(weight_sum > 0)) {
    return {kNan, kNan, kNan, kNan, kNan, kNan, kNan, kNan, kNan};
  }
  double label_mean = label_sum / weight_sum;
  double error_mean = error_sum / weight_sum;
  double label_variation = 0, error_variation = 0;
  for (size_t row = 0; row < labels.size(); ++row) {
    double label_off = labels[row] - label_mean;
    double error_off = predictions[row] - labels[row] - error_mean;
    label_variation += weights[row] * label_off * label_off;
    error_variation += weights[row] * error_off * error_off;
  }
  if (label_extent.is_constant()) label_variation = 0;
  if (error_extent.is_constant()) error_variation = 0;
  result.mae = absolute_sum / weight_sum;
  result.mse = square_sum / weight_sum;
  result.rmse = std::sqrt(result.mse);
  result.mape = share_sum / weight_sum;
  result.mean_error = error_mean;
  result.r2 = labels.size() < 2 ? kNan : ExplainedFraction(square_sum, label_variation);
  result.explained_variance = ExplainedFraction(error_variation, label_variation);
  result.median_absolute_error = WeightedMedian(labels, predictions, weights, by_absolute_error);
  return result;
}

}  // namespace internal

namespace {

internal::RegressionMetrics All(const Predicted& input) {
  CHECK(input.predictions.size() == input.labels.size());
  CHECK(input.weights.empty() || input.weights.size() == input.labels.size());
  return internal::ComputeRegressionMetrics(
      input.labels, input.predictions, internal::ExpandWeights(input.weights, input.labels.size()),
      internal::RankByAbsoluteError(input.labels, input.predictions));
}

}  // namespace

double MeanAbsoluteError(const Predicted& input) { return All(input).mae; }
double MeanSquaredError(const Predicted& input) { return All(input).mse; }
double RootMeanSquaredError(const Predicted& input) { return All(input).rmse; }
double R2Score(const Predicted& input) { return All(input).r2; }
double ExplainedVariance(const Predicted& input) { return All(input).explained_variance; }
double MeanAbsolutePercentageError(const Predicted& input) { return All(input).mape; }
double MedianAbsoluteError(const Predicted& input) { return All(input).median_absolute_error; }
double MaxError(const Predicted& input) { return All(input).max_error; }
double MeanError(const Predicted& input) { return All(input).mean_error; }

}  // namespace sluice::evaluate
