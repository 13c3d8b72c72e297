// A schema: the contract of a table, as a person keeps it in a YAML file beside the data.
//
//   version: 1
//   rows: {min: 1}
//   extra_columns: warning            # allow (default), warning or error
//   primary_key: [id]
//   unique: [[branch, number]]
//   rules:
//     - opened_on <= closed_on
//     - {rule: "amount < limit", severity: warning}
//   columns:
//     id: {type: int64, nullable: false}
//     income: {type: double, min: 0, max: {value: 1000000, severity: warning}, max_null_share: 5%}
//     purpose: {type: string, allowed: [car, house], severity: warning}
//     zip: {type: string, pattern: "[0-9]{5}", min_length: 5}
//
// A limit is a value, or {value: ..., severity: ...}. A column's `severity` is the default of all
// its checks. Only what is written is checked, except that a column must be there (required: true)
// and have its type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/cell.h"

namespace arrow {
class Table;
}

namespace sluice::data {

/// Whether a broken check stops a pipeline. Persisted as "warning" and "error".
enum class Severity : uint8_t { kWarning, kError };
std::string_view SeverityName(Severity severity);

/// A limit and how bad it is to break it.
template <typename T>
struct Limit {
  T value{};
  Severity severity = Severity::kError;
  friend bool operator==(const Limit&, const Limit&) = default;
};

/// What one column must be. Nulls are looked at by `nullable` and `max_null_share` only; all other
/// checks skip them.
struct ColumnSchema {
  std::string name;
  ColumnType type = ColumnType::kString;
  std::string description;
  Severity severity =
      Severity::kError;  ///< of the checks below that carry none: required, type, nullable
  bool is_required = true;
  bool is_nullable = true;
  std::optional<Limit<double>> max_null_share;  ///< in [0, 1]; written as 0.05 or 5%
  std::optional<Limit<Cell>> min;               ///< inclusive; not for bool; text in byte order
  std::optional<Limit<Cell>> max;
  std::optional<Limit<std::vector<Cell>>> allowed;  ///< not empty, no two alike
  /// An RE2 expression that the whole text must match. RE2 runs in time linear in the text,
  /// whatever the expression; std::regex recurses once per character and a long cell overflows its
  /// stack.
  std::optional<Limit<std::string>> pattern;
  std::optional<Limit<int64_t>> min_length;  ///< of text, in Unicode characters
  std::optional<Limit<int64_t>> max_length;
  std::optional<Limit<bool>> unique;  ///< no value twice
  std::optional<Limit<bool>> finite;  ///< double: neither NaN nor infinite

  friend bool operator==(const ColumnSchema&, const ColumnSchema&) = default;
};

/// `left <op> right`, true of every row in which neither side is null. Both sides are columns, or
/// the right one a value.
struct RuleSchema {
  enum class Comparison : uint8_t { kLess, kLessEqual, kEqual, kNotEqual, kGreaterEqual, kGreater };
  std::string left;
  Comparison comparison = Comparison::kLessEqual;
  std::string right;  ///< a column's name; empty if `value` is set
  std::optional<std::string>
      value;  ///< a number, quoted text or date as written, read by the type of `left`
  Severity severity = Severity::kError;
  /// "start <= end"
  std::string ToString() const;
  friend bool operator==(const RuleSchema&, const RuleSchema&) = default;
};

struct Schema {
  std::string description;
  std::vector<ColumnSchema> columns;  ///< in the order of the file; names are distinct
  std::optional<Limit<int64_t>> min_row_count;
  std::optional<Limit<int64_t>> max_row_count;
  std::optional<Severity> extra_columns;  ///< nothing: other columns are allowed
  std::optional<Limit<std::vector<std::string>>> primary_key;  ///< together unique and never null
  std::vector<Limit<std::vector<std::string>>>
      unique_keys;  ///< rows with a null in the key are skipped
  std::vector<RuleSchema> rules;

  const ColumnSchema* Find(std::string_view name) const;
  friend bool operator==(const Schema&, const Schema&) = default;
};

/// Errors: kInvalidArgument with file:line:column and the line: bad YAML; an unknown key or type
/// (with the nearest known one); a limit of the wrong type, out of order (min over max) or for a
/// column type that cannot have it; an expression RE2 refuses; a key or rule that names an unknown
/// column. `file` is named in errors.
Result<Schema> ParseSchema(std::string_view yaml, std::string_view file = "schema");

/// YAML for a person to edit; ParseSchema gives an equal schema back.
std::string PrintSchema(const Schema& schema);

/// How much room InferSchema leaves around what it saw.
struct InferOptions {
  int64_t max_allowed_values =
      20;  ///< a text column with at most so many values gets an allowed set ...
  int64_t min_rows_per_value = 10;  ///< ... if each stands on average in at least so many rows
  double range_margin = 0.1;        ///< of the range, on both sides, rounded outward to two digits
};

/// Proposes a schema from a table of canonical types: type, nullability (null share with room),
/// ranges (never across zero to the other sign), small sets as allowed values, uniqueness. What
/// data cannot tell for sure is only a warning. Pure. Errors: kInvalidArgument for a column type
/// `table` never hands out, or two columns of one name.
Result<Schema> InferSchema(const arrow::Table& table, const InferOptions& options = {});

}  // namespace sluice::data
