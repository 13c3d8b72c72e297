#include "evaluate/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "evaluate/internal/rows.h"

namespace sluice::evaluate {

using internal::WeightAt;

std::string_view TaskName(Task task) {
  switch (task) {
    case Task::kBinary: return "binary";
    case Task::kMulticlass: return "multiclass";
    case Task::kRegression: return "regression";
  }
  return "";
}

std::optional<Task> TaskFromName(std::string_view name) {
  for (Task task : {Task::kBinary, Task::kMulticlass, Task::kRegression}) {
    if (TaskName(task) == name) return task;
  }
  return std::nullopt;
}

namespace {

Status CheckWeights(std::span<const double> weights, size_t row_count) {
  if (weights.empty()) return Ok();
  if (weights.size() != row_count) {
    return InvalidArgument(fmt::format("{} weights for {} rows", weights.size(), row_count));
  }
  for (size_t row = 0; row < row_count; ++row) {
    if (!std::isfinite(weights[row]) || weights[row] < 0) {
      return InvalidArgument(
          fmt::format("the weight of row {} is {}; weights must be finite and not negative", row,
                      weights[row]));
    }
  }
  return Ok();
}

}  // namespace

Status CheckClassification(std::span<const double> labels, std::span<const double> predictions,
                           int64_t class_count, std::span<const double> weights) {
  if (class_count < 2) {
    return InvalidArgument(fmt::format("classification needs two classes, not {}", class_count));
  }
  size_t width = class_count == 2 && predictions.size() == labels.size()
                     ? 1
                     : static_cast<size_t>(class_count);
  if (predictions.size() != labels.size() * width) {
    return InvalidArgument(fmt::format("{} predictions for {} rows of {} classes; expected {}",
                                       predictions.size(), labels.size(), class_count,
                                       labels.size() * (class_count == 2 ? 1 : width)));
  }
  for (size_t row = 0; row < labels.size(); ++row) {
    double label = labels[row];
    if (!(label >= 0 && label < static_cast<double>(class_count)) || label != std::floor(label)) {
      return InvalidArgument(
          fmt::format("the label of row {} is {}; it must be a class index from 0 to {}", row,
                      label, class_count - 1));
    }
  }
  for (size_t i = 0; i < predictions.size(); ++i) {
    double value = predictions[i];
    if (!(value >= 0 && value <= 1)) {
      return InvalidArgument(fmt::format(
          "the prediction of row {} is {}; probabilities lie between 0 and 1", i / width, value));
    }
  }
  return CheckWeights(weights, labels.size());
}

Status CheckRegression(const Predicted& input) {
  if (input.predictions.size() != input.labels.size()) {
    return InvalidArgument(
        fmt::format("{} predictions for {} rows", input.predictions.size(), input.labels.size()));
  }
  for (size_t row = 0; row < input.labels.size(); ++row) {
    if (!std::isfinite(input.labels[row])) {
      return InvalidArgument(
          fmt::format("the label of row {} is {}; it must be finite", row, input.labels[row]));
    }
    if (!std::isfinite(input.predictions[row])) {
      return InvalidArgument(fmt::format("the prediction of row {} is {}; it must be finite", row,
                                         input.predictions[row]));
    }
  }
  return CheckWeights(input.weights, input.labels.size());
}

std::vector<double> PredictedClasses(std::span<const double> probabilities, int64_t class_count) {
  size_t width = static_cast<size_t>(class_count);
  std::vector<double> classes(probabilities.size() / width);
  for (size_t row = 0; row < classes.size(); ++row) {
    std::span<const double> values = probabilities.subspan(row * width, width);
    classes[row] =
        static_cast<double>(std::max_element(values.begin(), values.end()) - values.begin());
  }
  return classes;
}

std::vector<double> PredictedClasses(std::span<const double> scores, double threshold) {
  std::vector<double> classes(scores.size());
  for (size_t row = 0; row < scores.size(); ++row) classes[row] = scores[row] >= threshold ? 1 : 0;
  return classes;
}

namespace {

constexpr MetricInfo Both(std::string_view name, std::string_view title, bool higher_is_better,
                          std::string_view help) {
  return {name, title, higher_is_better, true, true, false, help};
}
constexpr MetricInfo Binary(std::string_view name, std::string_view title, bool higher_is_better,
                            std::string_view help) {
  return {name, title, higher_is_better, true, false, false, help};
}
constexpr MetricInfo Multiclass(std::string_view name, std::string_view title,
                                bool higher_is_better, std::string_view help) {
  return {name, title, higher_is_better, false, true, false, help};
}
constexpr MetricInfo Regression(std::string_view name, std::string_view title,
                                bool higher_is_better, std::string_view help) {
  return {name, title, higher_is_better, false, false, true, help};
}

constexpr std::array kMetrics = {
    Binary("roc_auc", "ROC AUC", true, "chance that a random positive row scores above a negative"),
    Multiclass("roc_auc_ovr", "ROC AUC (one versus rest)", true, "mean over classes"),
    Multiclass("roc_auc_ovr_weighted", "ROC AUC (one versus rest, weighted)", true,
               "mean over classes by their weight"),
    Multiclass("roc_auc_ovo", "ROC AUC (one versus one)", true, "mean over pairs of classes"),
    Multiclass("roc_auc_ovo_weighted", "ROC AUC (one versus one, weighted)", true,
               "mean over pairs of classes by their share of rows"),
    Both("average_precision", "Average precision", true,
         "area under the precision-recall steps; several classes: the mean"),
    Binary("pr_auc", "PR AUC", true, "area under the precision-recall curve, by trapezoids"),
    Both("accuracy", "Accuracy", true, "share of rows predicted right"),
    Both("balanced_accuracy", "Balanced accuracy", true, "mean recall of the classes"),
    Binary("precision", "Precision", true, "share of rows predicted as class 1 that are"),
    Binary("recall", "Recall", true, "share of rows of class 1 predicted as such"),
    Binary("f1", "F1", true, "harmonic mean of precision and recall"),
    Both("precision_macro", "Precision (macro)", true, "mean over classes"),
    Both("recall_macro", "Recall (macro)", true, "mean over classes"),
    Both("f1_macro", "F1 (macro)", true, "mean over classes"),
    Both("precision_micro", "Precision (micro)", true, "from counts summed over classes"),
    Both("recall_micro", "Recall (micro)", true, "from counts summed over classes"),
    Both("f1_micro", "F1 (micro)", true, "from counts summed over classes"),
    Both("precision_weighted", "Precision (weighted)", true, "mean over classes by their weight"),
    Both("recall_weighted", "Recall (weighted)", true, "mean over classes by their weight"),
    Both("f1_weighted", "F1 (weighted)", true, "mean over classes by their weight"),
    Both("log_loss", "Log loss", false, "mean of -ln of the true class's probability"),
    Both("brier_score", "Brier score", false, "mean squared error of the probabilities"),
    Both("expected_calibration_error", "Calibration error", false,
         "mean distance of predicted and observed share, 10 equal bins"),
    Both("matthews_corrcoef", "Matthews correlation", true,
         "correlation of true and predicted class"),
    Both("cohen_kappa", "Cohen's kappa", true, "agreement beyond chance"),
    Binary("ks_statistic", "Kolmogorov-Smirnov", true, "greatest distance of TPR and FPR"),
    Regression("rmse", "RMSE", false, "root of the mean squared error"),
    Regression("mae", "MAE", false, "mean absolute error"),
    Regression("mse", "MSE", false, "mean squared error"),
    Regression("r2", "R²", true, "share of the label's variance explained"),
    Regression("explained_variance", "Explained variance", true, "as R², whatever the offset"),
    Regression("mape", "MAPE", false, "mean absolute error as a share of the label"),
    Regression("median_absolute_error", "Median absolute error", false, ""),
    Regression("max_error", "Max error", false, "largest absolute error"),
    Regression("mean_error", "Mean error", false, "mean of prediction - label"),
};

}  // namespace

std::span<const MetricInfo> Metrics() { return kMetrics; }

const MetricInfo* FindMetric(std::string_view name) {
  for (const MetricInfo& metric : kMetrics) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

bool IsMetricFor(const MetricInfo& metric, Task task) {
  switch (task) {
    case Task::kBinary: return metric.is_for_binary;
    case Task::kMulticlass: return metric.is_for_multiclass;
    case Task::kRegression: return metric.is_for_regression;
  }
  return false;
}

std::string_view MainMetric(Task task) {
  switch (task) {
    case Task::kBinary: return "roc_auc";
    case Task::kMulticlass: return "roc_auc_ovr";
    case Task::kRegression: return "rmse";
  }
  return "";
}

}  // namespace sluice::evaluate
