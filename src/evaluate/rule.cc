// Parsing gate rules by recursive descent. The language is described in gate.h:
//
//   rule    := ("significantly_better" | "not_significantly_worse") "(" metric ")" | sum cmp sum
//   sum     := product (("+" | "-") product)*
//   product := factor (("*" | "/") factor)*
//   factor  := number | "-" factor | "(" sum ")" | ["champion" "."] measure | "champion"
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/suggest.h"
#include "evaluate/gate.h"
#include "evaluate/internal/rule_node.h"
#include "evaluate/internal/rule_token.h"

namespace sluice::evaluate {

namespace internal {

std::span<const FairnessMeasure> FairnessMeasures() {
  static constexpr std::array kMeasures = {
      FairnessMeasure{"demographic_parity_ratio", &FairnessReport::demographic_parity_ratio},
      FairnessMeasure{"selection_rate_ratio", &FairnessReport::demographic_parity_ratio},
      FairnessMeasure{"demographic_parity_difference",
                      &FairnessReport::demographic_parity_difference},
      FairnessMeasure{"selection_rate_difference", &FairnessReport::demographic_parity_difference},
      FairnessMeasure{"equal_opportunity_difference",
                      &FairnessReport::equal_opportunity_difference},
      FairnessMeasure{"equalized_odds_difference", &FairnessReport::equalized_odds_difference},
      FairnessMeasure{"equalized_odds_ratio", &FairnessReport::equalized_odds_ratio},
  };
  return kMeasures;
}

}  // namespace internal

using internal::Measure;
using internal::RuleNode;
using internal::Token;
using internal::TokenKind;

namespace {

/// Any failure of the parser: a message about the byte at `at`.
struct Failure {
  size_t at = 0;
  std::string message;
};

/// Parses one rule. Stops at the first failure, which `failure` then holds.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { Advance(); }

  std::optional<RuleNode> ParseRule() {
    RuleNode rule = Rule();
    if (!failure_ && token_.kind != TokenKind::kEnd) {
      Fail(token_.begin,
           IsComparison(token_.text)
               ? "a rule has one comparison; write a second rule for the other"
               : fmt::format("unexpected '{}' after the end of the rule", TokenText()));
    }
    if (failure_) return std::nullopt;
    return rule;
  }
  const std::optional<Failure>& failure() const { return failure_; }
  bool needs_champion() const { return needs_champion_; }

 private:
  void Fail(size_t at, std::string message) {
    if (!failure_) failure_ = Failure{at, std::move(message)};
    token_ = {TokenKind::kEnd, "", 0, text_.size(), text_.size()};
  }

  std::string TokenText() const {
    return std::string(text_.substr(token_.begin, token_.end - token_.begin));
  }
  std::string Found() const {
    return token_.kind == TokenKind::kEnd ? "the rule ends here"
                                          : fmt::format("found '{}'", TokenText());
  }

  void Advance() {
    last_end_ = token_.end;
    if (failure_) return;
    token_ = internal::ReadToken(text_, token_.end);
    if (token_.kind == TokenKind::kBad) Fail(token_.begin, std::string(token_.text));
  }

  static bool IsComparison(std::string_view sign) {
    return sign == ">=" || sign == "<=" || sign == ">" || sign == "<" || sign == "==" ||
           sign == "!=";
  }
  bool IsSign(std::string_view sign) const {
    return token_.kind == TokenKind::kSign && token_.text == sign;
  }
  bool Take(std::string_view sign) {
    if (!IsSign(sign)) return false;
    Advance();
    return true;
  }
  void Expect(std::string_view sign, std::string_view after) {
    if (!Take(sign)) {
      Fail(token_.begin, fmt::format("expected '{}' after {}; {}", sign, after, Found()));
    }
  }

  RuleNode Finish(RuleNode node, size_t begin) {
    node.text = text_.substr(begin, std::max(last_end_, begin) - begin);
    return node;
  }
  static RuleNode Join(RuleNode::Kind kind, RuleNode left, RuleNode right) {
    RuleNode node;
    node.kind = kind;
    node.children.push_back(std::move(left));
    node.children.push_back(std::move(right));
    return node;
  }

