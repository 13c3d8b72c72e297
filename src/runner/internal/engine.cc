#include "runner/internal/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "base/log.h"
#include "runner/internal/attempt_builder.h"

namespace sluice::runner {
namespace {

constexpr int kMaxPlanCount = 10;  // plans of one run; more than one only if objects are damaged
constexpr int64_t kTailIntervalMs = 100;
constexpr int64_t kIdleWaitMs = 60'000;

int ParallelCount(const RunRequest& request) {
  if (request.max_parallel > 0) return request.max_parallel;
  if (request.environment.max_parallel > 0) return request.environment.max_parallel;
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

bool IsBadObject(const Error& error) {
  return error.code() == ErrorCode::kDataLoss || error.code() == ErrorCode::kNotFound;
}

}  // namespace

Engine::Engine(const RunRequest& request, const RunDeps& deps, const std::string& run_id)
    : request_(request),
      deps_(deps),
      run_id_(run_id),
      max_parallel_(ParallelCount(request)),
      cache_(deps.db),
      history_(deps.db),
      step_io_(deps, request.project),
      orphans_(deps, history_, request.project) {
  const std::vector<pipeline::Step>& steps = request.pipeline->steps;
  outcomes_.resize(steps.size());
  is_row_final_.assign(steps.size(), false);
  lost_counts_.assign(steps.size(), 0);
  positions_.assign(steps.size(), 0);
  for (size_t i = 0; i < request.pipeline->order.size(); ++i) {
    positions_[static_cast<size_t>(request.pipeline->order[i])] = static_cast<int>(i);
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    outcomes_[i].step = static_cast<int>(i);
    outcomes_[i].name = steps[i].name;
  }
}

Result<RunSummary> Engine::Run() {
  start_ms_ = deps_.clock.NowMs();
  RETURN_IF_ERROR(history_.CloseInterruptedRuns(run_id_, start_ms_));
  RETURN_IF_ERROR(orphans_.Load());
  for (int plan_count = 0; plan_count == 0 || needs_new_plan_; ++plan_count) {
    if (plan_count == kMaxPlanCount) {
      return DataLoss(
          "objects of the store are damaged faster than steps can make them again; check the "
          "disk");
    }
    RETURN_IF_ERROR(MakeNewPlan());
    if (plan_count == 0) RETURN_IF_ERROR(BeginHistory());
    deps_.observer.OnPlan(run_id_, planned_->plan);
    RETURN_IF_ERROR(TakeInitialStates());
    RETURN_IF_ERROR(Loop());
  }
  RETURN_IF_ERROR(orphans_.StopUnwanted([](const Orphan&) { return false; }));
  return Summarise();
}

Status Engine::MakeNewPlan() {
  needs_new_plan_ = false;
  ready_.clear();
  retries_ = {};
  RunRequest request = request_;
  if (!done_here_.empty()) {
    // What was forced and has run since is not forced again.
    std::vector<std::string> forced;
    for (const pipeline::Step& step : request_.pipeline->steps) {
      bool is_forced = request_.is_all_forced ||
                       std::count(request_.forced.begin(), request_.forced.end(), step.name) > 0;
      if (is_forced && !done_here_.contains(request_.pipeline->FindStep(step.name))) {
        forced.push_back(step.name);
      }
    }
    request.forced = std::move(forced);
    request.is_all_forced = false;
  }
  ASSIGN_OR_RETURN(Planned planned, MakePlan(request, deps_));
  planned_.emplace(std::move(planned));
  return Ok();
}

Status Engine::BeginHistory() {
  std::vector<StepRow> rows;
  for (int index : planned_->plan.selected()) {
    const pipeline::PlannedStep& planned = planned_->plan.step(index);
    StepOutcome& outcome = OutcomeOf(index);
    if (!planned.reasons.empty()) outcome.reason = planned.reasons[0].ToText();
    outcome.key = planned.key;
    rows.push_back(
        RowOf(outcome, planned.state == pipeline::StepState::kCached ? "cached" : "pending"));
  }
  return history_.BeginRun({.run_id = run_id_,
                            .pipeline = request_.pipeline->name,
                            .environment = request_.environment.name,
                            .state = "running",
                            .start_ms = start_ms_,
                            .end_ms = std::nullopt},
                           rows);
}

Status Engine::TakeInitialStates() {
  const pipeline::Plan& plan = planned_->plan;
  // An attempt of an earlier run is of use if its step may still run with its key.
  RETURN_IF_ERROR(orphans_.StopUnwanted([&](const Orphan& orphan) {
    int index = request_.pipeline->FindStep(orphan.row.step);
    if (index < 0) return false;
    const pipeline::PlannedStep& step = plan.step(index);
    if (step.state == pipeline::StepState::kWaits) return true;
    return step.state == pipeline::StepState::kReady && !IsForced(index) &&
           step.key->ToHex() == orphan.row.cache_key;
  }));
  return TakeChanges(plan.selected());
}

Status Engine::Loop() {
  for (;;) {
    RETURN_IF_ERROR(CheckStopSwitch());
    if (!is_stopping() && !needs_new_plan_) RETURN_IF_ERROR(StartReady());
    RETURN_IF_ERROR(TakeEnds(orphans_.TakeOthersEnds()));
    bool has_retries = !retries_.empty() && !is_stopping() && !needs_new_plan_;
    bool has_ready = !ready_.empty() && !is_stopping() && !needs_new_plan_;
    if (running_.empty() && !has_retries && !has_ready) return Ok();
    if (running_.empty() && has_ready) continue;
    int wake_fd = deps_.stop != nullptr ? deps_.stop->fd() : -1;
    RETURN_IF_ERROR(deps_.executor.Wait(WaitMs(), wake_fd));
    ASSIGN_OR_RETURN(std::vector<EndedAttempt> ended, deps_.executor.Poll());
    for (auto& [directory, attempt] : running_) TailEvents(attempt, false);
    RETURN_IF_ERROR(TakeEnds(std::move(ended)));
  }
}

int64_t Engine::WaitMs() const {
  int64_t wait_ms = running_.empty() ? kIdleWaitMs : kTailIntervalMs;
  if (!retries_.empty() && !is_stopping()) {
    int64_t left_ns = retries_.top().due_ns - deps_.clock.MonotonicNs();
    wait_ms = std::min(wait_ms, std::max<int64_t>(0, (left_ns + 999'999) / 1'000'000));
  }
  return wait_ms;
}

Status Engine::StartReady() {
  int64_t now_ns = deps_.clock.MonotonicNs();
  while (!retries_.empty() && retries_.top().due_ns <= now_ns) {
    int step = retries_.top().step;
    ready_.emplace(positions_[static_cast<size_t>(step)], step);
    retries_.pop();
  }
  while (!ready_.empty() && !needs_new_plan_ && !is_stopping() &&
         running_.size() < static_cast<size_t>(max_parallel_)) {
    int index = ready_.begin()->second;
    ready_.erase(ready_.begin());
    RETURN_IF_ERROR(StartStep(index));
  }
  return Ok();
}

Status Engine::StartStep(int index) {
  const pipeline::Step& step = StepAt(index);
  pipeline::Plan& plan = planned_->plan;
  if (plan.step(index).state == pipeline::StepState::kReady) plan.Start(index);
  StepOutcome& outcome = OutcomeOf(index);
  outcome.key = plan.step(index).key;
  if (!plan.step(index).reasons.empty()) outcome.reason = plan.step(index).reasons[0].ToText();
  if (!orphans_.is_empty()) {
    std::string key = outcome.key->ToHex();
    // Of the same step with another key: it writes what we are about to write.
    RETURN_IF_ERROR(orphans_.StopUnwanted([&](const Orphan& orphan) {
      return orphan.row.step != step.name || (orphan.row.cache_key == key && !IsForced(index));
    }));
    if (std::optional<Orphan> orphan = orphans_.Take(step.name, key)) {
      return Adopt(index, *std::move(orphan));
    }
  }
  return Launch(index);
}

/// A person wants it done again, so what an earlier run began is no help.
bool Engine::IsForced(int index) const {
  const std::vector<pipeline::Reason>& reasons = planned_->plan.step(index).reasons;
  return !reasons.empty() && reasons[0].kind == pipeline::Reason::Kind::kForced;
}

Status Engine::Adopt(int index, Orphan orphan) {
  const pipeline::Step& step = StepAt(index);
  StepOutcome& outcome = OutcomeOf(index);
  if (orphan.record && !step.is_native()) {
    // Nobody watched while it ended: its files must still be as it left them.
    ASSIGN_OR_RETURN(bool is_untouched,
                     step_io_.AreOutputsUntouchedSince(step, orphan.record->end_ms));
    if (!is_untouched) {
      RETURN_IF_ERROR(history_.EndAttempt(
          orphan.row.directory, EndReasonName(orphan.record->reason), orphan.record->end_ms));
      return Launch(index);
    }
  }
  Running attempt{.info = {.step = &step,
                           .step_index = index,
                           .number = ++outcome.attempt_count,
                           .run_id = run_id_,
                           .directory = orphan.directory,
                           .is_adopted = true},
                  .events = EventTail(io::JoinPath(orphan.directory, "events.jsonl"))};
  if (outcome.start_ms == 0) outcome.start_ms = orphan.row.start_ms;
  outcome.attempt_directory = orphan.directory;
  has_executed_ = true;
  RETURN_IF_ERROR(history_.UpdateStep(RowOf(outcome, "running")));
  deps_.observer.OnAttemptStarted(attempt.info);
  Running& placed = running_.emplace(orphan.directory, std::move(attempt)).first->second;
  if (!orphan.record) return Ok();
  AttemptRecord record = *orphan.record;
  Status status = TakeEnd(placed, record);
  running_.erase(orphan.directory);
  return status;
}

Status Engine::Launch(int index) {
  const pipeline::Step& step = StepAt(index);
  StepOutcome& outcome = OutcomeOf(index);
  InputPaths inputs;
  Status found = FindInputs(
      *request_.pipeline, step, planned_->sources, step_io_,
      [&](int producer) -> const std::vector<StepOutput>& { return OutcomeOf(producer).outputs; },
      inputs);
  if (!found.ok()) {
    if (inputs.bad_producer < 0 || !IsBadObject(found.error())) return found;
    return ForgetProducer(inputs.bad_producer, found.error());
  }
  int number = ++outcome.attempt_count;
  std::string relative = fmt::format("{}/{}/{}-{}", kAttemptsFolder, run_id_, step.name, number);
  const std::string directory = io::JoinPath(request_.project, relative);
  Running attempt{.info = {.step = &step,
                           .step_index = index,
                           .number = number,
                           .run_id = run_id_,
                           .directory = directory},
                  .events = EventTail(io::JoinPath(directory, "events.jsonl"))};
  int64_t now_ms = deps_.clock.NowMs();
  if (outcome.start_ms == 0) outcome.start_ms = now_ms;
  outcome.attempt_directory = directory;
  has_executed_ = true;
  RETURN_IF_ERROR(history_.BeginAttempt({.directory = relative,
                                         .run_id = run_id_,
                                         .step = step.name,
                                         .number = number,
                                         .cache_key = outcome.key->ToHex(),
                                         .state = "running",
                                         .start_ms = now_ms,
                                         .end_ms = std::nullopt}));
  if (number == 1) RETURN_IF_ERROR(history_.UpdateStep(RowOf(outcome, "running")));
  deps_.observer.OnAttemptStarted(attempt.info);
  Status started = StartAttempt(attempt.info, inputs.paths);
  if (!started.ok()) {
    AttemptRecord record;
    record.reason = EndReason::kStartFailed;
    record.start_ms = record.end_ms = now_ms;
    record.message = started.error().message();
    return TakeEnd(attempt, record);
  }
  running_.emplace(directory, std::move(attempt));
  return Ok();
}

Status Engine::StartAttempt(const AttemptInfo& attempt, const pipeline::NamedPaths& inputs) {
  if (!attempt.step->is_native()) RETURN_IF_ERROR(step_io_.ClearOutputs(*attempt.step));
  ASSIGN_OR_RETURN(AttemptSpec spec,
                   BuildAttempt(request_, deps_, attempt, planned_->plan, inputs));
  return deps_.executor.Start(spec);
}

/// An object that the run cache names is gone or damaged: the step that made it must run again, so
/// a new plan is made once what runs now has ended.
Status Engine::ForgetProducer(int producer, const Error& error) {
  Log(LogLevel::kWarning, "step '{}' runs again, its output cannot be read: {}",
      StepAt(producer).name, error.message());
  const StepOutcome& outcome = OutcomeOf(producer);
  for (const StepOutput& output : outcome.outputs) {
    RETURN_IF_ERROR(DropDamaged(deps_.fs, deps_.store, output.stored.id));
  }
  if (outcome.key) RETURN_IF_ERROR(cache_.Forget(*outcome.key));
  done_here_.erase(producer);
  needs_new_plan_ = true;
  return Ok();
}

Status Engine::TakeChanges(const pipeline::ChangedSteps& changed) {
  for (int index : changed) {
    const pipeline::PlannedStep& planned = planned_->plan.step(index);
    StepOutcome& outcome = OutcomeOf(index);
    if (!planned.reasons.empty()) outcome.reason = planned.reasons[0].ToText();
    if (planned.key) outcome.key = planned.key;
    switch (planned.state) {
      case pipeline::StepState::kReady:
        if (outcome.result == StepResult::kFailed) {  // under an earlier plan of this run
          RETURN_IF_ERROR(TakeChanges(planned_->plan.Fail(index)));
        } else {
          ready_.emplace(positions_[static_cast<size_t>(index)], index);
        }
        break;
      case pipeline::StepState::kCached: RETURN_IF_ERROR(TakeCached(index)); break;
      case pipeline::StepState::kSkipped:
        if (outcome.result == StepResult::kNotRun) {
          FinishStep(index, StepResult::kSkipped, outcome.reason);
        }
        break;
      case pipeline::StepState::kBlocked:
        if (outcome.result == StepResult::kNotRun) {
          FinishStep(index, StepResult::kBlocked, outcome.reason);
        }
        break;
      default: break;
    }
  }
  return Ok();
}

Status Engine::TakeCached(int index) {
  const pipeline::Step& step = StepAt(index);
  StepOutcome& outcome = OutcomeOf(index);
  if (!done_here_.contains(index)) {
    const CacheEntry* entry = planned_->cache->entry(step.name);
    CHECK(entry != nullptr);
    outcome.outputs = entry->outputs;
    outcome.facts = entry->facts;
  }
  Status restored = step_io_.Restore(step, outcome.outputs);
  if (!restored.ok()) {
    if (!IsBadObject(restored.error())) {
      return std::move(restored).error().With(fmt::format("restore step '{}'", step.name));
    }
    return ForgetProducer(index, restored.error());
  }
  if (outcome.result == StepResult::kNotRun) FinishStep(index, StepResult::kCached, "");
  return Ok();
}

/// Tells the observer, once for each step.
void Engine::FinishStep(int index, StepResult result, std::string error) {
  StepOutcome& outcome = OutcomeOf(index);
  outcome.result = result;
  outcome.error = std::move(error);
  deps_.observer.OnStepFinished(outcome);
}

Status Engine::CheckStopSwitch() {
  if (deps_.stop == nullptr) return Ok();
  int count = deps_.stop->count();
  deps_.stop->Drain();
  if (count == stop_count_) return Ok();
  stop_count_ = count;
  return StopAll(count == 1 ? CancelMode::kGraceful : CancelMode::kKill);
}

Status Engine::StopAll(CancelMode mode) {
  for (auto& [directory, attempt] : running_) {
    attempt.is_told_to_stop = true;
    Status cancelled = deps_.executor.Cancel(directory, mode);
    // kNotFound: its end is among the news not yet taken.
    if (!cancelled.ok() && cancelled.error().code() != ErrorCode::kNotFound) return cancelled;
  }
  return Ok();
}

}  // namespace sluice::runner
