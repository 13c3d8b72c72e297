// The runner's front door: from a checked pipeline to a finished run.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/fs.h"
#include "objects/stat_cache.h"
#include "objects/store.h"
#include "pipeline/environment.h"
#include "pipeline/graph.h"
#include "pipeline/params.h"
#include "pipeline/plan.h"
#include "runner/executor.h"
#include "runner/observer.h"
#include "sql/db.h"

namespace sluice::runner {

/// Held (exclusively) by the engine that runs a project; relative to the project.
inline constexpr std::string_view kProjectLockPath = ".sluice/run.lock";

struct RunRequest {
  const pipeline::Pipeline* pipeline = nullptr;
  pipeline::Environment environment;
  pipeline::ParamValues params;
  std::string project;  ///< absolute path of the folder with sluice.yaml
  std::string run_id;   ///< empty: a new one
  std::vector<std::string> targets;
  std::vector<std::string> forced;
  bool is_all_forced = false;
  bool is_fail_fast = false;  ///< the first failure stops what else runs
  int max_parallel = 0;       ///< 0: the environment's, else the number of processors
  int64_t grace_ms = 5'000;   ///< for a step told to stop
  int64_t max_log_bytes = int64_t{64} << 20;
  int kept_run_count = 20;  ///< runs whose attempts' folders (logs) stay
};

/// A person's wish to stop, set by a signal handler of the app. Thread-safe and async-signal-safe.
class StopSwitch {
 public:
  /// Errors: kResourceExhausted (descriptors).
  static Result<std::unique_ptr<StopSwitch>> Make();
  ~StopSwitch();
  StopSwitch(const StopSwitch&) = delete;
  StopSwitch& operator=(const StopSwitch&) = delete;

  /// First call: steps are asked to end and nothing new starts. Second: they are killed.
  void Press() noexcept;
  int count() const noexcept { return count_.load(); }
  int fd() const noexcept { return fd_; }  ///< readable after a Press that was not taken yet
  void Drain() noexcept;

 private:
  explicit StopSwitch(int fd) : fd_(fd) {}
  const int fd_;
  std::atomic<int> count_{0};
};

/// All must outlive the call. `db` has had RunnerMigrations applied.
struct RunDeps {
  io::Fs& fs;
  Clock& clock;
  sql::Db& db;
  objects::Store& store;
  objects::StatCache& stat_cache;
  Executor& executor;
  RunObserver& observer;
  StopSwitch* stop = nullptr;  ///< may be null
  /// What runs a native step: {"/usr/bin/sluice", "step"}; the request's path is added.
  std::vector<std::string> native_command;
  /// The caller's environment, from which the variables of InheritedEnv and secrets are taken.
  io::EnvPairs caller_env;
};

/// Plans, runs, and returns when nothing runs any more. A failed or cancelled run is a summary, not
/// an error. Safe against kill -9 at any moment: what still runs then is taken over by the next
/// call for this project, and nothing half-written enters the store.
///
/// Errors: kUnavailable if another process runs this project (naming its pid); those of planning
/// (targets, params, unreadable sources), of the store, the database and the executor.
Result<RunSummary> RunPipeline(const RunRequest& request, const RunDeps& deps);

/// The plan alone: hashes sources (by the stat cache), asks the run cache, starts nothing and takes
/// no lock. For `sluice plan` and `why`. Errors: those of planning.
Result<pipeline::Plan> PlanRun(const RunRequest& request, const RunDeps& deps);

/// The variables of `caller_env` that a step sees besides its own: PATH, HOME, LANG, virtual
/// environments, GPU visibility (a table in step_env.cc). Sorted by name. Pure.
io::EnvPairs InheritedEnv(const io::EnvPairs& caller_env);

}  // namespace sluice::runner
