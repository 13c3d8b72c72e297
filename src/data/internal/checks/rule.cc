#include <fmt/format.h>

#include "base/check.h"
#include "data/internal/checks/check_kind.h"

namespace sluice::data::internal {

namespace {

bool Holds(RuleSchema::Comparison comparison, int order) {
  switch (comparison) {
    case RuleSchema::Comparison::kLess: return order < 0;
    case RuleSchema::Comparison::kLessEqual: return order <= 0;
    case RuleSchema::Comparison::kEqual: return order == 0;
    case RuleSchema::Comparison::kNotEqual: return order != 0;
    case RuleSchema::Comparison::kGreaterEqual: return order >= 0;
    case RuleSchema::Comparison::kGreater: return order > 0;
  }
  return false;
}

void CheckRule(const RuleSchema& rule, const ColumnReader& left, const ColumnReader* right,
               const CellView& value, std::string_view name, FindingSink& sink) {
  FailingRows rows;
  left.ForEach([&](int64_t row, const CellView& a) {
    CellView b = right != nullptr ? right->At(row) : value;
    if (IsNull(a) || IsNull(b)) return;
    // As everywhere, NaN compares with nothing, not even itself: only != holds.
    bool holds = IsNan(a) || IsNan(b) ? rule.comparison == RuleSchema::Comparison::kNotEqual
                                      : Holds(rule.comparison, CompareViews(a, b));
    if (holds) return;
    rows.Add(row, [&] {
      std::string text = FormatView(a, left.type());
      return right != nullptr ? text + " | " + FormatView(b, right->type()) : text;
    });
  });
  if (rows.count == 0) return;
  int64_t count = rows.count;
  Finding finding = MakeFinding(
      name, rule.severity, right != nullptr ? rule.left + ", " + rule.right : rule.left,
      std::move(rows), left.row_count(), fmt::format("the rule {} does not hold", rule.ToString()));
  finding.measured = count;
  finding.limit = rule.ToString();
  sink.Add(std::move(finding));
}

}  // namespace

void CheckRules(const TableContext& context, std::string_view name, FindingSink& sink) {
  for (const RuleSchema& rule : context.schema.rules) {
    const ColumnReader* left = context.Find(rule.left);
    const ColumnReader* right = rule.value ? nullptr : context.Find(rule.right);
    if (left == nullptr || (!rule.value && right == nullptr))
      continue;  // missing columns are findings already
    Cell value;
    if (rule.value) {
      Result<Cell> parsed = ParseCell(*rule.value, context.schema.Find(rule.left)->type);
      CHECK_MSG(parsed.ok(), "rule was not read by ParseSchema");
      value = std::move(parsed).value();
    }
    sink.CountCheck();
    CheckRule(rule, *left, right, ToView(value), name, sink);
  }
}

}  // namespace sluice::data::internal
