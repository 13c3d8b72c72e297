// Evaluating gate rules against reports. The language is parsed in rule.cc.
#include "evaluate/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/suggest.h"
#include "evaluate/internal/rows.h"
#include "evaluate/internal/rule_node.h"

namespace sluice::evaluate {

using internal::Measure;
using internal::RuleNode;

std::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass: return "pass";
    case Outcome::kFail: return "fail";
    case Outcome::kInconclusive: return "inconclusive";
  }
  return "";
}

namespace {

/// A number, or why there is none.
struct Measured {
  std::optional<double> value;
  Outcome outcome = Outcome::kFail;  ///< of the rule, without a value
  std::string reason;

  static Measured Of(double value) { return {value, Outcome::kPass, ""}; }
  static Measured Fails(std::string reason) { return {{}, Outcome::kFail, std::move(reason)}; }
  static Measured Unclear(std::string reason) {
    return {{}, Outcome::kInconclusive, std::move(reason)};
  }
};

std::string Print(double value) { return fmt::format("{:.6g}", value); }

std::string ListNames(const std::vector<std::string>& names) {
  constexpr size_t kShown = 12;
  std::vector<std::string> shown(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kShown)));
  std::string list = fmt::format("{}", fmt::join(shown, ", "));
  return names.size() > kShown ? fmt::format("{} and {} more", list, names.size() - kShown) : list;
}

template <typename T>
const T* FindByName(const std::vector<T>& list, std::string T::*name, std::string_view wanted) {
  for (const T& one : list) {
    if (one.*name == wanted) return &one;
  }
  return nullptr;
}

/// "; did you mean 'x'?" or what there is.
template <typename T>
std::string Alternatives(const std::vector<T>& list, std::string T::*name,
                         std::string_view wanted) {
  std::vector<std::string> names;
  for (const T& one : list) names.push_back(one.*name);
  if (names.empty()) return "";
  std::string suggestion = DidYouMean(wanted, names);
  return suggestion.empty() ? "; it has " + ListNames(names) : suggestion;
}

/// Measures one rule and collects remarks for its reason.
class Evaluator {
 public:
  explicit Evaluator(const GateInput& input) : input_(input) {}

  RuleVerdict Evaluate(const Rule& rule) {
    RuleVerdict verdict{.text = rule.text()};
    const RuleNode& root = rule.root();
    if (root.kind == RuleNode::Kind::kCompare) {
      verdict.comparison = root.comparison;
    }
    if (rule.needs_champion() && input_.champion == nullptr) {
      verdict.outcome = Outcome::kPass;
      verdict.reason = "no champion yet";
      if (root.kind != RuleNode::Kind::kCompare) return verdict;
      // The model's own side must still be there and be a number.
      Measured left = Compute(root.children[0], *input_.report, "");
      verdict.left = left.value;
      if (!left.value && left.outcome == Outcome::kFail) {
        verdict.outcome = Outcome::kFail;
        verdict.reason = left.reason;
      }
      return verdict;
    }
    if (rule.needs_champion() && input_.champion->rows_digest != input_.report->rows_digest) {
      verdict.outcome = Outcome::kInconclusive;
      verdict.reason =
          "the champion's report is on other rows; evaluate both models on the same table";
      return verdict;
    }
    if (root.kind == RuleNode::Kind::kCompare) {
      Compare(root, verdict);
    } else {
      JudgeSignificance(root.measure, verdict);
    }
    return verdict;
  }

 private:
  void Compare(const RuleNode& root, RuleVerdict& verdict) {
    left_ = &root.children[0];
    Measured left = Compute(root.children[0], *input_.report, "");
    Measured right = Compute(root.children[1], *input_.report, "");
    verdict.left = left.value;
    verdict.right = right.value;
    for (const Measured* side : {&left, &right}) {
      if (side->value) continue;
      verdict.outcome = side->outcome;
      verdict.reason = side->reason;
      return;
    }
    bool holds = Holds(*left.value, root.comparison, *right.value);
    verdict.outcome = holds ? Outcome::kPass : Outcome::kFail;
    verdict.reason = fmt::format("{} is {}{} {} {}", root.children[0].text, Print(*left.value),
                                 holds ? "," : ", not", root.comparison, Print(*right.value));
    // Six digits may hide what the comparison turned on, and then read as a contradiction.
    bool looks_equal = Print(*left.value) == Print(*right.value);
    if (looks_equal && holds != Holds(0, root.comparison, 0)) {
      verdict.reason = fmt::format("{} is {}{} {} {}", root.children[0].text, *left.value,
                                   holds ? "," : ", not", root.comparison, *right.value);
    }
    if (!remarks_.empty()) verdict.reason += fmt::format(" ({})", fmt::join(remarks_, "; "));
  }

