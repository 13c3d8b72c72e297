#include "data/schema.h"

#include <algorithm>

namespace sluice::data {

namespace {

std::string_view ComparisonText(RuleSchema::Comparison comparison) {
  switch (comparison) {
    case RuleSchema::Comparison::kLess: return "<";
    case RuleSchema::Comparison::kLessEqual: return "<=";
    case RuleSchema::Comparison::kEqual: return "==";
    case RuleSchema::Comparison::kNotEqual: return "!=";
    case RuleSchema::Comparison::kGreaterEqual: return ">=";
    case RuleSchema::Comparison::kGreater: return ">";
  }
  return "";
}

/// As the rule parser takes it: bare if it may be, else in backquotes.
std::string NameInRule(const std::string& name) {
  bool is_bare = !name.empty() && name.find_first_of(" \t\n<>=!\"`") == std::string::npos;
  return is_bare ? name : "`" + name + "`";
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  return severity == Severity::kWarning ? "warning" : "error";
}

const ColumnSchema* Schema::Find(std::string_view name) const {
  auto at = std::find_if(columns.begin(), columns.end(),
                         [&](const ColumnSchema& column) { return column.name == name; });
  return at == columns.end() ? nullptr : &*at;
}

std::string RuleSchema::ToString() const {
  std::string text = NameInRule(left) + " " + std::string(ComparisonText(comparison)) + " ";
  if (!value) return text + NameInRule(right);
  return text + "\"" + *value + "\"";
}

}  // namespace sluice::data
