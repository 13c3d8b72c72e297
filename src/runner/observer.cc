#include "runner/observer.h"

#include <algorithm>

namespace sluice::runner {

std::string_view StepResultName(StepResult result) {
  switch (result) {
    case StepResult::kCached: return "cached";
    case StepResult::kSucceeded: return "succeeded";
    case StepResult::kFailed: return "failed";
    case StepResult::kSkipped: return "skipped";
    case StepResult::kBlocked: return "blocked";
    case StepResult::kCancelled: return "cancelled";
    case StepResult::kNotRun: return "not run";
  }
  return "";
}

std::string_view RunStateName(RunSummary::State state) {
  switch (state) {
    case RunSummary::State::kSucceeded: return "succeeded";
    case RunSummary::State::kFailed: return "failed";
    case RunSummary::State::kCancelled: return "cancelled";
  }
  return "";
}

int RunSummary::CountOf(StepResult result) const {
  return static_cast<int>(std::count_if(
      steps.begin(), steps.end(), [&](const StepOutcome& step) { return step.result == result; }));
}

const StepOutcome* RunSummary::Find(std::string_view step) const {
  for (const StepOutcome& outcome : steps) {
    if (outcome.name == step) return &outcome;
  }
  return nullptr;
}

}  // namespace sluice::runner
