// What a run tells whoever watches it: tracking, the terminal, tests. All calls come from the
// thread that called RunPipeline, in the order in which things happened. Implementations must be
// quick and must not call back into the runner.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/subprocess.h"
#include "objects/object.h"
#include "pipeline/plan.h"
#include "runner/attempt_record.h"

namespace sluice::runner {

/// One output of a step, as it is in the store.
struct StepOutput {
  std::string name;
  objects::Stored stored;

  friend bool operator==(const StepOutput&, const StepOutput&) = default;
};

/// What a step said about itself: the last value of each metric, param and tag, and its summary
/// lines. Kept in the run cache, so that a cached step has them too.
struct StepFacts {
  std::map<std::string, double> metrics;
  std::map<std::string, std::string> params;
  std::map<std::string, std::string> tags;
  std::vector<std::string> summary;
  std::vector<std::string> warnings;
};

/// How a step ended in a run. Persisted in run_steps by name.
enum class StepResult : uint8_t {
  kCached,     ///< taken from the run cache
  kSucceeded,  ///< an attempt ended well
  kFailed,
  kSkipped,    ///< something it waits for failed
  kBlocked,    ///< a source file is missing
  kCancelled,  ///< stopped while it ran
  kNotRun,     ///< the run ended before its turn
};
/// "cached", "succeeded", "failed", "skipped", "blocked", "cancelled", "not run".
std::string_view StepResultName(StepResult result);

struct StepOutcome {
  int step = -1;  ///< index in the pipeline
  std::string name;
  StepResult result = StepResult::kNotRun;
  std::string error;   ///< for people: what happened, with the end of stderr; empty if it went well
  std::string reason;  ///< why it ran, was cached or skipped: the first of the plan's reasons
  std::optional<Digest> key;
  std::vector<StepOutput> outputs;  ///< in the order of Step::outputs, for kCached and kSucceeded
  StepFacts facts;
  int attempt_count = 0;  ///< in this run; an adopted one counts
  int64_t start_ms = 0;   ///< of the first attempt; 0 if there was none
  int64_t end_ms = 0;
  AttemptRecord record;           ///< of the last attempt
  std::string attempt_directory;  ///< of the last attempt, for its logs; empty if there was none
};

struct RunSummary {
  std::string run_id;
  enum class State : uint8_t { kSucceeded, kFailed, kCancelled } state = State::kSucceeded;
  std::vector<StepOutcome> steps;  ///< the selected ones, in topological order
  int64_t start_ms = 0;
  int64_t end_ms = 0;

  int CountOf(StepResult result) const;
  const StepOutcome* Find(std::string_view step) const;
};
/// "succeeded", "failed", "cancelled". Persisted.
std::string_view RunStateName(RunSummary::State state);

struct AttemptInfo {
  const pipeline::Step* step = nullptr;
  int step_index = -1;
  int number = 1;  ///< counts from 1 within the run and step
  std::string run_id;
  std::string directory;
  bool is_adopted = false;  ///< started by an earlier run that was killed
};

/// Every method does nothing unless overridden.
class RunObserver {
 public:
  virtual ~RunObserver() = default;

  /// Before anything starts. `plan` lives until RunPipeline returns. May come again, when a damaged
  /// object forced a new plan.
  virtual void OnPlan(const std::string& run_id, const pipeline::Plan& plan) {
    (void)run_id, (void)plan;
  }
  /// More variables for a command or native step (MLFLOW_TRACKING_URI, ...). Called before the
  /// start.
  virtual io::EnvPairs AttemptEnv(const AttemptInfo& attempt) {
    return (void)attempt, io::EnvPairs();
  }
  virtual void OnAttemptStarted(const AttemptInfo& attempt) { (void)attempt; }
  virtual void OnProgress(const AttemptInfo& attempt, double done, double total,
                          std::string_view unit) {
    (void)attempt, (void)done, (void)total, (void)unit;
  }
  virtual void OnMetric(const AttemptInfo& attempt, std::string_view key, double value,
                        int64_t step, int64_t timestamp_ms) {
    (void)attempt, (void)key, (void)value, (void)step, (void)timestamp_ms;
  }
  virtual void OnParam(const AttemptInfo& attempt, std::string_view key, std::string_view value) {
    (void)attempt, (void)key, (void)value;
  }
  virtual void OnTag(const AttemptInfo& attempt, std::string_view key, std::string_view value) {
    (void)attempt, (void)key, (void)value;
  }
  virtual void OnWarning(const AttemptInfo& attempt, std::string_view text) {
    (void)attempt, (void)text;
  }
  /// `retry_in_ms`: when the next attempt starts; negative: there will be none.
  virtual void OnAttemptFinished(const AttemptInfo& attempt, const AttemptRecord& record,
                                 std::string_view error, int64_t retry_in_ms) {
    (void)attempt, (void)record, (void)error, (void)retry_in_ms;
  }
  /// Once for each selected step, cached and skipped ones too.
  virtual void OnStepFinished(const StepOutcome& outcome) { (void)outcome; }
  virtual void OnRunFinished(const RunSummary& summary) { (void)summary; }
};

}  // namespace sluice::runner
