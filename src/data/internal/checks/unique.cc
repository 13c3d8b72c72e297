#include <fmt/format.h>

#include <bit>

#include "data/internal/checks/check_kind.h"

namespace sluice::data::internal {

namespace {

bool AreEqual(const CellView& a, const CellView& b) {
  if (IsNan(a) || IsNan(b)) return IsNan(a) && IsNan(b);
  return CompareViews(a, b) == 0;
}

bool AreEqualRows(const std::vector<const ColumnReader*>& columns, int64_t a, int64_t b) {
  for (const ColumnReader* column : columns) {
    if (!AreEqual(column->At(a), column->At(b))) return false;
  }
  return true;
}

std::string FormatRow(const std::vector<const ColumnReader*>& columns, int64_t row) {
  std::string text;
  for (const ColumnReader* column : columns) {
    text += (text.empty() ? "" : " | ") + FormatView(column->At(row), column->type());
  }
  return text;
}

std::vector<bool> RowsWithNull(const std::vector<const ColumnReader*>& columns) {
  std::vector<bool> has_null(static_cast<size_t>(columns.front()->row_count()));
  for (const ColumnReader* column : columns) {
    if (column->null_count() == 0) continue;
    column->ForEach([&](int64_t row, const CellView& view) {
      if (IsNull(view)) has_null[static_cast<size_t>(row)] = true;
    });
  }
  return has_null;
}

std::string JoinNames(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

/// The key's columns, or nothing if one is missing or of a wrong type (which is a finding already).
std::vector<const ColumnReader*> FindColumns(const TableContext& context,
                                             const std::vector<std::string>& names) {
  std::vector<const ColumnReader*> columns;
  for (const std::string& name : names) {
    const ColumnReader* column = context.Find(name);
    if (column == nullptr) return {};
    columns.push_back(column);
  }
  return columns;
}

void AddRepeated(std::string_view name, Severity severity, const std::string& column,
                 FailingRows rows, int64_t row_count, FindingSink& sink) {
  if (rows.count == 0) return;
  int64_t count = rows.count;
  Finding finding =
      MakeFinding(name, severity, column, std::move(rows), row_count,
                  fmt::format("'{}' must be unique, but an earlier row has the same", column));
  finding.measured = count;
  finding.limit = int64_t{0};
  sink.Add(std::move(finding));
}

}  // namespace

FailingRows FindRepeatedRows(const std::vector<const ColumnReader*>& columns) {
  FailingRows rows;
  std::vector<ColumnReader> readers;
  for (const ColumnReader* column : columns) readers.push_back(*column);
  std::vector<uint64_t> hashes = HashRows(readers);
  std::vector<bool> has_null = RowsWithNull(columns);
  // Open addressing: the row that first had these values, plus one.
  std::vector<int64_t> slots(std::bit_ceil(hashes.size() * 2 + 1));
  size_t mask = slots.size() - 1;
  for (size_t row = 0; row < hashes.size(); ++row) {
    if (has_null[row]) continue;
    auto this_row = static_cast<int64_t>(row);
    size_t index = hashes[row] & mask;
    for (;; index = (index + 1) & mask) {
      if (slots[index] == 0) {
        slots[index] = this_row + 1;
        break;
      }
      int64_t earlier = slots[index] - 1;
      if (hashes[static_cast<size_t>(earlier)] != hashes[row] ||
          !AreEqualRows(columns, earlier, this_row))
        continue;
      rows.Add(this_row, [&] { return FormatRow(columns, this_row); });
      break;
    }
  }
  return rows;
}

void CheckUnique(const ColumnContext& context, std::string_view name, FindingSink& sink) {
  const std::optional<Limit<bool>>& limit = context.schema.unique;
  if (!limit || !limit->value) return;
  sink.CountCheck();
  AddRepeated(name, limit->severity, context.schema.name, FindRepeatedRows({&context.reader}),
              context.reader.row_count(), sink);
}

void CheckUniqueKeys(const TableContext& context, std::string_view name, FindingSink& sink) {
  for (const Limit<std::vector<std::string>>& key : context.schema.unique_keys) {
    std::vector<const ColumnReader*> columns = FindColumns(context, key.value);
    if (columns.empty()) continue;
    sink.CountCheck();
    AddRepeated(name, key.severity, JoinNames(key.value), FindRepeatedRows(columns),
                columns.front()->row_count(), sink);
  }
}

void CheckPrimaryKey(const TableContext& context, std::string_view name, FindingSink& sink) {
  if (!context.schema.primary_key) return;
  const Limit<std::vector<std::string>>& key = *context.schema.primary_key;
  std::vector<const ColumnReader*> columns = FindColumns(context, key.value);
  if (columns.empty()) return;
  sink.CountCheck();
  FailingRows nulls;
  std::vector<bool> has_null = RowsWithNull(columns);
  for (size_t row = 0; row < has_null.size(); ++row) {
    auto this_row = static_cast<int64_t>(row);
    if (has_null[row]) nulls.Add(this_row, [&] { return FormatRow(columns, this_row); });
  }
  int64_t row_count = columns.front()->row_count();
  if (nulls.count > 0) {
    int64_t count = nulls.count;
    Finding finding = MakeFinding(name, key.severity, JoinNames(key.value), std::move(nulls),
                                  row_count, "the primary key must not be null, but is");
    finding.measured = count;
    finding.limit = int64_t{0};
    sink.Add(std::move(finding));
  }
  AddRepeated(name, key.severity, JoinNames(key.value), FindRepeatedRows(columns), row_count, sink);
}

}  // namespace sluice::data::internal
