#include "pipeline/plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::pipeline {

namespace {

using formats::Json;
using Kind = Reason::Kind;

constexpr size_t kShownUpstreamCount = 5;  // a step may have thousands

bool IsOpen(StepState state) {
  return state == StepState::kWaits || state == StepState::kReady || state == StepState::kStarted;
}

bool HasOutputs(StepState state) {
  return state == StepState::kCached || state == StepState::kDone;
}

}  // namespace

std::string_view StepStateName(StepState state) {
  switch (state) {
    case StepState::kNotSelected: return "left out";
    case StepState::kWaits: return "waits";
    case StepState::kBlocked: return "blocked";
    case StepState::kCached: return "cached";
    case StepState::kReady: return "run";
    case StepState::kStarted: return "running";
    case StepState::kDone: return "done";
    case StepState::kFailed: return "failed";
    case StepState::kSkipped: return "skipped";
  }
  return "";
}

Result<Plan> Plan::Make(const Pipeline& pipeline, PlanInputs inputs) {
  Plan plan(pipeline);
  plan.inputs_ = std::move(inputs);
  plan.steps_.resize(pipeline.steps.size());
  plan.counts_.fill(0);
  plan.counts_[static_cast<size_t>(StepState::kNotSelected)] =
      static_cast<int>(pipeline.steps.size());
  for (const Param& param : pipeline.params) {
    if (plan.inputs_.params.contains(param.name)) continue;
    return InvalidArgument(fmt::format("param '{}' has no value", param.name)).At(param.source);
  }
  ASSIGN_OR_RETURN(plan.selected_, Select(pipeline, plan.inputs_.targets));
  plan.is_forced_.assign(pipeline.steps.size(), plan.inputs_.is_all_forced);
  for (const std::string& name : plan.inputs_.forced) {
    ASSIGN_OR_RETURN(std::vector<int> with_ancestors, Select(pipeline, std::span(&name, 1)));
    plan.is_forced_[static_cast<size_t>(with_ancestors.back())] = true;
  }
  for (int index : plan.selected_) {
    const Step& step = pipeline.steps[static_cast<size_t>(index)];
    PlannedStep& planned = plan.steps_[static_cast<size_t>(index)];
    ASSIGN_OR_RETURN(planned.settings, ResolveSettings(pipeline, step, plan.inputs_.params));
    planned.waiting_count = static_cast<int>(step.parents.size());
    plan.SetState(index, StepState::kWaits);
  }
  ChangedSteps changed;
  // Missing files are found before anything runs, not when the step that reads them would.
  for (int index : plan.selected_) plan.BlockIfMissing(index, changed);
  for (int index : plan.selected_) {
    bool is_free = plan.steps_[static_cast<size_t>(index)].waiting_count == 0;
    if (is_free && plan.step(index).state == StepState::kWaits) plan.Settle(index, changed);
  }
  for (int index : plan.selected_) {
    if (plan.step(index).state == StepState::kWaits) plan.ExplainWaiting(index);
  }
  return plan;
}

void Plan::SetState(int index, StepState state) {
  PlannedStep& planned = steps_[static_cast<size_t>(index)];
  if (IsOpen(planned.state)) --open_count_;
  if (IsOpen(state)) ++open_count_;
  --counts_[static_cast<size_t>(planned.state)];
  ++counts_[static_cast<size_t>(state)];
  planned.state = state;
}

std::vector<int> Plan::ReadySteps() const {
  std::vector<int> ready;
  for (int index : selected_) {
    if (step(index).state == StepState::kReady) ready.push_back(index);
  }
  return ready;
}

void Plan::BlockIfMissing(int index, ChangedSteps& changed) {
  PlannedStep& planned = steps_[static_cast<size_t>(index)];
  std::vector<Reason> missing;
  for (const SourcePattern& source : SourcePatterns(*pipeline_, std::span(&index, 1))) {
    auto found = inputs_.sources.find(source.pattern);
    if (found != inputs_.sources.end() && found->second) continue;
    missing.push_back(
        {.kind = Kind::kMissingFile, .subject = source.pattern, .before = "", .after = ""});
  }
  if (missing.empty()) return;
  bool was_skipped = planned.state == StepState::kSkipped;
  planned.reasons = std::move(missing);
  SetState(index, StepState::kBlocked);
  changed.push_back(index);
  if (!was_skipped) Skip(index, "is blocked", changed);
}

