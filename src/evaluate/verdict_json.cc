// verdict.json, both ways. The shape is documented at VerdictToJson.
#include <fmt/format.h>

#include "evaluate/gate.h"
#include "evaluate/internal/codec.h"

namespace sluice::evaluate {

using formats::Json;

Json VerdictToJson(const Verdict& verdict) {
  Json rules = Json::MakeArray();
  for (const RuleVerdict& rule : verdict.rules) {
    Json one = Json::MakeObject({{"rule", rule.text}, {"outcome", OutcomeName(rule.outcome)}});
    if (rule.left) one["left"] = *rule.left;
    if (!rule.comparison.empty()) one["comparison"] = rule.comparison;
    if (rule.right) one["right"] = *rule.right;
    one["reason"] = rule.reason;
    rules.Append(std::move(one));
  }
  return Json::MakeObject({{"version", 1},
                           {"kind", "verdict"},
                           {"outcome", OutcomeName(verdict.outcome)},
                           {"has_champion", verdict.has_champion},
                           {"rules", std::move(rules)}});
}

namespace {

Result<Outcome> OutcomeFromJson(const Json& json) {
  ASSIGN_OR_RETURN(std::string name, json.GetString("outcome"));
  for (Outcome outcome : {Outcome::kPass, Outcome::kFail, Outcome::kInconclusive}) {
    if (OutcomeName(outcome) == name) return outcome;
  }
  return InvalidArgument(
      fmt::format("'outcome' is '{}'; it must be pass, fail or inconclusive", name));
}

}  // namespace

Result<Verdict> VerdictFromJson(const Json& json) {
  RETURN_IF_ERROR(internal::CheckKind(json, "verdict"));
  Verdict verdict;
  ASSIGN_OR_RETURN(verdict.outcome, OutcomeFromJson(json));
  ASSIGN_OR_RETURN(verdict.has_champion, json.GetBool("has_champion"));
  ASSIGN_OR_RETURN(const Json* rules, json.GetArray("rules"));
  for (const Json& one : rules->AsArray()) {
    RuleVerdict rule;
    ASSIGN_OR_RETURN(rule.text, one.GetString("rule"));
    ASSIGN_OR_RETURN(rule.outcome, OutcomeFromJson(one));
    ASSIGN_OR_RETURN(rule.reason, one.GetString("reason"));
    rule.comparison = one.StringOr("comparison", "");
    for (auto [key, member] :
         {std::pair{"left", &RuleVerdict::left}, {"right", &RuleVerdict::right}}) {
      if (one.Find(key) == nullptr) continue;
      ASSIGN_OR_RETURN(rule.*member, one.GetDouble(key));
    }
    verdict.rules.push_back(std::move(rule));
  }
  return verdict;
}

}  // namespace sluice::evaluate
