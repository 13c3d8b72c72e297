// Slices, fairness and permutation importance.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "evaluate/internal/report_parts.h"
#include "evaluate/internal/rows.h"

namespace sluice::evaluate::internal {

namespace {

/// The rows of one group, copied together.
struct GroupRows {
  std::vector<double> labels;
  std::vector<double> predictions;
  std::vector<double> weights;  ///< empty if the request has none
};

std::vector<GroupRows> SplitRows(const EvaluateRequest& request, const SliceColumn& slice) {
  size_t width = PredictionWidth(request);
  std::vector<GroupRows> groups(slice.groups.size());
  for (size_t row = 0; row < request.labels.size(); ++row) {
    GroupRows& group = groups[static_cast<size_t>(slice.codes[row])];
    group.labels.push_back(request.labels[row]);
    std::span<const double> values = request.predictions.subspan(row * width, width);
    group.predictions.insert(group.predictions.end(), values.begin(), values.end());
    if (!request.weights.empty()) group.weights.push_back(request.weights[row]);
  }
  return groups;
}

bool IsSmall(const EvaluateRequest& request, const GroupRows& rows) {
  int64_t row_count = static_cast<int64_t>(rows.labels.size());
  if (row_count < kSmallSliceRows) return true;
  if (request.task != Task::kBinary) return false;
  int64_t positives = std::count(rows.labels.begin(), rows.labels.end(), 1.0);
  return std::min(positives, row_count - positives) < kSmallSliceClassRows;
}

double WeightedMean(std::span<const double> values, std::span<const double> weights) {
  double sum = 0, total = 0;
  for (size_t row = 0; row < values.size(); ++row) {
    sum += WeightAt(weights, row) * values[row];
    total += WeightAt(weights, row);
  }
  return total > 0 ? sum / total : kNan;
}

}  // namespace

SliceReport ComputeSlice(const EvaluateRequest& request, const SliceColumn& slice,
                         BootstrapOptions options) {
  SliceReport report{.name = slice.name, .groups = {}};
  std::vector<GroupRows> groups = SplitRows(request, slice);
  for (size_t i = 0; i < groups.size(); ++i) {
    const GroupRows& rows = groups[i];
    if (rows.labels.empty()) continue;
    EngineInput input = ToEngineInput(request);
    input.labels = rows.labels;
    input.predictions = rows.predictions;
    input.weights = rows.weights;
    options.stream = "slice/" + slice.name + "/" + slice.groups[i];
    SliceGroup group{
        .value = slice.groups[i],
        .row_count = static_cast<int64_t>(rows.labels.size()),
        .weight = 0,
        .mean_label = kNan,
        .mean_prediction = kNan,
        .is_small = IsSmall(request, rows),
        .metrics = ComputeWithIntervals(*MetricEngine::Create(input), options, request.confidence)};
    for (size_t row = 0; row < rows.labels.size(); ++row) {
      group.weight += WeightAt(rows.weights, row);
    }
    if (request.task != Task::kMulticlass) {
      group.mean_label = WeightedMean(rows.labels, rows.weights);
      group.mean_prediction = WeightedMean(rows.predictions, rows.weights);
    }
    report.groups.push_back(std::move(group));
  }
  return report;
}

namespace {

/// Least and greatest of a rate over the groups that have one.
struct RateRange {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  int count = 0;

