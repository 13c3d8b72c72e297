// Metrics, named and computed as scikit-learn 1.9 does; tests/compat/test_metrics_sklearn.py holds
// both to 1e-9. All functions here are pure.
//
// Inputs are assumed to be sound: check them once with CheckClassification or CheckRegression,
// which report NaN predictions, foreign labels and bad weights as errors. A span of another length
// is a bug (CHECK). Weights may be empty: every row then counts 1. A row of weight 0 is as if
// absent, except where scikit-learn looks at unweighted labels (whether a class is present).
//
// What is undefined is NaN, never an error: every metric of no rows or of total weight 0, and what
// is said at each function.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::evaluate {

/// What a model predicts. Written to report.json by name.
enum class Task : uint8_t { kBinary, kMulticlass, kRegression };
/// "binary", "multiclass", "regression".
std::string_view TaskName(Task task);
std::optional<Task> TaskFromName(std::string_view name);

/// Labels of 0 and 1 with one score a row; a higher score speaks for 1.
struct Scored {
  std::span<const double> labels;
  std::span<const double> scores;
  std::span<const double> weights;
};

/// Labels 0 ... class_count - 1 with a row-major rows × class_count matrix of probabilities.
struct ClassProbabilities {
  std::span<const double> labels;
  std::span<const double> probabilities;
  int64_t class_count = 2;
  std::span<const double> weights;
};

/// True and predicted values: numbers for regression, class indices for ConfusionMatrix.
struct Predicted {
  std::span<const double> labels;
  std::span<const double> predictions;
  std::span<const double> weights;
};

/// Errors: kInvalidArgument naming the first bad row (from 0) and its value: lengths that differ, a
/// label that is not an index below class_count, a prediction that is NaN or outside [0, 1], a
/// weight that is not finite or below 0. `predictions` holds one value a row for two classes (the
/// probability of class 1) or, as for more classes, class_count.
Status CheckClassification(std::span<const double> labels, std::span<const double> predictions,
                           int64_t class_count, std::span<const double> weights);
/// The same for regression: labels and predictions must be finite.
Status CheckRegression(const Predicted& input);

/// Row weights summed by true class (row) and predicted class (column).
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(int64_t class_count);
  /// Class indices in labels and predictions below class_count (CHECK).
  ConfusionMatrix(const Predicted& input, int64_t class_count);

  void Add(int64_t label, int64_t prediction, double weight);

  int64_t class_count() const { return class_count_; }
  double At(int64_t label, int64_t prediction) const;
  double LabelSum(int64_t label) const;            ///< weight of rows of the class
  double PredictionSum(int64_t prediction) const;  ///< weight of rows predicted as the class
  double Total() const;
  /// Whether a row was added with the class as label or prediction, of whatever weight.
  bool Occurs(int64_t index) const;

  friend bool operator==(const ConfusionMatrix& a, const ConfusionMatrix& b) {
    return a.cells_ == b.cells_;
  }

 private:
  int64_t class_count_;
  std::vector<double> cells_;
  std::vector<uint8_t> occurs_;
};

/// How precision, recall and F1 of the classes become one number. kBinary: of class 1 alone.
/// kMacro: plain mean over the classes that occur in labels or predictions. kMicro: from summed
/// counts. kWeighted: mean by weight of the true class.
enum class Average : uint8_t { kBinary, kMacro, kMicro, kWeighted };

struct PrecisionRecallF1 {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};

/// precision_recall_fscore_support. A quotient with denominator 0 is `zero_division` (0, 1 or NaN;
/// NaN quotients are left out of averages).
PrecisionRecallF1 ComputePrecisionRecallF1(const ConfusionMatrix& matrix, Average average,
                                           double zero_division = 0);
double Accuracy(const ConfusionMatrix& matrix);
/// Mean recall of the classes that occur in the labels.
double BalancedAccuracy(const ConfusionMatrix& matrix);
/// 0 if only one class was predicted or only one occurs.
double MatthewsCorrcoef(const ConfusionMatrix& matrix);
/// Cohen's kappa, no weights between classes. NaN if chance alone agrees always.
double CohenKappa(const ConfusionMatrix& matrix);