  RuleNode Rule() {
    if (token_.kind == TokenKind::kEnd) {
      Fail(0, "the rule is empty; write for example: roc_auc >= 0.78");
      return {};
    }
    size_t begin = token_.begin;
    if (token_.kind == TokenKind::kName &&
        (token_.text == "significantly_better" || token_.text == "not_significantly_worse")) {
      RuleNode node;
      node.kind = RuleNode::Kind::kMeasure;
      node.measure.kind = token_.text == "significantly_better"
                              ? Measure::Kind::kSignificantlyBetter
                              : Measure::Kind::kNotSignificantlyWorse;
      needs_champion_ = true;
      std::string name = token_.text;
      Advance();
      node.measure.name = MetricInParentheses(name);
      node = Finish(std::move(node), begin);
      node.measure.text = node.text;
      return node;
    }
    RuleNode left = Sum();
    std::string comparison = token_.text;
    if (token_.kind != TokenKind::kSign || !IsComparison(comparison)) {
      Fail(token_.begin, fmt::format("expected a comparison (>=, >, <=, <, ==, !=); {}", Found()));
      return {};
    }
    Advance();
    is_right_side_ = true;
    RuleNode right = Sum();
    RuleNode node = Join(RuleNode::Kind::kCompare, std::move(left), std::move(right));
    node.comparison = comparison;
    return Finish(std::move(node), begin);
  }

  RuleNode Sum() {
    size_t begin = token_.begin;
    RuleNode node = Product();
    while (!failure_ && (IsSign("+") || IsSign("-"))) {
      RuleNode::Kind kind = IsSign("+") ? RuleNode::Kind::kAdd : RuleNode::Kind::kSubtract;
      Advance();
      node = Finish(Join(kind, std::move(node), Product()), begin);
    }
    return node;
  }

  RuleNode Product() {
    size_t begin = token_.begin;
    RuleNode node = Factor();
    while (!failure_ && (IsSign("*") || IsSign("/"))) {
      RuleNode::Kind kind = IsSign("*") ? RuleNode::Kind::kMultiply : RuleNode::Kind::kDivide;
      Advance();
      node = Finish(Join(kind, std::move(node), Factor()), begin);
    }
    return node;
  }

  RuleNode Factor() {
    size_t begin = token_.begin;
    RuleNode node;
    if (++depth_ > kMaxRuleDepth) {
      Fail(begin, fmt::format("the rule is nested deeper than {} levels", kMaxRuleDepth));
      return node;
    }
    if (token_.kind == TokenKind::kNumber) {
      node.number = token_.number;
      Advance();
    } else if (Take("-")) {
      node.kind = RuleNode::Kind::kNegate;
      node.children.push_back(Factor());
    } else if (Take("(")) {
      node = Sum();
      Expect(")", "the sum in parentheses");
    } else if (token_.kind == TokenKind::kName) {
      node.kind = RuleNode::Kind::kMeasure;
      node.measure = ParseMeasure();
      node.measure.text = text_.substr(begin, std::max(last_end_, begin) - begin);
    } else {
      Fail(begin, fmt::format("expected a number or a measure; {}", Found()));
    }
    --depth_;
    return Finish(std::move(node), begin);
  }

  Measure ParseMeasure() {
    Measure measure;
    if (token_.text == "champion") {
      needs_champion_ = true;
      size_t begin = token_.begin;
      Advance();
      if (!Take(".")) {
        measure.kind = Measure::Kind::kChampionLeft;
        if (!is_right_side_) {
          Fail(begin,
               "champion alone stands for the left side; name the measure, as in "
               "champion.roc_auc");
        }
        return measure;
      }
      measure.is_of_champion = true;
      if (token_.kind != TokenKind::kName || token_.text == "champion") {
        Fail(token_.begin, fmt::format("expected a measure after 'champion.'; {}", Found()));
        return measure;
      }
    }
    size_t begin = token_.begin;
    std::string name = token_.text;
    Advance();
    if (name == "rows") {
      measure.kind = Measure::Kind::kRows;
    } else if (name == "interval") {
      ParseInterval(measure);
    } else if (name == "slice") {
      ParseSlice(measure);
    } else if (name == "fairness") {
      ParseFairness(measure);
    } else if (name == "importance") {
      ParseImportance(measure);
    } else if (name == "difference") {
      if (measure.is_of_champion) Fail(begin, "a difference is already one to the champion");
      ParseDifference(measure);
    } else {
      measure.name = CheckedMetric(name, begin, /*is_top_level=*/true);
    }
    return measure;
  }

