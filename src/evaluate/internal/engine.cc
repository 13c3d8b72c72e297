#include "evaluate/internal/engine.h"

#include <cmath>

#include "base/check.h"
#include "evaluate/internal/ranking.h"
#include "evaluate/internal/regression_sums.h"
#include "evaluate/internal/rows.h"

namespace sluice::evaluate::internal {

MetricEngine::MetricEngine(const EngineInput& input)
    : weights_(ExpandWeights(input.weights, input.labels.size())) {
  for (const MetricInfo& metric : Metrics()) {
    if (IsMetricFor(metric, input.task)) names_.push_back(metric.name);
  }
}

void MetricEngine::Sink::operator()(std::string_view name, double value) {
  // Metrics come nearly in the order of their table, so that the search is short.
  for (size_t tried = 0; tried < names_.size(); ++tried) {
    size_t index = (expected_ + tried) % names_.size();
    if (names_[index] != name) continue;
    values_[index] = value;
    expected_ = index + 1;
    return;
  }
  CHECK_MSG(false, name);
}

void MetricEngine::Compute(std::span<const double> weights, std::span<double> values) const {
  CHECK(weights.size() == weights_.size() && values.size() == names_.size());
  for (double& value : values) value = kNan;
  double total = 0;
  for (double weight : weights) total += weight;
  if (!(total > 0)) return;
  Sink set(names_, values);
  ComputeInto(weights, set);
}

std::vector<double> MetricEngine::Compute() const {
  std::vector<double> values(names_.size());
  Compute(weights_, values);
  return values;
}

namespace {

constexpr int64_t kCalibrationBinCount = 10;

/// What binary and multiclass share: predicted classes, loss, Brier score and calibration.
class ClassEngine : public MetricEngine {
 public:
  explicit ClassEngine(const EngineInput& input)
      : MetricEngine(input),
        class_count_(input.class_count),
        labels_(ToClassIndices(input.labels)),
        zero_weight_classes_(input.class_count) {}

 protected:
  /// One row's contributions, computed once.
  struct RowFacts {
    int32_t prediction = 0;
    int32_t calibration_bin = 0;
    double loss = 0;
    double brier = 0;
    double calibration_gap = 0;  ///< hit - confidence
  };

  void AddRow(const RowFacts& facts) {
    size_t row = facts_.size();
    facts_.push_back(facts);
    if (weights()[row] == 0) zero_weight_classes_.Add(labels_[row], facts.prediction, 0);
  }

  struct RowSums {
    ConfusionMatrix confusion;
    double loss = 0;
    double brier = 0;
    double calibration_error = 0;
  };

  RowSums SumRows(std::span<const double> weights) const {
    size_t width = static_cast<size_t>(class_count_);
    std::vector<double> cells(width * width);
    double gaps[kCalibrationBinCount] = {};
    double loss = 0, brier = 0, total = 0;
    for (size_t row = 0; row < facts_.size(); ++row) {
      double weight = weights[row];
      if (weight == 0) continue;
      const RowFacts& facts = facts_[row];
      cells[static_cast<size_t>(labels_[row]) * width + static_cast<size_t>(facts.prediction)] +=
          weight;
      loss += weight * facts.loss;
      brier += weight * facts.brier;
      gaps[facts.calibration_bin] += weight * facts.calibration_gap;
      total += weight;
    }
    RowSums sums{.confusion = zero_weight_classes_, .loss = loss / total, .brier = brier / total};
    for (size_t cell = 0; cell < cells.size(); ++cell) {
      if (cells[cell] == 0) continue;
      sums.confusion.Add(static_cast<int64_t>(cell / width), static_cast<int64_t>(cell % width),
                         cells[cell]);
    }
    for (double gap : gaps) sums.calibration_error += std::abs(gap) / total;
    return sums;
  }

  static void SetAverages(const ConfusionMatrix& confusion, Sink& set) {
    PrecisionRecallF1 macro = ComputePrecisionRecallF1(confusion, Average::kMacro);
    PrecisionRecallF1 micro = ComputePrecisionRecallF1(confusion, Average::kMicro);
    PrecisionRecallF1 weighted = ComputePrecisionRecallF1(confusion, Average::kWeighted);
    set("precision_macro", macro.precision);
    set("recall_macro", macro.recall);
    set("f1_macro", macro.f1);
    set("precision_micro", micro.precision);
    set("recall_micro", micro.recall);
    set("f1_micro", micro.f1);
    set("precision_weighted", weighted.precision);
    set("recall_weighted", weighted.recall);
    set("f1_weighted", weighted.f1);
  }

  static void SetRowSums(const RowSums& sums, Sink& set) {
    set("log_loss", sums.loss);
    set("brier_score", sums.brier);
    set("expected_calibration_error", sums.calibration_error);
    set("matthews_corrcoef", MatthewsCorrcoef(sums.confusion));
    set("cohen_kappa", CohenKappa(sums.confusion));
  }

  const int64_t class_count_;
  const std::vector<int32_t> labels_;