/// Area under the ROC curve; ties count one half. NaN if only one class occurs. O(n log n).
double RocAuc(const Scored& input);
/// Sum over thresholds of (R_n - R_{n-1}) P_n. 0 if no row is positive. O(n log n).
double AveragePrecision(const Scored& input);
/// auc(recall, precision) of precision_recall_curve: the trapezoids under the curve, which is
/// higher than average precision.
double PrAuc(const Scored& input);
/// Greatest distance between the two classes' cumulative score distributions: max(TPR - FPR).
double KsStatistic(const Scored& input);
/// Mean of (score - label)².
double BrierScore(const Scored& input);
/// Mean of the sum over classes of (p - [label = class])²; half of it for two classes.
double BrierScore(const ClassProbabilities& input);
/// -mean ln p(label), p clipped to [2^-52, 1 - 2^-52]. Rows are not normalised.
double LogLoss(const Scored& input);
double LogLoss(const ClassProbabilities& input);

/// One-versus-rest: mean of each class's AUC against all others. kMacro, kWeighted (by weight of
/// the class) or kMicro. Macro is NaN if a class does not occur in the labels.
double RocAucOvr(const ClassProbabilities& input, Average average = Average::kMacro);
/// One-versus-one (Hand and Till, 2001): mean over the pairs of classes that occur; kMacro or
/// kWeighted (by share of rows of the pair). scikit-learn takes no weights here; with weights, each
/// pair's AUC and share are the weighted ones. NaN below two classes.
double RocAucOvo(const ClassProbabilities& input, Average average = Average::kMacro);
/// Mean of each class's average precision: kMacro, kWeighted or kMicro. A class that does not occur
/// counts 0 in the macro mean.
double AveragePrecision(const ClassProbabilities& input, Average average = Average::kMacro);

/// Our own definition, after Guo et al., "On Calibration of Modern Neural Networks", 2017:
///
///     ECE = sum over bins b of (W_b / W) |mean label in b - mean score in b|
///
/// over `bin_count` bins of equal width; bin i is (i/m, (i+1)/m], the first takes 0 too.
double ExpectedCalibrationError(const Scored& input, int64_t bin_count = 10);
/// The same for several classes, of the highest probability (confidence) against being right.
double ExpectedCalibrationError(const ClassProbabilities& input, int64_t bin_count = 10);

double MeanAbsoluteError(const Predicted& input);
double MeanSquaredError(const Predicted& input);
double RootMeanSquaredError(const Predicted& input);
/// 1 - SSE / SST. A constant label gives 1 if every prediction hits it, else 0. NaN below two rows.
double R2Score(const Predicted& input);
/// As R², but a constant offset of the predictions costs nothing.
double ExplainedVariance(const Predicted& input);
/// Mean of |error| / max(|label|, 2^-52): 0.1 is ten percent; rows with label 0 make it huge.
double MeanAbsolutePercentageError(const Predicted& input);
/// With weights: the averaged inverted distribution function.
double MedianAbsoluteError(const Predicted& input);
/// Takes no weights, but skips rows of weight 0.
double MaxError(const Predicted& input);
/// Mean of prediction - label: positive where the model predicts too much.
double MeanError(const Predicted& input);

/// The class with the highest probability in each row, the first among equals.
std::vector<double> PredictedClasses(std::span<const double> probabilities, int64_t class_count);
/// 1 where the score is at least `threshold`, else 0.
std::vector<double> PredictedClasses(std::span<const double> scores, double threshold);

/// One metric that a report holds and a gate can name.
struct MetricInfo {
  std::string_view name;
  std::string_view title;  ///< for people
  bool higher_is_better = true;
  bool is_for_binary = false;
  bool is_for_multiclass = false;
  bool is_for_regression = false;
  std::string_view help;
};
/// All of them, in the order in which reports list them. Lives as long as the program.
std::span<const MetricInfo> Metrics();
const MetricInfo* FindMetric(std::string_view name);
bool IsMetricFor(const MetricInfo& metric, Task task);
/// roc_auc, roc_auc_ovr, rmse: what slices, importances and headlines use unless told otherwise.
std::string_view MainMetric(Task task);

}  // namespace sluice::evaluate
