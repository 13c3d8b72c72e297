// The one place where tests build a project with everything a run needs, all of it in memory.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/testing/mem_fs.h"
#include "objects/stat_cache.h"
#include "objects/store.h"
#include "pipeline/graph.h"
#include "runner/run.h"
#include "runner/run_cache.h"
#include "runner/run_history.h"
#include "runner/testing/fake_executor.h"
#include "sql/db.h"

namespace sluice::runner {

/// Writes down what it is told, one line each: "start a 1", "end a exit code 0", "step a
/// succeeded".
class RecordingObserver : public RunObserver {
 public:
  void OnPlan(const std::string& run_id, const pipeline::Plan& plan) override;
  void OnAttemptStarted(const AttemptInfo& attempt) override;
  void OnProgress(const AttemptInfo& attempt, double done, double total,
                  std::string_view unit) override;
  void OnMetric(const AttemptInfo& attempt, std::string_view key, double value, int64_t step,
                int64_t timestamp_ms) override;
  void OnWarning(const AttemptInfo& attempt, std::string_view text) override;
  void OnAttemptFinished(const AttemptInfo& attempt, const AttemptRecord& record,
                         std::string_view error, int64_t retry_in_ms) override;
  void OnStepFinished(const StepOutcome& outcome) override;

  std::vector<std::string> lines;
  std::function<void(const AttemptInfo&)> on_started;
};

/// A project in memory at /project. A pipeline's `run` texts mean nothing here: FakeExecutor plays
/// the steps.
class TestProject {
 public:
  TestProject();

  void Write(const std::string& path, const std::string& content);  ///< relative to the project
  std::string Read(const std::string& path);                        ///< "<absent>" if it is
  void Remove(const std::string& path);
  /// The whole text of a sluice.yaml, or only its `steps:` part without the head.
  void SetPipeline(const std::string& yaml);

  RunRequest Request();
  RunDeps Deps();
  /// One run by a new executor object. Fails the test if it returns an error.
  RunSummary Run() { return Run(Request()); }
  RunSummary Run(const RunRequest& request);
  /// "a cached, b succeeded", in topological order.
  static std::string States(const RunSummary& summary);

  ManualClock clock;
  io::MemFs fs;  ///< with `clock`
  std::unique_ptr<sql::Db> db;
  std::unique_ptr<objects::Store> store;
  std::unique_ptr<objects::StatCache> stat_cache;
  std::shared_ptr<FakeWorld> world = std::make_shared<FakeWorld>();
  std::unique_ptr<FakeExecutor> executor;
  RecordingObserver observer;
  std::unique_ptr<StopSwitch> stop;
  std::unique_ptr<pipeline::Pipeline> pipeline;
};

}  // namespace sluice::runner
