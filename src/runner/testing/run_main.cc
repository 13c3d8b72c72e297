// sluice-runner-driver PROJECT [STEP...]: runs PROJECT/sluice.yaml (command steps only) with the
// real executor, for tests that kill it. Prints one line per event and "state: ..." at the end.
// Exit code: 0 succeeded, 1 failed, 130 cancelled, 2 could not run.
#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <memory>
#include <string>

#include "objects/stat_cache.h"
#include "objects/store.h"
#include "pipeline/parse.h"
#include "runner/executors.h"
#include "runner/run.h"
#include "runner/run_cache.h"
#include "runner/testing/attempt_program.h"
#include "sql/migrator.h"
#include "sql/sqlite.h"

namespace sluice::runner {
namespace {

StopSwitch* stop_switch = nullptr;

class PrintingObserver : public RunObserver {
 public:
  void OnAttemptStarted(const AttemptInfo& attempt) override {
    Print(fmt::format("start {} {}{}", attempt.step->name, attempt.number,
                      attempt.is_adopted ? " adopted" : ""));
  }
  void OnStepFinished(const StepOutcome& outcome) override {
    Print(
        fmt::format("step {} {} {}", outcome.name, StepResultName(outcome.result), outcome.error));
    for (const StepOutput& output : outcome.outputs) {
      Print(fmt::format("output {}.{} {}", outcome.name, output.name, output.stored.id.ToString()));
    }
  }

 private:
  static void Print(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
  }
};

Result<RunSummary> RunProject(const std::string& folder, std::vector<std::string> targets) {
  io::Fs& fs = io::RealFs();
  ASSIGN_OR_RETURN(std::string project, io::AbsolutePath(folder));
  ASSIGN_OR_RETURN(std::string yaml, fs.ReadFile(project + "/sluice.yaml"));
  ASSIGN_OR_RETURN(pipeline::Pipeline pipeline, pipeline::ParsePipeline(yaml, "sluice.yaml", {}));
  RETURN_IF_ERROR(fs.MakeDirectories(project + "/.sluice"));
  ASSIGN_OR_RETURN(std::unique_ptr<sql::Db> db, sql::OpenSqlite(project + "/.sluice/sluice.db"));
  RETURN_IF_ERROR(sql::Migrate(*db, RunnerMigrations()));
  ASSIGN_OR_RETURN(std::unique_ptr<objects::StatCache> stat_cache,
                   objects::StatCache::Open(fs, project + "/.sluice/stat-cache"));
  ASSIGN_OR_RETURN(
      std::unique_ptr<objects::Store> store,
      objects::Store::Open(fs, project + "/.sluice/objects",
                           {.durability = io::Durability::kFast, .cache = stat_cache.get()}));
  ASSIGN_OR_RETURN(std::unique_ptr<Executor> executor,
                   MakeExecutor("local", fs, {.attempt_program = FindAttemptProgram()}));
  ASSIGN_OR_RETURN(std::unique_ptr<StopSwitch> stop, StopSwitch::Make());
  stop_switch = stop.get();
  struct sigaction action {};
  action.sa_handler = [](int) { stop_switch->Press(); };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  PrintingObserver observer;
  RunRequest request;
  request.pipeline = &pipeline;
  ASSIGN_OR_RETURN(request.params, pipeline::ResolveParams(pipeline, {}));
  request.project = project;
  request.targets = std::move(targets);
  request.max_parallel = 4;
  request.grace_ms = 500;
  RunDeps deps{.fs = fs,
               .clock = SystemClock(),
               .db = *db,
               .store = *store,
               .stat_cache = *stat_cache,
               .executor = *executor,
               .observer = observer,
               .stop = stop.get(),
               .native_command = {},
               .caller_env = io::CurrentEnv()};
  return RunPipeline(request, deps);
}

}  // namespace
}  // namespace sluice::runner

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  sluice::Result<sluice::runner::RunSummary> summary =
      sluice::runner::RunProject(argv[1], {argv + 2, argv + argc});
  if (!summary.ok()) {
    std::fprintf(stderr, "%s\n", summary.error().ToString().c_str());
    return 2;
  }
  std::printf("state: %s\n", std::string(RunStateName(summary->state)).c_str());
  switch (summary->state) {
    case sluice::runner::RunSummary::State::kSucceeded: return 0;
    case sluice::runner::RunSummary::State::kFailed: return 1;
    case sluice::runner::RunSummary::State::kCancelled: return 130;
  }
}
