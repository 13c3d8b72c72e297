// What a model takes: named, typed columns, as MLflow's signatures say it, and how a table is made
// to fit.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "features/graph.h"
#include "formats/json.h"

namespace sluice::model {

using table::ColumnType;

/// numpy's, as MLflow's messages have them: "bool", "int64", "float64", "object", "datetime64[ns]".
std::string_view NumpyTypeName(ColumnType type);

struct InputColumn {
  std::string name;
  ColumnType type = ColumnType::kDouble;
  /// A required column must be there, and if it is long or boolean no value may be missing (numpy
  /// has no missing integer, so MLflow's clients know it so). An optional one may be absent: all
  /// its values are then missing.
  bool is_required = true;

  friend bool operator==(const InputColumn&, const InputColumn&) = default;
};

/// MLflow's word for the column: "boolean", "long", "double", "string", "datetime" (for dates too:
/// MLflow has no date). An optional long is "double", as MLflow infers it itself: pandas keeps
/// integers among which some are missing as floats, and clients send them so.
/// table::ColumnTypeName is our word, which tells all types apart.
std::string_view MlflowTypeName(const InputColumn& input);

/// Columns in the order the feature graph wants them. A plain value; names are unique and not
/// empty.
struct Signature {
  std::vector<InputColumn> inputs;

  /// The raw columns that a fitted graph reads; those with missing values in training are optional.
  static Signature FromGraph(const features::FeatureGraph& graph);

  /// MLflow's JSON: [{"type": "double", "name": "age", "required": true}, ...].
  formats::Json ToMlflowJson() const;
  /// For messages: ['age': long (required), 'city': string (optional)].
  std::string ToString() const;
  std::shared_ptr<arrow::Schema> ToArrowSchema() const;
  /// Position in `inputs`.
  std::optional<size_t> FindInput(std::string_view name) const;
};

struct Enforced {
  std::shared_ptr<arrow::Table>
      table;  ///< exactly the signature's columns, in order and of its types
  std::vector<std::string> extra_columns;  ///< columns that were left out, in the table's order
};

/// MLflow's schema enforcement for tables that already have types. Long becomes double, an integral
/// double long, a date a datetime and a datetime at midnight a date; a column of nulls only becomes
/// anything. Pure.
///
/// Errors: kInvalidArgument, in MLflow's words:
///     Model is missing inputs ['age']. Note that there were extra inputs: ['agee'].
///     Incompatible input types for column age. Can not safely convert object to float64.
Result<Enforced> EnforceSignature(const Signature& signature,
                                  const std::shared_ptr<arrow::Table>& table);

/// The first of the two messages above, shared with the serving path. `missing` is not empty.
std::string MissingInputsMessage(const std::vector<std::string>& missing,
                                 const std::vector<std::string>& extra);

}  // namespace sluice::model
