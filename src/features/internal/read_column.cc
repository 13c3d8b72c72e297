#include "features/internal/read_column.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <cmath>

#include "features/internal/argument.h"

namespace sluice::features::internal {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kMicrosPerDay = 86'400'000'000;
// About the year 273,000: days beyond do not fit microseconds in 64 bits, and are taken as missing.
constexpr int32_t kMaxDays = 100'000'000;

void ReadIntegers(const arrow::Int64Array& array, int64_t offset, int64_t count, double* out) {
  const int64_t* values = array.raw_values() + offset;
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<double>(values[i]);
}

void ReadDoubles(const arrow::DoubleArray& array, int64_t offset, int64_t count, double* out) {
  const double* values = array.raw_values() + offset;
  for (int64_t i = 0; i < count; ++i) out[i] = std::isinf(values[i]) ? kNaN : values[i];
}

Status CheckWhole(const InputColumn& input, const double* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if (!std::isnan(values[i]) && values[i] != std::floor(values[i])) {
      return InvalidArgument(
          fmt::format("Incompatible input types for column '{}'. Can not safely convert double to "
                      "int64: found {}",
                      input.name, formats::PrintDouble(values[i])));
    }
  }
  return Ok();
}

Status ReadNumbers(const InputColumn& input, const arrow::Array& array, int64_t offset,
                   int64_t count, Block& block) {
  block.kind = ValueKind::kNumbers;
  block.width = 1;
  block.numbers.resize(static_cast<size_t>(count));
  double* out = block.numbers.data();
  switch (array.type_id()) {
    case arrow::Type::INT64:
      ReadIntegers(static_cast<const arrow::Int64Array&>(array), offset, count, out);
      break;
    case arrow::Type::DOUBLE:
      ReadDoubles(static_cast<const arrow::DoubleArray&>(array), offset, count, out);
      break;
    case arrow::Type::BOOL:
      for (int64_t i = 0; i < count; ++i) {
        out[i] = static_cast<const arrow::BooleanArray&>(array).Value(offset + i) ? 1 : 0;
      }
      break;
    default:  // all null, as CheckConvertible made sure
      std::fill_n(out, count, kNaN);
      return Ok();
  }
  if (array.null_count() > 0) {
    for (int64_t i = 0; i < count; ++i) {
      if (array.IsNull(offset + i)) out[i] = kNaN;
    }
  }
  if (input.type == ColumnType::kInt64 && array.type_id() == arrow::Type::DOUBLE) {
    return CheckWhole(input, out, count);
  }
  return Ok();
}

void ReadTexts(const arrow::Array& array, int64_t offset, int64_t count, Block& block) {
  block.kind = ValueKind::kText;
  block.width = 1;
  block.texts.resize(static_cast<size_t>(count));
  bool is_text = array.type_id() == arrow::Type::STRING;
  for (int64_t i = 0; i < count; ++i) {
    std::string_view& out = block.texts[static_cast<size_t>(i)];
    if (!is_text || array.IsNull(offset + i)) {
      out = {};
      continue;
    }
    out = static_cast<const arrow::StringArray&>(array).GetView(offset + i);
    // An array of empty strings may have no data at all, but is not missing.
    if (out.data() == nullptr) out = "";
  }
}

void ReadTimes(const arrow::Array& array, int64_t offset, int64_t count, Block& block) {
  block.kind = ValueKind::kTime;
  block.width = 1;
  block.times.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    int64_t& out = block.times[static_cast<size_t>(i)];
    out = kMissingTime;
    if (array.IsNull(offset + i)) continue;
    if (array.type_id() == arrow::Type::DATE32) {
      int32_t days = static_cast<const arrow::Date32Array&>(array).Value(offset + i);
      if (days >= -kMaxDays && days <= kMaxDays) out = days * kMicrosPerDay;
    } else if (array.type_id() == arrow::Type::TIMESTAMP) {
      out = static_cast<const arrow::TimestampArray&>(array).Value(offset + i);
    }
  }
}

}  // namespace

ValueKind KindOf(ColumnType type) {
  switch (type) {
    case ColumnType::kString: return ValueKind::kText;
    case ColumnType::kDate:
    case ColumnType::kTimestamp: return ValueKind::kTime;
    case ColumnType::kBool:
    case ColumnType::kInt64:
    case ColumnType::kDouble: break;
  }
  return ValueKind::kNumbers;
}

Status CheckConvertible(const InputColumn& input, const arrow::DataType& given, bool is_all_null) {
  std::optional<ColumnType> type = table::CanonicalType(given);
  if (type == input.type || is_all_null) return Ok();
  bool is_fine = false;
  if (type.has_value()) {
    switch (input.type) {
      case ColumnType::kInt64:
      case ColumnType::kDouble:
        is_fine = *type == ColumnType::kInt64 || *type == ColumnType::kDouble;
        break;
      case ColumnType::kDate:
      case ColumnType::kTimestamp:
        is_fine = *type == ColumnType::kDate || *type == ColumnType::kTimestamp;
        break;
      case ColumnType::kBool:
      case ColumnType::kString: break;
    }
  }
  if (is_fine) return Ok();
  return InvalidArgument(
      fmt::format("Incompatible input types for column '{}'. Can not safely convert {} to {}.",
                  input.name, type.has_value() ? table::ColumnTypeName(*type) : given.ToString(),
                  table::ColumnTypeName(input.type)));
}

Status ReadColumn(const InputColumn& input, const arrow::Array& array, int64_t offset,
                  int64_t count, Block& block) {
  RETURN_IF_ERROR(CheckConvertible(input, *array.type(), array.null_count() == array.length()));
  block.row_count = count;
  block.extra_width = 0;
  switch (KindOf(input.type)) {
    case ValueKind::kNumbers: return ReadNumbers(input, array, offset, count, block);
    case ValueKind::kText: ReadTexts(array, offset, count, block); return Ok();
    case ValueKind::kTime: ReadTimes(array, offset, count, block); return Ok();
  }
  return Internal("value kind without a reader");
}

}  // namespace sluice::features::internal
