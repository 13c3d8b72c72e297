// The report: everything that is known about how good one model is on one table, with intervals.
//
// Same request, same report to the bit, for any thread count: every resample and permutation has a
// random stream of its own, and sums run in row order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "evaluate/curves.h"
#include "evaluate/metrics.h"
#include "formats/json.h"

namespace sluice::evaluate {

/// A column by which rows are grouped: groups[codes[row]] is the row's value. Made by MakeSlice and
/// MakeNumericSlice.
struct SliceColumn {
  std::string name;
  std::vector<std::string> groups;
  std::vector<int32_t> codes;  ///< one per row
  bool is_sensitive = false;   ///< also gets fairness measures
};

/// Groups by text: the `group_limit` - 1 most frequent values in order of frequency (ties by
/// value), the rest as "(other)". Empty optional values are "(missing)". O(n).
SliceColumn MakeSlice(std::string name, std::span<const std::optional<std::string>> values,
                      size_t group_limit = 20);
/// Groups numbers into at most `bin_count` ranges of about equal row counts, named for people:
/// "< 25", "25 to < 38", ">= 52"; edges have as few digits as keep them apart. At most `bin_count`
/// distinct values stay themselves ("3"). NaN is "(missing)".
SliceColumn MakeNumericSlice(std::string name, std::span<const double> values,
                             int64_t bin_count = 5);

/// Predictions of the model on the evaluated rows, with `column` read as if row i held the value of
/// row permutation[i]; same shape as EvaluateRequest::predictions. Called from one thread.
using PredictPermuted = std::function<Result<std::vector<double>>(
    const std::string& column, std::span<const int64_t> permutation)>;

struct EvaluateRequest {
  Task task = Task::kBinary;
  std::vector<std::string> class_names;  ///< by class index; empty for regression
  std::span<const double> labels;        ///< class index, or the value
  /// Binary: the probability of class 1. Multiclass: row-major rows × classes. Regression: the
  /// value.
  std::span<const double> predictions;
  std::span<const double> weights;  ///< empty: every row 1
  double threshold = 0.5;           ///< binary: predicted as class 1 from this probability on
  std::vector<SliceColumn> slices;

  uint64_t seed = 0;
  size_t thread_count = 1;
  int64_t resample_count = 1000;  ///< of the bootstrap; 0 gives no intervals
  double confidence = 0.95;

  std::string main_metric;  ///< empty: MainMetric(task)
  std::vector<std::string> importance_columns;
  int64_t importance_repeat_count = 5;
  PredictPermuted predict_permuted;  ///< unset: no importances
  /// Told (done, total) now and then; must be thread-safe, and is not always told in order.
  std::function<void(int64_t done, int64_t total)> on_progress;
};

/// Percentile bootstrap interval.
struct Interval {
  double low = 0;
  double high = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

struct MetricValue {
  std::string name;  ///< one of Metrics()
  double value = 0;  ///< NaN where undefined
  std::optional<Interval> interval;
  friend bool operator==(const MetricValue&, const MetricValue&) = default;
};

struct SliceGroup {
  std::string value;
  int64_t row_count = 0;
  double weight = 0;      ///< sum of the rows' weights
  double mean_label = 0;  ///< binary: share of class 1; regression: mean; multiclass: NaN
  double mean_prediction = 0;
  /// Too few rows for its numbers to carry a decision: below kSmallSliceRows rows, or, for binary,
  /// below kSmallSliceClassRows of either class. Gates leave such groups out.
  bool is_small = false;
  std::vector<MetricValue> metrics;
  friend bool operator==(const SliceGroup&, const SliceGroup&) = default;
};
inline constexpr int64_t kSmallSliceRows = 100;
inline constexpr int64_t kSmallSliceClassRows = 10;

struct SliceReport {
  std::string name;
  std::vector<SliceGroup> groups;
  friend bool operator==(const SliceReport&, const SliceReport&) = default;
};

/// Group fairness of a binary classifier at the threshold, named as fairlearn does. Groups that are
/// small do not count in the summary measures. A measure needs two groups, else it is NaN.
struct FairnessGroup {
  std::string value;
  int64_t row_count = 0;
  bool is_small = false;
  double selection_rate = 0;  ///< share predicted as class 1
  double base_rate = 0;       ///< share that is class 1
  double tpr = 0;             ///< share of class 1 predicted as 1; NaN without such rows
  double fpr = 0;
  friend bool operator==(const FairnessGroup&, const FairnessGroup&) = default;
};
struct FairnessReport {
  std::string name;
  std::vector<FairnessGroup> groups;
  double demographic_parity_ratio = 0;       ///< least / greatest selection rate
  double demographic_parity_difference = 0;  ///< greatest - least selection rate
  double equal_opportunity_difference = 0;   ///< greatest - least TPR
  double equalized_odds_difference = 0;      ///< the larger of the differences of TPR and FPR
  double equalized_odds_ratio = 0;           ///< the smaller of the ratios of TPR and FPR
  friend bool operator==(const FairnessReport&, const FairnessReport&) = default;
};

/// Permutation importance: how much the metric gets worse when the column is shuffled.
struct ImportanceReport {
  std::string column;
  double mean = 0;  ///< over the repeats
  double standard_deviation = 0;
  friend bool operator==(const ImportanceReport&, const ImportanceReport&) = default;
};

/// Curves of one class against the rest; one entry for binary (class 1).
struct ClassCurves {
  std::string class_name;
  RocCurve roc;
  PrCurve pr;
  CalibrationCurve calibration;           ///< 10 bins of equal width
  CalibrationCurve calibration_quantile;  ///< 10 bins of equal row counts
  Histogram positive_scores;              ///< of rows of the class
  Histogram negative_scores;
  friend bool operator==(const ClassCurves&, const ClassCurves&) = default;
};
inline constexpr size_t kCurveClassLimit = 12;  ///< the most frequent classes

/// Rows in bins of equal counts by prediction.
struct ResidualBin {
  int64_t row_count = 0;
  double mean_prediction = 0;
  double mean_label = 0;
  double p10 = 0;  ///< of the residual, prediction - label
  double p50 = 0;
  double p90 = 0;
  friend bool operator==(const ResidualBin&, const ResidualBin&) = default;
};
struct ResidualReport {
  double mean = 0;
  double standard_deviation = 0;
  std::vector<double> quantile_shares;
  std::vector<double> quantiles;
  Histogram histogram;  ///< between the 0.5 % and 99.5 % quantiles
  std::vector<ResidualBin> bins;
  /// Every k-th row, at most 500: label and prediction.
  std::vector<double> sample_labels;
  std::vector<double> sample_predictions;
  friend bool operator==(const ResidualReport&, const ResidualReport&) = default;
};

struct Report {
  Task task = Task::kBinary;
  std::vector<std::string> class_names;
  std::vector<int64_t> class_row_counts;
  int64_t row_count = 0;
  bool is_weighted = false;
  double threshold = 0.5;  ///< binary
  /// SHA-256 of labels and weights in row order, in hexadecimal: equal for reports on the same
  /// rows.
  std::string rows_digest;
  std::string main_metric;
  double confidence = 0.95;
  int64_t resample_count = 0;
  std::vector<MetricValue> metrics;
  std::optional<ConfusionMatrix> confusion;  ///< classification
  std::vector<ClassCurves> curves;           ///< classification
  std::vector<SliceReport> slices;
  std::vector<FairnessReport> fairness;
  std::vector<ImportanceReport> importances;  ///< greatest first
  std::optional<ResidualReport> residuals;    ///< regression
  friend bool operator==(const Report&, const Report&) = default;

