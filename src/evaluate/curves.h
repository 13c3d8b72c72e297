// Curves and histograms for people to look at. All functions here are pure; inputs as in metrics.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "evaluate/metrics.h"

namespace sluice::evaluate {

inline constexpr size_t kCurvePointLimit = 500;

/// roc_curve, from (0, 0) at threshold infinity to (1, 1): same length each. A rate is NaN if its
/// class does not occur.
struct RocCurve {
  std::vector<double> fpr;
  std::vector<double> tpr;
  std::vector<double> thresholds;
  friend bool operator==(const RocCurve&, const RocCurve&) = default;
};
/// `point_limit` 0 keeps every distinct threshold. Otherwise the points that the shape needs most
/// stay (Ramer, Douglas and Peucker's rule), and the first and last.
RocCurve ComputeRocCurve(const Scored& input, size_t point_limit = kCurvePointLimit);

/// precision_recall_curve in order of falling threshold: recall rises; starts at precision 1,
/// recall 0, threshold infinity.
struct PrCurve {
  std::vector<double> precision;
  std::vector<double> recall;
  std::vector<double> thresholds;
  friend bool operator==(const PrCurve&, const PrCurve&) = default;
};
PrCurve ComputePrCurve(const Scored& input, size_t point_limit = kCurvePointLimit);

/// calibration_curve with the rows' weight in each bin; empty bins are left out.
struct CalibrationCurve {
  std::vector<double> mean_score;
  std::vector<double> mean_label;
  std::vector<double> weight;
  friend bool operator==(const CalibrationCurve&, const CalibrationCurve&) = default;
};
enum class CalibrationBins : uint8_t { kUniform, kQuantile };
/// Quantile edges are those of the unweighted scores (numpy's linear interpolation).
CalibrationCurve ComputeCalibrationCurve(const Scored& input, int64_t bin_count = 10,
                                         CalibrationBins bins = CalibrationBins::kUniform);

/// Weights counted into bins of equal width; `edges` is one longer than `weights`. The last bin
/// takes its upper edge; values outside [low, high] go to the first and last bin.
struct Histogram {
  std::vector<double> edges;
  std::vector<double> weights;
  friend bool operator==(const Histogram&, const Histogram&) = default;
};
struct HistogramRange {
  double low = 0;
  double high = 1;
  int64_t bin_count = 30;  ///< > 0 (CHECK)
};
/// `weights` as in metrics.h.
Histogram ComputeHistogram(std::span<const double> values, std::span<const double> weights,
                           const HistogramRange& range);

/// The linear-interpolation quantile of values in ascending order (numpy's default); NaN if empty.
double SortedQuantile(std::span<const double> sorted_values, double share);

}  // namespace sluice::evaluate
