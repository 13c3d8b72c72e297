#include "data/internal/rule_parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.h"
#include "data/internal/column_reader.h"

namespace sluice::data::internal {

namespace {

using formats::YamlNode;

/// "start <= end", where a name with blanks or operators stands in backquotes and text in double
/// quotes.
class RuleParser {
 public:
  RuleParser(const YamlNode& node, const Schema& schema)
      : node_(node), schema_(schema), rest_(node.text()) {}

  Result<RuleSchema> Parse() {
    RuleSchema rule;
    ASSIGN_OR_RETURN(Operand left, ReadOperand());
    ASSIGN_OR_RETURN(rule.comparison, ReadComparison());
    ASSIGN_OR_RETURN(Operand right, ReadOperand());
    SkipBlanks();
    if (!rest_.empty()) return Wrong(fmt::format("'{}' is too much", rest_));
    RETURN_IF_ERROR(CheckKnownColumn(schema_, left.text, node_));
    rule.left = left.text;
    const ColumnSchema& left_column = *schema_.Find(left.text);
    const ColumnSchema* right_column = right.is_text ? nullptr : schema_.Find(right.text);
    if (right_column != nullptr) {
      rule.right = right.text;
      bool are_numbers = IsNumeric(left_column.type) && IsNumeric(right_column->type);
      if (left_column.type != right_column->type && !are_numbers) {
        return Wrong(fmt::format("a {} cannot be compared with a {}",
                                 ColumnTypeName(left_column.type),
                                 ColumnTypeName(right_column->type)));
      }
      return rule;
    }
    Result<Cell> value = ParseCell(right.text, left_column.type);
    if (!value.ok() || (!right.is_text && left_column.type == ColumnType::kString)) {
      return Wrong(fmt::format(
          "'{}' is neither a column nor a {} to compare '{}' with{}", right.text,
          ColumnTypeName(left_column.type), left.text,
          left_column.type == ColumnType::kString ? " (text stands in double quotes)" : ""));
    }
    if (IsNan(ToView(*value))) return Wrong("nothing compares with NaN");
    rule.value = right.text;
    return rule;
  }

 private:
  struct Operand {
    std::string text;
    bool is_text = false;
  };

  Error Wrong(std::string_view why) const {
    return node_.ErrorHere(
        fmt::format("rule '{}': {}; expected as in 'start <= end'", node_.text(), why));
  }

  void SkipBlanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size()));
  }

  Result<Operand> ReadOperand() {
    SkipBlanks();
    if (!rest_.empty() && (rest_.front() == '`' || rest_.front() == '"')) {
      char quote = rest_.front();
      size_t end = rest_.find(quote, 1);
      if (end == std::string_view::npos)
        return Wrong(fmt::format("a closing {} is missing", quote));
      Operand operand{.text = std::string(rest_.substr(1, end - 1)), .is_text = quote == '"'};
      rest_.remove_prefix(end + 1);
      return operand;
    }
    size_t end = std::min(rest_.find_first_of(" \t\n<>=!"), rest_.size());
    if (end == 0) return Wrong("a column or a value is missing");
    Operand operand{.text = std::string(rest_.substr(0, end)), .is_text = false};
    rest_.remove_prefix(end);
    return operand;
  }

  Result<RuleSchema::Comparison> ReadComparison() {
    using enum RuleSchema::Comparison;
    static constexpr std::pair<std::string_view, RuleSchema::Comparison> kComparisons[] = {
        {"<=", kLessEqual}, {">=", kGreaterEqual}, {"==", kEqual}, {"!=", kNotEqual},
        {"<", kLess},       {">", kGreater},       {"=", kEqual}};
    SkipBlanks();
    for (const auto& [text, comparison] : kComparisons) {
      if (!rest_.starts_with(text)) continue;
      rest_.remove_prefix(text.size());
      return comparison;
    }
    return Wrong("one of < <= == != >= > must follow the first column");
  }

  const YamlNode& node_;
  const Schema& schema_;
  std::string_view rest_;
};

}  // namespace

Result<RuleSchema> ParseRule(const YamlNode& node, const Schema& schema) {
  return RuleParser(node, schema).Parse();
}

Status CheckKnownColumn(const Schema& schema, std::string_view name, const YamlNode& node) {
  if (schema.Find(name) != nullptr) return Ok();
  std::vector<std::string> names;
  for (const ColumnSchema& column : schema.columns) names.push_back(column.name);
  return node.ErrorHere(
      fmt::format("'{}' is none of the columns{}", name, DidYouMean(name, names)));
}

}  // namespace sluice::data::internal
