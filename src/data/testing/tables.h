// Small tables for tests, written as text.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "data/cell.h"

namespace sluice::data::testing {

/// A column whose cells are written as ParseCell reads them; "null" is null.
struct TextColumn {
  std::string name;
  ColumnType type;
  std::vector<std::string> cells;
};

/// All columns have as many cells. `chunk_rows` cuts the columns into chunks of so many rows.
std::shared_ptr<arrow::Table> MakeTable(const std::vector<TextColumn>& columns,
                                        int64_t chunk_rows = 0);

std::shared_ptr<arrow::Array> MakeArray(ColumnType type, const std::vector<Cell>& cells);
std::shared_ptr<arrow::Table> MakeTableOfCells(const std::vector<std::string>& names,
                                               const std::vector<ColumnType>& types,
                                               const std::vector<std::vector<Cell>>& columns);

/// All rows as "a|b" lines, for comparing.
std::vector<std::string> RowsAsText(const arrow::Table& table);

}  // namespace sluice::data::testing
