// Gates: rules over a report, and over the champion's report on the same rows. All functions here
// are pure.
//
// A rule is a comparison (>=, >, <=, <, ==, !=) of two sums of products of numbers and measures:
//
//   roc_auc >= 0.78                                 a metric of the report
//   roc_auc >= champion - 0.002                     `champion`: what stands on the left, of the
//   champion log_loss <= champion.log_loss * 1.01            a measure of the champion by name
//   interval.low(roc_auc) > 0.75                    end of the 95 % interval; also interval.high
//   slice.min(roc_auc) >= 0.70                      over all groups of all slices that are not
//   small slice(purpose).max(log_loss) <= 0.6             over the groups of one slice
//   slice(purpose, "small business").f1 > 0.5       one group
//   fairness(sex).demographic_parity_ratio >= 0.8   also selection_rate_ratio, the same; and
//   fairness.max(equalized_odds_difference) <= 0.1  over all sensitive columns
//   importance.max <= 0.5, importance(age) < 0.2    permutation importance
//   rows >= 1000
//   difference.low(roc_auc) > -0.002                paired difference to the champion; also
//                                                   difference(roc_auc), difference.high
//   significantly_better(roc_auc)                   the paired interval lies on the good side of 0
//   not_significantly_worse(roc_auc)                ... does not lie on the bad side of 0
//
// Names with other characters than letters, digits and _ are quoted: slice("age band"). Groups also
// have rows: slice.min(rows) >= 200, slice(purpose, car).rows >= 50. Numbers may end in %: 5% is
// 0.05.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "evaluate/compare.h"
#include "evaluate/report.h"

namespace sluice::evaluate {

inline constexpr size_t kMaxRuleBytes = 1000;
inline constexpr int kMaxRuleDepth = 32;
inline constexpr size_t kMaxRuleCount = 1000;

namespace internal {
struct RuleNode;
}

/// A parsed rule. Immutable; copies share the tree.
class Rule {
 public:
  /// Errors: kInvalidArgument with the column in the rule, for syntax and for metrics and measures
  /// that do not exist at all (with a suggestion); kResourceExhausted for the limits above. `where`
  /// says where the rule stands in the user's file; without it the rule itself is the text.
  static Result<Rule> Parse(std::string_view text, const std::optional<Source>& where = {});

  const std::string& text() const { return text_; }
  bool needs_champion() const { return needs_champion_; }
  const internal::RuleNode& root() const { return *root_; }

 private:
  Rule() = default;
  std::string text_;
  bool needs_champion_ = false;
  std::shared_ptr<const internal::RuleNode> root_;
};

enum class Outcome : uint8_t { kPass, kFail, kInconclusive };
/// "pass", "fail", "inconclusive".
std::string_view OutcomeName(Outcome outcome);

struct RuleVerdict {
  std::string text;
  Outcome outcome = Outcome::kFail;
  std::optional<double> left;   ///< measured; absent if it could not be
  std::string comparison;       ///< ">="; empty for the two significance rules
  std::optional<double> right;  ///< the limit
  std::string reason;           ///< one sentence for a person, always
  friend bool operator==(const RuleVerdict&, const RuleVerdict&) = default;
};

/// Fails if a rule fails; else is inconclusive if a rule is; else passes. No rules: passes.
struct Verdict {
  Outcome outcome = Outcome::kPass;
  bool has_champion = false;
  std::vector<RuleVerdict> rules;
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

struct GateInput {
  const Report* report = nullptr;          ///< not null (CHECK)
  const Report* champion = nullptr;        ///< null: there is none yet
  const Comparison* comparison = nullptr;  ///< only rules about differences need it
};

/// A rule that names the champion passes while there is none, if its left side can be measured. A
/// measure that the report has not, or that is NaN, fails its rule. Inconclusive are: a champion's
/// report on other rows (rows_digest), a slice measure where every group is small, a difference
/// without a comparison, and significantly_better where the interval holds 0.
Verdict EvaluateGate(std::span<const Rule> rules, const GateInput& input);
/// Parses, then evaluates. Errors: as Rule::Parse, of the first bad rule.
Result<Verdict> EvaluateGate(std::span<const std::string> rules, const GateInput& input);

/// verdict.json:
///   {"version": 1, "kind": "verdict", "outcome": "pass", "has_champion": b,
///    "rules": [{"rule": s, "outcome": "fail", "left": x, "comparison": ">=", "right": x, "reason":
///    s}]}
formats::Json VerdictToJson(const Verdict& verdict);
/// Errors: kInvalidArgument naming the key that is missing or wrong.
Result<Verdict> VerdictFromJson(const formats::Json& json);

}  // namespace sluice::evaluate
