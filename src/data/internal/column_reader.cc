#include "data/internal/column_reader.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/suggest.h"
#include "base/utf8.h"
#include "data/internal/sketch/hash.h"

namespace sluice::data::internal {

namespace {

constexpr size_t kShownBytes = 200;

uint64_t HashView(const CellView& view) {
  if (const bool* flag = std::get_if<bool>(&view)) return HashInteger(*flag ? 1 : 0);
  if (const int64_t* number = std::get_if<int64_t>(&view))
    return HashInteger(static_cast<uint64_t>(*number));
  if (const double* number = std::get_if<double>(&view)) {
    // 0 and -0 are equal, and so are all NaN.
    double value = std::isnan(*number) ? std::numeric_limits<double>::quiet_NaN() : *number + 0.0;
    return HashInteger(std::bit_cast<uint64_t>(value));
  }
  if (const std::string_view* text = std::get_if<std::string_view>(&view))
    return HashBytes(text->data(), text->size());
  return kNullHash;
}

}  // namespace

Cell ToCell(const CellView& view) {
  if (const std::string_view* text = std::get_if<std::string_view>(&view))
    return std::string(*text);
  if (const bool* flag = std::get_if<bool>(&view)) return *flag;
  if (const int64_t* number = std::get_if<int64_t>(&view)) return *number;
  if (const double* number = std::get_if<double>(&view)) return *number;
  return {};
}

CellView ToView(const Cell& cell) {
  if (const std::string* text = std::get_if<std::string>(&cell)) return std::string_view(*text);
  if (const bool* flag = std::get_if<bool>(&cell)) return *flag;
  if (const int64_t* number = std::get_if<int64_t>(&cell)) return *number;
  if (const double* number = std::get_if<double>(&cell)) return *number;
  return {};
}

bool IsNan(const CellView& view) {
  const double* number = std::get_if<double>(&view);
  return number != nullptr && std::isnan(*number);
}

int CompareViews(const CellView& a, const CellView& b) {
  const std::string_view* text_a = std::get_if<std::string_view>(&a);
  const std::string_view* text_b = std::get_if<std::string_view>(&b);
  if (text_a != nullptr && text_b != nullptr) {
    int order = text_a->compare(*text_b);
    return order < 0 ? -1 : (order > 0 ? 1 : 0);
  }
  return CompareCells(ToCell(a), ToCell(b));
}

std::string FormatView(const CellView& view, ColumnType type) {
  const std::string_view* text = std::get_if<std::string_view>(&view);
  if (text == nullptr) return FormatCell(ToCell(view), type);
  if (text->size() <= kShownBytes) return std::string(*text);
  return std::string(CutUtf8(*text, kShownBytes)) + "...";
}

ColumnReader::ColumnReader(std::shared_ptr<arrow::ChunkedArray> column, ColumnType type)
    : column_(std::move(column)), type_(type), chunks_(column_->chunks()) {
  starts_.push_back(0);
  for (const std::shared_ptr<arrow::Array>& chunk : chunks_)
    starts_.push_back(starts_.back() + chunk->length());
}

int64_t ColumnReader::null_count() const { return column_->null_count(); }

CellView ColumnReader::At(int64_t row) const {
  auto after = std::upper_bound(starts_.begin(), starts_.end(), row);
  auto chunk = static_cast<size_t>(after - starts_.begin() - 1);
  return ViewAt(*chunks_[chunk], row - starts_[chunk]);
}

CellView ColumnReader::ViewAt(const arrow::Array& array, int64_t row) const {
  if (array.IsNull(row)) return {};
  switch (type_) {
    case ColumnType::kBool: return static_cast<const arrow::BooleanArray&>(array).Value(row);
    case ColumnType::kInt64:
    case ColumnType::kTimestamp: return array.data()->GetValues<int64_t>(1)[row];
    case ColumnType::kDouble: return array.data()->GetValues<double>(1)[row];
    case ColumnType::kString: return static_cast<const arrow::StringArray&>(array).GetView(row);
    case ColumnType::kDate: return int64_t{array.data()->GetValues<int32_t>(1)[row]};
  }
  return {};
}

Result<ColumnReader> ReadColumn(const arrow::Table& table, std::string_view name) {
  std::shared_ptr<arrow::ChunkedArray> column = table.GetColumnByName(std::string(name));
  if (column == nullptr) {
    std::vector<std::string> names = table.ColumnNames();
    if (std::count(names.begin(), names.end(), name) > 1) {
      return InvalidArgument(fmt::format("the table has more than one column '{}'", name));
    }
    return InvalidArgument(
        fmt::format("the table has no column '{}'{}", name, DidYouMean(name, names)));
  }
  ASSIGN_OR_RETURN(ColumnType type, ColumnTypeOf(*column->type(), name));
  return ColumnReader(std::move(column), type);
}

std::vector<uint64_t> HashRows(const std::vector<ColumnReader>& columns) {
  std::vector<uint64_t> hashes(columns.empty() ? 0
                                               : static_cast<size_t>(columns.front().row_count()));
  for (const ColumnReader& column : columns) {
    column.ForEach([&](int64_t row, const CellView& view) {
      uint64_t& hash = hashes[static_cast<size_t>(row)];
      hash = CombineHash(hash, HashView(view));
    });
  }
  for (uint64_t& hash : hashes) hash = HashInteger(hash);
  return hashes;
}

}  // namespace sluice::data::internal
