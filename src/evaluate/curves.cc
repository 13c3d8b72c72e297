#include "evaluate/curves.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>

#include "base/check.h"
#include "evaluate/internal/ranking.h"
#include "evaluate/internal/rows.h"

namespace sluice::evaluate {

using internal::kNan;
using internal::WeightAt;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Weights of true and false positives at each distinct score, from the highest down.
struct ThresholdCounts {
  std::vector<double> tp;
  std::vector<double> fp;
  std::vector<double> thresholds;
};

ThresholdCounts CountAtThresholds(const Scored& input) {
  CHECK(input.scores.size() == input.labels.size());
  CHECK(input.weights.empty() || input.weights.size() == input.labels.size());
  internal::Ranking ranking = internal::RankDescending(input.scores);
  ThresholdCounts counts;
  double tp = 0, fp = 0, group_weight = 0;
  for (size_t i = 0; i < ranking.order.size(); ++i) {
    size_t row = ranking.order[i];
    double weight = WeightAt(input.weights, row);
    (input.labels[row] == 1 ? tp : fp) += weight;
    group_weight += weight;
    if (!ranking.is_group_end[i]) continue;
    if (group_weight > 0) {
      counts.tp.push_back(tp);
      counts.fp.push_back(fp);
      counts.thresholds.push_back(input.scores[row]);
    }
    group_weight = 0;
  }
  return counts;
}

/// Which `limit` points of a polyline say most about its shape: starting from the two ends, the
/// point farthest from the line drawn so far joins, over and over. Indices, rising.
std::vector<size_t> ThinIndices(std::span<const double> x, std::span<const double> y,
                                size_t limit) {
  std::vector<size_t> kept;
  if (limit == 0 || x.size() <= limit) {
    for (size_t i = 0; i < x.size(); ++i) kept.push_back(i);
    return kept;
  }
  struct Piece {
    double distance;
    size_t first, last, farthest;
    bool operator<(const Piece& other) const {
      return distance != other.distance ? distance < other.distance : first > other.first;
    }
  };
  auto measure = [&](size_t first, size_t last) {
    Piece piece{-1, first, last, first};
    double dx = x[last] - x[first], dy = y[last] - y[first];
    double length = std::hypot(dx, dy);
    for (size_t i = first + 1; i < last; ++i) {
      double off_x = x[i] - x[first], off_y = y[i] - y[first];
      double distance =
          length > 0 ? std::abs(dx * off_y - dy * off_x) / length : std::hypot(off_x, off_y);
      if (distance > piece.distance) {
        piece.distance = distance;
        piece.farthest = i;
      }
    }
    return piece;
  };
  kept = {0, x.size() - 1};
  std::priority_queue<Piece> pieces;
  pieces.push(measure(0, x.size() - 1));
  while (kept.size() < limit && !pieces.empty()) {
    Piece piece = pieces.top();
    pieces.pop();
    if (!(piece.distance > 0)) break;  // also NaN: all that is left lies on the line
    kept.push_back(piece.farthest);
    pieces.push(measure(piece.first, piece.farthest));
    pieces.push(measure(piece.farthest, piece.last));
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

std::vector<double> Select(const std::vector<double>& values, std::span<const size_t> indices) {
  std::vector<double> selected;
  selected.reserve(indices.size());
  for (size_t index : indices) selected.push_back(values[index]);
  return selected;
}

}  // namespace

RocCurve ComputeRocCurve(const Scored& input, size_t point_limit) {
  ThresholdCounts counts = CountAtThresholds(input);
  RocCurve curve{{0}, {0}, {kInfinity}};
  if (counts.tp.empty()) return curve;
  double positives = counts.tp.back(), negatives = counts.fp.back();
  if (!(positives > 0)) curve.tpr[0] = kNan;
  if (!(negatives > 0)) curve.fpr[0] = kNan;
  for (size_t i = 0; i < counts.tp.size(); ++i) {
    curve.fpr.push_back(negatives > 0 ? counts.fp[i] / negatives : kNan);
    curve.tpr.push_back(positives > 0 ? counts.tp[i] / positives : kNan);
    curve.thresholds.push_back(counts.thresholds[i]);
  }
  std::vector<size_t> kept = ThinIndices(curve.fpr, curve.tpr, point_limit);
  return {Select(curve.fpr, kept), Select(curve.tpr, kept), Select(curve.thresholds, kept)};
}

PrCurve ComputePrCurve(const Scored& input, size_t point_limit) {
  ThresholdCounts counts = CountAtThresholds(input);
  PrCurve curve{{1}, {0}, {kInfinity}};
  for (size_t i = 0; i < counts.tp.size(); ++i) {
    curve.precision.push_back(counts.tp[i] / (counts.tp[i] + counts.fp[i]));
    curve.recall.push_back(counts.tp.back() > 0 ? counts.tp[i] / counts.tp.back() : 1);
    curve.thresholds.push_back(counts.thresholds[i]);
  }
  std::vector<size_t> kept = ThinIndices(curve.recall, curve.precision, point_limit);
  return {Select(curve.precision, kept), Select(curve.recall, kept),
          Select(curve.thresholds, kept)};
}

CalibrationCurve ComputeCalibrationCurve(const Scored& input, int64_t bin_count,
                                         CalibrationBins bins) {
  CHECK(bin_count > 0);
  CHECK(input.scores.size() == input.labels.size());
  std::vector<double> inner_edges;
  if (bins == CalibrationBins::kQuantile) {
    std::vector<double> sorted(input.scores.begin(), input.scores.end());
    std::sort(sorted.begin(), sorted.end());
    for (int64_t i = 1; i < bin_count && !sorted.empty(); ++i) {
      inner_edges.push_back(
          SortedQuantile(sorted, static_cast<double>(i) / static_cast<double>(bin_count)));
    }
  } else {
    for (int64_t i = 1; i < bin_count; ++i) {
      inner_edges.push_back(static_cast<double>(i) * (1.0 / static_cast<double>(bin_count)));
    }
  }
  size_t count = static_cast<size_t>(bin_count);
  std::vector<double> scores(count), labels(count), weights(count);
  for (size_t row = 0; row < input.labels.size(); ++row) {
    double weight = WeightAt(input.weights, row);
    size_t bin = static_cast<size_t>(
        std::lower_bound(inner_edges.begin(), inner_edges.end(), input.scores[row]) -
        inner_edges.begin());
    scores[bin] += weight * input.scores[row];
    labels[bin] += weight * input.labels[row];
    weights[bin] += weight;
  }
  CalibrationCurve curve;
  for (size_t bin = 0; bin < count; ++bin) {
    if (!(weights[bin] > 0)) continue;
    curve.mean_score.push_back(scores[bin] / weights[bin]);
    curve.mean_label.push_back(labels[bin] / weights[bin]);
    curve.weight.push_back(weights[bin]);
  }
  return curve;
}

Histogram ComputeHistogram(std::span<const double> values, std::span<const double> weights,
                           const HistogramRange& range) {
  CHECK(range.bin_count > 0);
  double count = static_cast<double>(range.bin_count);
  Histogram histogram;
  histogram.weights.assign(static_cast<size_t>(range.bin_count), 0.0);
  for (int64_t i = 0; i <= range.bin_count; ++i) {
    double share = static_cast<double>(i) / count;
    histogram.edges.push_back(range.low * (1 - share) + range.high * share);
  }
  double width = range.high - range.low;
  for (size_t row = 0; row < values.size(); ++row) {
    double place = width > 0 ? (values[row] - range.low) / width * count : 0;
    double bin = std::clamp(std::floor(place), 0.0, count - 1);
    histogram.weights[static_cast<size_t>(bin)] += WeightAt(weights, row);
  }
  return histogram;
}

double SortedQuantile(std::span<const double> sorted_values, double share) {
  if (sorted_values.empty()) return kNan;
  double place = share * static_cast<double>(sorted_values.size() - 1);
  size_t index = std::min(static_cast<size_t>(place), sorted_values.size() - 1);
  size_t next = std::min(index + 1, sorted_values.size() - 1);
  double fraction = place - static_cast<double>(index);
  double step = sorted_values[next] - sorted_values[index];
  // numpy's _lerp: from the nearer end, so that both ends are met exactly.
  return fraction < 0.5 ? sorted_values[index] + step * fraction
                        : sorted_values[next] - step * (1 - fraction);
}

}  // namespace sluice::evaluate
