#include "data/testing/tables.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/table.h>

#include "base/check.h"

namespace sluice::data::testing {

namespace {

template <typename Builder, typename T>
std::shared_ptr<arrow::Array> Build(Builder builder, const std::vector<Cell>& cells) {
  for (const Cell& cell : cells) {
    bool is_null = std::holds_alternative<std::monostate>(cell);
    arrow::Status status =
        is_null ? builder.AppendNull()
                : builder.Append(static_cast<typename T::Stored>(std::get<typename T::Held>(cell)));
    CHECK(status.ok());
  }
  std::shared_ptr<arrow::Array> array;
  CHECK(builder.Finish(&array).ok());
  return array;
}

template <typename Stored_, typename Held_>
struct As {
  using Stored = Stored_;
  using Held = Held_;
};

}  // namespace

std::shared_ptr<arrow::Array> MakeArray(ColumnType type, const std::vector<Cell>& cells) {
  switch (type) {
    case ColumnType::kBool:
      return Build<arrow::BooleanBuilder, As<bool, bool>>(arrow::BooleanBuilder(), cells);
    case ColumnType::kInt64:
      return Build<arrow::Int64Builder, As<int64_t, int64_t>>(arrow::Int64Builder(), cells);
    case ColumnType::kDouble:
      return Build<arrow::DoubleBuilder, As<double, double>>(arrow::DoubleBuilder(), cells);
    case ColumnType::kString:
      return Build<arrow::StringBuilder, As<std::string, std::string>>(arrow::StringBuilder(),
                                                                       cells);
    case ColumnType::kDate:
      return Build<arrow::Date32Builder, As<int32_t, int64_t>>(arrow::Date32Builder(), cells);
    case ColumnType::kTimestamp:
      return Build<arrow::TimestampBuilder, As<int64_t, int64_t>>(
          arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO),
                                  arrow::default_memory_pool()),
          cells);
  }
  return nullptr;
}

std::shared_ptr<arrow::Table> MakeTableOfCells(const std::vector<std::string>& names,
                                               const std::vector<ColumnType>& types,
                                               const std::vector<std::vector<Cell>>& columns) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (size_t i = 0; i < names.size(); ++i) {
    arrays.push_back(MakeArray(types[i], columns[i]));
    fields.push_back(arrow::field(names[i], arrays.back()->type()));
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

std::shared_ptr<arrow::Table> MakeTable(const std::vector<TextColumn>& columns,
                                        int64_t chunk_rows) {
  std::vector<std::string> names;
  std::vector<ColumnType> types;
  std::vector<std::vector<Cell>> cells;
  for (const TextColumn& column : columns) {
    names.push_back(column.name);
    types.push_back(column.type);
    std::vector<Cell>& values = cells.emplace_back();
    for (const std::string& text : column.cells) {
      values.push_back(text == "null" ? Cell() : ParseCell(text, column.type).value());
    }
  }
  std::shared_ptr<arrow::Table> table = MakeTableOfCells(names, types, cells);
  if (chunk_rows == 0) return table;
  std::vector<std::shared_ptr<arrow::Table>> pieces;
  for (int64_t row = 0; row < table->num_rows(); row += chunk_rows)
    pieces.push_back(table->Slice(row, chunk_rows));
  return arrow::ConcatenateTables(pieces).ValueOrDie();
}

std::vector<std::string> RowsAsText(const arrow::Table& table) {
  std::shared_ptr<arrow::Table> whole = table.CombineChunks().ValueOrDie();
  std::vector<std::string> rows(static_cast<size_t>(table.num_rows()));
  for (int i = 0; i < table.num_columns(); ++i) {
    ColumnType type = ColumnTypeOf(*table.field(i)->type(), table.field(i)->name()).value();
    for (int64_t row = 0; row < table.num_rows(); ++row) {
      std::string& text = rows[static_cast<size_t>(row)];
      text +=
          (i == 0 ? "" : "|") + FormatCell(CellAt(*whole->column(i)->chunk(0), type, row), type);
    }
  }
  return rows;
}

}  // namespace sluice::data::testing
