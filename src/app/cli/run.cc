#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <memory>

#include "app/cli/command.h"
#include "app/embedded_server.h"
#include "app/json_observer.h"
#include "app/observer_list.h"
#include "app/pipeline_session.h"
#include "app/report_builder.h"
#include "app/run_recorder.h"
#include "app/terminal/terminal_observer.h"
#include "app/tracking_observer.h"
#include "pipeline/params.h"

namespace sluice::app {

namespace {

runner::StopSwitch* stop_switch = nullptr;  // only for the handler below

void PressStop(int /*signal_number*/) {
  if (stop_switch != nullptr) stop_switch->Press();
}

/// From here to the end of its life, ctrl-C and SIGTERM press the switch.
class StopOnSignals {
 public:
  explicit StopOnSignals(runner::StopSwitch& stop) {
    stop_switch = &stop;
    struct sigaction action {};
    action.sa_handler = PressStop;
    sigaction(SIGINT, &action, &old_interrupt_);
    sigaction(SIGTERM, &action, &old_terminate_);
  }
  ~StopOnSignals() {
    sigaction(SIGINT, &old_interrupt_, nullptr);
    sigaction(SIGTERM, &old_terminate_, nullptr);
    stop_switch = nullptr;
  }
  StopOnSignals(const StopOnSignals&) = delete;
  StopOnSignals& operator=(const StopOnSignals&) = delete;

 private:
  struct sigaction old_interrupt_ {};
  struct sigaction old_terminate_ {};
};

/// Nothing changed and the report is there: it need not be written again.
bool IsReportFresh(const runner::RunSummary& summary, const std::string& path) {
  if (summary.state != runner::RunSummary::State::kSucceeded) return false;
  for (const runner::StepOutcome& step : summary.steps) {
    if (step.result != runner::StepResult::kCached) return false;
  }
  Result<std::optional<io::FileInfo>> info = io::RealFs().Stat(path);
  return info.ok() && info->has_value();
}

/// Where the run is recorded, and how its command steps get there.
struct RunRecording {
  std::unique_ptr<RunRecorder> recorder;
  TrackingObserver::FindServer find_server;
};

/// `tracking_uri` empty: the project's own store, served to the steps by this process.
Result<RunRecording> FindRecording(Project& project, const std::string& tracking_uri) {
  if (tracking_uri.empty()) {
    ASSIGN_OR_RETURN(tracking::Store * store, project.Tracking());
    auto embedded = std::make_shared<EmbeddedServer>(project);
    return RunRecording{MakeStoreRecorder(*store), [embedded] { return embedded->Find(); }};
  }
  ASSIGN_OR_RETURN(TrackingServer server, FindTrackingServer(tracking_uri));
  return RunRecording{MakeServerRecorder(server),
                      [server] { return Result<TrackingServer>(server); }};
}

Result<int> RunRun(const Arguments& arguments) {
  ASSIGN_OR_RETURN(std::unique_ptr<PipelineSession> session, PipelineSession::Open(arguments));
  runner::RunRequest& request = session->request();
  request.is_fail_fast = arguments.Has("fail-fast");
  ASSIGN_OR_RETURN(int64_t parallel, arguments.GetInteger("jobs", 0, 1, 10'000));
  request.max_parallel = static_cast<int>(parallel);
  ASSIGN_OR_RETURN(int64_t threads, arguments.GetInteger("threads", 0, 1, 1024));
  if (threads > 0) {
    request.environment.defaults.thread_count = static_cast<int>(threads);
    for (auto& [step, resources] : request.environment.by_step)
      resources.thread_count = static_cast<int>(threads);
  }

  bool is_json = arguments.Has("json");
  bool is_quiet = arguments.Has("quiet");
  ASSIGN_OR_RETURN(RunRecording recording,
                   FindRecording(session->project(), request.environment.tracking_uri));
  RunDescription description{.pipeline = session->pipeline().name,
                             .project = session->project().root(),
                             .environment = request.environment.name,
                             .params = {}};
  for (const auto& [name, value] : request.params)
    description.params[name] = pipeline::ValueText(value);
  TrackingObserver tracking_observer(*recording.recorder, recording.find_server,
                                     std::move(description));
  TerminalObserver terminal(IsLiveTerminal());
  JsonObserver json;
  ReportBuilder report(session->project(), request.environment.name, request.params);
  ObserverList observers;
  observers.Add(tracking_observer);
  observers.Add(report);
  if (is_json) {
    observers.Add(json);
  } else if (!is_quiet) {
    observers.Add(terminal);
  }

  ASSIGN_OR_RETURN(std::unique_ptr<runner::StopSwitch> stop, runner::StopSwitch::Make());
  StopOnSignals signals(*stop);
  runner::RunDeps deps = session->Deps(observers, stop.get());
  ASSIGN_OR_RETURN(runner::RunSummary summary, runner::RunPipeline(request, deps));

  std::string report_path = io::JoinPath(session->project().root(), "report.html");
  if (!IsReportFresh(summary, report_path)) {
    Status written = report.Write(summary, report_path);
    if (!written.ok()) {
      fmt::print(stderr, "warning: no report: {}\n", written.error().ToString());
      report_path.clear();
    }
  }
  if (tracking_observer.error()) {
    fmt::print(stderr, "warning: the run could not be recorded whole: {}\n",
               tracking_observer.error()->ToString());
  }
  if (!is_json && !is_quiet) std::fputs(PrintRunSummary(summary, report_path).c_str(), stdout);
  if (is_quiet) {
    for (const runner::StepOutcome& step : summary.steps) {
      if (step.result == runner::StepResult::kFailed ||
          step.result == runner::StepResult::kBlocked) {
        fmt::print(stderr, "error: step {}: {}\n", step.name, step.error);
      }
    }
  }
  switch (summary.state) {
    case runner::RunSummary::State::kSucceeded: return 0;
    case runner::RunSummary::State::kFailed: return 1;
    case runner::RunSummary::State::kCancelled: return 130;
  }
  return 1;
}

}  // namespace

Command MakeRunCommand() {
  std::vector<CliOption> options = PlanCliOptions();
  options.push_back(
      {"jobs", 'j', "N", "steps at once; default: the environment's, else one per processor"});
  options.push_back(
      {"threads", 't', "N", "threads of each native step; the results do not depend on it"});
  options.push_back({"fail-fast", '\0', "", "the first failure stops everything"});
  return {.name = "run",
          .summary = "run the pipeline; what is cached is not run again",
          .details =
              "Ctrl-C stops the running steps as groups and leaves a state from which the next "
              "`sluice run` goes\n"
              "on; so does kill -9. A second ctrl-C does not wait for steps to end well.",
          .positionals = {{"STEP", "run only these steps and what they need; default: all", false,
                           true}},
          .options = std::move(options),
          .run = RunRun};
}

}  // namespace sluice::app
