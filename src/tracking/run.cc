#include "tracking/run.h"

#include <cmath>
#include <tuple>

namespace sluice::tracking {
namespace {

constexpr RunStatus kStatuses[] = {RunStatus::kRunning, RunStatus::kScheduled, RunStatus::kFinished,
                                   RunStatus::kFailed, RunStatus::kKilled};

}  // namespace

std::string_view RunStatusName(RunStatus status) {
  switch (status) {
    case RunStatus::kRunning: return "RUNNING";
    case RunStatus::kScheduled: return "SCHEDULED";
    case RunStatus::kFinished: return "FINISHED";
    case RunStatus::kFailed: return "FAILED";
    case RunStatus::kKilled: return "KILLED";
  }
  return "UNKNOWN";
}

std::optional<RunStatus> FindRunStatus(std::string_view name) {
  for (RunStatus status : kStatuses) {
    if (RunStatusName(status) == name) return status;
  }
  return std::nullopt;
}

bool IsEnded(RunStatus status) {
  return status == RunStatus::kFinished || status == RunStatus::kFailed ||
         status == RunStatus::kKilled;
}

std::string_view LifecycleStageName(LifecycleStage stage) {
  return stage == LifecycleStage::kActive ? "active" : "deleted";
}

bool IsLater(const Metric& candidate, const Metric& current) {
  auto rank = [](const Metric& metric) {
    bool is_number = !std::isnan(metric.value);
    return std::tuple(metric.step, metric.timestamp_ms, is_number, is_number ? metric.value : 0.0);
  };
  return rank(candidate) > rank(current);
}

std::optional<std::string> Run::FindTag(std::string_view key) const {
  for (const Tag& tag : tags) {
    if (tag.key == key) return tag.value;
  }
  return std::nullopt;
}

}  // namespace sluice::tracking
