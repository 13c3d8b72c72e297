#include "runner/testing/fixtures.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "pipeline/parse.h"
#include "sql/migrator.h"
#include "sql/sqlite.h"

namespace sluice::runner {
namespace {

constexpr const char* kProject = "/project";

/// One native kind, `uses: make`: input `from` (files or steps), outputs made.json and log.txt.
std::span<const pipeline::StepKind> Kinds() {
  static const std::vector<pipeline::StepKind> kinds = {
      {.name = "make",
       .help = "Makes.",
       .inputs = {{.name = "from",
                   .type = pipeline::DataType::kFile,
                   .takes_files = true,
                   .takes_list = true,
                   .help = "What from."}},
       .settings = {},
       .outputs = {{.name = "made",
                    .type = pipeline::DataType::kFile,
                    .is_main = true,
                    .file_name = "made.json",
                    .help = "What was made."},
                   {.name = "log",
                    .type = pipeline::DataType::kFile,
                    .file_name = "log.txt",
                    .help = "How."}}}};
  return kinds;
}

}  // namespace

void RecordingObserver::OnPlan(const std::string& /*run_id*/, const pipeline::Plan& /*plan*/) {
  lines.emplace_back("plan");
}

void RecordingObserver::OnAttemptStarted(const AttemptInfo& attempt) {
  lines.push_back(fmt::format("start {} {}{}", attempt.step->name, attempt.number,
                              attempt.is_adopted ? " adopted" : ""));
  if (on_started) on_started(attempt);
}

void RecordingObserver::OnProgress(const AttemptInfo& attempt, double done, double total,
                                   std::string_view unit) {
  lines.push_back(fmt::format("progress {} {}/{} {}", attempt.step->name, done, total, unit));
}

void RecordingObserver::OnMetric(const AttemptInfo& attempt, std::string_view key, double value,
                                 int64_t step, int64_t /*timestamp_ms*/) {
  lines.push_back(fmt::format("metric {} {} {} {}", attempt.step->name, key, value, step));
}

void RecordingObserver::OnWarning(const AttemptInfo& attempt, std::string_view text) {
  lines.push_back(fmt::format("warning {} {}", attempt.step->name, text));
}

void RecordingObserver::OnAttemptFinished(const AttemptInfo& attempt, const AttemptRecord& record,
                                          std::string_view /*error*/, int64_t retry_in_ms) {
  std::string retry = retry_in_ms >= 0 ? fmt::format(", again in {} ms", retry_in_ms) : "";
  lines.push_back(fmt::format("end {} {}{}", attempt.step->name, record.ToString(), retry));
}

void RecordingObserver::OnStepFinished(const StepOutcome& outcome) {
  lines.push_back(fmt::format("step {} {}", outcome.name, StepResultName(outcome.result)));
}

TestProject::TestProject() : fs(&clock) {
  EXPECT_TRUE(fs.MakeDirectories(std::string(kProject) + "/.sluice").ok());
  db = sql::OpenSqlite(":memory:").value();
  EXPECT_TRUE(sql::Migrate(*db, RunnerMigrations(), clock).ok());
  stat_cache = objects::StatCache::InMemory(clock);
  store =
      objects::Store::Open(fs, std::string(kProject) + "/.sluice/objects",
                           {.durability = io::Durability::kFast, .cache = stat_cache.get()}, clock)
          .value();
  stop = StopSwitch::Make().value();
}

void TestProject::Write(const std::string& path, const std::string& content) {
  clock.AdvanceMs(1000);
  std::string absolute = io::JoinPath(kProject, path);
  EXPECT_TRUE(fs.MakeDirectories(io::DirName(absolute)).ok());
  EXPECT_TRUE(fs.WriteFileAtomic(absolute, content, io::Durability::kFast).ok());
  clock.AdvanceMs(1000);
}

std::string TestProject::Read(const std::string& path) {
  Result<std::string> text = fs.ReadFile(io::JoinPath(kProject, path), 1 << 20);
  return text.ok() ? *text : "<absent>";
}

void TestProject::Remove(const std::string& path) {
  EXPECT_TRUE(fs.RemoveTree(io::JoinPath(kProject, path)).ok());
}

void TestProject::SetPipeline(const std::string& yaml) {
  std::string text = yaml.starts_with("name:") ? yaml : "name: test\nsteps:\n" + yaml;
  Result<pipeline::Pipeline> parsed = pipeline::ParsePipeline(text, "sluice.yaml", Kinds());
  pipeline = std::make_unique<pipeline::Pipeline>();
  ASSERT_TRUE(parsed.ok()) << parsed.error().ToString();
  pipeline = std::make_unique<pipeline::Pipeline>(*std::move(parsed));
}

RunRequest TestProject::Request() {
  RunRequest request;
  request.pipeline = pipeline.get();
  Result<pipeline::ParamValues> params = pipeline::ResolveParams(*pipeline, {});
  EXPECT_TRUE(params.ok()) << params.error().message();
  request.params = *params;
  request.project = kProject;
  request.max_parallel = 2;
  return request;
}

RunDeps TestProject::Deps() {
  executor = std::make_unique<FakeExecutor>(fs, clock, world);
  return {.fs = fs,
          .clock = clock,
          .db = *db,
          .store = *store,
          .stat_cache = *stat_cache,
          .executor = *executor,
          .observer = observer,
          .stop = stop.get(),
          .native_command = {"sluice", "step"},
          .caller_env = {{"PATH", "/bin"}, {"SECRET_TOKEN", "no"}}};
}

RunSummary TestProject::Run(const RunRequest& request) {
  clock.AdvanceMs(1000);
  world->started.clear();
  observer.lines.clear();
  RunDeps deps = Deps();
  Result<RunSummary> summary = RunPipeline(request, deps);
  if (!summary.ok()) {
    ADD_FAILURE() << summary.error().ToString();
    return {};
  }
  return *std::move(summary);
}

std::string TestProject::States(const RunSummary& summary) {
  std::string text;
  for (const StepOutcome& step : summary.steps) {
    text +=
        fmt::format("{}{} {}", text.empty() ? "" : ", ", step.name, StepResultName(step.result));
  }
  return text;
}

}  // namespace sluice::runner
