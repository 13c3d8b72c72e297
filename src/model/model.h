// A trained model that answers: fitted feature graph and learner behind one Predict, used alike by
// evaluation, `sluice predict` and `sluice serve`, so that all of them give the same bits.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "features/graph.h"
#include "formats/json.h"
#include "learn/learner.h"
#include "model/signature.h"

namespace sluice::model {

using learn::Task;

/// The content of model.json:
///
///     {"version": 1, "kind": "model", "task": "binary", "label": "income", "classes": ["<=50K",
///     ">50K"],
///      "threshold": 0.5, "learner": "gbdt", "params": {...}, "seed": 7,
///      "inputs": [{"name": "age", "type": "int64", "required": true}, ...]}
struct Description {
  Task task = Task::kBinary;
  std::string label;                   ///< the label column's name
  std::vector<formats::Json> classes;  ///< of the label's type, by class index; none for regression
  double threshold = 0.5;              ///< binary: the second class from this probability on
  std::string learner;                 ///< "gbdt", "linear"
  formats::Json params = formats::Json::MakeObject();
  int64_t seed = 0;
  Signature signature;

  bool is_classifier() const { return task != Task::kRegression; }
  formats::Json ToJson() const;
  /// Errors: kInvalidArgument naming the field.
  static Result<Description> FromJson(const formats::Json& json);
  /// What graph and learner say themselves; threshold and seed keep their defaults. Errors:
  /// kFailedPrecondition without a label in the graph or when the two do not fit (task, number of
  /// classes, features).
  static Result<Description> Of(const features::FeatureGraph& graph, const learn::Model& learner);
};

/// What a model says about some rows. For classifiers `probabilities` (rows × classes, row-major)
/// and `class_index` (per row, into Description::classes) are filled, for regression `values`.
struct Predictions {
  int64_t row_count = 0;
  std::vector<double> probabilities;
  std::vector<int32_t> class_index;
  std::vector<double> values;
};

/// Immutable after loading: Predict is thread-safe.
class Model {
 public:
  /// A folder written by WriteModel or PackageModel (model/folder.h). It is untrusted: every file
  /// is checked before it is used, and links are not followed out of it.
  ///
  /// Errors: kNotFound for a missing folder or file, kInvalidArgument and kDataLoss for one that is
  /// not what it should be; all name the file and, where there is one, the field.
  static Result<std::shared_ptr<const Model>> Load(const std::string& dir);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const Description& description() const { return description_; }
  const Signature& signature() const { return description_.signature; }
  const features::FeatureGraph& features() const { return features_; }
  const learn::Model& learner() const { return *learner_; }

  /// `batch` has exactly the signature's columns in order (EnforceSignature and the serving path
  /// make it so; CHECK). Each row's answer depends on that row alone: the same bits for one row, a
  /// batch and a table, on any thread.
  ///
  /// Binary classifiers choose the second class when its probability is at least the threshold;
  /// multiclass ones the class of the highest probability, the first among equals.
  ///
  /// Errors: kInvalidArgument from a transform that refuses a value (an unknown category under
  /// `unknown: error`).
  Result<Predictions> Predict(const std::shared_ptr<arrow::RecordBatch>& batch) const;
  Result<Predictions> Predict(const std::shared_ptr<arrow::Table>& table,
                              int thread_count = 1) const;

  /// EnforceSignature, then Predict; the extra columns are dropped silently.
  Result<Predictions> PredictTable(const std::shared_ptr<arrow::Table>& table,
                                   int thread_count = 1) const;

  /// Thread-safe values that fit together, as Load makes them; see WriteModel for the other way.
  /// Errors: those of Description::Of, and kDataLoss when `description` says something else.
  static Result<std::shared_ptr<const Model>> Assemble(Description description,
                                                       features::FeatureGraph features,
                                                       std::unique_ptr<learn::Model> learner);

 private:
  Model(Description description, features::FeatureGraph features,
        std::unique_ptr<learn::Model> learner, features::Binding binding);
  const Description description_;
  const features::FeatureGraph features_;
  const std::unique_ptr<learn::Model> learner_;
  const features::Binding binding_;  // of the signature's own schema
};

/// Predictions as a table: classifiers "prediction" (the class, string, int64 or bool) and one
/// double column "probability_<class>" per class; regression "prediction" (double).
Result<std::shared_ptr<arrow::Table>> PredictionsTable(const Description& description,
                                                       const Predictions& predictions);

}  // namespace sluice::model
