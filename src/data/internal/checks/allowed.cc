#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "data/internal/checks/check_kind.h"

namespace sluice::data::internal {

namespace {

struct Before {
  bool operator()(const CellView& a, const CellView& b) const { return CompareViews(a, b) < 0; }
};

constexpr size_t kShownValues = 5;

}  // namespace

void CheckAllowed(const ColumnContext& context, std::string_view name, FindingSink& sink) {
  if (!context.schema.allowed) return;
  sink.CountCheck();
  const Limit<std::vector<Cell>>& limit = *context.schema.allowed;
  std::set<CellView, Before> allowed;
  for (const Cell& cell : limit.value) allowed.insert(ToView(cell));
  FailingRows rows;
  std::vector<std::string> strangers;
  context.reader.ForEach([&](int64_t row, const CellView& view) {
    if (IsNull(view) || (!IsNan(view) && allowed.contains(view))) return;
    rows.Add(row, [&] { return FormatView(view, context.reader.type()); });
    if (strangers.size() >= kShownValues) return;
    std::string text = FormatView(view, context.reader.type());
    if (std::find(strangers.begin(), strangers.end(), text) == strangers.end())
      strangers.push_back(std::move(text));
  });
  if (rows.count == 0) return;
  Finding finding = MakeFinding(
      name, limit.severity, context.schema.name, std::move(rows), context.reader.row_count(),
      fmt::format("column '{}' has values that are not allowed", context.schema.name));
  for (const std::string& text : strangers) finding.measured.Append(text);
  for (const Cell& cell : limit.value) finding.limit.Append(CellToJson(cell, context.schema.type));
  sink.Add(std::move(finding));
}

}  // namespace sluice::data::internal
