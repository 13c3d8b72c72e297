#include "serve/internal/rows_builder.h"

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/check.h"
#include "table/time_text.h"

namespace sluice::serve::internal {
namespace {

using model::ColumnType;
using Kind = Cell::Kind;

constexpr table::IsoTimestampRules kJsonTimestamps{.cuts_fraction = true, .takes_date_only = true};
constexpr size_t kShownBytesMax = 100;  ///< of a value in an error message

std::string_view TrimSpace(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n\f\v");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n\f\v") - first + 1);
}

/// A number's text as Python reads it: blanks around it and one plus sign are fine, hexadecimal is
/// not.
template <typename Number>
std::optional<Number> ReadNumber(std::string_view text) {
  text = TrimSpace(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  Number value{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return value;
}

std::optional<double> ToDouble(const Cell& cell) {
  switch (cell.kind) {
    case Kind::kBool: return cell.boolean ? 1.0 : 0.0;
    case Kind::kInteger: return static_cast<double>(cell.integer);
    case Kind::kDouble: return cell.number;
    case Kind::kText: return ReadNumber<double>(cell.text);
    default: return std::nullopt;
  }
}

std::optional<int64_t> ToLong(const Cell& cell) {
  switch (cell.kind) {
    case Kind::kBool: return cell.boolean ? 1 : 0;
    case Kind::kInteger: return cell.integer;
    case Kind::kDouble:
      if (std::trunc(cell.number) != cell.number || cell.number < -0x1p63 ||
          cell.number >= 0x1p63) {
        return std::nullopt;
      }
      return static_cast<int64_t>(cell.number);
    case Kind::kText: return ReadNumber<int64_t>(cell.text);
    default: return std::nullopt;
  }
}

std::optional<bool> ToBool(const Cell& cell) {
  switch (cell.kind) {
    case Kind::kBool: return cell.boolean;
    case Kind::kInteger:
      if (cell.integer != 0 && cell.integer != 1) return std::nullopt;
      return cell.integer == 1;
    case Kind::kDouble:
      if (cell.number != 0 && cell.number != 1) return std::nullopt;
      return cell.number == 1;
    case Kind::kText:
      for (std::string_view yes : {"true", "True", "TRUE", "1"}) {
        if (cell.text == yes) return true;
      }
      for (std::string_view no : {"false", "False", "FALSE", "0"}) {
        if (cell.text == no) return false;
      }
      return std::nullopt;
    default: return std::nullopt;
  }
}

/// Appends the cell as text; false for nested values.
bool AppendText(const Cell& cell, std::string& out) {
  switch (cell.kind) {
    case Kind::kBool: out += cell.boolean ? "True" : "False"; return true;
    case Kind::kInteger: fmt::format_to(std::back_inserter(out), "{}", cell.integer); return true;
    case Kind::kDouble: out += formats::PrintDouble(cell.number); return true;
    case Kind::kText: out += cell.text; return true;
    default: return false;
  }
}

/// The cell as an error message shows it.
std::string Show(const Cell& cell) {
  switch (cell.kind) {
    case Kind::kMissing: return "a missing value";
    case Kind::kNested: return "a list or an object";
    case Kind::kText: {
      const bool is_cut = cell.text.size() > kShownBytesMax;
      return formats::PrintJson(formats::Json(cell.text.substr(0, kShownBytesMax))) +
             (is_cut ? "..." : "");
    }
    default: {
      std::string text;
      AppendText(cell, text);
      return text;
    }
  }
}

std::shared_ptr<arrow::Buffer> PackBits(const std::vector<uint8_t>& bytes) {
  std::string packed((bytes.size() + 7) / 8, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i]) packed[i / 8] = static_cast<char>(packed[i / 8] | (1 << (i % 8)));
  }
  return arrow::Buffer::FromString(std::move(packed));
}

}  // namespace

Cell Cell::Of(const formats::Json& json) {
  if (json.is_null()) return {};
  if (json.is_bool()) return {.kind = Kind::kBool, .boolean = json.AsBool()};
  if (json.is_integer()) return {.kind = Kind::kInteger, .integer = json.AsInteger()};
  if (json.is_double()) return {.kind = Kind::kDouble, .number = json.AsDouble()};
  if (json.is_string()) return {.kind = Kind::kText, .text = json.AsString()};
  return {.kind = Kind::kNested};
}

RowsBuilder::RowsBuilder(const model::Signature& signature)
    : signature_(signature), columns_(signature.inputs.size()) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (signature.inputs[i].type == ColumnType::kString) columns_[i].days.push_back(0);
  }
}

bool RowsBuilder::AppendMissing(size_t input) {
  const model::InputColumn& wanted = signature_.inputs[input];
  Column& column = columns_[input];
  const bool is_exact = wanted.type == ColumnType::kInt64 || wanted.type == ColumnType::kBool;
  if (wanted.is_required && is_exact) return false;
  switch (wanted.type) {
    case ColumnType::kBool: column.bits.push_back(0); break;
    case ColumnType::kDouble: column.doubles.push_back(0); break;
    case ColumnType::kString: column.days.push_back(column.days.back()); break;
    case ColumnType::kDate: column.days.push_back(0); break;
    case ColumnType::kInt64:
    case ColumnType::kTimestamp: column.longs.push_back(0); break;
  }
  column.is_valid.push_back(0);
  ++column.missing_count;
  return true;
}

