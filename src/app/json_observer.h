// A run as machines watch it: one JSON object a line on standard output.
#pragma once

#include "formats/json.h"
#include "runner/observer.h"

namespace sluice::app {

/// Lines: {"event":"plan"|"started"|"progress"|"metric"|"retry"|"step"|"run",...}, flushed one by
/// one.
class JsonObserver : public runner::RunObserver {
 public:
  void OnPlan(const std::string& run_id, const pipeline::Plan& plan) override;
  void OnAttemptStarted(const runner::AttemptInfo& attempt) override;
  void OnProgress(const runner::AttemptInfo& attempt, double done, double total,
                  std::string_view unit) override;
  void OnMetric(const runner::AttemptInfo& attempt, std::string_view key, double value,
                int64_t step, int64_t timestamp_ms) override;
  void OnAttemptFinished(const runner::AttemptInfo& attempt, const runner::AttemptRecord& record,
                         std::string_view error, int64_t retry_in_ms) override;
  void OnStepFinished(const runner::StepOutcome& outcome) override;
  void OnRunFinished(const runner::RunSummary& summary) override;
};

/// The outcome of a step as --json prints it; also used by `sluice status --json`.
formats::Json StepOutcomeToJson(const runner::StepOutcome& outcome);

}  // namespace sluice::app
