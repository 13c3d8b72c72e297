// What becomes of an attempt that has ended: success into store and cache, failure into a retry or
// the plan.
#include <fmt/format.h>

#include <algorithm>

#include "runner/internal/engine.h"

namespace sluice::runner {
namespace {

constexpr int kMaxLostCount = 3;  // attempts of one step whose supervisor was killed

int64_t BackoffMs(const pipeline::Retries& retries, int attempt_count) {
  int64_t backoff_ms = std::max<int64_t>(retries.backoff_ms, 0);
  for (int i = 1; i < attempt_count && backoff_ms < pipeline::kMaxBackoffMs; ++i) backoff_ms *= 2;
  return std::min(backoff_ms, pipeline::kMaxBackoffMs);
}

}  // namespace

Status Engine::TakeEnds(std::vector<EndedAttempt> ended) {
  for (const EndedAttempt& attempt : ended) {
    auto found = running_.find(attempt.directory);
    if (found == running_.end()) {
      RETURN_IF_ERROR(orphans_.NoteEnd(attempt));
      continue;
    }
    RETURN_IF_ERROR(TakeEnd(found->second, attempt.record));
    running_.erase(found);
  }
  return Ok();
}

Status Engine::TakeEnd(Running& attempt, const AttemptRecord& record) {
  TailEvents(attempt, true);
  StepOutcome& outcome = OutcomeOf(attempt.info.step_index);
  outcome.record = record;
  outcome.end_ms = record.end_ms > 0 ? record.end_ms : deps_.clock.NowMs();
  return record.ok() ? TakeSuccess(attempt, record)
                     : TakeFailure(attempt, record, ErrorText(attempt.info, record));
}

Status Engine::TakeSuccess(Running& attempt, const AttemptRecord& record) {
  int index = attempt.info.step_index;
  const pipeline::Step& step = StepAt(index);
  StepOutcome& outcome = OutcomeOf(index);
  Status unchanged = CheckSourcesUnchanged(step);
  if (!unchanged.ok()) {
    attempt.may_retry = false;  // its key names the files as they were
    return TakeFailure(attempt, record, unchanged.error().message());
  }
  Result<std::vector<StepOutput>> outputs = step_io_.Ingest(step, attempt.info.directory);
  if (!outputs.ok()) return TakeFailure(attempt, record, outputs.error().message());
  Status logged = LogMetricFiles(attempt);
  if (!logged.ok()) return TakeFailure(attempt, record, logged.error().message());
  outcome.outputs = *std::move(outputs);
  outcome.facts = std::move(attempt.facts);
  RETURN_IF_ERROR(cache_.Record(request_.pipeline->name,
                                {.key = *outcome.key,
                                 .step = step.name,
                                 .run_id = run_id_,
                                 .created_ms = outcome.end_ms,
                                 .duration_ms = record.end_ms - record.start_ms,
                                 .outputs = outcome.outputs,
                                 .facts = outcome.facts,
                                 .ingredients = *planned_->plan.step(index).ingredients}));
  std::string relative = attempt.info.directory.substr(request_.project.size() + 1);
  RETURN_IF_ERROR(history_.EndAttempt(relative, EndReasonName(record.reason), outcome.end_ms));
  RETURN_IF_ERROR(deps_.fs.RemoveTree(io::JoinPath(attempt.info.directory, "out")));
  deps_.observer.OnAttemptFinished(attempt.info, record, "", -1);
  done_here_.insert(index);
  FinishStep(index, StepResult::kSucceeded, "");
  RETURN_IF_ERROR(history_.UpdateStep(RowOf(outcome, StepResultName(outcome.result))));
  pipeline::OutputDigests digests;
  for (const StepOutput& output : outcome.outputs) digests.push_back(output.stored.id.digest);
  pipeline::ChangedSteps changed = planned_->plan.Finish(index, std::move(digests));
  RETURN_IF_ERROR(planned_->cache->status());
  return TakeChanges(changed);
}

Status Engine::TakeFailure(Running& attempt, const AttemptRecord& record, std::string error) {
  int index = attempt.info.step_index;
  const pipeline::Step& step = StepAt(index);
  StepOutcome& outcome = OutcomeOf(index);
  std::string relative = attempt.info.directory.substr(request_.project.size() + 1);
  RETURN_IF_ERROR(history_.EndAttempt(relative, EndReasonName(record.reason), outcome.end_ms));
  RETURN_IF_ERROR(deps_.fs.RemoveTree(io::JoinPath(attempt.info.directory, "out")));

  int64_t retry_in_ms = -1;
  // What stopped an attempt of an earlier run from outside, perhaps together with its engine, says
  // nothing about the step: it starts again here, as if no news had come.
  bool is_stopped_earlier = attempt.info.is_adopted && (record.reason == EndReason::kSignalled ||
                                                        record.reason == EndReason::kCancelled);
  bool is_lost = record.reason == EndReason::kLost || is_stopped_earlier;
  if (is_lost) ++lost_counts_[static_cast<size_t>(index)];
  int lost_count = lost_counts_[static_cast<size_t>(index)];
  bool may_retry = attempt.may_retry && !is_stopping() && !attempt.is_told_to_stop;
  if (may_retry && is_lost && lost_count < kMaxLostCount) {
    retry_in_ms = 0;
  } else if (may_retry && !is_lost && record.reason != EndReason::kStartFailed &&
             outcome.attempt_count - lost_count <= step.retries.count) {
    retry_in_ms = BackoffMs(step.retries, outcome.attempt_count - lost_count);
  }
  deps_.observer.OnAttemptFinished(attempt.info, record, error, retry_in_ms);
  if (retry_in_ms >= 0) {
    retries_.push({deps_.clock.MonotonicNs() + retry_in_ms * 1'000'000, index});
    return Ok();
  }
  outcome.facts = std::move(attempt.facts);
  bool is_cancelled = attempt.is_told_to_stop || record.reason == EndReason::kCancelled;
  FinishStep(index, is_cancelled ? StepResult::kCancelled : StepResult::kFailed, std::move(error));
  RETURN_IF_ERROR(history_.UpdateStep(RowOf(outcome, StepResultName(outcome.result))));
  if (is_cancelled) return Ok();
  if (request_.is_fail_fast && !is_failing_fast_) {
    is_failing_fast_ = true;
    RETURN_IF_ERROR(StopAll(CancelMode::kGraceful));
  }
  return TakeChanges(planned_->plan.Fail(index));
}

Status Engine::CheckSourcesUnchanged(const pipeline::Step& step) {
  int index = request_.pipeline->FindStep(step.name);
  std::vector<pipeline::SourcePattern> patterns =
      pipeline::SourcePatterns(*request_.pipeline, std::span(&index, 1));
  if (patterns.empty()) return Ok();
  Result<SourcesByPattern> now =
      LoadSources(deps_.fs, request_.project, patterns, deps_.stat_cache);
  if (!now.ok()) return std::move(now).error();
  for (const auto& [pattern, files] : *now) {
    if (files.digest == planned_->sources.find(pattern)->second.digest) continue;
    return FailedPrecondition(fmt::format(
        "'{}' changed while the step ran, so nobody can say what it read; run again", pattern));
  }
  return Ok();
}

}  // namespace sluice::runner
