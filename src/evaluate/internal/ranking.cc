#include "evaluate/internal/ranking.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"

namespace sluice::evaluate::internal {

Ranking RankDescending(std::span<const double> scores, size_t column, size_t column_count) {
  size_t row_count = scores.size() / column_count;
  CHECK(row_count <= std::numeric_limits<uint32_t>::max());
  std::vector<std::pair<double, uint32_t>> rows(row_count);
  for (size_t row = 0; row < row_count; ++row) {
    rows[row] = {scores[row * column_count + column], static_cast<uint32_t>(row)};
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  Ranking ranking{.order = std::vector<uint32_t>(row_count),
                  .is_group_end = std::vector<uint8_t>(row_count)};
  for (size_t i = 0; i < row_count; ++i) {
    ranking.order[i] = rows[i].second;
    ranking.is_group_end[i] = i + 1 == row_count || rows[i + 1].first != rows[i].first;
  }
  return ranking;
}

RankMetrics ComputeRankMetrics(const Ranking& ranking, std::span<const int32_t> labels,
                               std::span<const double> weights, int32_t positive,
                               size_t class_count) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  RankMetrics result;
  result.concordant_weights.assign(class_count, 0.0);
  std::vector<double> class_weights(class_count, 0.0);
  for (size_t row = 0; row < labels.size(); ++row) {
    class_weights[static_cast<size_t>(labels[row])] += weights[row];
  }
  double positive_total = class_weights[static_cast<size_t>(positive)];
  double negative_total = 0;
  for (size_t other = 0; other < class_count; ++other) {
    if (other != static_cast<size_t>(positive)) negative_total += class_weights[other];
  }
  result.positive_weight = positive_total;
  result.negative_weight = negative_total;
  const double positive_scale = positive_total > 0 ? 1 / positive_total : 0;
  const double negative_scale = negative_total > 0 ? 1 / negative_total : 0;

  std::vector<double> group_negatives(class_count, 0.0);
  std::vector<int32_t> touched;
  double tp = 0, fp = 0;              // above the group
  double group_tp = 0, group_fp = 0;  // of the group
  double precision = 1;
  for (size_t i = 0; i < ranking.order.size(); ++i) {
    uint32_t row = ranking.order[i];
    double weight = weights[row];
    int32_t label = labels[row];
    if (label == positive) {
      group_tp += weight;
    } else if (weight > 0) {
      double& sum = group_negatives[static_cast<size_t>(label)];
      if (sum == 0) touched.push_back(label);
      sum += weight;
      group_fp += weight;
    }
    if (!ranking.is_group_end[i] || (group_tp == 0 && group_fp == 0)) continue;
    for (int32_t other : touched) {
      double& sum = group_negatives[static_cast<size_t>(other)];
      result.concordant_weights[static_cast<size_t>(other)] += sum * (tp + group_tp / 2);
      sum = 0;
    }
    touched.clear();
    tp += group_tp;
    fp += group_fp;
    double next_precision = tp / (tp + fp);
    result.average_precision += group_tp * next_precision;
    result.pr_auc += group_tp * (precision + next_precision) / 2;
    precision = next_precision;
    result.ks_statistic = std::max(result.ks_statistic, tp * positive_scale - fp * negative_scale);
    group_tp = group_fp = 0;
  }
  if (positive_total > 0) {
    result.average_precision *= positive_scale;
    result.pr_auc *= positive_scale;
  } else if (negative_total > 0) {
    // precision_recall_curve then sets recall to 1 everywhere: one step from (0, 1) to (1, 0).
    result.average_precision = 0;
    result.pr_auc = 0.5;
  } else {
    result.average_precision = result.pr_auc = kNan;
  }
  if (positive_total > 0 && negative_total > 0) {
    double concordant = 0;
    for (double weight : result.concordant_weights) concordant += weight;
    result.roc_auc = concordant / positive_total / negative_total;
  } else {
    result.roc_auc = result.ks_statistic = kNan;
  }
  return result;
}

}  // namespace sluice::evaluate::internal