  const MetricValue* FindMetricValue(std::string_view name) const;
};

/// Every metric of the task, in the order of Metrics(), without intervals. Errors: as
/// CheckClassification and CheckRegression.
Result<std::vector<MetricValue>> ComputeMetrics(const EvaluateRequest& request);

/// O(resamples × rows × classes); 16,000 binary rows × 1,000 resamples take well under a second on
/// one core. Above kMultinomialRowLimit rows, resamples draw Poisson(1) counts in place of
/// multinomial ones, and there are no more resamples than kResampleRowBudget allows (at least 200).
/// Errors: kInvalidArgument for bad input (metrics.h), class names that do not fit, an unknown main
/// metric or a slice of another length; whatever predict_permuted returns.
Result<Report> BuildReport(const EvaluateRequest& request);
inline constexpr int64_t kMultinomialRowLimit = 65'536;
inline constexpr int64_t kResampleRowBudget = 200'000'000;

/// report.json. NaN is the string "NaN" (no JSON number), infinity "Infinity".
///
///   {"version": 1, "kind": "report", "task": "binary", "rows": n, "weighted": b,
///    "rows_digest": hex, "classes": [{"name": s, "rows": n}], "threshold": x,
///    "main_metric": s, "bootstrap": {"resamples": n, "confidence": 0.95},
///    "metrics": {"roc_auc": {"value": x, "low": x, "high": x, "higher_is_better": b}},
///    "confusion": [[weight by predicted class] by true class],
///    "curves": [{"class": s, "roc": {"fpr": [], "tpr": [], "thresholds": []},
///                "pr": {"precision": [], "recall": [], "thresholds": []},
///                "calibration": {"mean_score": [], "mean_label": [], "weight": []},
///                "calibration_quantile": {same},
///                "scores": {"edges": [], "positive": [], "negative": []}}],
///    "slices": [{"name": s, "groups": [{"value": s, "rows": n, "weight": x, "mean_label": x,
///                "mean_prediction": x, "small": b, "metrics": {as above}}]}],
///    "fairness": [{"name": s, "demographic_parity_ratio": x, ..., "groups": [{"value": s, "rows":
///    n,
///                  "small": b, "selection_rate": x, "base_rate": x, "tpr": x, "fpr": x}]}],
///    "importances": [{"column": s, "mean": x, "standard_deviation": x}],
///    "residuals": {"mean": x, "standard_deviation": x, "quantiles": [{"share": x, "value": x}],
///                  "histogram": {"edges": [], "weights": []},
///                  "bins": [{"rows", "mean_prediction", "mean_label", "p10", "p50", "p90"}],
///                  "sample": {"labels": [], "predictions": []}}}
///
/// "low" and "high" are absent without an interval; "classes", "threshold", "confusion", "curves",
/// "fairness" and "residuals" where they do not apply.
formats::Json ReportToJson(const Report& report);
/// Errors: kInvalidArgument naming the key that is missing or wrong.
Result<Report> ReportFromJson(const formats::Json& json);

}  // namespace sluice::evaluate