Ingredients Plan::GatherIngredients(int index) const {
  const Step& step = pipeline_->steps[static_cast<size_t>(index)];
  const PlannedStep& planned = steps_[static_cast<size_t>(index)];
  Ingredients gathered;
  gathered.environment_lock = inputs_.environment_lock;
  for (const Input& input : step.inputs) {
    for (const InputItem& item : input.items) {
      InputIngredient ingredient{
          .name = input.name, .origin = item.written, .pattern = item.pattern, .digest = {}};
      if (item.is_files()) {
        ingredient.digest = inputs_.sources.find(item.pattern)->second.value();
      } else {
        const PlannedStep& producer = steps_[static_cast<size_t>(item.producer_step)];
        if (HasOutputs(producer.state)) {
          ingredient.digest = producer.outputs[static_cast<size_t>(item.producer_output)];
        }
      }
      gathered.inputs.push_back(std::move(ingredient));
    }
  }
  // The order of a command's inputs in the file decides nothing.
  std::stable_sort(
      gathered.inputs.begin(), gathered.inputs.end(),
      [](const InputIngredient& a, const InputIngredient& b) { return a.name < b.name; });
  gathered.seed = pipeline_->SeedOf(step);
  if (step.is_native()) {
    gathered.kind = step.kind->name;
    gathered.format_version = step.kind->format_version;
    gathered.settings = planned.settings;
    if (!step.kind->uses_seed) gathered.seed = 0;
    return gathered;
  }
  gathered.kind = step.command.is_shell ? "shell" : "command";
  gathered.format_version = kCommandFormatVersion;
  gathered.words = step.command.written;
  for (const std::string& name : step.params)
    gathered.params.emplace_back(name, inputs_.params.find(name)->second);
  for (const EnvVariable& variable : step.env) {
    // The parser lets only params and the seed stand here, so filling in cannot fail.
    Result<Json> filled = FillIn(Json(variable.written), inputs_.params, gathered.seed);
    CHECK(filled.ok());
    gathered.env.emplace_back(variable.name, ValueText(*filled));
  }
  std::sort(gathered.env.begin(), gathered.env.end());
  for (const std::string& pattern : step.code) {
    gathered.code.push_back(
        {.pattern = pattern, .digest = inputs_.sources.find(pattern)->second.value()});
  }
  std::sort(gathered.code.begin(), gathered.code.end(),
            [](const CodeIngredient& a, const CodeIngredient& b) { return a.pattern < b.pattern; });
  for (const Output& output : step.outputs)
    gathered.outputs.emplace_back(output.name, output.paths);
  std::sort(gathered.outputs.begin(), gathered.outputs.end());
  return gathered;
}

void Plan::Decide(int index) {
  const Step& step = pipeline_->steps[static_cast<size_t>(index)];
  PlannedStep& planned = steps_[static_cast<size_t>(index)];
  planned.ingredients = GatherIngredients(index);
  planned.key = ComputeCacheKey(*planned.ingredients);
  planned.reasons.clear();
  auto last = inputs_.last_successes.find(step.name);
  bool is_forced = is_forced_[static_cast<size_t>(index)];
  if (is_forced || !step.is_cacheable) {
    planned.reasons.push_back({.kind = is_forced ? Kind::kForced : Kind::kCacheOff});
    SetState(index, StepState::kReady);
    return;
  }
  std::optional<OutputDigests> cached;
  if (inputs_.find_cached) cached = inputs_.find_cached(step, *planned.key);
  bool has_last = last != inputs_.last_successes.end();
  bool is_same_as_last = has_last && ComputeCacheKey(last->second) == *planned.key;
  // A record with another number of outputs is none of ours: the step runs again.
  if (cached && cached->size() == step.outputs.size()) {
    planned.outputs = *std::move(cached);
    planned.reasons.push_back(
        {.kind = is_same_as_last || !has_last ? Kind::kUnchanged : Kind::kSeenBefore});
    SetState(index, StepState::kCached);
    return;
  }
  if (has_last) planned.reasons = CompareIngredients(last->second, *planned.ingredients);
  if (!has_last) planned.reasons.push_back({.kind = Kind::kNeverRan});
  if (planned.reasons.empty()) planned.reasons.push_back({.kind = Kind::kResultsGone});
  SetState(index, StepState::kReady);
}

