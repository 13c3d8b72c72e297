#include "app/pipeline_session.h"

#include <fmt/format.h>
#include <unistd.h>

#include "app/run_recorder.h"
#include "base/suggest.h"
#include "io/fs.h"
#include "pipeline/environment.h"
#include "pipeline/params.h"
#include "runner/executors.h"

extern "C" char** environ;

namespace sluice::app {

namespace {

io::EnvPairs CallerEnv() {
  io::EnvPairs pairs;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::string_view text = *variable;
    size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return pairs;
}

/// environments/<name>.yaml; the built-in default if none is named and there is no
/// environments/local.yaml.
Result<pipeline::Environment> ReadEnvironment(const std::string& root, const std::string& name) {
  io::Fs& fs = io::RealFs();
  std::string wanted = name.empty() ? "local" : name;
  std::string folder = io::JoinPath(root, "environments");
  if (!io::NormalRelativePath(wanted) || wanted.find('/') != std::string::npos) {
    return InvalidArgument(
        fmt::format("'{}' is not the name of an environment: a file name without folder", wanted));
  }
  std::string file = fmt::format("environments/{}.yaml", wanted);
  std::string path = io::JoinPath(root, file);
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs.Stat(path));
  if (info) {
    ASSIGN_OR_RETURN(std::string text, fs.ReadFile(path, pipeline::kMaxFileSizeBytes));
    return pipeline::ParseEnvironment(text, file, wanted);
  }
  if (name.empty()) return pipeline::Environment{};
  std::vector<std::string> names;
  Result<std::vector<std::string>> files = fs.ListDirectory(folder);
  if (files.ok()) {
    for (const std::string& entry : *files) {
      if (entry.ends_with(".yaml")) names.push_back(entry.substr(0, entry.size() - 5));
    }
  }
  return NotFound(fmt::format("there is no {}{}", file, DidYouMean(wanted, names)));
}

Result<std::vector<std::pair<std::string, std::string>>> ReadParams(const Arguments& arguments) {
  std::vector<std::pair<std::string, std::string>> params;
  for (const std::string& text : arguments.GetAll("param")) {
    size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return InvalidArgument(fmt::format("--param takes NAME=VALUE, not '{}'", text));
    }
    params.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return params;
}

/// What an environment says and this program would not do is an error, never silence.
Status CheckEnvironment(const pipeline::Environment& environment,
                        const pipeline::Pipeline& pipeline) {
  std::string file = fmt::format("environments/{}.yaml", environment.name);
  if (!environment.store.empty()) {
    return FailedPrecondition(fmt::format(
        "{}: the store '{}' is not available in this version; leave 'store' out, and objects stand "
        "in .sluice/objects",
        file, environment.store));
  }
  if (!environment.tracking_uri.empty()) {
    Result<TrackingServer> server = FindTrackingServer(environment.tracking_uri);
    if (!server.ok()) return InvalidArgument(fmt::format("{}: {}", file, server.error().message()));
  }
  std::vector<std::string> names;
  for (const pipeline::Step& step : pipeline.steps) names.push_back(step.name);
  for (const auto& [name, resources] : environment.by_step) {
    if (pipeline.FindStep(name) >= 0) continue;
    return InvalidArgument(fmt::format("{}: pipeline '{}' has no step '{}'{}", file, pipeline.name,
                                       name, DidYouMean(name, names)));
  }
  return Ok();
}

}  // namespace

std::vector<CliOption> PlanCliOptions() {
  return {
      {"param", 'p', "NAME=VALUE", "set a parameter of the pipeline", true},
      {"environment", 'e', "NAME", "run by environments/NAME.yaml; default: local"},
      {"force", 'f', "STEP", "run this step even if it is cached", true},
      {"force-all", '\0', "", "run every step even if it is cached"},
  };
}

Result<std::string> ProgramFolder() {
  ASSIGN_OR_RETURN(std::string program, io::RealFs().ReadLink("/proc/self/exe"));
  return io::DirName(program);
}

Result<std::unique_ptr<PipelineSession>> PipelineSession::Open(const Arguments& arguments) {
  std::unique_ptr<PipelineSession> session(new PipelineSession());
  ASSIGN_OR_RETURN(session->project_, OpenProject(arguments.Get("project")));
  Project& project = *session->project_;
  runner::RunRequest& request = session->request_;
  ASSIGN_OR_RETURN(request.pipeline, project.Pipeline());
  ASSIGN_OR_RETURN(request.environment,
                   ReadEnvironment(project.root(), arguments.Get("environment")));
  RETURN_IF_ERROR(CheckEnvironment(request.environment, *request.pipeline));
  ASSIGN_OR_RETURN(auto given, ReadParams(arguments));
  ASSIGN_OR_RETURN(request.params, pipeline::ResolveParams(*request.pipeline, given));
  request.project = project.root();
  request.targets = arguments.positionals();
  request.forced = arguments.GetAll("force");
  request.is_all_forced = arguments.Has("force-all");
  ASSIGN_OR_RETURN(session->db_, project.Db());
  ASSIGN_OR_RETURN(session->store_, project.Objects());
  ASSIGN_OR_RETURN(session->stat_cache_, project.StatCache());
  ASSIGN_OR_RETURN(std::string folder, ProgramFolder());
  ASSIGN_OR_RETURN(
      session->executor_,
      runner::MakeExecutor(request.environment.executor, io::RealFs(),
                           {.attempt_program = io::JoinPath(folder, "sluice-attempt")}));
  return session;
}

runner::RunDeps PipelineSession::Deps(runner::RunObserver& observer, runner::StopSwitch* stop) {
  Result<std::string> folder = ProgramFolder();
  CHECK(folder.ok());
  return {.fs = io::RealFs(),
          .clock = SystemClock(),
          .db = *db_,
          .store = *store_,
          .stat_cache = *stat_cache_,
          .executor = *executor_,
          .observer = observer,
          .stop = stop,
          .native_command = {io::JoinPath(*folder, "sluice"), "step"},
          .caller_env = CallerEnv()};
}

}  // namespace sluice::app
