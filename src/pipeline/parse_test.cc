#include "pipeline/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/params.h"
#include "pipeline/testing/kinds.h"

namespace sluice::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Pipeline Parse(std::string_view text) {
  ParseOutcome outcome = ParsePipelineFully(text, "sluice.yaml", TestKinds());
  for (const Error& error : outcome.errors) ADD_FAILURE() << error.ToString();
  return outcome.pipeline ? *std::move(outcome.pipeline) : Pipeline();
}

std::string FirstError(std::string_view text) {
  Result<Pipeline> pipeline = ParsePipeline(text, "sluice.yaml", TestKinds());
  return pipeline.ok() ? "no error" : pipeline.error().message();
}

const Step& StepOf(const Pipeline& pipeline, std::string_view name) {
  return pipeline.steps[static_cast<size_t>(pipeline.FindStep(name))];
}

constexpr std::string_view kCredit = R"(
name: credit
seed: 7
params:
  learning_rate: 0.08
  depth: {type: int, default: 6, min: 1, max: 12}
steps:
  applications:
    uses: ingest
    from: data/applications/*.csv
  checked:
    uses: validate
    table: applications
    schema: schemas/applications.yaml
  parts:
    uses: split
    table: checked
    by: time
    column: applied_on
    test: 20%
    validation: 10%
  features:
    uses: features
    fit: parts.train
    label: defaulted
    drop: [id]
    columns:
      income: [impute: median, clip: [1%, 99%], log, scale: standard]
      purpose: [one_hot: {unknown: ignore, rare: 1%}]
    default: {numeric: [impute: median], text: [one_hot]}
  model:
    uses: train
    learner: gbdt
    features: features
    train: parts.train
    validation: parts.validation
    params: {learning_rate: "${params.learning_rate}", max_depth: "${params.depth}"}
    early_stopping: {metric: log_loss, patience: 30}
  report:
    uses: evaluate
    model: model
    table: parts.test
    slices: [age_band, purpose]
  verdict:
    uses: gate
    report: report
    rules:
      - roc_auc >= 0.78
      - roc_auc >= champion - 0.002
  version:
    uses: register
    model: model
    verdict: verdict
    name: credit
)";

TEST(Parse, TheDesignsExampleIsAPipeline) {
  Pipeline pipeline = Parse(kCredit);
  EXPECT_EQ(pipeline.name, "credit");
  EXPECT_EQ(pipeline.seed, 7);
  ASSERT_EQ(pipeline.steps.size(), 8u);
  EXPECT_THAT(pipeline.order, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  const Step& model = StepOf(pipeline, "model");
  EXPECT_THAT(model.parents, ElementsAre(2, 3));
  EXPECT_THAT(model.params, ElementsAre("depth", "learning_rate"));
  EXPECT_EQ(model.inputs[1].items[0].producer_output, 0);
  EXPECT_EQ(model.inputs[2].items[0].written, "parts.validation");
  EXPECT_EQ(pipeline.children[2], (std::vector<int>{3, 4, 5}));

  Result<ParamValues> values = ResolveParams(pipeline, {});
  ASSERT_TRUE(values.ok());
  Result<formats::Json> settings = ResolveSettings(pipeline, model, *values);
  ASSERT_TRUE(settings.ok()) << settings.error().ToString();
  EXPECT_EQ(formats::PrintJson(*settings),
            R"({"learner":"gbdt","params":{"learning_rate":0.08,"max_depth":6},)"
            R"("early_stopping":{"metric":"log_loss","patience":30},"threshold":0.5})");
  settings = ResolveSettings(pipeline, StepOf(pipeline, "parts"), *values);
  EXPECT_EQ(formats::PrintJson(*settings),
            R"({"by":"time","column":"applied_on","test":0.2,"validation":0.1})");
}

TEST(Parse, ACommandHasAllItsParts) {
  Pipeline pipeline = Parse(R"(
name: commands
params: {epochs: 3, note: "it's $5"}
datasets:
  adult: {from: [a.csv, b/*.csv], format: csv, options: {header: false}}
steps:
  train:
    description: a script of the user's
    run: python "my train.py" --epochs=${params.epochs} ${inputs.rows} --out ${outputs.model} '$${x}' ${seed}
    inputs: {rows: datasets.adult, more: ./train.csv}
    outputs: {model: out/model.bin, scores: out/scores.json, plots: [out/a.png, out/b.png]}
    code: [lib/*.py]
    env: {NOTE: "<${params.note}>"}
    metrics: scores
    timeout: 1h30m
    retries: {count: 2, backoff: 5s}
    cache: false
    seed: 11
  shell:
    run: echo ${params.note} | sort > ${outputs.sorted}
    shell: true
    outputs: {sorted: out/sorted.txt}
    needs: [train]
    retries: 1
  rows: {uses: ingest, from: datasets.adult, header: true}
  more_rows: {uses: ingest, from: datasets.adult}
)");
  const Step& train = StepOf(pipeline, "train");
  EXPECT_FALSE(train.is_native());
  EXPECT_THAT(train.code, ElementsAre("lib/*.py", "my train.py"));
  EXPECT_EQ(train.timeout_ms, 5'400'000);
  EXPECT_EQ(train.retries.count, 2);
  EXPECT_EQ(train.retries.backoff_ms, 5'000);
  EXPECT_FALSE(train.is_cacheable);
  EXPECT_TRUE(train.outputs[1].is_metrics);
  EXPECT_THAT(train.outputs[2].paths, ElementsAre("out/a.png", "out/b.png"));
  EXPECT_EQ(train.inputs[0].items.size(), 2u);
  EXPECT_TRUE(train.inputs[0].is_list);
  EXPECT_TRUE(train.inputs[1].items[0].is_files());
  EXPECT_EQ(train.inputs[1].items[0].pattern, "train.csv");
  EXPECT_THAT(train.params, ElementsAre("epochs", "note"));

  Result<ParamValues> values = ResolveParams(pipeline, {});
  NamedPaths inputs{{"rows", {"/in/a.csv", "/in/b.csv"}}, {"more", {"/in/t.csv"}}};
  NamedPaths outputs{
      {"model", {"/o/m"}}, {"scores", {"/o/s"}}, {"plots", {"/o/a", "/o/b"}}, {"sorted", {"/o/x"}}};
  Result<StartedCommand> started = ExpandCommand(pipeline, train, *values, inputs, outputs);
  ASSERT_TRUE(started.ok()) << started.error().ToString();
  EXPECT_THAT(started->argv, ElementsAre("python", "my train.py", "--epochs=3", "/in/a.csv",
                                         "/in/b.csv", "--out", "/o/m", "${x}", "11"));
  EXPECT_THAT(started->env, ElementsAre(std::pair("NOTE", "<it's $5>")));

  started = ExpandCommand(pipeline, StepOf(pipeline, "shell"), *values, inputs, outputs);
  ASSERT_TRUE(started.ok());
  EXPECT_THAT(started->argv, ElementsAre("/bin/sh", "-c", R"(echo 'it'\''s $5' | sort > '/o/x')"));

  // A dataset's options are defaults; the step's own win.
  auto header = [&](std::string_view name) {
    return ResolveSettings(pipeline, StepOf(pipeline, name), *values)->At("header").AsBool();
  };
  EXPECT_TRUE(header("rows"));
  EXPECT_FALSE(header("more_rows"));
}

TEST(Parse, AFileMayBeCalledLikeAStep) {
  Pipeline pipeline = Parse(
      "name: x\nsteps:\n  rows: {uses: ingest, from: rows.csv}\n  parts: {uses: split, table: "
      "rows}\n");
  EXPECT_EQ(pipeline.steps[0].inputs[0].items[0].pattern, "rows.csv");
}

TEST(Parse, AFileOfACommandMayBeATable) {
  Pipeline pipeline = Parse(
      "name: x\nsteps:\n  made: {run: make, outputs: {rows: out/rows.csv}}\n  parts: {uses: split, "
      "table: made}\n");
  EXPECT_THAT(pipeline.steps[1].parents, ElementsAre(0));
}

TEST(Parse, StepsMayStandInAnyOrder) {
  Pipeline pipeline = Parse(
      "name: x\nsteps:\n  b: {run: b, inputs: {in: a}}\n  a: {run: a, outputs: {out: o}}\n  c: "
      "{run: c}\n");
  EXPECT_THAT(pipeline.order, ElementsAre(1, 0, 2));
}

TEST(Parse, ManyErrorsAreCapped) {
  std::string text = "name: x\nsteps:\n";
  for (int i = 0; i < 200; ++i) text += "  s" + std::to_string(i) + ": {uses: nothing}\n";
  ParseOutcome outcome = ParsePipelineFully(text, "f", TestKinds());
  EXPECT_EQ(outcome.errors.size(), static_cast<size_t>(kMaxErrorCount));
}

TEST(Parse, LimitsHold) {
  std::string steps = "name: x\nsteps:\n";
  for (int i = 0; i <= kMaxStepCount; ++i) steps += "  s" + std::to_string(i) + ": {run: a}\n";
  EXPECT_THAT(FirstError(steps), HasSubstr("10001 steps are too many"));
  std::string words = "name: x\nsteps:\n  a:\n    run: [";
  for (int i = 0; i <= kMaxWordCount; ++i) words += "a,";
  EXPECT_THAT(FirstError(words + "]\n"), HasSubstr("a list of 4097 items is too long"));
  EXPECT_THAT(FirstError(std::string(static_cast<size_t>(kMaxFileSizeBytes) + 1, ' ')),
              HasSubstr("more than the"));
  EXPECT_THAT(
      FirstError("name: x\nsteps: {a: {uses: ingest, from: " + std::string(1025, 'a') + "/b}}"),
      HasSubstr("longer than 1024 bytes"));
}

TEST(Parse, SettingsAreCheckedAgainWithGivenParams) {
  Pipeline pipeline = Parse(
      "name: x\nparams: {n: {type: int}}\nsteps:\n"
      "  r: {uses: evaluate, model: m/m, table: t.csv, bootstrap: \"${params.n}\"}\n");
  std::vector<std::pair<std::string, std::string>> given{{"n", "-1"}};
  Result<ParamValues> values = ResolveParams(pipeline, given);
  ASSERT_TRUE(values.ok());
  Result<formats::Json> settings = ResolveSettings(pipeline, pipeline.steps[0], *values);
  ASSERT_FALSE(settings.ok());
  EXPECT_THAT(settings.error().ToString(),
              HasSubstr("sluice.yaml:4:60: 'bootstrap' must be at least 0, found -1"));
}

TEST(ProjectPath, IsNormalised) {
  EXPECT_EQ(*CheckProjectPath("./a//b/./c/", false), "a/b/c");
  EXPECT_EQ(*CheckProjectPath("data/*.csv", true), "data/*.csv");
  EXPECT_EQ(*CheckProjectPath("..a/b..", false), "..a/b..");
  EXPECT_EQ(*CheckProjectPath("x/.sluice", false), "x/.sluice");
  for (const char* bad :
       {"", ".", "./", "/a", "a/..", "..", "~", "C:\\a", "c:a", "http://a/b", "a\nb", ".git/x"}) {
    EXPECT_FALSE(CheckProjectPath(bad, true).ok()) << bad;
  }
}

TEST(Params, TextsFromTheCommandLineAreTyped) {
  Pipeline pipeline = Parse(
      "name: x\nparams: {i: 1, f: 0.5, b: true, s: a, c: {default: a, choices: [a, b]}}\nsteps: "
      "{a: {run: a}}\n");
  auto resolve = [&](std::string name, std::string text) {
    std::vector<std::pair<std::string, std::string>> given{{std::move(name), std::move(text)}};
    Result<ParamValues> values = ResolveParams(pipeline, given);
    return values.ok() ? formats::PrintJson(values->find(given[0].first)->second)
                       : values.error().message();
  };
  EXPECT_EQ(resolve("i", "12"), "12");
  EXPECT_EQ(resolve("f", "3"), "3.0");
  EXPECT_EQ(resolve("b", "false"), "false");
  EXPECT_EQ(resolve("s", "12"), "\"12\"");
  EXPECT_EQ(resolve("i", "1.5"), "param 'i' is of type int, and '1.5' is not");
  EXPECT_EQ(resolve("b", "yes"), "param 'b' is of type bool, and 'yes' is not");
  EXPECT_EQ(resolve("f", "nan"), "param 'f' must not be NaN");
  EXPECT_EQ(resolve("c", "bb"), "param 'c' is one of a and b, not 'bb'; did you mean 'b'?");
  EXPECT_EQ(resolve("ss", "x"), "pipeline 'x' has no param 'ss'; did you mean 's'?");
}

TEST(Kinds, TheTestTableIsWellFormed) {
  Status status = CheckKinds(TestKinds());
  EXPECT_TRUE(status.ok()) << status.error().ToString();
}

TEST(Kinds, SettingsAreNormalised) {
  auto normalise = [](SettingRow row, formats::Json value) {
    row.name = "x";
    Result<formats::Json> result = NormaliseSetting(row, value);
    return result.ok() ? formats::PrintJson(*result) : result.error().message();
  };
  EXPECT_EQ(normalise({.type = SettingType::kShare}, "20%"), "0.2");
  EXPECT_EQ(normalise({.type = SettingType::kShare}, 1), "1.0");
  EXPECT_EQ(normalise({.type = SettingType::kShare}, 1.5),
            "'x' is a share from 0 to 1 or 0% to 100%, found 1.5");
  EXPECT_EQ(normalise({.type = SettingType::kShare}, "nan%"),
            "'x' is a share from 0 to 1 or 0% to 100%, found nan%");
  EXPECT_EQ(normalise({.type = SettingType::kNumber}, 2), "2.0");
  EXPECT_EQ(normalise({.type = SettingType::kColumns}, "a"), R"(["a"])");
  EXPECT_EQ(
      normalise({.type = SettingType::kColumns}, formats::Json(formats::Json::Array{"a", "a"})),
      "'x' names the column 'a' twice");
  EXPECT_EQ(normalise({.type = SettingType::kString}, 5), R"("5")");
  EXPECT_EQ(normalise({.type = SettingType::kMap}, "a"), "'x' takes a mapping, found 'a'");
  EXPECT_EQ(normalise({.type = SettingType::kSize}, "5 apples"),
            "'x': '5 apples' is no size: ' apples' is not one of the units B, kB, MB, GB, TB, KiB, "
            "MiB, GiB and TiB; "
            "write it like 512MiB, 2GB or 4096");
}

}  // namespace
}  // namespace sluice::pipeline