 private:
  std::vector<RowFacts> facts_;
  /// Remembers the classes of rows without weight: scikit-learn's macro averages count them.
  ConfusionMatrix zero_weight_classes_;
};

class BinaryEngine final : public ClassEngine {
 public:
  explicit BinaryEngine(const EngineInput& input)
      : ClassEngine(input), ranking_(RankDescending(input.predictions)) {
    for (size_t row = 0; row < input.labels.size(); ++row) {
      double score = input.predictions[row];
      double label = input.labels[row];
      AddRow({.prediction = score >= input.threshold ? 1 : 0,
              .calibration_bin = static_cast<int32_t>(UpperClosedBin(score, kCalibrationBinCount)),
              .loss = ClippedLoss(label == 1 ? score : 1 - score),
              .brier = (score - label) * (score - label),
              .calibration_gap = label - score});
    }
  }

 protected:
  void ComputeInto(std::span<const double> weights, Sink& set) const override {
    RankMetrics rank = ComputeRankMetrics(ranking_, labels_, weights, 1, 2);
    RowSums sums = SumRows(weights);
    PrecisionRecallF1 positive = ComputePrecisionRecallF1(sums.confusion, Average::kBinary);
    set("roc_auc", rank.roc_auc);
    set("average_precision", rank.average_precision);
    set("pr_auc", rank.pr_auc);
    set("accuracy", Accuracy(sums.confusion));
    set("balanced_accuracy", BalancedAccuracy(sums.confusion));
    set("precision", positive.precision);
    set("recall", positive.recall);
    set("f1", positive.f1);
    SetAverages(sums.confusion, set);
    SetRowSums(sums, set);
    set("ks_statistic", rank.ks_statistic);
  }

 private:
  const Ranking ranking_;
};

class MulticlassEngine final : public ClassEngine {
 public:
  explicit MulticlassEngine(const EngineInput& input) : ClassEngine(input) {
    size_t width = static_cast<size_t>(class_count_);
    for (size_t index = 0; index < width; ++index) {
      rankings_.push_back(RankDescending(input.predictions, index, width));
    }
    std::vector<double> predicted = PredictedClasses(input.predictions, class_count_);
    for (size_t row = 0; row < input.labels.size(); ++row) {
      std::span<const double> values = input.predictions.subspan(row * width, width);
      size_t prediction = static_cast<size_t>(predicted[row]);
      size_t label = static_cast<size_t>(labels_[row]);
      double brier = 0;
      for (size_t index = 0; index < width; ++index) {
        double error = (index == label ? 1 : 0) - values[index];
        brier += error * error;
      }
      AddRow({.prediction = static_cast<int32_t>(prediction),
              .calibration_bin =
                  static_cast<int32_t>(UpperClosedBin(values[prediction], kCalibrationBinCount)),
              .loss = ClippedLoss(values[label]),
              .brier = width == 2 ? brier / 2 : brier,
              .calibration_gap = (prediction == label ? 1 : 0) - values[prediction]});
    }
  }

 protected:
  void ComputeInto(std::span<const double> weights, Sink& set) const override {
    std::vector<RankMetrics> classes;
    for (size_t index = 0; index < rankings_.size(); ++index) {
      classes.push_back(ComputeRankMetrics(rankings_[index], labels_, weights,
                                           static_cast<int32_t>(index), rankings_.size()));
    }
    RowSums sums = SumRows(weights);
    set("roc_auc_ovr", AverageOverClasses(classes, &RankMetrics::roc_auc, Average::kMacro));
    set("roc_auc_ovr_weighted",
        AverageOverClasses(classes, &RankMetrics::roc_auc, Average::kWeighted));
    set("roc_auc_ovo", AverageOverPairs(classes, Average::kMacro));
    set("roc_auc_ovo_weighted", AverageOverPairs(classes, Average::kWeighted));
    set("average_precision",
        AverageOverClasses(classes, &RankMetrics::average_precision, Average::kMacro));
    set("accuracy", Accuracy(sums.confusion));
    set("balanced_accuracy", BalancedAccuracy(sums.confusion));
    SetAverages(sums.confusion, set);
    SetRowSums(sums, set);
  }

 private:
  std::vector<Ranking> rankings_;
};

class RegressionEngine final : public MetricEngine {
 public:
  explicit RegressionEngine(const EngineInput& input)
      : MetricEngine(input),
        labels_(input.labels.begin(), input.labels.end()),
        predictions_(input.predictions.begin(), input.predictions.end()),
        by_absolute_error_(RankByAbsoluteError(input.labels, input.predictions)) {}

 protected:
  void ComputeInto(std::span<const double> weights, Sink& set) const override {
    RegressionMetrics all =
        ComputeRegressionMetrics(labels_, predictions_, weights, by_absolute_error_);
    set("rmse", all.rmse);
    set("mae", all.mae);
    set("mse", all.mse);
    set("r2", all.r2);
    set("explained_variance", all.explained_variance);
    set("mape", all.mape);
    set("median_absolute_error", all.median_absolute_error);
    set("max_error", all.max_error);
    set("mean_error", all.mean_error);
  }

 private:
  const std::vector<double> labels_;
  const std::vector<double> predictions_;
  const std::vector<uint32_t> by_absolute_error_;
};

}  // namespace

std::unique_ptr<MetricEngine> MetricEngine::Create(const EngineInput& input) {
  switch (input.task) {
    case Task::kBinary: return std::make_unique<BinaryEngine>(input);
    case Task::kMulticlass: return std::make_unique<MulticlassEngine>(input);
    case Task::kRegression: return std::make_unique<RegressionEngine>(input);
  }
  return nullptr;
}

}  // namespace sluice::evaluate::internal
