#include "app/tracking_observer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "pipeline/plan.h"
#include "runner/git_facts.h"

namespace sluice::app {

namespace {

constexpr size_t kMetricsPerBatch =
    500;  // written while the step runs, so that a crash loses little

std::string Cut(std::string_view text, size_t max_bytes) {
  return std::string(text.substr(0, max_bytes));
}

tracking::RunStatus StatusOf(runner::StepResult result) {
  switch (result) {
    case runner::StepResult::kCached:
    case runner::StepResult::kSucceeded: return tracking::RunStatus::kFinished;
    case runner::StepResult::kCancelled: return tracking::RunStatus::kKilled;
    default: return tracking::RunStatus::kFailed;
  }
}

tracking::DatasetLink Link(std::string_view name, std::string_view digest, std::string_view source,
                           std::string_view context) {
  tracking::DatasetLink link;
  link.dataset.name = Cut(name, 500);
  link.dataset.digest =
      Cut(digest, 36);  // MLflow's column is short; the whole digest is in `source`
  link.dataset.source_type = "sluice";
  link.dataset.source = fmt::format("{{\"name\":\"{}\",\"digest\":\"{}\"}}", source, digest);
  link.tags.push_back({"mlflow.data.context", std::string(context)});
  return link;
}

}  // namespace

void TrackingObserver::Keep(Status status) {
  if (!status.ok() && !error_) error_ = std::move(status).error();
}

Status TrackingObserver::Begin(const std::string& run_id) {
  ASSIGN_OR_RETURN(experiment_id_, recorder_.EnsureExperiment(description_.pipeline));
  tracking::NewRun run;
  run.experiment_id = experiment_id_;
  run.run_id = run_id;
  run.name = fmt::format("{}-{}", description_.pipeline, run_id.substr(0, 8));
  run.start_ms = SystemClock().NowMs();
  run.tags = {{std::string(tracking::kSourceTypeTag), "PROJECT"},
              {std::string(tracking::kSourceNameTag), description_.project},
              {"sluice.pipeline", description_.pipeline},
              {"sluice.run_id", run_id},
              {"sluice.environment", description_.environment}};
  Result<std::optional<runner::GitFacts>> git = runner::ReadGitFacts(description_.project);
  if (git.ok() && *git) {
    if (!(*git)->commit.empty())
      run.tags.push_back({std::string(tracking::kGitCommitTag), (*git)->commit});
    if (!(*git)->branch.empty())
      run.tags.push_back({std::string(tracking::kGitBranchTag), (*git)->branch});
    run.tags.push_back({"sluice.git.dirty", (*git)->is_dirty ? "true" : "false"});
  }
  ASSIGN_OR_RETURN(parent_run_id_, recorder_.CreateRun(run));
  for (const auto& [name, value] : description_.params)
    parent_batch_.params.push_back({name, value});
  return Ok();
}

void TrackingObserver::OnPlan(const std::string& run_id, const pipeline::Plan& plan) {
  plan_ = &plan;
  if (parent_run_id_.empty()) Keep(Begin(run_id));
}

Result<std::string> TrackingObserver::EnsureNested(const runner::AttemptInfo& attempt) {
  Nested& nested = nested_[attempt.step->name];
  if (!nested.run_id.empty()) return nested.run_id;  // a retry goes on in the same nested run
  tracking::NewRun run;
  run.experiment_id = experiment_id_;
  run.name = attempt.step->name;
  run.parent_run_id = parent_run_id_;
  run.start_ms = SystemClock().NowMs();
  run.tags = {{"sluice.step", attempt.step->name},
              {"sluice.kind", std::string(attempt.step->KindName())}};
  ASSIGN_OR_RETURN(nested.run_id, recorder_.CreateRun(run));
  return nested.run_id;
}

io::EnvPairs TrackingObserver::AttemptEnv(const runner::AttemptInfo& attempt) {
  if (parent_run_id_.empty() || attempt.step->is_native()) return {};
  Result<TrackingServer> server = find_server_();
  Result<std::string> run_id = server.ok() ? EnsureNested(attempt) : server.error();
  if (!run_id.ok()) {
    Keep(run_id.error());
    return {};
  }
  io::EnvPairs variables = server->Environment();
  variables.emplace_back("MLFLOW_RUN_ID", *run_id);
  variables.emplace_back("MLFLOW_EXPERIMENT_ID", experiment_id_);
  return variables;
}

void TrackingObserver::OnAttemptStarted(const runner::AttemptInfo& attempt) {
  if (parent_run_id_.empty()) return;
  Result<std::string> run_id = EnsureNested(attempt);
  if (!run_id.ok()) Keep(run_id.error());
}

void TrackingObserver::OnMetric(const runner::AttemptInfo& attempt, std::string_view key,
                                double value, int64_t step, int64_t timestamp_ms) {
  Nested& nested = nested_[attempt.step->name];
  if (nested.run_id.empty()) return;
  nested.batch.metrics.push_back(
      {Cut(key, tracking::Limits::kKeyLength), value, timestamp_ms, step});
  if (nested.batch.metrics.size() < kMetricsPerBatch) return;
  Keep(recorder_.LogBatch(nested.run_id, nested.batch));
  nested.batch = {};
}

Status TrackingObserver::FinishNested(const runner::StepOutcome& outcome, Nested& nested) {
  if (plan_ != nullptr && outcome.step >= 0) {
    const pipeline::PlannedStep& planned = plan_->step(outcome.step);
    if (planned.ingredients) {
      std::vector<tracking::DatasetLink> inputs;
      for (const pipeline::InputIngredient& input : planned.ingredients->inputs) {
        inputs.push_back(Link(input.name, input.digest.ToHex(), input.origin, "input"));
        if (!input.pattern.empty())
          sources_.push_back(Link(input.origin, input.digest.ToHex(), input.origin, "source"));
      }
      if (!nested.run_id.empty() && !inputs.empty())
        RETURN_IF_ERROR(recorder_.LogInputs(nested.run_id, inputs));
    }
  }
  if (nested.run_id.empty()) return Ok();
  for (const auto& [key, value] : outcome.facts.params) {
    nested.batch.params.push_back(
        {Cut(key, tracking::Limits::kKeyLength), Cut(value, tracking::Limits::kParamValueLength)});
  }
  for (const auto& [key, value] : outcome.facts.tags) nested.batch.tags.push_back({key, value});
  nested.batch.tags.push_back({"sluice.reason", outcome.reason});
  if (outcome.key) nested.batch.tags.push_back({"sluice.cache_key", outcome.key->ToHex()});
  if (!outcome.error.empty()) {
    nested.batch.tags.push_back(
        {"sluice.error", Cut(outcome.error, tracking::Limits::kRunTagValueLength)});
  }
  RETURN_IF_ERROR(recorder_.LogBatch(nested.run_id, nested.batch));
  std::vector<tracking::DatasetLink> outputs;
  for (const runner::StepOutput& output : outcome.outputs) {
    outputs.push_back(Link(fmt::format("{}.{}", outcome.name, output.name),
                           output.stored.id.digest.ToHex(),
                           fmt::format("{}.{}", outcome.name, output.name), "output"));
  }
  if (!outputs.empty()) RETURN_IF_ERROR(recorder_.LogOutputs(nested.run_id, outputs));
  return recorder_.EndRun(nested.run_id, StatusOf(outcome.result), SystemClock().NowMs());
}

void TrackingObserver::OnStepFinished(const runner::StepOutcome& outcome) {
  if (parent_run_id_.empty()) return;
  Keep(FinishNested(outcome, nested_[outcome.name]));
  int64_t now_ms = SystemClock().NowMs();
  for (const auto& [key, value] : outcome.facts.metrics) {
    parent_batch_.metrics.push_back(
        {Cut(fmt::format("{}.{}", outcome.name, key), tracking::Limits::kKeyLength), value, now_ms,
         0});
  }
  for (const auto& [key, value] : outcome.facts.tags) parent_batch_.tags.push_back({key, value});
  std::string state(runner::StepResultName(outcome.result));
  if (outcome.key) state += " " + outcome.key->ToHex();
  parent_batch_.tags.push_back(
      {Cut("sluice.step." + outcome.name, tracking::Limits::kKeyLength), state});
}

void TrackingObserver::OnRunFinished(const runner::RunSummary& summary) {
  if (parent_run_id_.empty()) return;
  Keep(recorder_.LogBatch(parent_run_id_, parent_batch_));
  if (!sources_.empty()) Keep(recorder_.LogInputs(parent_run_id_, sources_));
  tracking::RunStatus status = tracking::RunStatus::kFinished;
  if (summary.state == runner::RunSummary::State::kFailed) status = tracking::RunStatus::kFailed;
  if (summary.state == runner::RunSummary::State::kCancelled) status = tracking::RunStatus::kKilled;
  Keep(recorder_.EndRun(parent_run_id_, status, summary.end_ms));
}

}  // namespace sluice::app