  void Add(double rate) {
    if (std::isnan(rate)) return;
    low = std::min(low, rate);
    high = std::max(high, rate);
    ++count;
  }
  double Difference() const { return count < 2 ? kNan : high - low; }
  /// Equal rates of 0 are as fair as can be.
  double Ratio() const { return count < 2 ? kNan : high == 0 ? 1 : low / high; }
};

/// std::max and std::min would drop a NaN or keep it depending on the order.
double Worst(double a, double b, bool is_greatest) {
  if (std::isnan(a) || std::isnan(b)) return kNan;
  return is_greatest ? std::max(a, b) : std::min(a, b);
}

}  // namespace

FairnessReport ComputeFairness(const EvaluateRequest& request, const SliceColumn& slice,
                               const SliceReport& report) {
  std::vector<ConfusionMatrix> confusion(slice.groups.size(), ConfusionMatrix(2));
  for (size_t row = 0; row < request.labels.size(); ++row) {
    confusion[static_cast<size_t>(slice.codes[row])].Add(
        static_cast<int64_t>(request.labels[row]),
        request.predictions[row] >= request.threshold ? 1 : 0, WeightAt(request.weights, row));
  }
  FairnessReport fairness;
  fairness.name = slice.name;
  RateRange selection, tpr, fpr;
  size_t next = 0;  // report.groups holds the groups that have rows, in the same order
  for (size_t i = 0; i < slice.groups.size() && next < report.groups.size(); ++i) {
    const SliceGroup& group = report.groups[next];
    if (group.value != slice.groups[i]) continue;
    ++next;
    const ConfusionMatrix& matrix = confusion[i];
    auto share = [](double part, double whole) { return whole > 0 ? part / whole : kNan; };
    FairnessGroup one{.value = group.value,
                      .row_count = group.row_count,
                      .is_small = group.is_small,
                      .selection_rate = share(matrix.PredictionSum(1), matrix.Total()),
                      .base_rate = share(matrix.LabelSum(1), matrix.Total()),
                      .tpr = share(matrix.At(1, 1), matrix.LabelSum(1)),
                      .fpr = share(matrix.At(0, 1), matrix.LabelSum(0))};
    if (!one.is_small) {
      selection.Add(one.selection_rate);
      tpr.Add(one.tpr);
      fpr.Add(one.fpr);
    }
    fairness.groups.push_back(std::move(one));
  }
  fairness.demographic_parity_ratio = selection.Ratio();
  fairness.demographic_parity_difference = selection.Difference();
  fairness.equal_opportunity_difference = tpr.Difference();
  fairness.equalized_odds_difference = Worst(tpr.Difference(), fpr.Difference(), true);
  fairness.equalized_odds_ratio = Worst(tpr.Ratio(), fpr.Ratio(), false);
  return fairness;
}

Result<std::vector<ImportanceReport>> ComputeImportances(const EvaluateRequest& request,
                                                         const MetricInfo& metric, double base,
                                                         const std::function<void()>& on_done) {
  std::vector<ImportanceReport> importances;
  if (!request.predict_permuted || request.importance_repeat_count < 1) return importances;
  std::vector<int64_t> permutation(request.labels.size());
  for (const std::string& column : request.importance_columns) {
    std::vector<double> losses;
    for (int64_t repeat = 0; repeat < request.importance_repeat_count; ++repeat) {
      for (size_t row = 0; row < permutation.size(); ++row) {
        permutation[row] = static_cast<int64_t>(row);
      }
      Random random(request.seed, "importance/" + column + "/" + std::to_string(repeat));
      random.Shuffle(std::span<int64_t>(permutation));
      ASSIGN_OR_RETURN(std::vector<double> predictions,
                       request.predict_permuted(column, permutation));
      EvaluateRequest permuted = request;
      permuted.predictions = predictions;
      permuted.slices.clear();
      if (Status status = CheckRequest(permuted); !status.ok()) {
        return Error(status.error()).With("predictions with permuted column '" + column + "'");
      }
      std::unique_ptr<MetricEngine> engine = MetricEngine::Create(ToEngineInput(permuted));
      auto name = std::find(engine->names().begin(), engine->names().end(), metric.name);
      double value = engine->Compute()[static_cast<size_t>(name - engine->names().begin())];
      losses.push_back(metric.higher_is_better ? base - value : value - base);
      on_done();
    }
    ImportanceReport importance{.column = column};
    importance.mean = WeightedMean(losses, {});
    double square_sum = 0;
    for (double loss : losses) square_sum += (loss - importance.mean) * (loss - importance.mean);
    importance.standard_deviation = std::sqrt(square_sum / static_cast<double>(losses.size()));
    importances.push_back(std::move(importance));
  }
  std::stable_sort(importances.begin(), importances.end(), [](const auto& a, const auto& b) {
    double left = std::isnan(a.mean) ? -std::numeric_limits<double>::infinity() : a.mean;
    double right = std::isnan(b.mean) ? -std::numeric_limits<double>::infinity() : b.mean;
    return left > right;
  });
  return importances;
}

}  // namespace sluice::evaluate::internal
