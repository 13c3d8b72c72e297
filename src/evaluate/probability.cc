// The metrics of scores and probabilities.
#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "evaluate/internal/ranking.h"
#include "evaluate/internal/rows.h"
#include "evaluate/metrics.h"

namespace sluice::evaluate {

namespace internal {

double ClippedLoss(double probability) {
  return -std::log(std::clamp(probability, kEpsilon, 1 - kEpsilon));
}

int64_t UpperClosedBin(double value, int64_t bin_count) {
  // Compares with the edges i / m themselves, so that 0.3 lies in the bin that ends at 0.3.
  int64_t bin = static_cast<int64_t>(value * static_cast<double>(bin_count));
  auto edge = [bin_count](int64_t i) {
    return static_cast<double>(i) / static_cast<double>(bin_count);
  };
  bin = std::clamp<int64_t>(bin, 0, bin_count - 1);
  while (bin > 0 && value <= edge(bin)) --bin;
  while (bin + 1 < bin_count && value > edge(bin + 1)) ++bin;
  return bin;
}

}  // namespace internal

using internal::kNan;
using internal::Ranking;
using internal::RankMetrics;
using internal::WeightAt;

namespace {

void CheckShape(const Scored& input) {
  CHECK(input.scores.size() == input.labels.size());
  CHECK(input.weights.empty() || input.weights.size() == input.labels.size());
}

void CheckShape(const ClassProbabilities& input) {
  CHECK(input.class_count >= 2);
  CHECK(input.probabilities.size() == input.labels.size() * static_cast<size_t>(input.class_count));
  CHECK(input.weights.empty() || input.weights.size() == input.labels.size());
}

RankMetrics RankScored(const Scored& input) {
  CheckShape(input);
  return internal::ComputeRankMetrics(
      internal::RankDescending(input.scores), internal::ToClassIndices(input.labels),
      internal::ExpandWeights(input.weights, input.labels.size()), 1, 2);
}

/// Weighted mean of `value(row)`; NaN if there is no weight.
template <typename Value>
double MeanOverRows(std::span<const double> weights, size_t row_count, Value value) {
  double sum = 0, total = 0;
  for (size_t row = 0; row < row_count; ++row) {
    double weight = WeightAt(weights, row);
    sum += weight * value(row);
    total += weight;
  }
  return total > 0 ? sum / total : kNan;
}

/// Sum over bins of |hits - confidence|, divided by the total weight.
class CalibrationSums {
 public:
  explicit CalibrationSums(int64_t bin_count) : gaps_(static_cast<size_t>(bin_count), 0.0) {}
  void Add(double confidence, double hit, double weight) {
    int64_t bin = internal::UpperClosedBin(confidence, static_cast<int64_t>(gaps_.size()));
    gaps_[static_cast<size_t>(bin)] += weight * (hit - confidence);
    weight_ += weight;
  }
  double Value() const {
    double sum = 0;
    for (double gap : gaps_) sum += std::abs(gap);
    return weight_ > 0 ? sum / weight_ : kNan;
  }

