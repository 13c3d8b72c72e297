#include <fmt/format.h>

#include <algorithm>

#include "pipeline/plan.h"

namespace sluice::pipeline {

namespace {

using formats::Json;

const Step& StepOf(const Plan& plan, int index) {
  return plan.pipeline().steps[static_cast<size_t>(index)];
}

/// Where an input comes from and what is known of its content.
std::string InputLine(const Plan& plan, const Input& input, const InputItem& item,
                      const Ingredients* ingredients) {
  std::string line = fmt::format("  input {} = {}", input.name, item.written);
  if (item.is_files()) {
    if (item.pattern != item.written) line += fmt::format(" ({})", item.pattern);
  } else {
    const PlannedStep& producer = plan.step(item.producer_step);
    line += fmt::format(" from step {} ({})", StepOf(plan, item.producer_step).name,
                        StepStateName(producer.state));
  }
  if (ingredients == nullptr) return line;
  for (const InputIngredient& known : ingredients->inputs) {
    if (known.name == input.name && known.origin == item.written)
      return line + ": " + known.digest.ToShort();
  }
  return line;
}

}  // namespace

std::string PrintPlan(const Plan& plan) {
  size_t name_width = 0;
  for (int index : plan.selected())
    name_width = std::max(name_width, StepOf(plan, index).name.size());
  std::string text;
  for (int index : plan.selected()) {
    const PlannedStep& planned = plan.step(index);
    std::string head = fmt::format("{:<{}}  {:<7}", StepOf(plan, index).name, name_width,
                                   StepStateName(planned.state));
    for (const Reason& reason : planned.reasons) {
      text += fmt::format("{}  {}\n", head, reason.ToText());
      head.assign(head.size(), ' ');
    }
    if (planned.reasons.empty()) text += head + "\n";
  }
  return text;
}

std::string PrintWhy(const Plan& plan, int index) {
  const Step& step = StepOf(plan, index);
  const PlannedStep& planned = plan.step(index);
  std::string text =
      fmt::format("{} ({}): {}\n", step.name, step.KindName(), StepStateName(planned.state));
  for (const Reason& reason : planned.reasons) text += fmt::format("  {}\n", reason.ToText());
  if (planned.state == StepState::kNotSelected)
    return text + "  it is not among what was asked for\n";
  const Ingredients* ingredients = planned.ingredients ? &*planned.ingredients : nullptr;
  for (const Input& input : step.inputs) {
    for (const InputItem& item : input.items)
      text += InputLine(plan, input, item, ingredients) + "\n";
  }
  if (ingredients != nullptr) {
    for (const CodeIngredient& file : ingredients->code) {
      text += fmt::format("  code {}: {}\n", file.pattern, file.digest.ToShort());
    }
  }
  text += planned.key ? fmt::format("  key {}\n", planned.key->ToHex())
                      : std::string("  key not known until what it reads is made\n");
  return text;
}

Json PlanToJson(const Plan& plan) {
  Json steps = Json::MakeArray();
  for (int index : plan.selected()) {
    const PlannedStep& planned = plan.step(index);
    Json reasons = Json::MakeArray();
    for (const Reason& reason : planned.reasons) {
      reasons.Append(Json::MakeObject({{"kind", ReasonKindName(reason.kind)},
                                       {"subject", reason.subject},
                                       {"before", reason.before},
                                       {"after", reason.after},
                                       {"text", reason.ToText()}}));
    }
    steps.Append(Json::MakeObject({{"name", StepOf(plan, index).name},
                                   {"kind", StepOf(plan, index).KindName()},
                                   {"state", StepStateName(planned.state)},
                                   {"key", planned.key ? Json(planned.key->ToHex()) : Json()},
                                   {"reasons", std::move(reasons)}}));
  }
  return Json::MakeObject({{"version", 1}, {"kind", "plan"}, {"steps", std::move(steps)}});
}

}  // namespace sluice::pipeline
