// Checks of the table's shape: which columns there are, of which types, and how many rows.
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.h"
#include "data/internal/checks/check_kind.h"

namespace sluice::data::internal {

namespace {

void CheckRowCount(const TableContext& context, std::string_view name,
                   const std::optional<Limit<int64_t>>& limit, int sign, FindingSink& sink) {
  if (!limit) return;
  sink.CountCheck();
  int64_t rows = context.table.num_rows();
  if ((rows - limit->value) * sign <= 0) return;
  Finding finding = MakeFinding(name, limit->severity, "", {}, rows,
                                fmt::format("the table must have at {} {} rows, but has {}",
                                            sign < 0 ? "least" : "most", limit->value, rows));
  finding.measured = rows;
  finding.limit = limit->value;
  sink.Add(std::move(finding));
}

}  // namespace

void CheckMinRows(const TableContext& context, std::string_view name, FindingSink& sink) {
  CheckRowCount(context, name, context.schema.min_row_count, -1, sink);
}

void CheckMaxRows(const TableContext& context, std::string_view name, FindingSink& sink) {
  CheckRowCount(context, name, context.schema.max_row_count, 1, sink);
}

void CheckExtraColumns(const TableContext& context, std::string_view name, FindingSink& sink) {
  if (!context.schema.extra_columns) return;
  sink.CountCheck();
  for (const std::string& column : context.table.ColumnNames()) {
    if (context.schema.Find(column) != nullptr) continue;
    Finding finding = MakeFinding(
        name, *context.schema.extra_columns, column, {}, context.table.num_rows(),
        fmt::format("the table has a column '{}' that the schema does not name", column));
    finding.measured = column;
    sink.Add(std::move(finding));
  }
}

void CheckRequired(const TableContext& context, std::string_view name, FindingSink& sink) {
  std::vector<std::string> names = context.table.ColumnNames();
  for (const ColumnSchema& column : context.schema.columns) {
    if (!column.is_required) continue;
    sink.CountCheck();
    if (std::find(names.begin(), names.end(), column.name) != names.end()) continue;
    Finding finding = MakeFinding(
        name, column.severity, column.name, {}, context.table.num_rows(),
        fmt::format("the table has no column '{}'{}", column.name, DidYouMean(column.name, names)));
    finding.limit = column.name;
    sink.Add(std::move(finding));
  }
}

void CheckType(const TableContext& context, std::string_view name, FindingSink& sink) {
  for (const ColumnSchema& column : context.schema.columns) {
    auto data = context.table.GetColumnByName(column.name);
    if (data == nullptr) continue;
    sink.CountCheck();
    if (context.Find(column.name) != nullptr) continue;
    std::optional<ColumnType> found = table::CanonicalType(*data->type());
    std::string found_name = found ? std::string(ColumnTypeName(*found)) : data->type()->ToString();
    Finding finding =
        MakeFinding(name, column.severity, column.name, {}, context.table.num_rows(),
                    fmt::format("column '{}' must be of type {}, but is {}", column.name,
                                ColumnTypeName(column.type), found_name));
    finding.measured = found_name;
    finding.limit = ColumnTypeName(column.type);
    sink.Add(std::move(finding));
  }
}

}  // namespace sluice::data::internal
