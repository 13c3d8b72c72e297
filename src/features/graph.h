// The fitted transform graph: the one place where raw columns become the numbers a learner sees, in
// training and in serving alike.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "features/label.h"
#include "features/spec.h"
#include "formats/json.h"
#include "table/canonical.h"

namespace arrow {
class RecordBatch;
class Schema;
class Table;
}  // namespace arrow

namespace sluice::features {

/// A raw column the graph reads, as the model's signature names it.
struct InputColumn {
  std::string name;
  ColumnType type = ColumnType::kDouble;
  bool is_nullable =
      false;  ///< values were missing in training; missing values are accepted either way
  friend bool operator==(const InputColumn&, const InputColumn&) = default;
};

/// Dense features, row-major: the value of row r and column c is values[r * column_count + c]. NaN
/// is missing.
struct Matrix {
  std::vector<double> values;
  int64_t row_count = 0;
  int64_t column_count = 0;
};

/// What a learner is given: rows without a label are left out if the spec said so.
struct LabelledData {
  Matrix features;
  std::vector<double> labels;   ///< class index or value; one per row of `features`
  std::vector<double> weights;  ///< empty when the spec names no weight column
  std::vector<int64_t> rows;    ///< index in the table of each row of `features`
};

/// Where the graph's inputs sit in one schema; see FeatureGraph::Bind.
struct Binding {
  std::vector<int> column_indices;  ///< one per input
};

/// A value that cannot change after Fit or FromJson: thread-safe, cheap to move, copied by
/// FromJson(ToJson()).
///
/// Missing values (null, and NaN in number columns) travel through every operation as missing
/// except where an operation says what it makes of them (impute, one_hot, hash).
class FeatureGraph {
 public:
  /// Learns everything (medians, categories, edges) from `table`, which must be the training part
  /// only: columns of the six canonical types. Equal tables and specs give equal graphs for any
  /// `thread_count` and chunking. Errors: kInvalidArgument naming the column and operation.
  static Result<FeatureGraph> Fit(const arrow::Table& table, const FeatureSpec& spec,
                                  int thread_count = 1);

  /// The artefact features.json:
  ///   {"version":1,"kind":"features","inputs":[{"name","type","nullable"}...],
  ///    "chains":[{"input":name,"ops":[{"op":"impute",...fitted values}...]}...],
  ///    "features":[names...],"label":{...}|null,"weight":name|null,"warnings":[...]}
  /// Doubles are written so that they read back to the same bits; equal graphs print equal bytes.
  formats::Json ToJson() const;
  /// Takes untrusted input. Errors: kInvalidArgument or kDataLoss naming what is wrong.
  static Result<FeatureGraph> FromJson(const formats::Json& json);
  /// ParseJson and FromJson.
  static Result<FeatureGraph> FromText(std::string_view text);

  FeatureGraph(FeatureGraph&&) noexcept;
  FeatureGraph& operator=(FeatureGraph&&) noexcept;
  ~FeatureGraph();

  const std::vector<InputColumn>& inputs() const;
  /// Names of the matrix's columns: the input's name, with a suffix where one input gives several
  /// ("purpose_car"). Unique.
  const std::vector<std::string>& feature_names() const;
  /// The input each feature comes from: index into inputs(), one per feature.
  const std::vector<int>& feature_inputs() const;
  /// Null when the spec names no label.
  const LabelEncoder* label() const;
  /// Empty when the spec names no weight column.
  const std::string& weight_column() const;
  /// What a person should know about the fit: columns without values, features that are constant.
  /// In a fixed order.
  const std::vector<std::string>& warnings() const;

  /// Transforms all rows; extra columns are ignored, the label need not be there. The result does
  /// not depend on `thread_count` or on chunking. Errors: kInvalidArgument, in the words MLflow
  /// users know, naming the column: inputs missing
  /// ("Model is missing inputs ['income']."), types that cannot be converted safely (an integer
  /// column is fine where numbers were trained, whole numbers are where integers were; text never),
  /// and categories never seen where the operation says `unknown: error`.
  Result<Matrix> Apply(const arrow::Table& table, int thread_count = 1) const;
  Result<Matrix> Apply(const arrow::RecordBatch& batch) const;

  /// Apply for a caller that has one schema and many small batches: finds and checks the columns
  /// once.
  Result<Binding> Bind(const arrow::Schema& schema) const;
  /// `out` holds num_rows * feature_names().size() doubles (CHECK); `batch` has the schema that was
  /// bound.
  Status ApplyInto(const Binding& binding, const arrow::RecordBatch& batch,
                   std::span<double> out) const;

  /// Apply, labels and weights together. Errors: as Apply and LabelEncoder::Encode;
  /// kFailedPrecondition without a label in the graph; kInvalidArgument for labels missing (unless
  /// dropped) and for weights that are missing, negative or not finite.
  Result<LabelledData> ApplyLabelled(const arrow::Table& table, int thread_count = 1) const;

  struct State;  ///< internal/graph_state.h

 private:
  explicit FeatureGraph(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::features
