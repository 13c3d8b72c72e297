// What every tracking store must do. Instantiate it with a function that opens an empty one.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "sql/testing/test_database.h"
#include "tracking/store.h"

namespace sluice::tracking {

struct StoreUnderTest {
  std::shared_ptr<void> database;  ///< what must outlive the store
  std::unique_ptr<Store> store;
};
/// The artifact root must be "root".
using StoreFactory = std::function<StoreUnderTest(Clock& clock)>;

class TrackingStoreContract : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override {
    under_test_ = GetParam()(clock_);
    if (under_test_.store == nullptr) GTEST_SKIP() << sql::kNoPostgres;
  }
  Store& store() { return *under_test_.store; }
  std::string MakeRun(const NewRun& run = {.experiment_id = "0"}) {
    Result<tracking::Run> created = store().CreateRun(run);
    return created.ok() ? created->info.run_id : "error: " + created.error().message();
  }
  tracking::Run GetRun(const std::string& run_id) {
    Result<tracking::Run> run = store().GetRun(run_id);
    EXPECT_TRUE(run.ok()) << run.error().ToString();
    return run.ok() ? *run : tracking::Run{};
  }
  static ErrorCode CodeOf(const Status& status) {
    return status.ok() ? ErrorCode::kInternal : status.error().code();
  }

  ManualClock clock_;
  StoreUnderTest under_test_;
};

TEST_P(TrackingStoreContract, StartsWithADefaultExperiment) {
  Experiment experiment = store().GetExperiment("0").value();
  EXPECT_EQ(experiment.name, "Default");
  EXPECT_EQ(experiment.artifact_location, "root/0");
  EXPECT_EQ(experiment.stage, LifecycleStage::kActive);
  EXPECT_EQ(experiment.created_ms, clock_.NowMs());
}

TEST_P(TrackingStoreContract, CreatesAndFindsExperiments) {
  clock_.AdvanceMs(10);
  std::string id =
      store()
          .CreateExperiment(
              {.name = "credit", .artifact_location = "", .tags = {{"b", "2"}, {"a", "1"}}})
          .value();
  EXPECT_EQ(id, "1");
  Experiment experiment = store().FindExperimentByName("credit").value().value();
  EXPECT_EQ(experiment.id, id);
  EXPECT_EQ(experiment.artifact_location, "root/1");
  EXPECT_EQ(experiment.tags, (std::vector<Tag>{{"a", "1"}, {"b", "2"}}));
  EXPECT_FALSE(store().FindExperimentByName("Credit").value());
  EXPECT_EQ(store()
                .CreateExperiment({.name = "credit", .artifact_location = "", .tags = {}})
                .error()
                .code(),
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(
      store().CreateExperiment({.name = "", .artifact_location = "", .tags = {}}).error().code(),
      ErrorCode::kInvalidArgument);
  std::string elsewhere =
      store()
          .CreateExperiment({.name = "x", .artifact_location = "s3://bucket/x", .tags = {}})
          .value();
  EXPECT_EQ(store().GetExperiment(elsewhere).value().artifact_location, "s3://bucket/x");
  for (const char* location :
       {"runs:/a/b", "s3://b/c#d", "s3://b/c;d", "s3://b/c?x=..", "s3://b?x=%252e%252E", "a\nb"}) {
    EXPECT_EQ(store()
                  .CreateExperiment({.name = "y", .artifact_location = location, .tags = {}})
                  .error()
                  .code(),
              ErrorCode::kInvalidArgument)
        << location;
  }
  EXPECT_EQ(
      store()
          .CreateExperiment({.name = "y", .artifact_location = std::string(2049, 'a'), .tags = {}})
          .error()
          .code(),
      ErrorCode::kInvalidArgument);
  std::vector<Experiment> all = store().ListExperiments(ViewType::kActiveOnly).value();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].name, "x");
  EXPECT_EQ(all[2].name, "Default");
}

TEST_P(TrackingStoreContract, ResolvesLocationsThatAreRelativePaths) {
  auto location_of = [&](const std::string& location) {
    std::string id =
        store()
            .CreateExperiment({.name = location, .artifact_location = location, .tags = {}})
            .value();
    return store().GetExperiment(id).value().artifact_location;
  };
  std::string resolved = location_of("some/where");
  EXPECT_TRUE(resolved.starts_with('/') && resolved.ends_with("/some/where")) << resolved;
  EXPECT_TRUE(location_of("file:some/where").starts_with("file:///"));
  EXPECT_EQ(location_of("/abs/olute"), "/abs/olute");
  EXPECT_EQ(location_of("file:///abs"), "file:///abs");
  EXPECT_EQ(location_of("s3://bucket/x?region=1"), "s3://bucket/x?region=1");
}

