#include <fmt/format.h>

#include "data/internal/checks/check_kind.h"

namespace sluice::data::internal {

namespace {

/// Values on the wrong side of the limit: sign -1 for values below a minimum, 1 for values above a
/// maximum. NaN has no side; `finite` is for it.
void CheckBound(const ColumnContext& context, std::string_view name, const Limit<Cell>& limit,
                int sign, FindingSink& sink) {
  sink.CountCheck();
  const CellView bound = ToView(limit.value);
  ColumnType type = context.reader.type();
  FailingRows rows;
  CellView furthest = bound;
  context.reader.ForEach([&](int64_t row, const CellView& view) {
    if (IsNull(view) || IsNan(view) || CompareViews(view, bound) != sign) return;
    if (CompareViews(view, furthest) == sign) furthest = view;
    rows.Add(row, [&] { return FormatView(view, type); });
  });
  if (rows.count == 0) return;
  std::string what = fmt::format(
      "column '{}' must be at {} {}, but is {}", context.schema.name, sign < 0 ? "least" : "most",
      FormatCell(limit.value, context.schema.type), sign < 0 ? "less" : "more");
  Finding finding = MakeFinding(name, limit.severity, context.schema.name, std::move(rows),
                                context.reader.row_count(), what);
  finding.measured = CellToJson(ToCell(furthest), type);
  finding.limit = CellToJson(limit.value, context.schema.type);
  sink.Add(std::move(finding));
}

}  // namespace

void CheckMin(const ColumnContext& context, std::string_view name, FindingSink& sink) {
  if (context.schema.min) CheckBound(context, name, *context.schema.min, -1, sink);
}

void CheckMax(const ColumnContext& context, std::string_view name, FindingSink& sink) {
  if (context.schema.max) CheckBound(context, name, *context.schema.max, 1, sink);
}

void CheckFinite(const ColumnContext& context, std::string_view name, FindingSink& sink) {
  const std::optional<Limit<bool>>& limit = context.schema.finite;
  if (!limit || !limit->value) return;
  sink.CountCheck();
  FailingRows rows;
  context.reader.ForEach([&](int64_t row, const CellView& view) {
    const double* number = std::get_if<double>(&view);
    if (number == nullptr || *number - *number == 0) return;  // infinity - infinity is NaN
    rows.Add(row, [&] { return FormatView(view, ColumnType::kDouble); });
  });
  if (rows.count == 0) return;
  int64_t count = rows.count;
  Finding finding = MakeFinding(
      name, limit->severity, context.schema.name, std::move(rows), context.reader.row_count(),
      fmt::format("column '{}' must be finite, but is not", context.schema.name));
  finding.measured = count;
  finding.limit = int64_t{0};
  sink.Add(std::move(finding));
}

}  // namespace sluice::data::internal