 private:
  std::vector<double> gaps_;
  double weight_ = 0;
};

/// Every (row, class) as a row of its own: scikit-learn's micro average.
struct Flattened {
  std::vector<double> labels;
  std::vector<double> weights;
};
Flattened Flatten(const ClassProbabilities& input) {
  size_t width = static_cast<size_t>(input.class_count);
  Flattened flat;
  flat.labels.assign(input.probabilities.size(), 0.0);
  if (!input.weights.empty()) flat.weights.resize(input.probabilities.size());
  for (size_t row = 0; row < input.labels.size(); ++row) {
    flat.labels[row * width + static_cast<size_t>(input.labels[row])] = 1;
    for (size_t i = 0; i < width && !input.weights.empty(); ++i) {
      flat.weights[row * width + i] = input.weights[row];
    }
  }
  return flat;
}

std::vector<RankMetrics> RankClasses(const ClassProbabilities& input) {
  size_t width = static_cast<size_t>(input.class_count);
  std::vector<int32_t> labels = internal::ToClassIndices(input.labels);
  std::vector<double> weights = internal::ExpandWeights(input.weights, input.labels.size());
  std::vector<RankMetrics> classes;
  for (size_t index = 0; index < width; ++index) {
    Ranking ranking = internal::RankDescending(input.probabilities, index, width);
    classes.push_back(
        internal::ComputeRankMetrics(ranking, labels, weights, static_cast<int32_t>(index), width));
  }
  return classes;
}

}  // namespace

namespace internal {

double AverageOverClasses(std::span<const RankMetrics> classes, double RankMetrics::*member,
                          Average average) {
  double sum = 0, total = 0;
  for (const RankMetrics& one : classes) {
    double weight = average == Average::kWeighted ? one.positive_weight : 1;
    if (weight == 0) continue;  // a weighted mean leaves out undefined values without weight
    sum += weight * one.*member;
    total += weight;
  }
  return total > 0 ? sum / total : kNan;
}

double AverageOverPairs(std::span<const RankMetrics> classes, Average average) {
  double sum = 0, total = 0;
  for (size_t a = 0; a < classes.size(); ++a) {
    double a_weight = classes[a].positive_weight;
    for (size_t b = a + 1; b < classes.size() && a_weight > 0; ++b) {
      double b_weight = classes[b].positive_weight;
      if (b_weight == 0) continue;
      double auc = (classes[a].concordant_weights[b] + classes[b].concordant_weights[a]) /
                   a_weight / b_weight / 2;
      double weight = average == Average::kWeighted ? a_weight + b_weight : 1;
      sum += weight * auc;
      total += weight;
    }
  }
  return total > 0 ? sum / total : kNan;
}

}  // namespace internal

double RocAuc(const Scored& input) { return RankScored(input).roc_auc; }
double AveragePrecision(const Scored& input) { return RankScored(input).average_precision; }
double PrAuc(const Scored& input) { return RankScored(input).pr_auc; }
double KsStatistic(const Scored& input) { return RankScored(input).ks_statistic; }

double BrierScore(const Scored& input) {
  CheckShape(input);
  return MeanOverRows(input.weights, input.labels.size(), [&](size_t row) {
    double error = input.scores[row] - input.labels[row];
    return error * error;
  });
}

double BrierScore(const ClassProbabilities& input) {
  CheckShape(input);
  size_t width = static_cast<size_t>(input.class_count);
  double mean = MeanOverRows(input.weights, input.labels.size(), [&](size_t row) {
    double sum = 0;
    for (size_t i = 0; i < width; ++i) {
      double hit = static_cast<size_t>(input.labels[row]) == i ? 1 : 0;
      double error = hit - input.probabilities[row * width + i];
      sum += error * error;
    }
    return sum;
  });
  return width == 2 ? mean / 2 : mean;
}

double LogLoss(const Scored& input) {
  CheckShape(input);
  return MeanOverRows(input.weights, input.labels.size(), [&](size_t row) {
    return internal::ClippedLoss(input.labels[row] == 1 ? input.scores[row]
                                                        : 1 - input.scores[row]);
  });
}

double LogLoss(const ClassProbabilities& input) {
  CheckShape(input);
  size_t width = static_cast<size_t>(input.class_count);
  return MeanOverRows(input.weights, input.labels.size(), [&](size_t row) {
    return internal::ClippedLoss(
        input.probabilities[row * width + static_cast<size_t>(input.labels[row])]);
  });
}

double RocAucOvr(const ClassProbabilities& input, Average average) {
  CheckShape(input);
  if (average == Average::kMicro) {
    Flattened flat = Flatten(input);
    return RocAuc({flat.labels, input.probabilities, flat.weights});
  }
  return internal::AverageOverClasses(RankClasses(input), &RankMetrics::roc_auc, average);
}

double RocAucOvo(const ClassProbabilities& input, Average average) {
  CheckShape(input);
  return internal::AverageOverPairs(RankClasses(input), average);
}

double AveragePrecision(const ClassProbabilities& input, Average average) {
  CheckShape(input);
  if (average == Average::kMicro) {
    Flattened flat = Flatten(input);
    return AveragePrecision(Scored{flat.labels, input.probabilities, flat.weights});
  }
  return internal::AverageOverClasses(RankClasses(input), &RankMetrics::average_precision, average);
}

double ExpectedCalibrationError(const Scored& input, int64_t bin_count) {
  CheckShape(input);
  CalibrationSums sums(bin_count);
  for (size_t row = 0; row < input.labels.size(); ++row) {
    sums.Add(input.scores[row], input.labels[row], WeightAt(input.weights, row));
  }
  return sums.Value();
}

double ExpectedCalibrationError(const ClassProbabilities& input, int64_t bin_count) {
  CheckShape(input);
  size_t width = static_cast<size_t>(input.class_count);
  std::vector<double> classes = PredictedClasses(input.probabilities, input.class_count);
  CalibrationSums sums(bin_count);
  for (size_t row = 0; row < input.labels.size(); ++row) {
    double confidence = input.probabilities[row * width + static_cast<size_t>(classes[row])];
    sums.Add(confidence, classes[row] == input.labels[row] ? 1 : 0, WeightAt(input.weights, row));
  }
  return sums.Value();
}

}  // namespace sluice::evaluate
