// A column of a table read value by value, whatever chunks it lies in.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "data/cell.h"

namespace arrow {
class ChunkedArray;
}

namespace sluice::data::internal {

/// As Cell, but text is not copied: it lives as long as the column.
using CellView = std::variant<std::monostate, bool, int64_t, double, std::string_view>;

Cell ToCell(const CellView& view);
CellView ToView(const Cell& cell);
inline bool IsNull(const CellView& view) { return std::holds_alternative<std::monostate>(view); }
bool IsNan(const CellView& view);
/// -1, 0 or 1, integers and doubles mixed. No nulls, no NaN (CHECK).
int CompareViews(const CellView& a, const CellView& b);
/// As FormatCell, cut at 200 bytes.
std::string FormatView(const CellView& view, ColumnType type);

/// Pure once made; keeps the column alive.
class ColumnReader {
 public:
  ColumnReader(std::shared_ptr<arrow::ChunkedArray> column, ColumnType type);

  ColumnType type() const { return type_; }
  int64_t row_count() const { return starts_.back(); }
  const std::shared_ptr<arrow::ChunkedArray>& column() const { return column_; }
  int64_t null_count() const;

  /// Any order; O(log chunks).
  CellView At(int64_t row) const;

  /// Calls visit(row, view) for each row in order, nulls included.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (size_t chunk = 0; chunk < chunks_.size(); ++chunk) {
      for (int64_t row = starts_[chunk]; row < starts_[chunk + 1]; ++row) {
        visit(row, ViewAt(*chunks_[chunk], row - starts_[chunk]));
      }
    }
  }

 private:
  CellView ViewAt(const arrow::Array& array, int64_t row) const;

  std::shared_ptr<arrow::ChunkedArray> column_;
  ColumnType type_;
  std::vector<std::shared_ptr<arrow::Array>> chunks_;
  std::vector<int64_t> starts_;  ///< of each chunk, and the end
};

/// The column `name`. Errors: kInvalidArgument with the nearest name, or for a type `table` never
/// hands out.
Result<ColumnReader> ReadColumn(const arrow::Table& table, std::string_view name);

/// One 64-bit hash a row over these columns, nulls equal to each other. Columns are as long as each
/// other; none gives no hashes.
std::vector<uint64_t> HashRows(const std::vector<ColumnReader>& columns);

}  // namespace sluice::data::internal
