// `sluice status` and `sluice log`: what ran, and what it printed.
#include <fmt/format.h>

#include <cstdio>

#include "app/cli/command.h"
#include "app/project.h"
#include "app/terminal/step_table.h"
#include "base/clock.h"
#include "base/suggest.h"
#include "runner/run_history.h"

namespace sluice::app {

namespace {

using formats::Json;

constexpr int64_t kMaxShownLogBytes = int64_t{256} << 20;

std::string PrintTime(const std::optional<int64_t>& start_ms,
                      const std::optional<int64_t>& end_ms) {
  if (!start_ms || *start_ms == 0) return "";
  return PrintDuration(end_ms.value_or(SystemClock().NowMs()) - *start_ms);
}

Json StepToJson(const runner::StepRow& step) {
  return Json::MakeObject({{"name", step.step},
                           {"state", step.state},
                           {"reason", step.reason},
                           {"error", step.error},
                           {"key", step.cache_key},
                           {"attempts", step.attempt_count},
                           {"start_ms", step.start_ms ? Json(*step.start_ms) : Json()},
                           {"end_ms", step.end_ms ? Json(*step.end_ms) : Json()}});
}

/// The run whose id begins with `prefix`; the newest for an empty one.
Result<runner::RunRow> FindRunByPrefix(runner::RunHistory& history, const std::string& prefix) {
  ASSIGN_OR_RETURN(std::vector<runner::RunRow> runs, history.ListRuns(10'000));
  for (const runner::RunRow& run : runs) {
    if (run.run_id.starts_with(prefix)) return run;
  }
  if (prefix.empty()) return NotFound("nothing has run yet; start with `sluice run`");
  return NotFound(fmt::format("no run begins with '{}'; `sluice status --all` lists them", prefix));
}

Result<int> RunStatus(const Arguments& arguments) {
  ASSIGN_OR_RETURN(std::unique_ptr<Project> project, OpenProject(arguments.Get("project")));
  ASSIGN_OR_RETURN(sql::Db * db, project->Db());
  runner::RunHistory history(*db);
  if (arguments.Has("all")) {
    ASSIGN_OR_RETURN(std::vector<runner::RunRow> runs, history.ListRuns(100));
    for (const runner::RunRow& run : runs) {
      if (arguments.Has("json")) {
        fmt::print("{}\n", formats::PrintJson(Json::MakeObject(
                               {{"run_id", run.run_id},
                                {"pipeline", run.pipeline},
                                {"environment", run.environment},
                                {"state", run.state},
                                {"start_ms", run.start_ms},
                                {"end_ms", run.end_ms ? Json(*run.end_ms) : Json()}})));
      } else {
        fmt::print("{}  {:<12} {}  {}\n", run.run_id.substr(0, 8), run.state,
                   FormatUtc(run.start_ms), PrintTime(run.start_ms, run.end_ms));
      }
    }
    return 0;
  }
  ASSIGN_OR_RETURN(runner::RunRow run, FindRunByPrefix(history, arguments.Positional(0)));
  ASSIGN_OR_RETURN(std::vector<runner::StepRow> steps, history.ListSteps(run.run_id));
  if (arguments.Has("json")) {
    Json list = Json::MakeArray();
    for (const runner::StepRow& step : steps) list.Append(StepToJson(step));
    fmt::print("{}\n", formats::PrintJson(Json::MakeObject({{"run_id", run.run_id},
                                                            {"pipeline", run.pipeline},
                                                            {"state", run.state},
                                                            {"start_ms", run.start_ms},
                                                            {"steps", std::move(list)}})));
    return 0;
  }
  fmt::print("run {} of {}: {}, {} {}\n", run.run_id, run.pipeline, run.state,
             FormatUtc(run.start_ms), PrintTime(run.start_ms, run.end_ms));
  for (const runner::StepRow& step : steps) {
    std::string detail =
        step.error.empty() ? step.reason : step.error.substr(0, step.error.find('\n'));
    fmt::print("  {:<20} {:<10} {:<10} {}\n", step.step, step.state,
               PrintTime(step.start_ms, step.end_ms), detail);
  }
  return 0;
}

Result<int> RunLog(const Arguments& arguments) {
  ASSIGN_OR_RETURN(std::unique_ptr<Project> project, OpenProject(arguments.Get("project")));
  ASSIGN_OR_RETURN(sql::Db * db, project->Db());
  runner::RunHistory history(*db);
  std::string run_id;
  if (std::string prefix = arguments.Get("run"); !prefix.empty()) {
    ASSIGN_OR_RETURN(runner::RunRow run, FindRunByPrefix(history, prefix));
    run_id = run.run_id;
  }
  const std::string step = arguments.Positional(0);
  ASSIGN_OR_RETURN(std::optional<runner::AttemptRow> attempt,
                   history.FindLastAttempt(step, run_id));
  if (!attempt) {
    std::string suggestion;
    Result<const pipeline::Pipeline*> pipeline = project->Pipeline();
    if (pipeline.ok() && (*pipeline)->FindStep(step) < 0)
      suggestion = DidYouMean(step, (*pipeline)->StepNames());
    return NotFound(fmt::format("step '{}' has no attempt on record{}", step, suggestion));
  }
  std::string folder = io::JoinPath(project->root(), attempt->directory);
  for (std::string_view name : {"stdout.log", "stderr.log"}) {
    if (arguments.Has("stderr") && name == "stdout.log") continue;
    Result<std::string> text = io::RealFs().ReadFile(io::JoinPath(folder, name), kMaxShownLogBytes);
    if (!text.ok()) {
      if (text.error().code() == ErrorCode::kNotFound) continue;
      return std::move(text).error();
    }
    std::FILE* stream = name == "stdout.log" ? stdout : stderr;
    std::fwrite(text->data(), 1, text->size(), stream);
    std::fflush(stream);
  }
  return 0;
}

}  // namespace

Command MakeStatusCommand() {
  return {.name = "status",
          .summary = "show the steps of the last run, or of another one",
          .details = "",
          .positionals = {{"RUN", "the beginning of a run's id; default: the newest", false}},
          .options = {{"all", 'a', "", "list the newest runs instead"}},
          .run = RunStatus};
}

Command MakeLogCommand() {
  return {.name = "log",
          .summary = "print what a step wrote to its standard output and error",
          .details = "",
          .positionals = {{"STEP", "the step"}},
          .options = {{"run", 'r', "RUN",
                       "of this run (the beginning of its id); default: its newest attempt"},
                      {"stderr", '\0', "", "standard error only"}},
          .run = RunLog};
}

}  // namespace sluice::app
