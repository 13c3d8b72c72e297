#include "features/column_type.h"

#include <arrow/type.h>

#include <array>
#include <utility>

namespace sluice::features {
namespace {

constexpr std::array<std::pair<ColumnType, std::string_view>, 6> kNames = {{
    {ColumnType::kBool, "boolean"},
    {ColumnType::kInteger, "long"},
    {ColumnType::kDouble, "double"},
    {ColumnType::kText, "string"},
    {ColumnType::kDate, "date"},
    {ColumnType::kTimestamp, "datetime"},
}};

}  // namespace

std::string_view ColumnTypeName(ColumnType type) {
  return kNames[static_cast<size_t>(type)].second;
}

std::optional<ColumnType> ColumnTypeFromName(std::string_view name) {
  for (const auto& [type, type_name] : kNames) {
    if (type_name == name) return type;
  }
  return std::nullopt;
}

std::optional<ColumnType> ColumnTypeOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL: return ColumnType::kBool;
    case arrow::Type::INT64: return ColumnType::kInteger;
    case arrow::Type::DOUBLE: return ColumnType::kDouble;
    case arrow::Type::STRING: return ColumnType::kText;
    case arrow::Type::DATE32: return ColumnType::kDate;
    case arrow::Type::TIMESTAMP:
      if (static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::MICRO) {
        return ColumnType::kTimestamp;
      }
      return std::nullopt;
    default: return std::nullopt;
  }
}

}  // namespace sluice::features