TEST_P(TrackingStoreContract, NamesWhatDoesNotExist) {
  EXPECT_EQ(store().GetExperiment("77").error().message(), "No Experiment with id=77 exists");
  EXPECT_EQ(store().GetExperiment("77").error().code(), ErrorCode::kNotFound);
  for (const char* id : {"abc", "", "-1", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(store().GetExperiment(id).error().code(), ErrorCode::kInvalidArgument) << id;
  }
  EXPECT_EQ(store().GetRun("no-such-run").error().message(), "Run with id=no-such-run not found");
  EXPECT_EQ(CodeOf(store().LogBatch("no-such-run", {})), ErrorCode::kNotFound);
  EXPECT_EQ(store().CreateRun({.experiment_id = "77"}).error().code(), ErrorCode::kNotFound);
}

TEST_P(TrackingStoreContract, DeletesAndRestoresExperimentsWithTheirRuns) {
  std::string id =
      store().CreateExperiment({.name = "e", .artifact_location = "", .tags = {}}).value();
  std::string kept = MakeRun({.experiment_id = id});
  std::string deleted_before = MakeRun({.experiment_id = id});
  ASSERT_TRUE(store().DeleteRun(deleted_before).ok());
  ASSERT_TRUE(store().DeleteExperiment(id).ok());
  EXPECT_EQ(CodeOf(store().DeleteExperiment(id)), ErrorCode::kNotFound);
  EXPECT_EQ(store().GetExperiment(id).value().stage, LifecycleStage::kDeleted);
  EXPECT_EQ(GetRun(kept).info.stage, LifecycleStage::kDeleted);
  EXPECT_EQ(store().CreateRun({.experiment_id = id}).error().code(),
            ErrorCode::kFailedPrecondition);
  EXPECT_EQ(CodeOf(store().RenameExperiment(id, "other")), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(CodeOf(store().SetExperimentTag(id, {"k", "v"})), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(
      store().CreateExperiment({.name = "e", .artifact_location = "", .tags = {}}).error().code(),
      ErrorCode::kAlreadyExists);
  EXPECT_EQ(store().ListExperiments(ViewType::kDeletedOnly).value().size(), 1u);
  EXPECT_EQ(store().ListExperiments(ViewType::kAll).value().size(), 2u);
  ASSERT_TRUE(store().RestoreExperiment(id).ok());
  EXPECT_EQ(CodeOf(store().RestoreExperiment(id)), ErrorCode::kNotFound);
  EXPECT_EQ(GetRun(kept).info.stage, LifecycleStage::kActive);
  EXPECT_EQ(GetRun(deleted_before).info.stage, LifecycleStage::kActive);
}

TEST_P(TrackingStoreContract, RenamesAndTagsExperiments) {
  std::string id =
      store().CreateExperiment({.name = "e", .artifact_location = "", .tags = {}}).value();
  EXPECT_EQ(CodeOf(store().RenameExperiment(id, "Default")), ErrorCode::kAlreadyExists);
  clock_.AdvanceMs(5);
  ASSERT_TRUE(store().RenameExperiment(id, "f").ok());
  ASSERT_TRUE(store().SetExperimentTag(id, {"k", "1"}).ok());
  ASSERT_TRUE(store().SetExperimentTag(id, {"k", "2"}).ok());
  Experiment experiment = store().GetExperiment(id).value();
  EXPECT_EQ(experiment.name, "f");
  EXPECT_EQ(experiment.updated_ms, clock_.NowMs());
  EXPECT_EQ(experiment.tags, (std::vector<Tag>{{"k", "2"}}));
  EXPECT_EQ(CodeOf(store().SetExperimentTag(id, {"k", std::string(20001, 'x')})),
            ErrorCode::kInvalidArgument);
  ASSERT_TRUE(store().DeleteExperimentTag(id, "k").ok());
  EXPECT_EQ(CodeOf(store().DeleteExperimentTag(id, "k")), ErrorCode::kNotFound);
}

TEST_P(TrackingStoreContract, CreatesRunsWithTheirDefaults) {
  tracking::Run run = store().CreateRun({.experiment_id = "0", .start_ms = 5}).value();
  EXPECT_EQ(run.info.run_id.size(), 32u);
  EXPECT_EQ(run.info.artifact_uri, "root/0/" + run.info.run_id + "/artifacts");
  EXPECT_EQ(run.info.status, RunStatus::kRunning);
  EXPECT_FALSE(run.info.name.empty());
  EXPECT_EQ(run.FindTag(kRunNameTag), run.info.name);
  EXPECT_FALSE(run.info.end_ms);

  std::string child = MakeRun({.experiment_id = "0",
                               .run_id = "my-run_1",
                               .name = "named",
                               .artifact_uri = "s3://b",
                               .parent_run_id = run.info.run_id,
                               .status = RunStatus::kScheduled,
                               .tags = {{"mlflow.user", "ada"}, {"k", "1"}, {"k", "2"}}});
  tracking::Run read = GetRun(child);
  EXPECT_EQ(read.info.run_id, "my-run_1");
  EXPECT_EQ(read.info.name, "named");
  EXPECT_EQ(read.info.user_id, "ada");
  EXPECT_EQ(read.info.artifact_uri, "s3://b");
  EXPECT_EQ(read.info.status, RunStatus::kScheduled);
  EXPECT_EQ(read.FindTag(kParentRunIdTag), run.info.run_id);
  EXPECT_EQ(read.FindTag("k"), "2");
  EXPECT_EQ(store().CreateRun({.experiment_id = "0", .run_id = "my-run_1"}).error().code(),
            ErrorCode::kAlreadyExists);
  for (std::string id :
       {std::string("-x"), std::string("a/b"), std::string("a b"), std::string(257, 'a')}) {
    EXPECT_EQ(store().CreateRun({.experiment_id = "0", .run_id = id}).error().code(),
              ErrorCode::kInvalidArgument);
  }
}

TEST_P(TrackingStoreContract, UpdatesRunsAndKeepsNameAndTagOneThing) {
  std::string id = MakeRun();
  RunInfo info = store()
                     .UpdateRun(id, {.status = RunStatus::kFailed, .end_ms = 99, .name = "renamed"})
                     .value();
  EXPECT_EQ(info.status, RunStatus::kFailed);
  EXPECT_EQ(info.end_ms, 99);
  EXPECT_EQ(GetRun(id).FindTag(kRunNameTag), "renamed");
  ASSERT_TRUE(
      store()
          .LogBatch(id, {.metrics = {}, .params = {}, .tags = {{"mlflow.runName", "by tag"}}})
          .ok());
  EXPECT_EQ(GetRun(id).info.name, "by tag");
  EXPECT_EQ(store().UpdateRun(id, {}).value().end_ms, 99);
}

TEST_P(TrackingStoreContract, RefusesWritesToDeletedRuns) {
  std::string id = MakeRun();
  ASSERT_TRUE(store().DeleteRun(id).ok());
  ASSERT_TRUE(store().DeleteRun(id).ok());
  Status status = store().LogBatch(id, {});
  EXPECT_EQ(CodeOf(status), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(status.error().message(),
            "The run " + id + " must be in the 'active' state. Current state is deleted.");
  EXPECT_EQ(store().UpdateRun(id, {}).error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(CodeOf(store().LogInputs(id, {})), ErrorCode::kFailedPrecondition);
  ASSERT_TRUE(store().RestoreRun(id).ok());
  ASSERT_TRUE(store().RestoreRun(id).ok());
  EXPECT_TRUE(store().LogBatch(id, {}).ok());
}

TEST_P(TrackingStoreContract, ParamsAreWrittenOnce) {
  std::string id = MakeRun();
  ASSERT_TRUE(store().LogBatch(id, {.metrics = {}, .params = {{"lr", "0.1"}}, .tags = {}}).ok());
  ASSERT_TRUE(store().LogBatch(id, {.metrics = {}, .params = {{"lr", "0.1"}}, .tags = {}}).ok());
  Status changed = store().LogBatch(
      id, {.metrics = {}, .params = {{"depth", "6"}, {"lr", "0.2"}}, .tags = {{"t", "v"}}});
  EXPECT_EQ(CodeOf(changed), ErrorCode::kInvalidArgument);
  EXPECT_EQ(changed.error().message(),
            "Changing param values is not allowed. Params were already logged='[{'key': 'lr', "
            "'old_value': '0.1', 'new_value': '0.2'}]' for run ID='" +
                id + "'.");
  changed = store().LogBatch(id, {.params = {{"lr", "0.2"}}, .is_single = true});
  EXPECT_EQ(changed.error().message(),
            "Changing param values is not allowed. Param with key='lr' was already logged with "
            "value='0.1' for run ID='" +
                id + "'. Attempted logging new value '0.2'.");
  // One transaction: nothing of it happened.
  EXPECT_EQ(GetRun(id).params, (std::vector<Param>{{"lr", "0.1"}}));
  EXPECT_FALSE(GetRun(id).FindTag("t"));
  EXPECT_EQ(
      CodeOf(store().LogBatch(id, {.metrics = {}, .params = {{"a", "1"}, {"a", "1"}}, .tags = {}})),
      ErrorCode::kInvalidArgument);
  // Long values are cut at characters, and logging them again is no change.
  std::string value;
  for (int i = 0; i < 6001; ++i) value += "\xc3\xa9";
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(
        store().LogBatch(id, {.metrics = {}, .params = {{"long", value}}, .tags = {}}).ok());
  }
  EXPECT_EQ(GetRun(id).params[0].value.size(), 12000u);
}

TEST_P(TrackingStoreContract, ChecksKeys) {
  std::string id = MakeRun();
  auto log = [&](const std::string& key) {
    return store().LogBatch(
        id, {.metrics = {{.key = key}}, .params = {{key, "v"}}, .tags = {{key, "v"}}});
  };
  for (std::string key : {"a", "a/b", "with space", "colon:dash-dot.under_", "\xc3\xa9t\xc3\xa9"}) {
    EXPECT_TRUE(log(key).ok()) << key;
  }
  for (std::string key : {"", "...", "/a", "a//b", "a/", "..", ".", "../a", "a/../b", "./a", "a\nb",
                          "a;b", "a=b", "a'b"}) {
    EXPECT_EQ(CodeOf(log(key)), ErrorCode::kInvalidArgument) << key;
  }
  EXPECT_TRUE(log(std::string(250, 'k')).ok());
  EXPECT_EQ(CodeOf(log(std::string(251, 'k'))), ErrorCode::kInvalidArgument);
  Status negative = store().LogBatch(
      id, {.metrics = {{.key = "m", .timestamp_ms = -1}}, .params = {}, .tags = {}});
  EXPECT_EQ(CodeOf(negative), ErrorCode::kInvalidArgument);
}

TEST_P(TrackingStoreContract, KeepsTheLatestMetricByStepTimeAndValue) {
  std::string id = MakeRun();
  auto latest = [&]() { return GetRun(id).metrics.at(0); };
  auto log = [&](double value, int64_t timestamp_ms, int64_t step) {
    ASSERT_TRUE(
        store()
            .LogBatch(id, {.metrics = {{"m", value, timestamp_ms, step}}, .params = {}, .tags = {}})
            .ok());
  };
  log(5, 100, 2);
  log(9, 200, 1);
  EXPECT_EQ(latest().value, 5);
  log(4, 100, 2);
  EXPECT_EQ(latest().value, 5);
  log(std::nan(""), 100, 2);
  EXPECT_EQ(latest().value, 5);
  log(6, 100, 2);
  EXPECT_EQ(latest().value, 6);
  log(1, 101, 2);
  EXPECT_EQ(latest().value, 1);
  log(-std::numeric_limits<double>::infinity(), 1, 3);
  EXPECT_EQ(latest().value, -std::numeric_limits<double>::max());  // as MLflow has it
  log(std::nan(""), 1, 4);
  EXPECT_TRUE(std::isnan(latest().value));
  log(2, 0, -7);
  EXPECT_EQ(latest().step, 4);
  EXPECT_EQ(store().GetMetricHistory(id, "m").value().metrics.size(), 9u);
}

TEST_P(TrackingStoreContract, GivesTheWholeHistoryInPages) {
  std::string id = MakeRun();
  double infinity = std::numeric_limits<double>::infinity();
  Batch batch;
  for (int64_t i = 0; i < 25; ++i)
    batch.metrics.push_back({"loss", 1.0 / static_cast<double>(i + 1), 1000 - i, i});
  for (double value : {infinity, -infinity, std::nan(""), 0.1, 0.1})
    batch.metrics.push_back({"loss", value, 500, -3});
  batch.metrics.push_back({"other", 1, 1, 1});
  // Logged twice: still one point each.
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(store().LogBatch(id, batch).ok());

  std::vector<Metric> whole = store().GetMetricHistory(id, "loss").value().metrics;
  ASSERT_EQ(whole.size(), 29u);
  EXPECT_EQ(whole[0].value, -std::numeric_limits<double>::max());
  EXPECT_TRUE(std::isnan(whole[1].value)) << "NaN stands where 0 would";
  EXPECT_EQ(whole[2].value, 0.1);
  EXPECT_EQ(whole[3].value, std::numeric_limits<double>::max());
  EXPECT_EQ(whole[3].step, -3);
  EXPECT_EQ(whole[4].timestamp_ms, 976);
  EXPECT_EQ(whole[4].value, 1.0 / 25);

  for (size_t page_size : {1u, 2u, 3u, 28u, 29u, 30u}) {
    std::vector<Metric> paged;
    std::string token;
    do {
      MetricPage page = store().GetMetricHistory(id, "loss", page_size, token).value();
      EXPECT_LE(page.metrics.size(), page_size);
      paged.insert(paged.end(), page.metrics.begin(), page.metrics.end());
      token = page.next_token;
    } while (!token.empty());
    ASSERT_EQ(paged.size(), whole.size()) << page_size;
    for (size_t i = 0; i < whole.size(); ++i)
      EXPECT_EQ(paged[i].timestamp_ms, whole[i].timestamp_ms);
  }
  EXPECT_TRUE(store().GetMetricHistory(id, "never logged").value().metrics.empty());
  for (const char* token : {"x", "1:2:3", "1:2:0:zz", "1:2:0:7ff8000000000000", "1:2:0:0x"}) {
    EXPECT_EQ(store().GetMetricHistory(id, "loss", 5, token).error().code(),
              ErrorCode::kInvalidArgument)
        << token;
  }
  EXPECT_EQ(store().GetMetricHistory(id, "loss", 0).error().code(), ErrorCode::kInvalidArgument);
}

TEST_P(TrackingStoreContract, SetsAndDeletesTags) {
  std::string id = MakeRun();
  ASSERT_TRUE(
      store().LogBatch(id, {.metrics = {}, .params = {}, .tags = {{"t", "1"}, {"t", "2"}}}).ok());
  ASSERT_TRUE(
      store()
          .LogBatch(id, {.metrics = {}, .params = {}, .tags = {{"t", std::string(9000, 'x')}}})
          .ok());
  EXPECT_EQ(GetRun(id).FindTag("t")->size(), 8000u);
  ASSERT_TRUE(store().DeleteTag(id, "t").ok());
  EXPECT_EQ(CodeOf(store().DeleteTag(id, "t")), ErrorCode::kNotFound);
}

TEST_P(TrackingStoreContract, LinksDatasetsInBothDirections) {
  std::string one = MakeRun();
  std::string two = MakeRun();
  Dataset adult{.name = "adult",
                .digest = std::string(36, 'a'),
                .source_type = "local",
                .source = "data/adult.csv",
                .schema = "{}",
                .profile = "{\"num_rows\": 5}"};
  Dataset parts{.name = "parts",
                .digest = std::string(36, 'b'),
                .source_type = "sluice",
                .source = "tree",
                .schema = "",
                .profile = ""};
  ASSERT_TRUE(store().LogOutputs(one, std::vector<DatasetLink>{{parts, {}}}).ok());
  ASSERT_TRUE(
      store()
          .LogInputs(two, std::vector<DatasetLink>{{parts, {{"mlflow.data.context", "train"}}},
                                                   {adult, {}}})
          .ok());
  ASSERT_TRUE(store().LogInputs(two, std::vector<DatasetLink>{{adult, {{"k", "v"}}}}).ok());
  EXPECT_EQ(GetRun(one).outputs, (std::vector<DatasetLink>{{parts, {}}}));
  EXPECT_TRUE(GetRun(one).inputs.empty());
  EXPECT_EQ(GetRun(two).inputs,
            (std::vector<DatasetLink>{{adult, {{"k", "v"}}},
                                      {parts, {{"mlflow.data.context", "train"}}}}));
  EXPECT_EQ(CodeOf(store().LogInputs(two, std::vector<DatasetLink>{{Dataset{.digest = "x"}, {}}})),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(store().LogInputs(two, std::vector<DatasetLink>(1001, {adult, {}}))),
            ErrorCode::kInvalidArgument);
}

TEST_P(TrackingStoreContract, ListsRunsNewestFirstInPages) {
  std::string other =
      store().CreateExperiment({.name = "other", .artifact_location = "", .tags = {}}).value();
  std::vector<std::string> ids;
  for (int i = 0; i < 7; ++i) {
    // Pairs with the same start, so that the order needs the id.
    ids.push_back(MakeRun(
        {.experiment_id = "0", .run_id = "run-" + std::to_string(i), .start_ms = 100 - i / 2}));
  }
  std::string elsewhere = MakeRun({.experiment_id = other, .start_ms = 1000});
  auto list = [&](RunFilter filter) {
    std::vector<std::string> found;
    do {
      Result<RunPage> page = store().ListRuns(filter);
      EXPECT_TRUE(page.ok()) << page.error().ToString();
      if (!page.ok()) break;
      for (const tracking::Run& run : page->runs) found.push_back(run.info.run_id);
      filter.page_token = page->next_token;
    } while (!filter.page_token.empty());
    return found;
  };
  EXPECT_EQ(list({.experiment_ids = {"0"}}), ids);
  for (size_t page_size : {1u, 2u, 3u, 7u})
    EXPECT_EQ(list({.experiment_ids = {"0"}, .max_count = page_size}), ids);
  EXPECT_EQ(list({}).front(), elsewhere);
  EXPECT_EQ(list({.experiment_ids = {"0", other}}).size(), 8u);
  ASSERT_TRUE(store().DeleteRun(ids[2]).ok());
  EXPECT_EQ(list({.experiment_ids = {"0"}}).size(), 6u);
  EXPECT_EQ(list({.view = ViewType::kDeletedOnly}), std::vector<std::string>{ids[2]});
  EXPECT_EQ(list({.view = ViewType::kAll}).size(), 8u);
  EXPECT_EQ(store().ListRuns({.max_count = 0}).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store().ListRuns({.page_token = "nonsense"}).error().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(store().ListRuns({.experiment_ids = {"abc"}}).error().code(),
            ErrorCode::kInvalidArgument);
}

TEST_P(TrackingStoreContract, ListsRunsByParentTagsAndStatus) {
  std::string parent = MakeRun();
  std::string train = MakeRun(
      {.experiment_id = "0", .parent_run_id = parent, .tags = {{"step", "train"}, {"x", "1"}}});
  std::string split = MakeRun(
      {.experiment_id = "0", .parent_run_id = parent, .tags = {{"step", "split"}, {"x", "1"}}});
  ASSERT_TRUE(store().UpdateRun(split, {.status = RunStatus::kFinished}).ok());
  auto list = [&](const RunFilter& filter) {
    std::set<std::string> found;
    RunPage page = store().ListRuns(filter).value();
    for (const tracking::Run& run : page.runs) found.insert(run.info.run_id);
    return found;
  };
  EXPECT_EQ(list({.parent_run_id = parent}), (std::set<std::string>{train, split}));
  EXPECT_EQ(list({.parent_run_id = train}), std::set<std::string>{});
  EXPECT_EQ(list({.tags = {{"x", "1"}}}), (std::set<std::string>{train, split}));
  EXPECT_EQ(list({.parent_run_id = parent, .tags = {{"x", "1"}, {"step", "train"}}}),
            std::set<std::string>{train});
  EXPECT_EQ(list({.tags = {{"x", "' OR 1=1 --"}}}), std::set<std::string>{});
  EXPECT_EQ(list({.parent_run_id = parent, .status = RunStatus::kFinished}),
            std::set<std::string>{split});
}

TEST_P(TrackingStoreContract, AnEmptyNameInATagIsPassedOver) {
  std::string id = MakeRun({.experiment_id = "0", .name = "first"});
  const Tag nameless{"mlflow.runName", ""};
  ASSERT_TRUE(store().LogBatch(id, {.metrics = {}, .params = {}, .tags = {nameless}}).ok());
  EXPECT_EQ(GetRun(id).info.name, "first");
  EXPECT_EQ(GetRun(id).FindTag("mlflow.runName"), "first");
  ASSERT_TRUE(store()
                  .LogBatch(id, {.metrics = {},
                                 .params = {},
                                 .tags = {{"mlflow.runName", "third"}, nameless, {"a", ""}}})
                  .ok());
  EXPECT_EQ(GetRun(id).info.name, "third");
  EXPECT_EQ(GetRun(id).FindTag("mlflow.runName"), "third");
  EXPECT_EQ(GetRun(id).FindTag("a"), "");
}

TEST_P(TrackingStoreContract, RunInfoIsTheRunsOwnRow) {
  std::string id = MakeRun({.experiment_id = "0", .name = "r"});
  const RunInfo info = store().GetRunInfo(id).value();
  EXPECT_EQ(info.run_id, id);
  EXPECT_EQ(info.experiment_id, "0");
  EXPECT_EQ(info.artifact_uri, GetRun(id).info.artifact_uri);
  ASSERT_TRUE(store().DeleteRun(id).ok());
  EXPECT_EQ(store().GetRunInfo(id).value().stage, LifecycleStage::kDeleted);
  EXPECT_EQ(store().GetRunInfo("none").error().message(), "Run with id=none not found");
}

TEST_P(TrackingStoreContract, ListsInTagsLoseNothing) {
  using formats::Json;
  std::string id = MakeRun();
  ASSERT_TRUE(store().LogBatch(id, {.metrics = {}, .params = {}, .tags = {{"l", "no list"}}}).ok());
  // Longer than a tag that clients set may be.
  const std::string padding(400, 'x');
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        Json item = Json::MakeObject({{"n", t * 10 + i}, {"padding", padding}});
        EXPECT_TRUE(store().AppendToListTag(id, "l", item, ListItemRule::kOnce).ok());
        EXPECT_TRUE(store().AppendToListTag(id, "l", item, ListItemRule::kOnce).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Json list = formats::ParseJson(GetRun(id).FindTag("l").value()).value();
  std::set<int64_t> numbers;
  for (const Json& item : list.AsArray()) numbers.insert(item.At("n").AsInteger());
  EXPECT_EQ(list.AsArray().size(), 40u);
  EXPECT_EQ(numbers.size(), 40u);

  EXPECT_TRUE(store().AppendToListTag(id, "two", Json(1)).ok());
  EXPECT_TRUE(store().AppendToListTag(id, "two", Json(1)).ok());
  EXPECT_EQ(formats::ParseJson(GetRun(id).FindTag("two").value()).value(), Json(Json::Array{1, 1}));
  Json deep = 1;
  for (int i = 0; i < 64; ++i) {
    Json outer = Json::MakeArray();
    outer.Append(std::move(deep));
    deep = std::move(outer);
  }
  EXPECT_TRUE(store().AppendToListTag(id, "deep", deep).ok());
  EXPECT_TRUE(store().AppendToListTag(id, "deep", Json(1)).ok());
  EXPECT_TRUE(GetRun(id).FindTag("deep").value().starts_with("[[["));
  EXPECT_EQ(CodeOf(store().AppendToListTag(id, "two", Json(std::string(1 << 20, 'x')))),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(store().AppendToListTag("none", "two", Json(1))), ErrorCode::kNotFound);
  ASSERT_TRUE(store().DeleteRun(id).ok());
  EXPECT_EQ(CodeOf(store().AppendToListTag(id, "two", Json(1))), ErrorCode::kFailedPrecondition);
}

TEST_P(TrackingStoreContract, ThreadsLogIntoOneRun) {
  std::string id = MakeRun();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t i = 0; i < 25; ++i) {
        Batch batch{.metrics = {{"shared", static_cast<double>(t), 0, i},
                                {"own-" + std::to_string(t), 1, 0, i}},
                    .params = {{"p" + std::to_string(t), "v"}},
                    .tags = {}};
        Status status = store().LogBatch(id, batch);
        EXPECT_TRUE(status.ok()) << status.error().ToString();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  tracking::Run run = GetRun(id);
  EXPECT_EQ(run.metrics.size(), 5u);
  EXPECT_EQ(run.params.size(), 4u);
  EXPECT_EQ(run.metrics.back().key, "shared");
  EXPECT_EQ(run.metrics.back().value, 3);
  EXPECT_EQ(store().GetMetricHistory(id, "shared").value().metrics.size(), 100u);
}

}  // namespace sluice::tracking
