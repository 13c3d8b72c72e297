// Curves of classes and residuals of regression.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "evaluate/internal/report_parts.h"
#include "evaluate/internal/rows.h"

namespace sluice::evaluate::internal {

namespace {

constexpr int64_t kScoreBinCount = 40;
constexpr int64_t kResidualBinCount = 40;
constexpr size_t kPredictionBinCount = 20;
constexpr size_t kSampleRowCount = 500;

ClassCurves CurvesOf(const EvaluateRequest& request, size_t index) {
  size_t width = PredictionWidth(request);
  std::vector<double> labels(request.labels.size()), scores(request.labels.size());
  std::vector<double> sides[2], side_weights[2];
  for (size_t row = 0; row < labels.size(); ++row) {
    labels[row] = static_cast<size_t>(request.labels[row]) == index ? 1 : 0;
    scores[row] = request.predictions[row * width + (width == 1 ? 0 : index)];
    size_t side = static_cast<size_t>(labels[row]);
    sides[side].push_back(scores[row]);
    side_weights[side].push_back(WeightAt(request.weights, row));
  }
  Scored scored{labels, scores, request.weights};
  HistogramRange range{.low = 0, .high = 1, .bin_count = kScoreBinCount};
  return {.class_name = request.class_names[index],
          .roc = ComputeRocCurve(scored),
          .pr = ComputePrCurve(scored),
          .calibration = ComputeCalibrationCurve(scored, 10, CalibrationBins::kUniform),
          .calibration_quantile = ComputeCalibrationCurve(scored, 10, CalibrationBins::kQuantile),
          .positive_scores = ComputeHistogram(sides[1], side_weights[1], range),
          .negative_scores = ComputeHistogram(sides[0], side_weights[0], range)};
}

}  // namespace

std::vector<ClassCurves> ComputeClassCurves(const EvaluateRequest& request) {
  std::vector<ClassCurves> curves;
  if (request.task == Task::kBinary) {
    curves.push_back(CurvesOf(request, 1));
    return curves;
  }
  std::vector<int64_t> counts(request.class_names.size());
  for (double label : request.labels) ++counts[static_cast<size_t>(label)];
  std::vector<size_t> classes(counts.size());
  std::iota(classes.begin(), classes.end(), size_t{0});
  if (classes.size() > kCurveClassLimit) {
    std::stable_sort(classes.begin(), classes.end(),
                     [&](size_t a, size_t b) { return counts[a] > counts[b]; });
    classes.resize(kCurveClassLimit);
    std::sort(classes.begin(), classes.end());
  }
  for (size_t index : classes) curves.push_back(CurvesOf(request, index));
  return curves;
}

ResidualReport ComputeResiduals(const EvaluateRequest& request) {
  size_t row_count = request.labels.size();
  std::vector<double> residuals(row_count);
  double sum = 0, weight_sum = 0;
  for (size_t row = 0; row < row_count; ++row) {
    residuals[row] = request.predictions[row] - request.labels[row];
    sum += WeightAt(request.weights, row) * residuals[row];
    weight_sum += WeightAt(request.weights, row);
  }
  ResidualReport report;
  report.mean = sum / weight_sum;
  double square_sum = 0;
  for (size_t row = 0; row < row_count; ++row) {
    double off = residuals[row] - report.mean;
    square_sum += WeightAt(request.weights, row) * off * off;
  }
  report.standard_deviation = std::sqrt(square_sum / weight_sum);

  std::vector<double> sorted = residuals;
  std::sort(sorted.begin(), sorted.end());
  report.quantile_shares = {0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1};
  for (double share : report.quantile_shares) {
    report.quantiles.push_back(SortedQuantile(sorted, share));
  }
  HistogramRange range{.low = SortedQuantile(sorted, 0.005),
                       .high = SortedQuantile(sorted, 0.995),
                       .bin_count = kResidualBinCount};
  if (!(range.high > range.low)) {
    range.low -= 0.5;
    range.high += 0.5;
  }
  report.histogram = ComputeHistogram(residuals, request.weights, range);

  std::vector<uint32_t> by_prediction(row_count);
  std::iota(by_prediction.begin(), by_prediction.end(), uint32_t{0});
  std::stable_sort(by_prediction.begin(), by_prediction.end(), [&](uint32_t a, uint32_t b) {
    return request.predictions[a] < request.predictions[b];
  });
  size_t bin_count = std::min(kPredictionBinCount, row_count);
  for (size_t bin = 0; bin < bin_count; ++bin) {
    size_t first = row_count * bin / bin_count, last = row_count * (bin + 1) / bin_count;
    ResidualBin one{.row_count = static_cast<int64_t>(last - first)};
    std::vector<double> inside;
    for (size_t i = first; i < last; ++i) {
      uint32_t row = by_prediction[i];
      inside.push_back(residuals[row]);
      one.mean_prediction += request.predictions[row] / static_cast<double>(last - first);
      one.mean_label += request.labels[row] / static_cast<double>(last - first);
    }
    std::sort(inside.begin(), inside.end());
    one.p10 = SortedQuantile(inside, 0.1);
    one.p50 = SortedQuantile(inside, 0.5);
    one.p90 = SortedQuantile(inside, 0.9);
    report.bins.push_back(one);
  }
  size_t step = (row_count + kSampleRowCount - 1) / kSampleRowCount;
  for (size_t row = 0; row < row_count; row += step) {
    report.sample_labels.push_back(request.labels[row]);
    report.sample_predictions.push_back(request.predictions[row]);
  }
  return report;
}

}  // namespace sluice::evaluate::internal
