#include "app/step_checks.h"

#include <fmt/format.h>

#include <string_view>

#include "data/split.h"
#include "evaluate/gate.h"
#include "features/spec.h"
#include "learn/learners.h"

namespace sluice::app {

using formats::Json;

Status CheckSplitSettings(const Json& settings) {
  std::string by = settings.StringOr("by", "random");
  if (by != "random" && settings.StringOr("column", "").empty()) {
    return InvalidArgument(fmt::format(
        "a split by '{}' needs a column: the label, group, time or key; write `column: NAME`, or "
        "`by: random`",
        by));
  }
  for (std::string_view name : {"test", "validation"}) {
    const Json* value = settings.Find(name);
    if (value == nullptr || value->is_null()) continue;
    std::string text = value->is_string() ? value->AsString() : formats::PrintJson(*value);
    Result<data::PartSize> size = data::PartSize::Parse(text);
    if (!size.ok()) return std::move(size).error().With(name);
  }
  return Ok();
}

Status CheckFeaturesSettings(const Json& settings) {
  Result<features::FeatureSpec> spec = features::FeatureSpec::FromJson(settings);
  if (!spec.ok()) return std::move(spec).error();
  return Ok();
}

Status CheckTrainSettings(const Json& settings) {
  ASSIGN_OR_RETURN(const learn::Learner* learner,
                   learn::FindLearner(settings.StringOr("learner", "gbdt")));
  const Json* params = settings.Find("params");
  Result<Json> resolved =
      learn::ResolveParams(learner->name, learner->params, params == nullptr ? Json() : *params);
  if (!resolved.ok()) return std::move(resolved).error();
  return Ok();
}

Status CheckGateSettings(const Json& settings) {
  const Json* rules = settings.Find("rules");
  if (rules == nullptr || rules->AsArray().empty()) {
    return InvalidArgument(
        "'rules' is empty, and a gate without rules would let everything pass; write at least one, "
        "such as `roc_auc >= 0.78`");
  }
  for (const Json& text : rules->AsArray()) {
    ASSIGN_OR_RETURN(evaluate::Rule rule, evaluate::Rule::Parse(text.AsString()));
    if (rule.needs_champion() && settings.StringOr("champion", "").empty()) {
      return InvalidArgument(fmt::format(
          "the rule '{}' names the champion; say of which registered model: `champion: NAME`",
          rule.text()));
    }
  }
  return Ok();
}

}  // namespace sluice::app
