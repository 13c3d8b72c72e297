// The six column types that everything behind `table` knows, and how other Arrow types become one
// of them. All functions here are pure and thread-safe.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::table {

/// Written to schema files by name, never by number.
enum class ColumnType : uint8_t {
  kBool,       ///< arrow bool
  kInt64,      ///< arrow int64
  kDouble,     ///< arrow float64
  kString,     ///< arrow utf8 (32-bit offsets)
  kDate,       ///< arrow date32: days since 1970-01-01
  kTimestamp,  ///< arrow timestamp[us] without a zone: microseconds since the epoch, UTC
};

/// "bool", "int64", "double", "string", "date", "timestamp".
std::string_view ColumnTypeName(ColumnType type);

/// The type of a name or of a usual synonym, MLflow's and pandas' among them ("int", "integer",
/// "long", "float", "float64", "text", "str", "object", "datetime", "datetime64", "boolean",
/// "date32"), case ignored.
std::optional<ColumnType> FindColumnType(std::string_view name);

/// The Arrow type of a canonical type.
const std::shared_ptr<arrow::DataType>& ArrowType(ColumnType type);

/// The canonical type of an Arrow type that is canonical already; nothing for all others.
std::optional<ColumnType> CanonicalType(const arrow::DataType& type);

/// What Canonicalise makes of a column of this type; nothing for types that it refuses (nested,
/// binary, intervals).
std::optional<ColumnType> CanonicalTypeOf(const arrow::DataType& type);

/// The same rows in canonical types: smaller integers → int64; float, half float and decimal →
/// double; large and view strings and dictionaries → string (a dictionary's value type decides);
/// date64 → date; timestamps of any unit → us (zoned ones are UTC already; nanoseconds are cut to
/// microseconds, toward the past); null type → string, all null. A table that is canonical already
/// is returned as it is, without a copy. Errors: kInvalidArgument naming the column and its type:
/// nested or binary types, a uint64 above the int64 range, a timestamp or date outside the range,
/// text that is not UTF-8.
Result<std::shared_ptr<arrow::Table>> Canonicalise(const std::shared_ptr<arrow::Table>& table);
Result<std::shared_ptr<arrow::RecordBatch>> Canonicalise(
    const std::shared_ptr<arrow::RecordBatch>& batch);

/// A column in another canonical type: the same type (no copy), int64 → double, date → timestamp,
/// anything → string (integers as digits, doubles as the shortest text that reads back, booleans
/// "true" and "false", dates and timestamps in ISO 8601 with a blank). Errors: kInvalidArgument for
/// all other pairs.
Result<std::shared_ptr<arrow::ChunkedArray>> WidenColumn(
    const std::shared_ptr<arrow::ChunkedArray>& column, ColumnType to);

/// The type that holds the values of both: the same; int64 with double → double; date with
/// timestamp → timestamp; any other mixture → string.
ColumnType WiderType(ColumnType a, ColumnType b);

}  // namespace sluice::table
