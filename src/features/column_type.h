// The six canonical column types (module `table` converts every other Arrow type into these). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace arrow {
class DataType;
}

namespace sluice::features {

/// Persisted by name.
enum class ColumnType : uint8_t { kBool, kInteger, kDouble, kText, kDate, kTimestamp };

/// MLflow's signature words: "boolean", "long", "double", "string"; dates and timestamps are "date"
/// and "datetime" here, both of which MLflow calls "datetime".
std::string_view ColumnTypeName(ColumnType type);
std::optional<ColumnType> ColumnTypeFromName(std::string_view name);
/// Nothing for types that are not canonical.
std::optional<ColumnType> ColumnTypeOf(const arrow::DataType& type);

}  // namespace sluice::features
