#include "learn/internal/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "base/suggest.h"
#include "base/thread_pool.h"

namespace sluice::learn::internal {
namespace {

constexpr size_t kBlockRows = 16'384;

using Sums = std::array<double, 3>;  // two metrics and the weight

/// Adds up row_sums(row) over all rows, block by block, then the blocks in order.
template <typename RowSums>
Sums SumRows(size_t row_count, int thread_count, const RowSums& row_sums) {
  size_t block_count = (row_count + kBlockRows - 1) / kBlockRows;
  std::vector<Sums> blocks(block_count, Sums{});
  ParallelFor(static_cast<size_t>(std::max(thread_count, 1)), block_count, [&](size_t b) {
    Sums sums{};
    size_t end = std::min(row_count, (b + 1) * kBlockRows);
    for (size_t row = b * kBlockRows; row < end; ++row) row_sums(row, sums);
    blocks[b] = sums;
  });
  Sums total{};
  for (const Sums& sums : blocks) {
    for (size_t i = 0; i < total.size(); ++i) total[i] += sums[i];
  }
  return total;
}

double Share(double sum, double weight) { return weight > 0 ? sum / weight : 0; }

/// ln(1 + e^x) without overflow.
double Softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

NamedMetrics BinaryMetrics(const Scored& s) {
  Sums sums = SumRows(s.labels.size(), s.thread_count, [&](size_t row, Sums& out) {
    double weight = s.weights.empty() ? 1 : s.weights[row];
    double margin = s.margins[row];
    bool is_positive = s.labels[row] > 0.5;
    out[0] += weight * Softplus(is_positive ? -margin : margin);
    out[1] += (margin > 0) != is_positive ? weight : 0;
    out[2] += weight;
  });
  return {{"log_loss", Share(sums[0], sums[2])},
          {"error", Share(sums[1], sums[2])},
          {"auc", WeightedAuc(s.margins, s.labels, s.weights)}};
}

NamedMetrics MulticlassMetrics(const Scored& s) {
  size_t classes = static_cast<size_t>(s.class_count);
  Sums sums = SumRows(s.labels.size(), s.thread_count, [&](size_t row, Sums& out) {
    double weight = s.weights.empty() ? 1 : s.weights[row];
    std::span<const float> margins = s.margins.subspan(row * classes, classes);
    size_t best =
        static_cast<size_t>(std::max_element(margins.begin(), margins.end()) - margins.begin());
    double sum = 0;
    for (float margin : margins) sum += std::exp(static_cast<double>(margin) - margins[best]);
    size_t label = static_cast<size_t>(s.labels[row]);
    out[0] += weight * (std::log(sum) - (static_cast<double>(margins[label]) - margins[best]));
    out[1] += best != label ? weight : 0;
    out[2] += weight;
  });
  return {{"log_loss", Share(sums[0], sums[2])}, {"error", Share(sums[1], sums[2])}};
}

NamedMetrics RegressionMetrics(const Scored& s) {
  Sums sums = SumRows(s.labels.size(), s.thread_count, [&](size_t row, Sums& out) {
    double weight = s.weights.empty() ? 1 : s.weights[row];
    double difference = s.margins[row] - s.labels[row];
    out[0] += weight * difference * difference;
    out[1] += weight * std::abs(difference);
    out[2] += weight;
  });
  return {{"rmse", std::sqrt(Share(sums[0], sums[2]))}, {"mae", Share(sums[1], sums[2])}};
}

/// A key that orders as the float does.
uint32_t OrderedKey(float value) {
  if (value == 0) value = 0;  // one zero
  uint32_t bits = std::bit_cast<uint32_t>(value);
  return (bits & 0x8000'0000u) != 0 ? ~bits : bits | 0x8000'0000u;
}

/// Least significant digit first, 11 bits a pass: scores by the upper 32 bits, rows in the lower.
void RadixSort(std::vector<uint64_t>& keys) {
  std::vector<uint64_t> other(keys.size());
  for (int shift : {32, 43, 54}) {
    std::array<size_t, 2048> starts{};
    for (uint64_t key : keys) ++starts[(key >> shift) & 2047];
    size_t sum = 0;
    for (size_t& start : starts) sum += std::exchange(start, sum);
    for (uint64_t key : keys) other[starts[(key >> shift) & 2047]++] = key;
    keys.swap(other);
  }
}

}  // namespace

double WeightedAuc(std::span<const float> scores, std::span<const double> labels,
                   std::span<const double> weights) {
  CHECK(scores.size() == labels.size() && scores.size() <= UINT32_MAX);
  std::vector<uint64_t> keys(scores.size());
  for (size_t i = 0; i < scores.size(); ++i) keys[i] = uint64_t{OrderedKey(scores[i])} << 32 | i;
  RadixSort(keys);
  double pairs = 0, positive = 0, negative = 0;
  for (size_t start = 0; start < keys.size();) {
    double tied_positive = 0, tied_negative = 0;
    size_t end = start;
    for (; end < keys.size() && keys[end] >> 32 == keys[start] >> 32; ++end) {
      size_t row = keys[end] & 0xFFFF'FFFFu;
      double weight = weights.empty() ? 1 : weights[row];
      (labels[row] > 0.5 ? tied_positive : tied_negative) += weight;
    }
    pairs += tied_positive * (negative + tied_negative / 2);
    positive += tied_positive;
    negative += tied_negative;
    start = end;
  }
  return positive > 0 && negative > 0 ? pairs / (positive * negative) : 0.5;
}

NamedMetrics ComputeMetrics(const Scored& scored) {
  switch (scored.task) {
    case Task::kBinary: return BinaryMetrics(scored);
    case Task::kMulticlass: return MulticlassMetrics(scored);
    case Task::kRegression: break;
  }
  return RegressionMetrics(scored);
}

const std::vector<std::string>& MetricNames(Task task) {
  static const std::vector<std::string> kBinaryNames = {"log_loss", "error", "auc"};
  static const std::vector<std::string> kMulticlassNames = {"log_loss", "error"};
  static const std::vector<std::string> kRegressionNames = {"rmse", "mae"};
  switch (task) {
    case Task::kBinary: return kBinaryNames;
    case Task::kMulticlass: return kMulticlassNames;
    case Task::kRegression: break;
  }
  return kRegressionNames;
}

bool IsGreaterBetter(std::string_view metric) { return metric == "auc"; }

Result<EarlyStopper> EarlyStopper::Make(const EarlyStopping& options, Task task) {
  const std::vector<std::string>& names = MetricNames(task);
  EarlyStopper stopper;
  stopper.metric_ = options.metric.empty() ? names[0] : options.metric;
  if (stopper.metric_ == "roc_auc") stopper.metric_ = "auc";
  if (std::find(names.begin(), names.end(), stopper.metric_) == names.end()) {
    return InvalidArgument(fmt::format("early stopping: a {} task has no metric '{}'{}; it has {}",
                                       TaskName(task), options.metric,
                                       DidYouMean(options.metric, names), fmt::join(names, ", ")));
  }
  if (options.patience < 1) {
    return InvalidArgument(
        fmt::format("early stopping: patience is {}; it must be at least 1", options.patience));
  }
  if (!(options.min_delta >= 0) || !std::isfinite(options.min_delta)) {
    return InvalidArgument(
        fmt::format("early stopping: min_delta is {}; it must not be negative", options.min_delta));
  }
  stopper.patience_ = options.patience;
  stopper.min_delta_ = options.min_delta;
  return stopper;
}

bool EarlyStopper::Add(double value) {
  ++iteration_;
  double gain = IsGreaterBetter(metric_) ? value - best_ : best_ - value;
  if (iteration_ == 1 || gain > min_delta_) {
    best_ = value;
    best_iteration_ = iteration_;
  }
  return iteration_ - best_iteration_ >= patience_;
}

CurvePoint MakeCurvePoint(int64_t iteration, const NamedMetrics& train,
                          const NamedMetrics& validation) {
  CurvePoint point{.iteration = iteration, .metrics = {}};
  for (size_t i = 0; i < train.size(); ++i) {
    MetricValue value{.name = train[i].first, .train = train[i].second, .validation = std::nullopt};
    if (!validation.empty()) value.validation = validation[i].second;
    point.metrics.push_back(std::move(value));
  }
  return point;
}

}  // namespace sluice::learn::internal