  /// A word after a dot, out of a few.
  std::string Word(std::string_view after, std::initializer_list<std::string_view> words) {
    size_t begin = token_.begin;
    std::string word = token_.kind == TokenKind::kName ? token_.text : "";
    for (std::string_view candidate : words) {
      if (word == candidate) {
        Advance();
        return word;
      }
    }
    std::vector<std::string> names(words.begin(), words.end());
    Fail(begin, fmt::format("expected {} after {}; {}", fmt::join(names, " or "), after, Found()));
    return "";
  }

  void ParseInterval(Measure& measure) {
    Expect(".", "'interval'");
    std::string end = Word("'interval.'", {"low", "high"});
    measure.kind = end == "high" ? Measure::Kind::kIntervalHigh : Measure::Kind::kIntervalLow;
    measure.name = MetricInParentheses("interval." + end);
  }

  void ParseDifference(Measure& measure) {
    needs_champion_ = true;
    measure.kind = Measure::Kind::kDifference;
    if (Take(".")) {
      std::string end = Word("'difference.'", {"low", "high"});
      measure.kind = end == "high" ? Measure::Kind::kDifferenceHigh : Measure::Kind::kDifferenceLow;
    }
    measure.name = MetricInParentheses("difference");
  }

  void ParseSlice(Measure& measure) {
    if (Take("(")) {
      measure.slice = AnyName("a slice");
      if (Take(",")) {
        measure.kind = Measure::Kind::kSliceGroup;
        measure.group = AnyName("a group of the slice");
      }
      Expect(")", "the slice");
    }
    Expect(".", "'slice'");
    if (measure.kind == Measure::Kind::kSliceGroup) {
      if (token_.kind != TokenKind::kName) {
        return Fail(token_.begin, fmt::format("expected a metric; {}", Found()));
      }
      measure.name = SliceMetric();
      return;
    }
    std::string which = Word("'slice.'", {"min", "max"});
    measure.kind = which == "max" ? Measure::Kind::kSliceMax : Measure::Kind::kSliceMin;
    Expect("(", "'slice." + which + "'");
    measure.name = SliceMetric();
    Expect(")", "the metric");
  }

  void ParseFairness(Measure& measure) {
    if (Take("(")) {
      measure.kind = Measure::Kind::kFairness;
      measure.slice = AnyName("a sensitive column");
      Expect(")", "the column");
      Expect(".", "'fairness(...)'");
      measure.name = FairnessName();
      return;
    }
    Expect(".", "'fairness'");
    std::string which = Word("'fairness.'", {"min", "max"});
    measure.kind = which == "max" ? Measure::Kind::kFairnessMax : Measure::Kind::kFairnessMin;
    Expect("(", "'fairness." + which + "'");
    measure.name = FairnessName();
    Expect(")", "the measure");
  }

  void ParseImportance(Measure& measure) {
    if (Take(".")) {
      measure.kind = Measure::Kind::kImportanceMax;
      Word("'importance.'", {"max"});
      return;
    }
    measure.kind = Measure::Kind::kImportance;
    Expect("(", "'importance'");
    measure.name = AnyName("a column");
    Expect(")", "the column");
  }

  std::string MetricInParentheses(std::string_view after) {
    Expect("(", fmt::format("'{}'", after));
    size_t begin = token_.begin;
    if (token_.kind != TokenKind::kName) {
      Fail(begin, fmt::format("expected a metric; {}", Found()));
      return "";
    }
    std::string name = token_.text;
    Advance();
    name = CheckedMetric(name, begin, /*is_top_level=*/false);
    Expect(")", "the metric");
    return name;
  }