  static bool Holds(double left, std::string_view comparison, double right) {
    if (comparison == ">=") return left >= right;
    if (comparison == ">") return left > right;
    if (comparison == "<=") return left <= right;
    if (comparison == "<") return left < right;
    if (comparison == "==") return left == right;
    return left != right;
  }

  void JudgeSignificance(const Measure& measure, RuleVerdict& verdict) {
    Measured problem;
    const MetricDifference* difference = FindDifference(measure, problem);
    if (difference == nullptr) {
      verdict.outcome = problem.outcome;
      verdict.reason = problem.reason;
      return;
    }
    bool higher_is_better = FindMetric(measure.name)->higher_is_better;
    const Interval& interval = difference->interval;
    bool is_better = higher_is_better ? interval.low > 0 : interval.high < 0;
    bool is_worse = higher_is_better ? interval.high < 0 : interval.low > 0;
    std::string_view finding = is_better  ? "better than the champion's"
                               : is_worse ? "worse than the champion's"
                                          : "not told apart from the champion's";
    verdict.left = difference->value;
    verdict.right = 0;
    verdict.reason =
        fmt::format("{} is {}: difference {}, interval {} to {}", measure.name, finding,
                    Print(difference->value), Print(interval.low), Print(interval.high));
    if (measure.kind == Measure::Kind::kNotSignificantlyWorse) {
      verdict.outcome = is_worse ? Outcome::kFail : Outcome::kPass;
    } else {
      verdict.outcome = is_better  ? Outcome::kPass
                        : is_worse ? Outcome::kFail
                                   : Outcome::kInconclusive;
    }
  }

  /// `whose` is "" or "the champion's ", for messages.
  Measured Compute(const RuleNode& node, const Report& report, std::string_view whose) {
    if (node.kind == RuleNode::Kind::kNumber) return Measured::Of(node.number);
    if (node.kind == RuleNode::Kind::kMeasure) return ComputeMeasure(node.measure, report, whose);
    std::vector<double> values;
    for (const RuleNode& child : node.children) {
      Measured measured = Compute(child, report, whose);
      if (!measured.value) return measured;
      values.push_back(*measured.value);
    }
    double result = internal::kNan;
    switch (node.kind) {
      case RuleNode::Kind::kNegate: result = -values[0]; break;
      case RuleNode::Kind::kAdd: result = values[0] + values[1]; break;
      case RuleNode::Kind::kSubtract: result = values[0] - values[1]; break;
      case RuleNode::Kind::kMultiply: result = values[0] * values[1]; break;
      case RuleNode::Kind::kDivide: result = values[0] / values[1]; break;
      default: CHECK_MSG(false, node.text);
    }
    if (!std::isfinite(result)) {
      return Measured::Fails(fmt::format("{} is {}, not a number to compare", node.text, result));
    }
    return Measured::Of(result);
  }

  Measured ComputeMeasure(const Measure& measure, const Report& report, std::string_view whose) {
    if (measure.kind == Measure::Kind::kChampionLeft) {
      Measured measured = Compute(*left_, *input_.champion, "the champion's ");
      if (measured.value) remarks_.push_back("the champion has " + Print(*measured.value));
      return measured;
    }
    bool is_of_champion = measure.is_of_champion && whose.empty();
    if (is_of_champion && input_.champion == nullptr) return Measured::Unclear("no champion yet");
    Measured measured = Look(measure, is_of_champion ? *input_.champion : report,
                             is_of_champion ? "the champion's " : whose);
    if (measured.value && !std::isfinite(*measured.value)) {
      return Measured::Fails(fmt::format("{}{} is {}: it is not defined on these rows", whose,
                                         measure.text, *measured.value));
    }
    if (measured.value && is_of_champion) {
      remarks_.push_back(fmt::format("{} is {}", measure.text, Print(*measured.value)));
    }
    return measured;
  }

