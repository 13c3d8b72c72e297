// Training metrics from raw scores ("margins"): what the training curve and early stopping look at.
// Pure. All sums run over fixed blocks of rows, so that results do not depend on the number of
// threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "learn/learner.h"

namespace sluice::learn::internal {

/// Scores, before sigmoid or softmax, row-major rows × classes (1 for binary and regression), with
/// labels and weights (empty: all 1).
struct Scored {
  Task task = Task::kRegression;
  int64_t class_count = 0;
  std::span<const float> margins;
  std::span<const double> labels;
  std::span<const double> weights;
  int thread_count = 1;
};

using NamedMetrics = std::vector<std::pair<std::string, double>>;

/// Binary: log_loss, error, auc. Multiclass: log_loss, error. Regression: rmse, mae. Weighted
/// means. auc is 0.5 where one class has no weight; the others are 0 for no rows.
NamedMetrics ComputeMetrics(const Scored& scored);

/// Names ComputeMetrics gives for a task, the default for early stopping first.
const std::vector<std::string>& MetricNames(Task task);
bool IsGreaterBetter(std::string_view metric);

/// Area under the ROC curve; ties count half.
double WeightedAuc(std::span<const float> scores, std::span<const double> labels,
                   std::span<const double> weights);

/// Follows one metric and says when to stop.
class EarlyStopper {
 public:
  /// Errors: kInvalidArgument for a metric that the task does not have, or a patience below 1.
  static Result<EarlyStopper> Make(const EarlyStopping& options, Task task);
  const std::string& metric() const { return metric_; }
  /// Takes the validation value of the next iteration; true if training should stop.
  bool Add(double value);
  int64_t best_iteration() const { return best_iteration_; }  ///< from 1; 0 before the first Add

 private:
  std::string metric_;
  int64_t patience_ = 0;
  double min_delta_ = 0;
  double best_ = 0;
  int64_t iteration_ = 0;
  int64_t best_iteration_ = 0;
};

/// A point of the curve from the metrics of both parts (validation may be empty).
CurvePoint MakeCurvePoint(int64_t iteration, const NamedMetrics& train,
                          const NamedMetrics& validation);

}  // namespace sluice::learn::internal
