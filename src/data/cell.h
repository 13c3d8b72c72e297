// One value of a table, and its text: what limits, samples and top values are made of. All
// functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "formats/json.h"
#include "table/canonical.h"

namespace sluice::data {

using table::ColumnType;
using table::ColumnTypeName;
using table::FindColumnType;

/// Errors: kInvalidArgument for an Arrow type that `table` never hands out; `column` is named.
Result<ColumnType> ColumnTypeOf(const arrow::DataType& type, std::string_view column);
/// Bool is none: it has no order that a person would state a range in.
inline bool IsOrdered(ColumnType type) { return type != ColumnType::kBool; }
inline bool IsNumeric(ColumnType type) {
  return type == ColumnType::kInt64 || type == ColumnType::kDouble;
}
inline bool IsTemporal(ColumnType type) {
  return type == ColumnType::kDate || type == ColumnType::kTimestamp;
}

/// A value of a column: monostate is null; dates are int64 days and timestamps int64 microseconds
/// since 1970 UTC.
using Cell = std::variant<std::monostate, bool, int64_t, double, std::string>;

/// The value in row `row` of `array`, which has `type`.
Cell CellAt(const arrow::Array& array, ColumnType type, int64_t row);
/// What a person reads: "null", "true", "12", "0.5", text as it is, "2024-02-29",
/// "2024-02-29T08:30:00.25Z".
std::string FormatCell(const Cell& cell, ColumnType type);
/// As FormatCell, but numbers and booleans stay themselves.
formats::Json CellToJson(const Cell& cell, ColumnType type);
/// Reads what FormatCell writes; a timestamp in any form that table::ParseIsoTimestamp takes, or a
/// date alone. Errors: kInvalidArgument naming the text and the type.
Result<Cell> ParseCell(std::string_view text, ColumnType type);
/// -1, 0 or 1. Both hold the same alternative or are an int64 and a double (compared exactly); no
/// nulls, no NaN (CHECK).
int CompareCells(const Cell& a, const Cell& b);

}  // namespace sluice::data
