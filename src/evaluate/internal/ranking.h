// Rows in the order of their scores, and what one pass over them gives: AUC, average precision and
// the like. Sorting happens once; a bootstrap resample is a new set of weights over the same order,
// so each costs O(rows). All functions here are pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "evaluate/metrics.h"

namespace sluice::evaluate::internal {

/// Row indices by falling score, ties by index; and whether a row is the last of its score.
struct Ranking {
  std::vector<uint32_t> order;
  std::vector<uint8_t> is_group_end;
};

/// Ranks by column `column` of a row-major matrix with `column_count` columns. Below 2^32 rows
/// (CHECK).
Ranking RankDescending(std::span<const double> scores, size_t column = 0, size_t column_count = 1);

/// What a ranking says about class `positive` against the others.
struct RankMetrics {
  double positive_weight = 0;
  double negative_weight = 0;
  double roc_auc = 0;            ///< NaN if one side has no weight
  double average_precision = 0;  ///< 0 if no positive weight, NaN without rows
  double pr_auc = 0;
  double ks_statistic = 0;
  /// By class: weight of pairs (row of `positive`, row of the class) in the right order, ties half.
  /// Divided by the product of the two classes' weights it is the AUC of that pair.
  std::vector<double> concordant_weights;
};

/// Labels are class indices; labels and weights in row order. Rows of weight 0 count as absent.
RankMetrics ComputeRankMetrics(const Ranking& ranking, std::span<const int32_t> labels,
                               std::span<const double> weights, int32_t positive,
                               size_t class_count);

/// One-versus-rest: the mean of a member over the classes, plain or by the class's weight.
double AverageOverClasses(std::span<const RankMetrics> classes, double RankMetrics::*member,
                          Average average);
/// One-versus-one: the mean AUC over pairs of classes that have weight, plain or by their weight.
double AverageOverPairs(std::span<const RankMetrics> classes, Average average);

}  // namespace sluice::evaluate::internal
