// Learners behind one interface: numbers in, a trained model out. Knows nothing of tables, features
// or files of raw data. Everything here gives the same bits for the same input and seed, whatever
// the number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/json.h"
#include "io/fs.h"

namespace sluice::learn {

enum class Task : uint8_t { kBinary, kMulticlass, kRegression };
/// "binary", "multiclass", "regression".
std::string_view TaskName(Task task);
std::optional<Task> TaskFromName(std::string_view name);

/// Row-major doubles owned by somebody else; NaN is missing.
struct MatrixView {
  const double* values = nullptr;
  int64_t row_count = 0;
  int64_t column_count = 0;

  std::span<const double> Row(int64_t row) const {
    return {values + row * column_count, static_cast<size_t>(column_count)};
  }
};

/// Rows with their labels: class index from 0 for classification, the value for regression.
struct LabelledView {
  MatrixView features;
  std::span<const double> labels;   ///< one per row
  std::span<const double> weights;  ///< one per row, finite and not negative; empty: all 1
};

/// One metric at one iteration. Names: log_loss, error (share of wrong classes), auc (binary),
/// rmse, mae.
struct MetricValue {
  std::string name;
  double train = 0;
  std::optional<double> validation;
};

struct CurvePoint {
  int64_t iteration = 0;  ///< from 1
  std::vector<MetricValue> metrics;
};

/// Training stops when the validation metric has not become better by more than `min_delta` for
/// `patience` iterations; the model keeps the best iteration. Without validation rows it is an
/// error to ask for it.
struct EarlyStopping {
  std::string metric;  ///< empty: log_loss or rmse
  int64_t patience = 50;
  double min_delta = 0;
};

struct TrainRequest {
  Task task = Task::kRegression;
  int64_t class_count = 0;  ///< 2 for binary; 0 for regression
  std::vector<std::string>
      class_names;  ///< optional; by class index, for class_weight maps and messages
  std::vector<std::string> feature_names;  ///< one per column
  LabelledView train;
  std::optional<LabelledView> validation;
  formats::Json params;  ///< object or null; checked against the learner's table
  uint64_t seed = 0;
  int thread_count = 1;
  std::optional<EarlyStopping> early_stopping;
  /// Called after each iteration, from the training thread; false stops training and keeps what was
  /// learnt.
  std::function<bool(const CurvePoint&)> on_iteration;
};

/// How much one feature was used; importances are listed by feature index, unused ones too.
struct Importance {
  std::string feature;
  double gain = 0;  ///< gbdt: total loss reduction of its splits; linear: |coefficient| × standard
                    ///< deviation in training
  double weight =
      0;  ///< gbdt: number of splits; linear: the coefficient (largest in size over the classes)
};

/// A trained model. Immutable: all methods are thread-safe.
class Model {
 public:
  virtual ~Model() = default;

  virtual std::string_view learner() const = 0;
  virtual Task task() const = 0;
  virtual int64_t class_count() const = 0;
  virtual const std::vector<std::string>& feature_names() const = 0;
  /// Values a row of Predict has: classes for multiclass, else 1.
  int64_t output_count() const { return task() == Task::kMulticlass ? class_count() : 1; }

  /// Probability of class 1 (binary), row-major rows × classes (multiclass), or the value
  /// (regression). Errors: kInvalidArgument for another number of columns, and from learners that
  /// cannot take missing values, naming the feature and the row. One row costs microseconds;
  /// `thread_count` never changes a bit of the result.
  Result<std::vector<double>> Predict(const MatrixView& features, int thread_count = 1) const;
  /// As Predict, into rows × output_count() doubles (CHECK).
  virtual Status PredictInto(const MatrixView& features, std::span<double> out,
                             int thread_count) const = 0;

  virtual std::vector<Importance> Importances() const = 0;
  /// Every parameter with the value used, defaults included; an object.
  virtual const formats::Json& params() const = 0;
  /// Iterations of training; empty for a loaded model (the curve is an artefact of its own).
  virtual const std::vector<CurvePoint>& curve() const = 0;
  /// The iteration the model stands at: the best one with early stopping, else the last.
  virtual int64_t best_iteration() const = 0;

  /// Writes learner.json and, for gbdt, model.ubj (XGBoost's own format, which its Python package
  /// loads), into an existing folder. Equal models write equal bytes: no times, paths or thread
  /// counts.
  virtual Status Save(io::Fs& fs, const std::string& folder) const = 0;
};

/// Reads what Save wrote. The files are untrusted. Errors: kNotFound, kDataLoss, kInvalidArgument
/// naming the file.
Result<std::unique_ptr<Model>> LoadModel(io::Fs& fs, const std::string& folder);

/// The artefact curve.json: {"version":1,"kind":"curve","best_iteration":n,
///   "points":[{"iteration":1,"train":{"log_loss":x,...},"validation":{"log_loss":y,...}}...]};
///   "validation" only if there was one.
formats::Json CurveToJson(const std::vector<CurvePoint>& curve, int64_t best_iteration);

}  // namespace sluice::learn
