#include "pipeline/plan.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "pipeline/json_schema.h"
#include "pipeline/lineage.h"
#include "pipeline/parse.h"
#include "pipeline/testing/kinds.h"

namespace sluice::pipeline {
namespace {

using formats::Json;

Pipeline Parse(const std::string& text) {
  ParseOutcome outcome = ParsePipelineFully(text, "sluice.yaml", TestKinds());
  for (const Error& error : outcome.errors) ADD_FAILURE() << error.ToString();
  return *std::move(outcome.pipeline);
}

Plan MakePlan(const Pipeline& pipeline, PlanInputs inputs = {}) {
  Result<Plan> plan = Plan::Make(pipeline, std::move(inputs));
  EXPECT_TRUE(plan.ok()) << plan.error().ToString();
  return *std::move(plan);
}

/// Runs everything; the number of states that changed.
int64_t RunAll(Plan& plan) {
  std::vector<int> ready = plan.ReadySteps();
  int64_t change_count = 0;
  for (size_t i = 0; i < ready.size(); ++i) {
    const Step& step = plan.pipeline().steps[static_cast<size_t>(ready[i])];
    OutputDigests outputs(step.outputs.size(), ComputeSha256(step.name));
    for (int changed : plan.Finish(ready[i], outputs)) {
      ++change_count;
      if (plan.step(changed).state == StepState::kReady) ready.push_back(changed);
    }
  }
  EXPECT_TRUE(plan.is_finished());
  return change_count;
}

// Edges that are walked more than once would show: ten thousand steps take milliseconds, a
// quadratic walk minutes.
TEST(PlanScale, AChainOfTenThousandSteps) {
  std::string text = "name: chain\nsteps:\n  s0: {run: a, outputs: {o: o/0}}\n";
  for (int i = 1; i < kMaxStepCount; ++i) {
    text +=
        fmt::format("  s{0}: {{run: a, inputs: {{in: s{1}}}, outputs: {{o: o/{0}}}}}\n", i, i - 1);
  }
  Pipeline pipeline = Parse(text);
  Plan plan = MakePlan(pipeline);
  EXPECT_EQ(plan.CountOf(StepState::kReady), 1);
  EXPECT_EQ(RunAll(plan), 2 * kMaxStepCount - 1);
  Plan failing = MakePlan(pipeline);
  EXPECT_EQ(failing.Fail(0).size(), static_cast<size_t>(kMaxStepCount));

  PlanInputs inputs;
  inputs.find_cached = [](const Step& step, const Digest&) {
    return std::optional(OutputDigests(step.outputs.size(), ComputeSha256(step.name)));
  };
  Plan cached = MakePlan(pipeline, std::move(inputs));
  EXPECT_EQ(cached.CountOf(StepState::kCached), kMaxStepCount);
  EXPECT_TRUE(cached.is_finished());
}

TEST(PlanScale, TenThousandStepsSideBySideAndOneThatNeedsThemAll) {
  std::string text = "name: wide\nsteps:\n  top: {run: a, outputs: {o: top}}\n";
  std::string needs;
  for (int i = 0; i < 4'000; ++i) {
    text += fmt::format("  a{0}: {{run: a, inputs: {{in: top}}, outputs: {{o: o/a{0}}}}}\n", i);
    text += fmt::format(
        "  b{0}: {{run: a, inputs: {{in: a{0}, top: top}}, outputs: {{o: o/b{0}}}}}\n", i);
    needs += fmt::format("{}b{}", i == 0 ? "" : ", ", i);
  }
  text += "  bottom: {run: a, needs: [" + needs + "]}\n";
  Pipeline pipeline = Parse(text);
  Plan plan = MakePlan(pipeline);
  EXPECT_LE(plan.step(pipeline.FindStep("bottom")).reasons.size(), 8u);
  EXPECT_EQ(RunAll(plan), 2 * 8'002 - 1);
}

TEST(Plan, AStepStartsOnlyWhenAllItWaitsForIsDone) {
  Pipeline pipeline = Parse(
      "name: x\nsteps:\n  a: {run: a, outputs: {o: o/a}}\n  b: {run: b, outputs: {o: o/b}}\n"
      "  c: {run: c, inputs: {a: a}, needs: b}\n");
  Plan plan = MakePlan(pipeline);
  plan.Start(0);
  EXPECT_EQ(plan.Finish(0, {ComputeSha256("a")}), (ChangedSteps{0}));
  EXPECT_EQ(plan.step(2).state, StepState::kWaits);
  EXPECT_EQ(plan.Finish(1, {ComputeSha256("b")}), (ChangedSteps{1, 2}));
  EXPECT_EQ(plan.step(2).state, StepState::kReady);
  ASSERT_TRUE(plan.step(2).ingredients.has_value());
  EXPECT_EQ(plan.step(2).ingredients->inputs.size(), 1u) << "a need is no input";
}

TEST(Plan, ARecordWithAnotherNumberOfOutputsIsNotTaken) {
  Pipeline pipeline = Parse("name: x\nsteps:\n  a: {run: a, outputs: {o: o/a}}\n");
  PlanInputs inputs;
  inputs.find_cached = [](const Step&, const Digest&) { return std::optional(OutputDigests()); };
  EXPECT_EQ(MakePlan(pipeline, std::move(inputs)).step(0).state, StepState::kReady);
}

TEST(Plan, JsonNamesStatesAndReasons) {
  Pipeline pipeline = Parse("name: x\nsteps:\n  a: {uses: ingest, from: a.csv}\n");
  EXPECT_EQ(
      formats::PrintJson(PlanToJson(MakePlan(pipeline))),
      R"({"version":1,"kind":"plan","steps":[{"name":"a","kind":"ingest","state":"blocked","key":null,)"
      R"("reasons":[{"kind":"missing_file","subject":"a.csv","before":"","after":"","text":"no such file: a.csv"}]}]})");
}

TEST(Lineage, HasNodesLevelsAndEdges) {
  Pipeline pipeline = Parse(
      "name: x\nsteps:\n  rows: {uses: ingest, from: a.csv}\n  parts: {uses: split, table: rows}\n"
      "  after: {run: a, needs: parts}\n");
  PlanInputs inputs;
  inputs.sources["a.csv"] = ComputeSha256("a");
  Json lineage = LineageToJson(MakePlan(pipeline, std::move(inputs)));
  EXPECT_EQ(lineage.At("nodes").size(), 4u);
  EXPECT_EQ(lineage.At("nodes").At(0).At("id").AsString(), "files:a.csv");
  EXPECT_EQ(lineage.At("nodes").At(0).At("digest").AsString(), ComputeSha256("a").ToHex());
  EXPECT_EQ(lineage.At("nodes").At(3).At("level").AsInteger(), 3);
  EXPECT_EQ(
      formats::PrintJson(lineage.At("edges").At(1)),
      R"({"from":"step:rows","to":"step:parts","output":"table","input":"table","digest":null})");
  EXPECT_TRUE(lineage.At("edges").At(2).At("input").is_null());
}

TEST(JsonSchema, IsStableAndNamesEveryKind) {
  Json schema = PipelineJsonSchema(TestKinds());
  EXPECT_EQ(formats::PrintJson(schema), formats::PrintJson(PipelineJsonSchema(TestKinds())));
  for (const StepKind& kind : TestKinds())
    EXPECT_NE(schema.At("$defs").Find("step_" + kind.name), nullptr);
}

}  // namespace
}  // namespace sluice::pipeline
