// Records a pipeline run: a parent run, and a nested run for every step that was executed. Command
// steps find their nested run by MLFLOW_TRACKING_URI and MLFLOW_RUN_ID.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/run_recorder.h"
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
/// metrics. A failing recorder never stops the pipeline: the first error is kept and told at the
/// end.
class TrackingObserver : public runner::RunObserver {
 public:
  /// Where the children of this process reach what the recorder writes to. Asked before every
  /// attempt of a command step.
  using FindServer = std::function<Result<TrackingServer>()>;

  /// `recorder` must outlive it.
  TrackingObserver(RunRecorder& recorder, FindServer find_server, RunDescription description)
      : recorder_(recorder),
        find_server_(std::move(find_server)),
        description_(std::move(description)) {}

  void OnPlan(const std::string& run_id, const pipeline::Plan& plan) override;
  io::EnvPairs AttemptEnv(const runner::AttemptInfo& attempt) override;
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
  /// The step's nested run, made at its first attempt.
  Result<std::string> EnsureNested(const runner::AttemptInfo& attempt);
  Status FinishNested(const runner::StepOutcome& outcome, Nested& nested);
  void Keep(Status status);

  RunRecorder& recorder_;
  const FindServer find_server_;
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
