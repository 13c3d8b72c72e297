// A run as a person watches it: a live table on a terminal, plain lines elsewhere.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/terminal/step_table.h"
#include "base/guarded.h"
#include "base/periodic.h"
#include "runner/observer.h"

namespace sluice::app {

/// Draws to standard error's terminal if `is_live`, else writes one line to standard output when a
/// step starts or ends. Calls come from the engine's thread; drawing has a thread of its own.
class TerminalObserver : public runner::RunObserver {
 public:
  explicit TerminalObserver(bool is_live);
  ~TerminalObserver() override;

  void OnPlan(const std::string& run_id, const pipeline::Plan& plan) override;
  void OnAttemptStarted(const runner::AttemptInfo& attempt) override;
  void OnProgress(const runner::AttemptInfo& attempt, double done, double total,
                  std::string_view unit) override;
  void OnAttemptFinished(const runner::AttemptInfo& attempt, const runner::AttemptRecord& record,
                         std::string_view error, int64_t retry_in_ms) override;
  void OnStepFinished(const runner::StepOutcome& outcome) override;
  void OnRunFinished(const runner::RunSummary& summary) override;

 private:
  struct State {
    std::vector<StepLine> lines;
    std::vector<int> line_of_step;  // by step index of the pipeline; -1: not selected
    size_t drawn_line_count = 0;
    bool is_changed = false;
  };
  void Draw();
  StepLine* LineOf(State& state, int step_index);

  const bool is_live_;
  Guarded<State> state_;
  std::unique_ptr<Periodic> painter_;
};

/// The end of a run in words: counts, metrics, the verdict and what to do next.
std::string PrintRunSummary(const runner::RunSummary& summary, const std::string& report_path);

/// Is standard output a terminal that can be drawn on (and TERM is not "dumb")?
bool IsLiveTerminal();

}  // namespace sluice::app
