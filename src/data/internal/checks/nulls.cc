#include <fmt/format.h>

#include "data/internal/checks/check_kind.h"

namespace sluice::data::internal {

namespace {

FailingRows FindNulls(const ColumnReader& reader) {
  FailingRows rows;
  if (reader.null_count() == 0) return rows;
  reader.ForEach([&](int64_t row, const CellView& view) {
    if (IsNull(view)) rows.Add(row, [] { return std::string("null"); });
  });
  return rows;
}

}  // namespace

void CheckNullable(const ColumnContext& context, std::string_view name, FindingSink& sink) {
  if (context.schema.is_nullable) return;
  sink.CountCheck();
  FailingRows rows = FindNulls(context.reader);
  if (rows.count == 0) return;
  int64_t count = rows.count;
  Finding finding =
      MakeFinding(name, context.schema.severity, context.schema.name, std::move(rows),
                  context.reader.row_count(),
                  fmt::format("column '{}' must not be null, but is", context.schema.name));
  finding.measured = count;
  finding.limit = int64_t{0};
  sink.Add(std::move(finding));
}

/// Of an empty column the share is 0.
void CheckNullShare(const ColumnContext& context, std::string_view name, FindingSink& sink) {
  if (!context.schema.max_null_share) return;
  sink.CountCheck();
  int64_t rows_in_all = context.reader.row_count();
  if (rows_in_all == 0) return;
  double share =
      static_cast<double>(context.reader.null_count()) / static_cast<double>(rows_in_all);
  double limit = context.schema.max_null_share->value;
  if (share <= limit) return;
  Finding finding =
      MakeFinding(name, context.schema.max_null_share->severity, context.schema.name,
                  FindNulls(context.reader), rows_in_all,
                  fmt::format("column '{}' may be null in at most {:.4g}% of the rows, but is",
                              context.schema.name, 100 * limit));
  finding.measured = share;
  finding.limit = limit;
  sink.Add(std::move(finding));
}

}  // namespace sluice::data::internal