bool RowsBuilder::Append(size_t input, const Cell& cell) {
  if (cell.kind == Kind::kMissing || (cell.kind == Kind::kDouble && std::isnan(cell.number))) {
    return AppendMissing(input);
  }
  Column& column = columns_[input];
  switch (signature_.inputs[input].type) {
    case ColumnType::kDouble: {
      const std::optional<double> value = ToDouble(cell);
      if (!value) return false;
      if (std::isnan(*value)) return AppendMissing(input);  // the text "nan"
      column.doubles.push_back(*value);
      break;
    }
    case ColumnType::kInt64: {
      const std::optional<int64_t> value = ToLong(cell);
      if (!value) return false;
      column.longs.push_back(*value);
      break;
    }
    case ColumnType::kBool: {
      const std::optional<bool> value = ToBool(cell);
      if (!value) return false;
      column.bits.push_back(*value);
      break;
    }
    case ColumnType::kString:
      if (column.chars.size() + cell.text.size() > std::numeric_limits<int32_t>::max() - 64 ||
          !AppendText(cell, column.chars)) {
        return false;
      }
      column.days.push_back(static_cast<int32_t>(column.chars.size()));
      break;
    case ColumnType::kDate: {
      if (cell.kind != Kind::kText) return false;
      // A timestamp at midnight is a date: pandas writes date columns so.
      const std::optional<int64_t> micros = table::ParseIsoTimestamp(cell.text, kJsonTimestamps);
      if (!micros || *micros % table::kMicrosPerDay != 0) return false;
      column.days.push_back(static_cast<int32_t>(*micros / table::kMicrosPerDay));
      break;
    }
    case ColumnType::kTimestamp: {
      if (cell.kind != Kind::kText) return false;
      const std::optional<int64_t> value = table::ParseIsoTimestamp(cell.text, kJsonTimestamps);
      if (!value) return false;
      column.longs.push_back(*value);
      break;
    }
  }
  column.is_valid.push_back(1);
  return true;
}

Error RowsBuilder::ConversionError(size_t input, const Cell& cell) const {
  const model::InputColumn& wanted = signature_.inputs[input];
  std::string_view hint;
  if (cell.kind == Kind::kMissing) {
    hint = ", and the model signature says that none is missing there";
  } else if (wanted.type == ColumnType::kDate || wanted.type == ColumnType::kTimestamp) {
    hint = wanted.type == ColumnType::kDate ? "; send dates as text, '2024-05-01'"
                                            : "; send times as text, '2024-05-01T13:45:00'";
  }
  return InvalidArgument(
      fmt::format("Invalid input. Data is not compatible with model signature. Failed to convert "
                  "column {} to type '{}'. Error: '{} is no {}{}'",
                  wanted.name, model::NumpyTypeName(wanted.type), Show(cell),
                  table::ColumnTypeName(wanted.type), hint));
}

std::shared_ptr<arrow::ArrayData> RowsBuilder::FinishColumn(ColumnType type, Column column) {
  const auto length = static_cast<int64_t>(column.is_valid.size());
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
  buffers.push_back(column.missing_count > 0 ? PackBits(column.is_valid) : nullptr);
  switch (type) {
    case ColumnType::kBool: buffers.push_back(PackBits(column.bits)); break;
    case ColumnType::kDouble:
      buffers.push_back(arrow::Buffer::FromVector(std::move(column.doubles)));
      break;
    case ColumnType::kInt64:
    case ColumnType::kTimestamp:
      buffers.push_back(arrow::Buffer::FromVector(std::move(column.longs)));
      break;
    case ColumnType::kDate:
      buffers.push_back(arrow::Buffer::FromVector(std::move(column.days)));
      break;
    case ColumnType::kString:
      buffers.push_back(arrow::Buffer::FromVector(std::move(column.days)));
      buffers.push_back(arrow::Buffer::FromString(std::move(column.chars)));
      break;
  }
  return arrow::ArrayData::Make(table::ArrowType(type), length, std::move(buffers),
                                column.missing_count);
}

std::shared_ptr<arrow::RecordBatch> RowsBuilder::Finish(int64_t row_count) {
  std::vector<std::shared_ptr<arrow::ArrayData>> arrays;
  arrays.reserve(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    CHECK(static_cast<int64_t>(columns_[i].is_valid.size()) == row_count);
    arrays.push_back(FinishColumn(signature_.inputs[i].type, std::move(columns_[i])));
  }
  return arrow::RecordBatch::Make(signature_.ToArrowSchema(), row_count, std::move(arrays));
}

}  // namespace sluice::serve::internal
