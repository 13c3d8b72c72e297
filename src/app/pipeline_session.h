// Everything that `sluice run`, `plan` and `why` need to talk to the runner, put together once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/cli/command.h"
#include "app/project.h"
#include "base/result.h"
#include "runner/run.h"

namespace sluice::app {

/// --param, --environment, --force, ...: for every command that plans.
std::vector<CliOption> PlanCliOptions();

/// A project with its pipeline parsed, its environment read and an executor made. Members live as
/// long as it.
class PipelineSession {
 public:
  /// Errors: those of OpenProject, of the pipeline and environment files, of parameters.
  static Result<std::unique_ptr<PipelineSession>> Open(const Arguments& arguments);

  Project& project() { return *project_; }
  const pipeline::Pipeline& pipeline() const { return *request_.pipeline; }
  runner::RunRequest& request() { return request_; }
  /// With `observer` watching; both must outlive the use of the result. `stop` may be null.
  runner::RunDeps Deps(runner::RunObserver& observer, runner::StopSwitch* stop);

 private:
  PipelineSession() = default;
  std::unique_ptr<Project> project_;
  std::unique_ptr<runner::Executor> executor_;
  runner::RunRequest request_;
  sql::Db* db_ = nullptr;
  objects::Store* store_ = nullptr;
  objects::StatCache* stat_cache_ = nullptr;
};

/// The folder of the running program, with links resolved. Errors: those of Fs.
Result<std::string> ProgramFolder();

}  // namespace sluice::app