  std::string SliceMetric() {
    size_t begin = token_.begin;
    std::string name = token_.kind == TokenKind::kName ? token_.text : "";
    if (name.empty()) {
      Fail(begin, fmt::format("expected a metric; {}", Found()));
      return "";
    }
    Advance();
    return name == "rows" ? name : CheckedMetric(name, begin, /*is_top_level=*/false);
  }

  std::string FairnessName() {
    size_t begin = token_.begin;
    std::string name = token_.kind == TokenKind::kName ? token_.text : "";
    std::vector<std::string> names;
    for (const internal::FairnessMeasure& measure : internal::FairnessMeasures()) {
      if (measure.name == name) {
        Advance();
        return name;
      }
      names.emplace_back(measure.name);
    }
    Fail(begin, name.empty() ? fmt::format("expected a fairness measure; {}", Found())
                             : fmt::format("unknown fairness measure '{}'{}; there are {}", name,
                                           DidYouMean(name, names), fmt::join(names, ", ")));
    return "";
  }

  std::string CheckedMetric(const std::string& name, size_t begin, bool is_top_level) {
    if (failure_ || FindMetric(name) != nullptr) return name;
    std::vector<std::string> names;
    for (const MetricInfo& metric : Metrics()) names.emplace_back(metric.name);
    size_t metric_count = names.size();
    if (is_top_level) {
      for (std::string_view other :
           {"rows", "slice", "interval", "fairness", "importance", "difference", "champion",
            "significantly_better", "not_significantly_worse"}) {
        names.emplace_back(other);
      }
    }
    std::string suggestion = DidYouMean(name, names);
    names.resize(metric_count);
    Fail(begin,
         fmt::format(
             "unknown metric '{}'{}{}", name, suggestion,
             suggestion.empty() ? fmt::format("; there are {}", fmt::join(names, ", ")) : ""));
    return name;
  }

  std::string AnyName(std::string_view what) {
    if (token_.kind == TokenKind::kEnd || token_.kind == TokenKind::kSign) {
      Fail(token_.begin, fmt::format("expected the name of {}; {}", what, Found()));
      return "";
    }
    std::string name = token_.kind == TokenKind::kNumber ? TokenText() : token_.text;
    if (name.empty()) Fail(token_.begin, fmt::format("the name of {} is empty", what));
    Advance();
    return name;
  }

  const std::string_view text_;
  size_t last_end_ = 0;
  Token token_;
  int depth_ = 0;
  bool is_right_side_ = false;
  bool needs_champion_ = false;
  std::optional<Failure> failure_;
};

Source Place(std::string_view text, size_t at, const std::optional<Source>& where) {
  Source place = where.value_or(Source{.file = "gate rule", .line = 1, .column = 1, .text = ""});
  if (!where) place.text = text;
  if (place.column > 0) place.column += static_cast<int>(at);
  return place;
}

}  // namespace

namespace {

/// Does any part of the rule come from a report? `1 > 0` would hold for every model.
bool Measures(const RuleNode& node) {
  return node.kind == RuleNode::Kind::kMeasure ||
         std::any_of(node.children.begin(), node.children.end(), Measures);
}

}  // namespace

Result<Rule> Rule::Parse(std::string_view text, const std::optional<Source>& where) {
  if (text.size() > kMaxRuleBytes) {
    return ResourceExhausted(
               fmt::format("a gate rule has {} bytes; the limit is {}", text.size(), kMaxRuleBytes))
        .At(Place(text.substr(0, 80), 0, where));
  }
  Parser parser(text);
  std::optional<RuleNode> root = parser.ParseRule();
  if (!root) {
    return InvalidArgument(parser.failure()->message).At(Place(text, parser.failure()->at, where));
  }
  if (!Measures(*root)) {
    return InvalidArgument(
               "the rule measures nothing of the model; compare a metric, such as roc_auc >= 0.8")
        .At(Place(text, 0, where));
  }
  Rule rule;
  rule.text_ = text;
  rule.needs_champion_ = parser.needs_champion();
  rule.root_ = std::make_shared<const RuleNode>(*std::move(root));
  return rule;
}

}  // namespace sluice::evaluate
