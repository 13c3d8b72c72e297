#include "runner/internal/engine.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/run_history.h"
#include "runner/testing/fixtures.h"

namespace sluice::runner {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Shapes: edges as text, "a>b" means that b reads what a makes.
struct Shape {
  const char* name;
  std::vector<std::string> edges;
  std::vector<std::string> lone = {};
};

std::string Yaml(const Shape& shape) {
  std::map<std::string, std::vector<std::string>> parents;
  for (const std::string& edge : shape.edges) {
    std::string from = edge.substr(0, edge.find('>'));
    std::string to = edge.substr(edge.find('>') + 1);
    parents[from];
    parents[to].push_back(from);
  }
  for (const std::string& name : shape.lone) parents[name];
  std::string yaml;
  for (const auto& [name, names] : parents) {
    std::string inputs = names.empty() ? "source: data/source.txt" : "";
    for (const std::string& parent : names) {
      inputs += fmt::format("{}from_{}: {}", inputs.empty() ? "" : ", ", parent, parent);
    }
    yaml += fmt::format("  {0}: {{run: make, inputs: {{{1}}}, outputs: {{{0}_out: out/{0}}}}}\n",
                        name, inputs);
  }
  return yaml;
}

const std::vector<Shape>& Shapes() {
  static const std::vector<Shape> shapes = [] {
    std::vector<Shape> all = {
        {"One", {}, {"a"}},
        {"Chain", {"a>b", "b>c", "c>d"}},
        {"Diamond", {"a>b", "a>c", "b>d", "c>d"}},
        {"FanOut", {"a>b", "a>c", "a>d", "a>e"}},
        {"FanIn", {"a>e", "b>e", "c>e", "d>e"}},
        {"TwoIslands", {"a>b", "c>d"}},
        {"Shortcut", {"a>b", "b>c", "a>c"}},
    };
    Shape wide{"Wide", {}};
    for (int i = 0; i < 60; ++i) wide.lone.push_back(fmt::format("w{:02}", i));
    all.push_back(wide);
    return all;
  }();
  return shapes;
}

class EngineShapes : public testing::TestWithParam<Shape> {
 protected:
  EngineShapes() {
    project_.Write("data/source.txt", "rows");
    project_.SetPipeline(Yaml(GetParam()));
    step_count_ = static_cast<int>(project_.pipeline->steps.size());
  }
  TestProject project_;
  int step_count_ = 0;
};

TEST_P(EngineShapes, RunsEveryStepOnceParentsFirst) {
  RunSummary summary = project_.Run();
  EXPECT_EQ(summary.state, RunSummary::State::kSucceeded);
  EXPECT_EQ(summary.CountOf(StepResult::kSucceeded), step_count_);
  EXPECT_EQ(static_cast<int>(project_.world->started.size()), step_count_);
  EXPECT_LE(project_.world->max_running_count, 2U);
  std::map<std::string, size_t> position;
  for (size_t i = 0; i < project_.world->started.size(); ++i)
    position[project_.world->started[i]] = i;
  for (const std::string& edge : GetParam().edges) {
    EXPECT_LT(position[edge.substr(0, edge.find('>'))], position[edge.substr(edge.find('>') + 1)]);
  }
}

TEST_P(EngineShapes, SecondRunStartsNothing) {
  RunSummary first = project_.Run();
  RunSummary second = project_.Run();
  EXPECT_EQ(second.state, RunSummary::State::kSucceeded);
  EXPECT_EQ(second.CountOf(StepResult::kCached), step_count_);
  EXPECT_TRUE(project_.world->started.empty());
  for (int i = 0; i < step_count_; ++i) {
    EXPECT_EQ(first.steps[static_cast<size_t>(i)].outputs,
              second.steps[static_cast<size_t>(i)].outputs);
  }
}

TEST_P(EngineShapes, AChangedSourceRerunsAllThatDependsOnItAndChangingBackIsCached) {
  RunSummary first = project_.Run();
  project_.Write("data/source.txt", "other");
  EXPECT_EQ(project_.Run().CountOf(StepResult::kSucceeded), step_count_);
  std::string made = project_.Read("out/" + first.steps[0].name);
  project_.Write("data/source.txt", "rows");
  RunSummary back = project_.Run();
  EXPECT_EQ(back.CountOf(StepResult::kCached), step_count_);
  EXPECT_NE(project_.Read("out/" + first.steps[0].name), made);
  EXPECT_EQ(back.steps.back().outputs, first.steps.back().outputs);
}

TEST_P(EngineShapes, WhateverFailsSkipsExactlyItsDescendants) {
  for (const pipeline::Step& broken : project_.pipeline->steps) {
    TestProject project;
    project.Write("data/source.txt", "rows");
    project.SetPipeline(Yaml(GetParam()));
    project.world->script[broken.name] = {FakeOutcome::Exit(1)};
    RunSummary summary = project.Run();
    EXPECT_EQ(summary.state, RunSummary::State::kFailed);
    std::set<std::string> hit = {broken.name};
    for (int index : project.pipeline->order) {
      const pipeline::Step& step = project.pipeline->steps[static_cast<size_t>(index)];
      for (int parent : step.parents) {
        if (hit.contains(project.pipeline->steps[static_cast<size_t>(parent)].name)) {
          hit.insert(step.name);
        }
      }
    }
    for (const StepOutcome& step : summary.steps) {
      StepResult expected = step.name == broken.name  ? StepResult::kFailed
                            : hit.contains(step.name) ? StepResult::kSkipped
                                                      : StepResult::kSucceeded;
      EXPECT_EQ(step.result, expected) << step.name << " when " << broken.name << " fails";
    }
    // Repaired: what went well is not done again.
    project.world->script.clear();
    RunSummary repaired = project.Run();
    EXPECT_EQ(repaired.state, RunSummary::State::kSucceeded);
    EXPECT_EQ(project.world->started.size(), hit.size());
  }
}

TEST_P(EngineShapes, StoppingAtAnyStartIsResumable) {
  for (int stop_at = 1; stop_at <= std::min(step_count_, 6); ++stop_at) {
    TestProject project;
    project.Write("data/source.txt", "rows");
    project.SetPipeline(Yaml(GetParam()));
    int count = 0;
    project.observer.on_started = [&](const AttemptInfo&) {
      if (++count == stop_at) project.stop->Press();
    };
    RunSummary stopped = project.Run();
    int done = stopped.CountOf(StepResult::kSucceeded);
    // The last step may end well before anybody can stop it.
    EXPECT_EQ(RunStateName(stopped.state), done < step_count_ ? "cancelled" : "succeeded")
        << stop_at;
    project.observer.on_started = nullptr;
    project.stop = StopSwitch::Make().value();
    RunSummary resumed = project.Run();
    EXPECT_EQ(resumed.state, RunSummary::State::kSucceeded);
    EXPECT_EQ(resumed.CountOf(StepResult::kCached), done);
    EXPECT_EQ(resumed.CountOf(StepResult::kSucceeded), step_count_ - done);
  }
}

INSTANTIATE_TEST_SUITE_P(All, EngineShapes, testing::ValuesIn(Shapes()),
                         [](const auto& test) { return test.param.name; });

class EngineTest : public testing::Test {
 protected:
  EngineTest() { project_.Write("data/source.txt", "rows"); }
  TestProject project_;
};

constexpr const char* kTwo =
    "  a: {run: make a, inputs: {in: data/source.txt}, outputs: {out: out/a}, "
    "retries: {count: 2, backoff: 1s}}\n"
    "  b: {run: make b, inputs: {in: a}, outputs: {out: out/b}}\n";

TEST_F(EngineTest, TellsTheObserverWhatHappens) {
  project_.SetPipeline(kTwo);
  project_.Run();
  EXPECT_THAT(project_.observer.lines,
              ElementsAre("plan", "start a 1", "end a exit code 0", "step a succeeded", "start b 1",
                          "end b exit code 0", "step b succeeded"));
  project_.Run();
  EXPECT_THAT(project_.observer.lines, ElementsAre("plan", "step a cached", "step b cached"));
}

TEST_F(EngineTest, RetriesWithDoublingBackoff) {
  project_.SetPipeline(kTwo);
  project_.world->script["a"] = {FakeOutcome::Exit(1), FakeOutcome::End(EndReason::kTimeout),
                                 FakeOutcome()};
  RunSummary summary = project_.Run();
  EXPECT_EQ(summary.state, RunSummary::State::kSucceeded);
  EXPECT_THAT(project_.observer.lines, Contains("end a exit code 1, again in 1000 ms"));
  EXPECT_THAT(project_.observer.lines, Contains(HasSubstr(", again in 2000 ms")));
  EXPECT_EQ(summary.Find("a")->attempt_count, 3);
  EXPECT_GE(project_.world->waited_ms, 3000);

  project_.world->script["a"] = {FakeOutcome::Exit(1)};
  RunRequest forced = project_.Request();
  forced.forced = {"a"};
  summary = project_.Run(forced);
  EXPECT_EQ(TestProject::States(summary), "a failed, b skipped");
  EXPECT_EQ(summary.Find("a")->attempt_count, 3);
}

TEST_F(EngineTest, AProgramThatCannotStartIsNotRetried) {
  project_.SetPipeline(kTwo);
  project_.world->script["a"] = {FakeOutcome::End(EndReason::kStartFailed)};
  project_.world->script["a"][0].record.message = "program 'make' was not found in PATH (/bin)";
  RunSummary summary = project_.Run();
  EXPECT_EQ(summary.Find("a")->attempt_count, 1);
  EXPECT_EQ(summary.Find("a")->error, "program 'make' was not found in PATH (/bin)");
}

TEST_F(EngineTest, ALostAttemptIsTriedAgainWithoutAsking) {
  project_.SetPipeline("  a: {run: make, outputs: {out: out/a}}\n");
  project_.world->script["a"] = {FakeOutcome::End(EndReason::kLost),
                                 FakeOutcome::End(EndReason::kLost), FakeOutcome()};
  EXPECT_EQ(TestProject::States(project_.Run()), "a succeeded");
  project_.world->script["a"] = {FakeOutcome::End(EndReason::kLost)};
  RunRequest forced = project_.Request();
  forced.is_all_forced = true;
  RunSummary summary = project_.Run(forced);
  EXPECT_EQ(TestProject::States(summary), "a failed");
  EXPECT_EQ(summary.Find("a")->attempt_count, 3);
}

TEST_F(EngineTest, AMissingOutputFailsTheStepAndNamesIt) {
  project_.SetPipeline("  a: {run: make, outputs: {model: out/model.bin, log: out/log.txt}}\n");
  FakeOutcome outcome = FakeOutcome::Exit(0);
  outcome.makes_outputs = false;
  outcome.files["out/log.txt"] = "x";
  project_.world->script["a"] = {outcome};
  project_.Write("out/model.bin", "stale");
  RunSummary summary = project_.Run();
  EXPECT_EQ(summary.Find("a")->error,
            "it ended well but did not make its output 'model' ('out/model.bin')");
  EXPECT_EQ(project_.Read("out/model.bin"), "<absent>");
}

TEST_F(EngineTest, AFailuresTextEndsWithWhatItPrinted) {
  project_.SetPipeline("  a: {run: make}\n");
  project_.world->script["a"] = {FakeOutcome::Exit(2)};
  project_.world->script["a"][0].stderr_text = "Traceback\nValueError: no rows\n\n";
  EXPECT_EQ(project_.Run().Find("a")->error, "exit code 2\nTraceback\nValueError: no rows");
}

TEST_F(EngineTest, FailFastStopsTheOthers) {
  project_.SetPipeline("  a: {run: make}\n  b: {run: make}\n  c: {run: make}\n");
  project_.world->script["a"] = {FakeOutcome::Exit(1)};
  project_.world->script["b"] = {FakeOutcome()};
  project_.world->script["b"][0].runs_until_cancelled = true;
  RunRequest request = project_.Request();
  request.is_fail_fast = true;
  RunSummary summary = project_.Run(request);
  EXPECT_EQ(summary.state, RunSummary::State::kFailed);
  EXPECT_EQ(TestProject::States(summary), "a failed, b cancelled, c not run");
}

TEST_F(EngineTest, RestoresOutputsThatAPersonRemovedOrChanged) {
  project_.SetPipeline(kTwo);
  project_.Run();
  std::string a = project_.Read("out/a");
  std::string b = project_.Read("out/b");
  project_.Remove("out/a");
  project_.Write("out/b", "edited");
  EXPECT_EQ(TestProject::States(project_.Run()), "a cached, b cached");
  EXPECT_EQ(project_.Read("out/a"), a);
  EXPECT_EQ(project_.Read("out/b"), b);
  // Editing an output in place does not reach the store.
  EXPECT_TRUE(project_.fs.OpenForWrite("/project/out/a").value()->Append("x").ok());
  project_.Run();
  EXPECT_EQ(project_.Read("out/a"), a);
}

TEST_F(EngineTest, SeveralPathsAndFoldersAreOneOutput) {
  project_.SetPipeline(
      "  a: {run: make, outputs: {parts: [out/x/one, out/two]}}\n"
      "  b: {run: make, inputs: {in: a.parts}, outputs: {out: out/b}}\n");
  RunSummary first = project_.Run();
  EXPECT_EQ(first.state, RunSummary::State::kSucceeded);
  project_.Remove("out");
  EXPECT_EQ(TestProject::States(project_.Run()), "a cached, b cached");
  EXPECT_EQ(project_.Read("out/x/one"), "a()");
  EXPECT_EQ(project_.Read("out/two"), "a()");
  EXPECT_EQ(project_.Read("out/b"), "b(a() a() )");
}

TEST_F(EngineTest, AMissingObjectMakesItsStepRunAgain) {
  project_.SetPipeline(kTwo);
  RunSummary first = project_.Run();
  Digest digest = first.Find("a")->outputs[0].stored.id.digest;
  ASSERT_TRUE(project_.fs.Remove(project_.store->PathOf(digest)).ok());
  RunSummary second = project_.Run();
  EXPECT_EQ(TestProject::States(second), "a succeeded, b cached");
  EXPECT_THAT(second.Find("a")->reason, HasSubstr("no longer stored"));
}

TEST_F(EngineTest, ADamagedObjectMakesItsStepRunAgain) {
  project_.SetPipeline(kTwo);
  RunSummary first = project_.Run();
  std::string path = project_.store->PathOf(first.Find("a")->outputs[0].stored.id.digest);
  ASSERT_TRUE(project_.fs.SetMode(path, 0644).ok());
  std::string damaged = *project_.fs.ReadFile(path, 100);
  damaged[0] ^= 1;
  project_.clock.AdvanceMs(1000);
  ASSERT_TRUE(project_.fs.WriteFileAtomic(path, damaged, io::Durability::kFast).ok());
  project_.Remove("out/a");  // so that the object is needed
  RunSummary second = project_.Run();
  EXPECT_EQ(second.state, RunSummary::State::kSucceeded);
  EXPECT_EQ(TestProject::States(second), "a succeeded, b cached");
  EXPECT_EQ(second.Find("a")->outputs, first.Find("a")->outputs);
  EXPECT_EQ(project_.Read("out/a"), "a(rows )");
}

TEST_F(EngineTest, ASourceThatChangesWhileItIsReadSpoilsTheAttempt) {
  project_.SetPipeline(kTwo);
  project_.observer.on_started = [&](const AttemptInfo& attempt) {
    if (attempt.step->name == "a") project_.Write("data/source.txt", "new");
  };
  RunSummary summary = project_.Run();
  EXPECT_THAT(summary.Find("a")->error, HasSubstr("'data/source.txt' changed while"));
  project_.observer.on_started = nullptr;
  EXPECT_EQ(TestProject::States(project_.Run()), "a succeeded, b succeeded");
}

TEST_F(EngineTest, AMissingSourceBlocks) {
  project_.SetPipeline(kTwo);
  project_.Remove("data/source.txt");
  RunSummary summary = project_.Run();
  EXPECT_EQ(summary.state, RunSummary::State::kFailed);
  EXPECT_EQ(TestProject::States(summary), "a blocked, b skipped");
  EXPECT_THAT(summary.Find("a")->error, HasSubstr("data/source.txt"));
}

TEST_F(EngineTest, ReadsEventsAndMetricFilesAndKeepsThemInTheCache) {
  project_.SetPipeline("  a: {run: make, outputs: {scores: out/scores.json}, metrics: scores}\n");
  FakeOutcome outcome;
  outcome.makes_outputs = false;
  outcome.files["out/scores.json"] = R"({"auc": 0.5, "by": {"age": 2, "name": "x"}})";
  project_.world->script["a"] = {outcome};
  RunSummary summary = project_.Run();
  ASSERT_EQ(summary.state, RunSummary::State::kSucceeded) << summary.steps[0].error;
  EXPECT_EQ(summary.steps[0].facts.metrics,
            (std::map<std::string, double>{{"auc", 0.5}, {"by.age", 2}}));
  EXPECT_THAT(project_.observer.lines, Contains("metric a by.age 2 0"));
  EXPECT_EQ(project_.Run().steps[0].facts.metrics.at("auc"), 0.5);
}

TEST_F(EngineTest, OnlyNamedVariablesReachAStep) {
  project_.SetPipeline(
      "name: test\nseed: 9\nparams: {depth: 3}\nsteps:\n"
      "  a: {run: 'make ${params.depth}', inputs: {my_in: data/source.txt}, outputs: {out: o/a}, "
      "env: {MODE: 'd${params.depth}'}}\n");
  project_.Run();
  ASSERT_EQ(project_.world->specs.size(), 1U);
  const AttemptSpec& spec = project_.world->specs[0];
  std::map<std::string, std::string> env(spec.env.begin(), spec.env.end());
  EXPECT_EQ(env["PATH"], "/bin");
  EXPECT_FALSE(env.contains("SECRET_TOKEN"));
  EXPECT_EQ(env["SLUICE_STEP"], "a");
  EXPECT_EQ(env["SLUICE_SEED"], "9");
  EXPECT_EQ(env["SLUICE_INPUT_MY_IN"], "data/source.txt");
  EXPECT_EQ(env["SLUICE_OUTPUT_OUT"], "o/a");
  EXPECT_EQ(env["MODE"], "d3");
  EXPECT_EQ(spec.cwd, "/project");
  EXPECT_EQ(project_.Read(env["SLUICE_PARAMS"].substr(9)), R"({"depth":3})");
  EXPECT_THAT(spec.argv, ElementsAre("make", "3"));
}

TEST_F(EngineTest, AnInterruptedRunsAttemptIsTakenOver) {
  project_.SetPipeline(kTwo);
  // An engine that vanishes with its step running: its rows and the attempt stay.
  project_.world->script["a"] = {FakeOutcome()};
  project_.world->script["a"][0].runs_until_cancelled = true;
  project_.observer.on_started = [&](const AttemptInfo&) { project_.stop->Press(); };
  project_.Run();
  RunHistory history(*project_.db);
  AttemptRow row = history.FindLastAttempt("a", "")->value();
  FakeWorld::Attempt& attempt = project_.world->attempts[0];
  auto revive = [&] {
    attempt.has_ended = false;
    attempt.outcome = FakeOutcome();
    ASSERT_TRUE(history.EndAttempt(row.directory, "running", 0).ok());
  };
  project_.observer.on_started = nullptr;
  project_.stop = StopSwitch::Make().value();
  project_.world->script.clear();
  revive();
  RunSummary summary = project_.Run();
  EXPECT_EQ(TestProject::States(summary), "a succeeded, b succeeded");
  EXPECT_THAT(project_.observer.lines, Contains("start a 1 adopted"));
  EXPECT_THAT(project_.world->started, ElementsAre("b"));

  // With another key it is of no use: it is stopped, and the step starts afresh.
  project_.Write("data/source.txt", "other");
  revive();
  attempt.outcome.runs_until_cancelled = true;
  summary = project_.Run();
  EXPECT_EQ(TestProject::States(summary), "a succeeded, b succeeded");
  EXPECT_THAT(project_.world->started, ElementsAre("a", "b"));
  EXPECT_EQ(attempt.outcome.record.reason, EndReason::kCancelled);
  EXPECT_TRUE(history.ListOpenAttempts()->empty());
}

constexpr const char* kNative =
    "  a: {uses: make, from: data/*.txt}\n"
    "  b: {uses: make, from: [a, a.log]}\n"
    "  c: {run: make c, inputs: {in: b}, outputs: {out: out/c}}\n"
    "  d: {uses: make, from: c}\n";

TEST_F(EngineTest, NativeAndCommandStepsReadEachOther) {
  project_.SetPipeline(kNative);
  RunSummary first = project_.Run();
  ASSERT_EQ(first.state, RunSummary::State::kSucceeded);
  EXPECT_EQ(project_.Read("out/c"), "c(b(a(rows ) a(rows ) ) )");
  objects::ObjectId made = first.Find("d")->outputs[0].stored.id;
  EXPECT_EQ(*project_.store->GetBytes(made.digest), "d(c(b(a(rows ) a(rows ) ) ) )");
  // Outputs are in the store, not left in the attempt.
  EXPECT_FALSE(project_.fs.Stat(first.Find("a")->attempt_directory + "/out", true)->has_value());
  EXPECT_EQ(project_.Run().CountOf(StepResult::kCached), 4);
  // One more file for the glob.
  project_.Write("data/z.txt", "more");
  EXPECT_EQ(project_.Run().CountOf(StepResult::kSucceeded), 4);
  EXPECT_EQ(project_.Read("out/c"), "c(b(a(rows more ) a(rows more ) ) )");
}

TEST_F(EngineTest, ADamagedNativeOutputIsMadeAgainForWhoReadsIt) {
  project_.SetPipeline(kNative);
  RunSummary first = project_.Run();
  std::string path = project_.store->PathOf(first.Find("b")->outputs[0].stored.id.digest);
  project_.Remove(".sluice/checkouts");
  ASSERT_TRUE(project_.fs.SetMode(path, 0644).ok());
  project_.clock.AdvanceMs(1000);
  ASSERT_TRUE(project_.fs.WriteFileAtomic(path, "damaged", io::Durability::kFast).ok());
  RunRequest request = project_.Request();
  request.forced = {"c"};
  RunSummary second = project_.Run(request);
  EXPECT_EQ(TestProject::States(second), "a cached, b succeeded, c succeeded, d cached");
  EXPECT_EQ(second.Find("d")->outputs, first.Find("d")->outputs);
}

TEST_F(EngineTest, AnEditedCheckoutIsReplaced) {
  project_.SetPipeline(kNative);
  RunSummary first = project_.Run();
  for (const std::string& name : *project_.fs.ListDirectory("/project/.sluice/checkouts")) {
    std::string folder = "/project/.sluice/checkouts/" + name;
    for (const std::string& file : *project_.fs.ListDirectory(folder)) {
      project_.clock.AdvanceMs(1000);
      ASSERT_TRUE(
          project_.fs.WriteFileAtomic(folder + "/" + file, "edited", io::Durability::kFast).ok());
    }
  }
  RunRequest request = project_.Request();
  request.forced = {"c", "d"};
  RunSummary second = project_.Run(request);
  EXPECT_EQ(second.Find("d")->outputs, first.Find("d")->outputs);
}

TEST_F(EngineTest, OnlyOneEngineForAProject) {
  project_.SetPipeline(kTwo);
  std::string error;
  project_.observer.on_started = [&](const AttemptInfo&) {
    RunDeps deps = project_.Deps();
    std::unique_ptr<FakeExecutor> mine = std::move(project_.executor);
    Result<RunSummary> second = RunPipeline(project_.Request(), deps);
    if (!second.ok()) error = second.error().message();
  };
  // The observer's own run would replace the executor in use; keep that one alive.
  RunDeps deps = project_.Deps();
  std::unique_ptr<FakeExecutor> first = std::move(project_.executor);
  EXPECT_TRUE(RunPipeline(project_.Request(), deps).ok());
  EXPECT_THAT(error, HasSubstr(fmt::format("(process {})", getpid())));
}

TEST_F(EngineTest, HistoryTellsTheSameStory) {
  project_.SetPipeline(kTwo);
  project_.world->script["b"] = {FakeOutcome::Exit(4)};
  RunSummary summary = project_.Run();
  RunHistory history(*project_.db);
  std::vector<RunRow> runs = *history.ListRuns(10);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].state, "failed");
  std::vector<StepRow> steps = *history.ListSteps(summary.run_id);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].state, "succeeded");
  EXPECT_EQ(steps[1].state, "failed");
  EXPECT_EQ(steps[1].error, "exit code 4");
  EXPECT_EQ(history.FindLastAttempt("b", "")->value().number, 1);
  EXPECT_TRUE(history.ListOpenAttempts()->empty());
}

TEST_F(EngineTest, LogsOfOldRunsGo) {
  project_.SetPipeline(kTwo);
  RunRequest request = project_.Request();
  request.is_all_forced = true;
  request.kept_run_count = 2;
  for (int i = 0; i < 4; ++i) project_.Run(request);
  EXPECT_EQ(project_.fs.ListDirectory("/project/.sluice/attempts")->size(), 2U);
  EXPECT_THAT(*project_.fs.ListDirectory("/project/.sluice"), Not(Contains("checkouts")));
}

TEST_F(EngineTest, PlansWithoutRunning) {
  project_.SetPipeline(kTwo);
  RunDeps deps = project_.Deps();
  Result<pipeline::Plan> plan = PlanRun(project_.Request(), deps);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->step(0).state, pipeline::StepState::kReady);
  EXPECT_TRUE(project_.world->started.empty());
  project_.Run();
  plan = PlanRun(project_.Request(), deps);
  EXPECT_EQ(plan->CountOf(pipeline::StepState::kCached), 2);
}

}  // namespace
}  // namespace sluice::runner