void Plan::Settle(int index, ChangedSteps& changed) {
  // `open` holds steps that wait for nothing any more; a cached one may open others in turn. No
  // recursion: chains are as long as pipelines may be.
  std::vector<int> open = {index};
  for (size_t next = 0; next < open.size(); ++next) {
    if (step(open[next]).state == StepState::kWaits) {
      Decide(open[next]);
      changed.push_back(open[next]);
    }
    if (!HasOutputs(step(open[next]).state)) continue;
    for (int child : pipeline_->children[static_cast<size_t>(open[next])]) {
      PlannedStep& planned = steps_[static_cast<size_t>(child)];
      if (planned.state != StepState::kWaits) continue;
      if (--planned.waiting_count == 0) open.push_back(child);
    }
  }
}

void Plan::ExplainWaiting(int index) {
  const Step& step = pipeline_->steps[static_cast<size_t>(index)];
  PlannedStep& planned = steps_[static_cast<size_t>(index)];
  planned.reasons.clear();
  if (is_forced_[static_cast<size_t>(index)]) planned.reasons.push_back({.kind = Kind::kForced});
  auto last = inputs_.last_successes.find(step.name);
  if (last == inputs_.last_successes.end()) {
    planned.reasons.push_back({.kind = Kind::kNeverRan});
  } else {
    // What is not known yet is taken as it was, so that only real differences are named.
    Ingredients now = GatherIngredients(index);
    for (InputIngredient& input : now.inputs) {
      if (input.digest != Digest() || !input.pattern.empty()) continue;
      for (const InputIngredient& before : last->second.inputs) {
        if (before.name == input.name && before.origin == input.origin)
          input.digest = before.digest;
      }
    }
    std::vector<Reason> differences = CompareIngredients(last->second, now);
    planned.reasons.insert(planned.reasons.end(), differences.begin(), differences.end());
  }
  size_t upstream_count = 0;
  for (int parent : step.parents) {
    StepState state = steps_[static_cast<size_t>(parent)].state;
    if (!IsOpen(state) || ++upstream_count > kShownUpstreamCount) continue;
    planned.reasons.push_back(
        {.kind = state == StepState::kWaits ? Kind::kUpstreamMayRun : Kind::kUpstream,
         .subject = pipeline_->steps[static_cast<size_t>(parent)].name,
         .before = "",
         .after = ""});
  }
  if (upstream_count > kShownUpstreamCount) {
    planned.reasons.push_back(
        {.kind = Kind::kUpstreamMayRun,
         .subject = fmt::format("({} more)", upstream_count - kShownUpstreamCount),
         .before = "",
         .after = ""});
  }
}

void Plan::Skip(int index, std::string_view what_happened, ChangedSteps& changed) {
  const std::string& name = pipeline_->steps[static_cast<size_t>(index)].name;
  std::vector<int> open = {index};
  for (size_t next = 0; next < open.size(); ++next) {
    for (int child : pipeline_->children[static_cast<size_t>(open[next])]) {
      PlannedStep& planned = steps_[static_cast<size_t>(child)];
      if (planned.state != StepState::kWaits) continue;
      planned.reasons = {{.kind = Kind::kUpstreamFailed,
                          .subject = name,
                          .before = "",
                          .after = std::string(what_happened)}};
      SetState(child, StepState::kSkipped);
      changed.push_back(child);
      open.push_back(child);
    }
  }
}

void Plan::Start(int index) {
  CHECK(step(index).state == StepState::kReady);
  SetState(index, StepState::kStarted);
}

ChangedSteps Plan::Finish(int index, OutputDigests outputs) {
  PlannedStep& planned = steps_[static_cast<size_t>(index)];
  CHECK(planned.state == StepState::kReady || planned.state == StepState::kStarted);
  CHECK(outputs.size() == pipeline_->steps[static_cast<size_t>(index)].outputs.size());
  planned.outputs = std::move(outputs);
  SetState(index, StepState::kDone);
  ChangedSteps changed = {index};
  Settle(index, changed);
  return changed;
}

ChangedSteps Plan::Fail(int index) {
  CHECK(step(index).state == StepState::kReady || step(index).state == StepState::kStarted);
  SetState(index, StepState::kFailed);
  ChangedSteps changed = {index};
  Skip(index, "failed", changed);
  return changed;
}

}  // namespace sluice::pipeline
