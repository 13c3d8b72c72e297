// Records a pipeline run in the tracking store: a parent run, and a nested run for every step that
// was executed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "runner/observer.h"
#include "tracking/store.h"

namespace sluice::app {

struct RunDescription {
  std::string pipeline;  ///< the experiment's name
  std::string project;   ///< absolute folder
  std::string environment;
  std::map<std::string, std::string> params;
};

/// What a cached step would have reported is on the parent run too, so that every run has its
/// metrics. A failing store never stops the pipeline: the first error is kept and told at the end.
class TrackingObserver : public runner::RunObserver {
 public:
  /// `store` must outlive it.
  TrackingObserver(tracking::Store& store, RunDescription description)
      : store_(store), description_(std::move(description)) {}

  void OnPlan(const std::string& run_id, const pipeline::Plan& plan) override;
  void OnAttemptStarted(const runner::AttemptInfo& attempt) override;
  void OnMetric(const runner::AttemptInfo& attempt, std::string_view key, double value,
                int64_t step, int64_t timestamp_ms) override;
  void OnStepFinished(const runner::StepOutcome& outcome) override;
  void OnRunFinished(const runner::RunSummary& summary) override;

  /// The first thing that could not be recorded.
  const std::optional<Error>& error() const { return error_; }

 private:
  struct Nested {
    std::string run_id;
    tracking::Batch batch;  // metrics that wait to be written
  };
  Status Begin(const std::string& run_id);
  Status FinishNested(const runner::StepOutcome& outcome, Nested& nested);
  void Keep(Status status);

  tracking::Store& store_;
  const RunDescription description_;
  const pipeline::Plan* plan_ = nullptr;
  std::string experiment_id_;
  std::string parent_run_id_;
  std::map<std::string, Nested> nested_;  // by step name
  tracking::Batch parent_batch_;
  std::vector<tracking::DatasetLink> sources_;
  std::optional<Error> error_;
};

}  // namespace sluice::app
