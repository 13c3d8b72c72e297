// Runs, their steps and attempts as rows: what `sluice status` and `sluice log` read, and how an
// engine finds the attempts that an earlier one left behind. Tables pipeline_runs, run_steps,
// attempts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runner/observer.h"
#include "sql/db.h"

namespace sluice::runner {

struct RunRow {
  std::string run_id;
  std::string pipeline;
  std::string environment;
  std::string state;  ///< "running", "interrupted" (its engine was killed), or RunStateName
  int64_t start_ms = 0;
  std::optional<int64_t> end_ms;
};

struct StepRow {
  std::string run_id;
  std::string step;
  std::string state;  ///< "pending", "running", "interrupted", or StepResultName
  std::string reason;
  std::string error;
  std::string cache_key;  ///< hex; empty if unknown
  int attempt_count = 0;
  std::optional<int64_t> start_ms;
  std::optional<int64_t> end_ms;
};

struct AttemptRow {
  std::string directory;  ///< relative to the project
  std::string run_id;
  std::string step;
  int number = 1;
  std::string cache_key;
  std::string state;  ///< "running", or EndReasonName
  int64_t start_ms = 0;
  std::optional<int64_t> end_ms;
};

/// Thread-safe. `db` must outlive it. Errors, all methods: those of sql.
class RunHistory {
 public:
  explicit RunHistory(sql::Db& db) : db_(db) {}

  Status BeginRun(const RunRow& run, const std::vector<StepRow>& steps);
  Status UpdateStep(const StepRow& step);
  /// Errors: also kNotFound if there is no such run.
  Status EndRun(std::string_view run_id, std::string_view state, int64_t end_ms,
                const std::vector<StepRow>& changed_steps, io::Durability durability);
  Status BeginAttempt(const AttemptRow& attempt);
  Status EndAttempt(std::string_view directory, std::string_view state, int64_t end_ms);

  /// Attempts in state "running", oldest first.
  Result<std::vector<AttemptRow>> ListOpenAttempts();
  /// Runs still "running" become "interrupted": their engine was killed. Only under the project's
  /// lock.
  Status CloseInterruptedRuns(std::string_view except_run_id, int64_t now_ms);
  /// The newest runs first.
  Result<std::vector<RunRow>> ListRuns(int max_count);
  Result<std::optional<RunRow>> FindRun(std::string_view run_id);
  Result<std::vector<StepRow>> ListSteps(std::string_view run_id);
  /// The newest attempt of a step, in `run_id` or, if that is empty, in any run.
  Result<std::optional<AttemptRow>> FindLastAttempt(std::string_view step, std::string_view run_id);
  /// The newest runs that have attempts.
  Result<std::vector<std::string>> ListRunsWithAttempts(int max_count);

 private:
  sql::Db& db_;
};

}  // namespace sluice::runner
