// The event loop of one run: starts what is ready, hears what has ended, tells the plan.
//
// The plan decides (which steps open, which are skipped); the executor runs; this class carries
// news between them and keeps the order of writing that makes kill -9 harmless:
//   row "running" → folder → start → (the attempt runs) → outputs into the store → run cache → row
//   ended.
// Whatever is cut off between two of these is found by the next run: an open row without a living
// attempt is closed, one with a record is ingested, objects nobody names are garbage.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "runner/internal/event_tail.h"
#include "runner/internal/orphans.h"
#include "runner/internal/planning.h"
#include "runner/internal/step_io.h"
#include "runner/run.h"
#include "runner/run_history.h"

namespace sluice::runner {

class Engine {
 public:
  /// All must outlive the engine.
  Engine(const RunRequest& request, const RunDeps& deps, const std::string& run_id);

  /// The whole run. Call once. Errors: those of RunPipeline but the lock's.
  Result<RunSummary> Run();

 private:
  struct Running {
    AttemptInfo info;
    EventTail events;
    StepFacts facts;
    bool is_told_to_stop = false;
    bool may_retry = true;
  };
  struct Retry {
    int64_t due_ns;
    int step;
    friend bool operator>(const Retry& a, const Retry& b) {
      return std::tie(a.due_ns, a.step) > std::tie(b.due_ns, b.step);
    }
  };
  using Retries = std::priority_queue<Retry, std::vector<Retry>, std::greater<>>;

  // Before the loop.
  Status MakeNewPlan();
  Status BeginHistory();
  Status TakeInitialStates();

  // The loop.
  Status Loop();
  Status StartReady();
  Status StartStep(int index);
  Status Adopt(int index, Orphan orphan);
  Status Launch(int index);
  Status StartAttempt(const AttemptInfo& attempt, const pipeline::NamedPaths& inputs);
  bool IsForced(int index) const;
  Status TakeEnds(std::vector<EndedAttempt> ended);
  Status TakeEnd(Running& attempt, const AttemptRecord& record);
  Status TakeSuccess(Running& attempt, const AttemptRecord& record);
  Status TakeFailure(Running& attempt, const AttemptRecord& record, std::string error);
  Status TakeChanges(const pipeline::ChangedSteps& changed);
  Status TakeCached(int index);
  Status CheckStopSwitch();
  Status StopAll(CancelMode mode);
  void TailEvents(Running& attempt, bool is_end);
  void TakeEvent(Running& attempt, const formats::Json& event);
  Status LogMetricFiles(Running& attempt);
  Status ForgetProducer(int producer, const Error& error);
  int64_t WaitMs() const;

  // After it.
  void FinishStep(int index, StepResult result, std::string error);
  Result<RunSummary> Summarise();
  Status Clean();

  Status CheckSourcesUnchanged(const pipeline::Step& step);
  std::string ErrorText(const AttemptInfo& attempt, const AttemptRecord& record);
  StepRow RowOf(const StepOutcome& outcome, std::string_view state) const;
  const pipeline::Step& StepAt(int index) const {
    return request_.pipeline->steps[static_cast<size_t>(index)];
  }
  StepOutcome& OutcomeOf(int index) { return outcomes_[static_cast<size_t>(index)]; }
  bool is_stopping() const { return stop_count_ > 0 || is_failing_fast_; }

  const RunRequest& request_;
  const RunDeps& deps_;
  const std::string run_id_;
  const int max_parallel_;
  RunCache cache_;
  RunHistory history_;
  StepIo step_io_;
  Orphans orphans_;

  std::optional<Planned> planned_;
  std::set<int> done_here_;  ///< steps that succeeded in this run; a new plan finds them cached
  std::vector<StepOutcome> outcomes_;    ///< by step index
  std::vector<bool> is_row_final_;       ///< by step index: its row in run_steps needs no change
  std::vector<int> lost_counts_;         ///< by step index
  std::vector<int> positions_;           ///< by step index: in topological order
  std::set<std::pair<int, int>> ready_;  ///< (position, step)
  Retries retries_;
  std::map<std::string, Running> running_;  ///< by directory
  int64_t start_ms_ = 0;
  int stop_count_ = 0;
  bool is_failing_fast_ = false;
  bool needs_new_plan_ = false;
  bool has_executed_ = false;
};

}  // namespace sluice::runner
