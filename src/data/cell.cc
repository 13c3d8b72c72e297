#include "data/cell.h"

#include <arrow/array.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "table/time_text.h"

namespace sluice::data {

namespace {

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseDouble(std::string_view text) {
  if (text == ".inf" || text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-.inf" || text == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (text == ".nan" || text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  return ParseNumber<double>(text);
}

/// The order of an integer and a double without rounding either.
int CompareMixed(int64_t a, double b) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (b >= kTwo63) return -1;
  if (b < -kTwo63) return 1;
  double whole = std::floor(b);
  int64_t floor = static_cast<int64_t>(whole);
  if (a != floor) return a < floor ? -1 : 1;
  return b > whole ? -1 : 0;
}

template <typename T>
int Compare(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

}  // namespace

Result<ColumnType> ColumnTypeOf(const arrow::DataType& type, std::string_view column) {
  std::optional<ColumnType> found = table::CanonicalType(type);
  if (!found) {
    return InvalidArgument(
        fmt::format("column '{}' has the type {}, which is none of bool, int64, double, string, "
                    "date, timestamp; convert it with table::Canonicalise first",
                    column, type.ToString()));
  }
  return *found;
}

Cell CellAt(const arrow::Array& array, ColumnType type, int64_t row) {
  if (array.IsNull(row)) return {};
  switch (type) {
    case ColumnType::kBool: return static_cast<const arrow::BooleanArray&>(array).Value(row);
    case ColumnType::kInt64: return static_cast<const arrow::Int64Array&>(array).Value(row);
    case ColumnType::kDouble: return static_cast<const arrow::DoubleArray&>(array).Value(row);
    case ColumnType::kString: return static_cast<const arrow::StringArray&>(array).GetString(row);
    case ColumnType::kDate:
      return int64_t{static_cast<const arrow::Date32Array&>(array).Value(row)};
    case ColumnType::kTimestamp: return static_cast<const arrow::TimestampArray&>(array).Value(row);
  }
  return {};
}

std::string FormatCell(const Cell& cell, ColumnType type) {
  if (std::holds_alternative<std::monostate>(cell)) return "null";
  if (const bool* flag = std::get_if<bool>(&cell)) return *flag ? "true" : "false";
  if (const double* number = std::get_if<double>(&cell)) return formats::PrintDouble(*number);
  if (const std::string* text = std::get_if<std::string>(&cell)) return *text;
  int64_t number = std::get<int64_t>(cell);
  if (!IsTemporal(type)) return fmt::format("{}", number);
  std::string text;
  if (type == ColumnType::kDate) {
    table::AppendDate(static_cast<int32_t>(number), text);
  } else {
    table::AppendTimestamp(number, table::TimestampStyle::kUtc, text);
  }
  return text;
}

formats::Json CellToJson(const Cell& cell, ColumnType type) {
  if (std::holds_alternative<std::monostate>(cell)) return {};
  if (const bool* flag = std::get_if<bool>(&cell)) return *flag;
  if (const double* number = std::get_if<double>(&cell)) return *number;
  if (!IsTemporal(type) && std::holds_alternative<int64_t>(cell)) return std::get<int64_t>(cell);
  return FormatCell(cell, type);
}

Result<Cell> ParseCell(std::string_view text, ColumnType type) {
  switch (type) {
    case ColumnType::kBool:
      if (text == "true" || text == "True") return Cell(true);
      if (text == "false" || text == "False") return Cell(false);
      break;
    case ColumnType::kInt64:
      if (std::optional<int64_t> value = ParseNumber<int64_t>(text)) return Cell(*value);
      break;
    case ColumnType::kDouble:
      if (std::optional<double> value = ParseDouble(text)) return Cell(*value);
      break;
    case ColumnType::kString: return Cell(std::string(text));
    case ColumnType::kDate:
      if (std::optional<int32_t> days = table::ParseIsoDate(text)) return Cell(int64_t{*days});
      break;
    case ColumnType::kTimestamp:
      if (std::optional<int64_t> value = table::ParseIsoTimestamp(text, {.takes_date_only = true}))
        return Cell(*value);
      break;
  }
  std::string_view example = type == ColumnType::kDate        ? ", as 2024-02-29"
                             : type == ColumnType::kTimestamp ? ", as 2024-02-29T08:30:00"
                                                              : "";
  return InvalidArgument(
      fmt::format("'{}' is no {}{}", text.substr(0, 100), ColumnTypeName(type), example));
}

int CompareCells(const Cell& a, const Cell& b) {
  if (a.index() == b.index()) {
    if (const bool* value = std::get_if<bool>(&a)) return Compare(*value, std::get<bool>(b));
    if (const int64_t* value = std::get_if<int64_t>(&a))
      return Compare(*value, std::get<int64_t>(b));
    if (const double* value = std::get_if<double>(&a)) return Compare(*value, std::get<double>(b));
    if (const std::string* value = std::get_if<std::string>(&a)) {
      return Compare(*value, std::get<std::string>(b));
    }
  }
  if (std::holds_alternative<int64_t>(a) && std::holds_alternative<double>(b)) {
    return CompareMixed(std::get<int64_t>(a), std::get<double>(b));
  }
  CHECK(std::holds_alternative<double>(a) && std::holds_alternative<int64_t>(b));
  return -CompareMixed(std::get<int64_t>(b), std::get<double>(a));
}

}  // namespace sluice::data