  Measured Look(const Measure& measure, const Report& report, std::string_view whose) {
    switch (measure.kind) {
      case Measure::Kind::kRows: return Measured::Of(static_cast<double>(report.row_count));
      case Measure::Kind::kMetric:
      case Measure::Kind::kIntervalLow:
      case Measure::Kind::kIntervalHigh: return LookAtMetric(measure, report, whose);
      case Measure::Kind::kSliceMin:
      case Measure::Kind::kSliceMax:
      case Measure::Kind::kSliceGroup: return LookAtSlices(measure, report, whose);
      case Measure::Kind::kFairness:
      case Measure::Kind::kFairnessMin:
      case Measure::Kind::kFairnessMax: return LookAtFairness(measure, report, whose);
      case Measure::Kind::kImportance:
      case Measure::Kind::kImportanceMax: return LookAtImportance(measure, report, whose);
      case Measure::Kind::kDifference:
      case Measure::Kind::kDifferenceLow:
      case Measure::Kind::kDifferenceHigh: {
        Measured problem;
        const MetricDifference* difference = FindDifference(measure, problem);
        if (difference == nullptr) return problem;
        return Measured::Of(measure.kind == Measure::Kind::kDifference ? difference->value
                            : measure.kind == Measure::Kind::kDifferenceLow
                                ? difference->interval.low
                                : difference->interval.high);
      }
      default: CHECK_MSG(false, measure.text);
    }
    return {};
  }

  static std::string ReportName(std::string_view whose) {
    return fmt::format("{}report", whose.empty() ? "the " : whose);
  }

  static Measured LookAtMetric(const Measure& measure, const Report& report,
                               std::string_view whose) {
    const MetricValue* metric = report.FindMetricValue(measure.name);
    if (metric == nullptr) {
      return Measured::Fails(fmt::format(
          "{} has no {}: it is a {} report{}", ReportName(whose), measure.name,
          TaskName(report.task), Alternatives(report.metrics, &MetricValue::name, measure.name)));
    }
    if (measure.kind == Measure::Kind::kMetric) return Measured::Of(metric->value);
    if (!metric->interval) {
      return Measured::Fails(
          fmt::format("{} has no interval of {}", ReportName(whose), measure.name));
    }
    return Measured::Of(measure.kind == Measure::Kind::kIntervalLow ? metric->interval->low
                                                                    : metric->interval->high);
  }

  static Measured GroupValue(const Measure& measure, const SliceReport& slice,
                             const SliceGroup& group, std::string_view whose) {
    if (measure.name == "rows") return Measured::Of(static_cast<double>(group.row_count));
    const MetricValue* metric = FindByName(group.metrics, &MetricValue::name, measure.name);
    if (metric == nullptr) {
      return Measured::Fails(
          fmt::format("{} has no {} of slices", ReportName(whose), measure.name));
    }
    if (!std::isfinite(metric->value)) {
      return Measured::Fails(fmt::format("{} is {} where {} = {}: it is not defined on these rows",
                                         measure.name, metric->value, slice.name, group.value));
    }
    return Measured::Of(metric->value);
  }

  Measured LookAtSlices(const Measure& measure, const Report& report, std::string_view whose) {
    if (report.slices.empty()) {
      return Measured::Fails(
          fmt::format("{} has no slices; name columns under slices: in the "
                      "evaluate step",
                      ReportName(whose)));
    }
    const SliceReport* only = nullptr;
    if (!measure.slice.empty()) {
      only = FindByName(report.slices, &SliceReport::name, measure.slice);
      if (only == nullptr) {
        return Measured::Fails(
            fmt::format("{} has no slice '{}'{}", ReportName(whose), measure.slice,
                        Alternatives(report.slices, &SliceReport::name, measure.slice)));
      }
    }
    if (measure.kind == Measure::Kind::kSliceGroup) {
      const SliceGroup* group = FindByName(only->groups, &SliceGroup::value, measure.group);
      if (group == nullptr) {
        return Measured::Fails(
            fmt::format("slice '{}' has no group '{}'{}", only->name, measure.group,
                        Alternatives(only->groups, &SliceGroup::value, measure.group)));
      }
      return GroupValue(measure, *only, *group, whose);
    }
    bool wants_max = measure.kind == Measure::Kind::kSliceMax;
    std::optional<double> best;
    std::string where;
    for (const SliceReport& slice : report.slices) {
      if (only != nullptr && &slice != only) continue;
      for (const SliceGroup& group : slice.groups) {
        // Being small is what a rule about rows asks for.
        if (group.is_small && measure.name != "rows") continue;
        Measured value = GroupValue(measure, slice, group, whose);
        if (!value.value) return value;
        if (!best || (wants_max ? *value.value > *best : *value.value < *best)) {
          best = *value.value;
          where = fmt::format("{} = {}", slice.name, group.value);
        }
      }
    }
    if (!best) {
      return Measured::Unclear(
          fmt::format("every group is too small to tell (under {} rows, or under {} of a class)",
                      kSmallSliceRows, kSmallSliceClassRows));
    }
    remarks_.push_back(
        fmt::format("{}{} where {}", whose, wants_max ? "greatest" : "least", where));
    return Measured::Of(*best);
  }

