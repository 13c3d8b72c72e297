// The metrics of predicted classes: all of them are functions of the confusion matrix.
#include <cmath>
#include <limits>

#include "base/check.h"
#include "evaluate/internal/rows.h"
#include "evaluate/metrics.h"

namespace sluice::evaluate {

using internal::kNan;

ConfusionMatrix::ConfusionMatrix(int64_t class_count)
    : class_count_(class_count),
      cells_(static_cast<size_t>(class_count * class_count), 0.0),
      occurs_(static_cast<size_t>(class_count), 0) {}

ConfusionMatrix::ConfusionMatrix(const Predicted& input, int64_t class_count)
    : ConfusionMatrix(class_count) {
  CHECK(input.labels.size() == input.predictions.size());
  CHECK(input.weights.empty() || input.weights.size() == input.labels.size());
  for (size_t row = 0; row < input.labels.size(); ++row) {
    Add(static_cast<int64_t>(input.labels[row]), static_cast<int64_t>(input.predictions[row]),
        internal::WeightAt(input.weights, row));
  }
}

void ConfusionMatrix::Add(int64_t label, int64_t prediction, double weight) {
  CHECK(label >= 0 && label < class_count_ && prediction >= 0 && prediction < class_count_);
  cells_[static_cast<size_t>(label * class_count_ + prediction)] += weight;
  occurs_[static_cast<size_t>(label)] = occurs_[static_cast<size_t>(prediction)] = 1;
}

double ConfusionMatrix::At(int64_t label, int64_t prediction) const {
  return cells_[static_cast<size_t>(label * class_count_ + prediction)];
}

bool ConfusionMatrix::Occurs(int64_t index) const {
  return occurs_[static_cast<size_t>(index)] != 0;
}

double ConfusionMatrix::LabelSum(int64_t label) const {
  double sum = 0;
  for (int64_t prediction = 0; prediction < class_count_; ++prediction)
    sum += At(label, prediction);
  return sum;
}

double ConfusionMatrix::PredictionSum(int64_t prediction) const {
  double sum = 0;
  for (int64_t label = 0; label < class_count_; ++label) sum += At(label, prediction);
  return sum;
}

double ConfusionMatrix::Total() const {
  double sum = 0;
  for (double cell : cells_) sum += cell;
  return sum;
}

namespace {

/// numpy's nanmean or average over the quotients; all weights 0 counts as none.
class NanAverage {
 public:
  void Add(double value, double weight) {
    if (std::isnan(value)) return;
    weighted_sum_ += value * weight;
    weight_ += weight;
    sum_ += value;
    ++count_;
  }
  double Value() const {
    if (count_ == 0) return kNan;
    return weight_ != 0 ? weighted_sum_ / weight_ : sum_ / count_;
  }

 private:
  double weighted_sum_ = 0;
  double weight_ = 0;
  double sum_ = 0;
  int count_ = 0;
};

struct ClassSums {
  double hits = 0;
  double predicted = 0;
  double actual = 0;
};

PrecisionRecallF1 Quotients(const ClassSums& sums, double zero_division) {
  auto divide = [zero_division](double numerator, double denominator) {
    return denominator == 0 ? zero_division : numerator / denominator;
  };
  return {.precision = divide(sums.hits, sums.predicted),
          .recall = divide(sums.hits, sums.actual),
          .f1 = divide(2 * sums.hits, sums.actual + sums.predicted)};
}

double TraceOf(const ConfusionMatrix& matrix) {
  double trace = 0;
  for (int64_t i = 0; i < matrix.class_count(); ++i) trace += matrix.At(i, i);
  return trace;
}

}  // namespace

PrecisionRecallF1 ComputePrecisionRecallF1(const ConfusionMatrix& matrix, Average average,
                                           double zero_division) {
  auto sums_of = [&matrix](int64_t index) {
    return ClassSums{matrix.At(index, index), matrix.PredictionSum(index), matrix.LabelSum(index)};
  };
  if (average == Average::kBinary) return Quotients(sums_of(1), zero_division);
  if (average == Average::kMicro) {
    double total = matrix.Total();
    return Quotients({TraceOf(matrix), total, total}, zero_division);
  }
  NanAverage precision, recall, f1;
  for (int64_t index = 0; index < matrix.class_count(); ++index) {
    if (!matrix.Occurs(index)) continue;
    ClassSums sums = sums_of(index);
    PrecisionRecallF1 value = Quotients(sums, zero_division);
    double weight = average == Average::kWeighted ? sums.actual : 1;
    precision.Add(value.precision, weight);
    recall.Add(value.recall, weight);
    f1.Add(value.f1, weight);
  }
  return {precision.Value(), recall.Value(), f1.Value()};
}

double Accuracy(const ConfusionMatrix& matrix) {
  double total = matrix.Total();
  return total > 0 ? TraceOf(matrix) / total : kNan;
}

double BalancedAccuracy(const ConfusionMatrix& matrix) {
  double sum = 0;
  int count = 0;
  for (int64_t index = 0; index < matrix.class_count(); ++index) {
    double actual = matrix.LabelSum(index);
    if (actual == 0) continue;
    sum += matrix.At(index, index) / actual;
    ++count;
  }
  return count > 0 ? sum / count : kNan;
}

double MatthewsCorrcoef(const ConfusionMatrix& matrix) {
  double total = matrix.Total();
  if (!(total > 0)) return kNan;
  double both = 0, labels = 0, predictions = 0;
  for (int64_t index = 0; index < matrix.class_count(); ++index) {
    double actual = matrix.LabelSum(index);
    double predicted = matrix.PredictionSum(index);
    both += actual * predicted;
    labels += actual * actual;
    predictions += predicted * predicted;
  }
  double product = (total * total - labels) * (total * total - predictions);
  return product == 0 ? 0 : (TraceOf(matrix) * total - both) / std::sqrt(product);
}

double CohenKappa(const ConfusionMatrix& matrix) {
  double total = matrix.Total();
  if (!(total > 0)) return kNan;
  double expected = 0;
  for (int64_t index = 0; index < matrix.class_count(); ++index) {
    expected += matrix.LabelSum(index) * matrix.PredictionSum(index) / total;
  }
  // Both count disagreement, as scikit-learn does.
  double observed_off = total - TraceOf(matrix);
  double expected_off = total - expected;
  return expected_off == 0 ? kNan : 1 - observed_off / expected_off;
}

}  // namespace sluice::evaluate