  Measured LookAtFairness(const Measure& measure, const Report& report, std::string_view whose) {
    double FairnessReport::*member = nullptr;
    for (const internal::FairnessMeasure& candidate : internal::FairnessMeasures()) {
      if (candidate.name == measure.name) member = candidate.member;
    }
    CHECK_MSG(member != nullptr, measure.name);
    if (report.fairness.empty()) {
      return Measured::Fails(
          fmt::format("{} has no fairness measures; name sensitive columns in "
                      "the evaluate step",
                      ReportName(whose)));
    }
    if (measure.kind == Measure::Kind::kFairness) {
      const FairnessReport* fairness =
          FindByName(report.fairness, &FairnessReport::name, measure.slice);
      if (fairness == nullptr) {
        return Measured::Fails(
            fmt::format("{} has no fairness measures of '{}'{}", ReportName(whose), measure.slice,
                        Alternatives(report.fairness, &FairnessReport::name, measure.slice)));
      }
      return Measured::Of(fairness->*member);
    }
    bool wants_max = measure.kind == Measure::Kind::kFairnessMax;
    const FairnessReport* best = nullptr;
    for (const FairnessReport& fairness : report.fairness) {
      double value = fairness.*member;
      if (!std::isfinite(value)) {
        return Measured::Fails(fmt::format("{} of {} is {}: it needs two groups that are not small",
                                           measure.name, fairness.name, value));
      }
      if (best == nullptr || (wants_max ? value > best->*member : value < best->*member)) {
        best = &fairness;
      }
    }
    remarks_.push_back(
        fmt::format("{}{} by {}", whose, wants_max ? "greatest" : "least", best->name));
    return Measured::Of(best->*member);
  }

  Measured LookAtImportance(const Measure& measure, const Report& report, std::string_view whose) {
    if (report.importances.empty()) {
      return Measured::Fails(fmt::format("{} has no importances", ReportName(whose)));
    }
    if (measure.kind == Measure::Kind::kImportance) {
      const ImportanceReport* one =
          FindByName(report.importances, &ImportanceReport::column, measure.name);
      if (one == nullptr) {
        return Measured::Fails(
            fmt::format("{} has no importance of '{}'{}", ReportName(whose), measure.name,
                        Alternatives(report.importances, &ImportanceReport::column, measure.name)));
      }
      return Measured::Of(one->mean);
    }
    const ImportanceReport* best = &report.importances[0];
    for (const ImportanceReport& one : report.importances) {
      if (one.mean > best->mean) best = &one;
    }
    remarks_.push_back(fmt::format("{}greatest for {}", whose, best->column));
    return Measured::Of(best->mean);
  }

  const MetricDifference* FindDifference(const Measure& measure, Measured& problem) const {
    if (input_.comparison == nullptr) {
      problem = Measured::Unclear("the two models were not compared row by row");
      return nullptr;
    }
    if (input_.comparison->rows_digest != input_.report->rows_digest) {
      problem = Measured::Unclear("the two models were compared on other rows");
      return nullptr;
    }
    const MetricDifference* difference =
        FindByName(input_.comparison->differences, &MetricDifference::name, measure.name);
    if (difference == nullptr) {
      problem = Measured::Fails(fmt::format(
          "the comparison has no {}{}", measure.name,
          Alternatives(input_.comparison->differences, &MetricDifference::name, measure.name)));
    }
    return difference;
  }

  const GateInput& input_;
  const RuleNode* left_ = nullptr;
  std::vector<std::string> remarks_;
};

}  // namespace

Verdict EvaluateGate(std::span<const Rule> rules, const GateInput& input) {
  CHECK(input.report != nullptr);
  Verdict verdict;
  verdict.has_champion = input.champion != nullptr;
  for (const Rule& rule : rules) {
    verdict.rules.push_back(Evaluator(input).Evaluate(rule));
    Outcome outcome = verdict.rules.back().outcome;
    if (outcome == Outcome::kFail) verdict.outcome = Outcome::kFail;
    if (outcome == Outcome::kInconclusive && verdict.outcome == Outcome::kPass) {
      verdict.outcome = Outcome::kInconclusive;
    }
  }
  return verdict;
}

Result<Verdict> EvaluateGate(std::span<const std::string> rules, const GateInput& input) {
  if (rules.size() > kMaxRuleCount) {
    return ResourceExhausted(
        fmt::format("the gate has {} rules; the limit is {}", rules.size(), kMaxRuleCount));
  }
  std::vector<Rule> parsed;
  for (const std::string& text : rules) {
    ASSIGN_OR_RETURN(Rule rule, Rule::Parse(text));
    parsed.push_back(std::move(rule));
  }
  return EvaluateGate(parsed, input);
}

}  // namespace sluice::evaluate
