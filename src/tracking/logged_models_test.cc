#include "tracking/logged_models.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "tracking/testing/engine_test.h"

namespace sluice::tracking {
namespace {

class LoggedModelsTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    if (store_ != nullptr) models_ = std::make_unique<LoggedModelStore>(*db_, clock_);
  }
  LoggedModel Make(const std::string& name, const std::vector<Param>& params = {},
                   const std::vector<Tag>& tags = {}) {
    clock_.AdvanceMs(1);
    NewLoggedModel model{.experiment_id = "0",
                         .name = name,
                         .model_type = "",
                         .source_run_id = "",
                         .params = params,
                         .tags = tags};
    return models_->Create(model).value();
  }
  /// The names found, or the error.
  std::string Find(LoggedModelSearch search) {
    search.experiment_ids = {"0"};
    std::string names;
    do {
      Result<LoggedModelPage> page = models_->Search(search);
      if (!page.ok()) return page.error().message();
      for (const LoggedModel& model : page->models) names += model.name + " ";
      search.page_token = page->next_token;
    } while (!search.page_token.empty());
    return names.empty() ? names : names.substr(0, names.size() - 1);
  }
  std::string Find(const std::string& filter) {
    LoggedModelSearch search;
    search.filter = filter;
    return Find(search);
  }

  std::unique_ptr<LoggedModelStore> models_;
};
TRACKING_ON_EVERY_ENGINE(LoggedModelsTest);

TEST_P(LoggedModelsTest, ListsInTagsLoseNothing) {
  const std::string id = Make("tree", {{"p", "1"}}).model_id;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const formats::Json item = formats::Json::MakeObject({{"n", t * 10 + i}});
        EXPECT_TRUE(models_->AppendToListTag(id, "l", item, ListItemRule::kOnce).ok());
        EXPECT_TRUE(models_->AppendToListTag(id, "l", item, ListItemRule::kOnce).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const LoggedModel model = models_->Get(id).value();
  ASSERT_EQ(model.tags.size(), 1u);
  EXPECT_EQ(formats::ParseJson(model.tags[0].value).value().AsArray().size(), 40u);

  const LoggedModel info = models_->GetInfo(id).value();
  EXPECT_EQ(info.experiment_id, "0");
  EXPECT_EQ(info.artifact_uri, model.artifact_uri);
  EXPECT_TRUE(info.tags.empty() && info.params.empty());
  ASSERT_TRUE(models_->Delete(id).ok());
  EXPECT_EQ(CodeOf(models_->GetInfo(id)), ErrorCode::kNotFound);
  EXPECT_TRUE(models_->GetInfo(id, true).ok());
  EXPECT_FALSE(models_->AppendToListTag(id, "l", 1).ok());
}

TEST_P(LoggedModelsTest, LiveFromPendingToGone) {
  std::string run_id = MakeRun();
  LoggedModel made = models_
                         ->Create({.experiment_id = "0",
                                   .name = "tree",
                                   .model_type = "agent",
                                   .source_run_id = run_id,
                                   .params = {{"depth", "3"}},
                                   .tags = {{"a", "1"}, {"a", "2"}}})
                         .value();
  EXPECT_EQ(made.model_id.substr(0, 2), "m-");
  EXPECT_EQ(made.model_id.size(), 34u);
  EXPECT_EQ(made.status, LoggedModelStatus::kPending);
  EXPECT_EQ(made.artifact_uri, "root/0/models/" + made.model_id + "/artifacts");
  EXPECT_EQ(made.tags, (std::vector<Tag>{{"a", "2"}}));
  EXPECT_EQ(made.params, (std::vector<Param>{{"depth", "3"}}));
  EXPECT_EQ(made.source_run_id, run_id);

  clock_.AdvanceMs(5);
  const std::string& id = made.model_id;
  EXPECT_EQ(models_->Finalize(id, LoggedModelStatus::kReady).value().status,
            LoggedModelStatus::kReady);
  ASSERT_TRUE(models_->SetTags(id, std::vector<Tag>{{"b", "x"}, {"a", "3"}}).ok());
  ASSERT_TRUE(models_->DeleteTag(id, "b").ok());
  EXPECT_EQ(CodeOf(models_->DeleteTag(id, "b")), ErrorCode::kNotFound);
  std::vector<Param> params = {{"depth", "3"}, {"rate", ""}};
  ASSERT_TRUE(models_->LogParams(id, params).ok());
  params[0].value = "4";
  EXPECT_EQ(CodeOf(models_->LogParams(id, params)), ErrorCode::kInvalidArgument);
  LoggedModel got = models_->Get(id).value();
  EXPECT_EQ(got.tags, (std::vector<Tag>{{"a", "3"}}));
  EXPECT_EQ(got.params, (std::vector<Param>{{"depth", "3"}, {"rate", ""}}));
  EXPECT_EQ(got.created_ms, clock_.NowMs() - 5);
  EXPECT_EQ(got.updated_ms, clock_.NowMs());

  ASSERT_TRUE(models_->Delete(id).ok());
  EXPECT_EQ(models_->Get(id).error().message(), "Logged model with ID '" + id + "' not found.");
  EXPECT_EQ(CodeOf(models_->Delete(id)), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(models_->SetTags(id, {})), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(models_->Finalize(id, LoggedModelStatus::kReady)), ErrorCode::kNotFound);
  EXPECT_EQ(Find(""), "");
  EXPECT_EQ(models_->Get(id, true).value().stage, LifecycleStage::kDeleted);
  ASSERT_TRUE(models_->Restore(id).ok());
  ASSERT_TRUE(models_->Restore(id).ok());
  EXPECT_EQ(Find(""), "tree");
}

TEST_P(LoggedModelsTest, ChecksNamesAndExperiments) {
  LoggedModelStore& models = *models_;
  auto create = [&](const std::string& experiment_id, std::optional<std::string> name) {
    NewLoggedModel model;
    model.experiment_id = experiment_id;
    model.name = std::move(name);
    return models.Create(model);
  };
  EXPECT_FALSE(create("0", std::nullopt).value().name.empty());
  for (const char* name : {"", "a/b", "a:b", "a.b", "a%b", "a\"b", "a'b"})
    EXPECT_EQ(CodeOf(create("0", name)), ErrorCode::kInvalidArgument) << name;
  EXPECT_EQ(CodeOf(create("77", "x")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(create("abc", "x")), ErrorCode::kInvalidArgument);
  std::string deleted = MakeExperiment("deleted");
  ASSERT_TRUE(store_->DeleteExperiment(deleted).ok());
  EXPECT_EQ(CodeOf(create(deleted, "x")), ErrorCode::kFailedPrecondition);
}

TEST_P(LoggedModelsTest, GetMetricsFromBatchesOfRuns) {
  LoggedModel model = Make("m");
  std::string run_id = MakeRun();
  Metric on_adult{.key = "acc", .value = 0.5, .timestamp_ms = 7, .model_id = model.model_id};
  on_adult.dataset_name = "adult";
  on_adult.dataset_digest = "d1";
  Metric nan = on_adult;
  nan.value = std::nan("");
  Metric plain{.key = "acc", .value = 0.25, .timestamp_ms = 7, .model_id = model.model_id};
  Metric of_run_only{.key = "other", .value = 1};
  for (int i = 0; i < 2; ++i)
    Log(run_id, {.metrics = {on_adult, nan, plain, of_run_only}, .params = {}, .tags = {}});
  std::vector<LoggedModelMetric> metrics = models_->Get(model.model_id).value().metrics;
  ASSERT_EQ(metrics.size(), 3u);
  EXPECT_EQ(metrics[0].metric.value, 0.25);
  EXPECT_EQ(metrics[1].metric.value, 0.5);
  EXPECT_EQ(metrics[1].metric.dataset_name, "adult");
  EXPECT_EQ(metrics[1].metric.dataset_digest, "d1");
  EXPECT_EQ(metrics[1].run_id, run_id);
  EXPECT_TRUE(std::isnan(metrics[2].metric.value));
  // The run's history knows nothing of models.
  EXPECT_EQ(store_->GetMetricHistory(run_id, "acc").value().metrics.size(), 3u);
  // All or nothing.
  of_run_only.model_id = "m-unknown";
  of_run_only.key = "never";
  EXPECT_EQ(CodeOf(store_->LogBatch(run_id, {{of_run_only}, {}, {}})), ErrorCode::kNotFound);
  EXPECT_TRUE(store_->GetMetricHistory(run_id, "never").value().metrics.empty());
}

TEST_P(LoggedModelsTest, AreFoundByEveryKindOfCondition) {
  LoggedModel a = Make("alpha", {{"lr", "0.1"}}, {{"team", "x"}});
  LoggedModel b = Make("Beta", {{"lr", "0.2"}});
  LoggedModel c = Make("gamma", {}, {{"team", "y"}, {"we ird", "v"}});
  std::string run_id = MakeRun();
  auto metric = [](const LoggedModel& model, const char* key, double value, int64_t step,
                   const char* dataset) {
    Metric point{.key = key, .value = value, .timestamp_ms = step, .step = step};
    point.model_id = model.model_id;
    point.dataset_name = dataset;
    point.dataset_digest = *dataset == '\0' ? "" : "1";
    return point;
  };
  Log(run_id,
      {{metric(a, "acc", 0.5, 0, ""), metric(a, "acc", 0.9, 1, "d"), metric(b, "acc", 0.7, 0, "d"),
        metric(b, "acc", 0.6, 5, "e"), metric(b, "loss.min", 3, 0, "")},
       {},
       {}});
  ASSERT_TRUE(models_->Finalize(a.model_id, LoggedModelStatus::kReady).ok());
  EXPECT_EQ(Find(""), "gamma Beta alpha");
  EXPECT_EQ(Find("name = 'alpha'"), "alpha");
  EXPECT_EQ(Find("name LIKE '%eta'"), "Beta");
  EXPECT_EQ(Find("name ILIKE 'BET%' AND attributes.name != 'x'"), "Beta");
  EXPECT_EQ(Find("name IN ('alpha', 'gamma')"), "gamma alpha");
  EXPECT_EQ(Find("model_id = '" + c.model_id + "'"), "gamma");
  EXPECT_EQ(Find("status = 'READY'"), "alpha");
  EXPECT_EQ(Find("status = 'LOGGED_MODEL_PENDING'"), "gamma Beta");
  EXPECT_EQ(Find("creation_timestamp >= " + std::to_string(b.created_ms)), "gamma Beta");
  EXPECT_EQ(Find("creation_time < " + std::to_string(b.created_ms) + ".5"), "Beta alpha");
  EXPECT_EQ(Find("model_type != 'x'"), "");
  EXPECT_EQ(Find("model_type IS NULL"), "gamma Beta alpha");
  EXPECT_EQ(Find("params.lr = '0.1'"), "alpha");
  EXPECT_EQ(Find("params.lr != '0.1'"), "Beta");
  EXPECT_EQ(Find("params.lr IS NULL"), "gamma");
  EXPECT_EQ(Find("NOT params.lr = '0.1'"), "gamma Beta");
  EXPECT_EQ(Find("tags.`we ird` = 'v'"), "gamma");
  EXPECT_EQ(Find("tags.team = 'x' OR (tags.team = 'y' AND name = 'gamma')"), "gamma alpha");
  EXPECT_EQ(Find("metrics.acc > 0.6"), "Beta alpha") << "any point counts";
  EXPECT_EQ(Find("metrics.acc > 0.8"), "alpha");
  EXPECT_EQ(Find("metrics.acc.min < 0.6"), "alpha");
  EXPECT_EQ(Find("metrics.acc.last < 0.65"), "Beta");
  EXPECT_EQ(Find("metrics.loss.min = 3"), "Beta") << "a metric of that very name";
  EXPECT_EQ(Find("metrics.acc BETWEEN 0.7 AND 0.8"), "Beta");
  EXPECT_EQ(Find("tags.team = \"' OR 1=1 --\""), "");
  for (const char* wrong : {"nothing = 'x'", "datasets.name = 'x'", "metrics.acc = 'x'",
                            "name > 'x'", "name = 1", "params.lr = 0.1", "name ="})
    EXPECT_EQ(CodeOf(models_->Search({.experiment_ids = {"0"}, .filter = wrong})),
              ErrorCode::kInvalidArgument)
        << wrong;

  auto on = [&](const std::vector<DatasetFilter>& datasets, const std::string& filter) {
    LoggedModelSearch search;
    search.datasets = datasets;
    search.filter = filter;
    return Find(search);
  };
  EXPECT_EQ(on({{"d", ""}}, ""), "Beta alpha");
  EXPECT_EQ(on({{"e", "1"}}, ""), "Beta");
  EXPECT_EQ(on({{"e", "2"}}, ""), "");
  EXPECT_EQ(on({{"d", ""}}, "metrics.acc < 0.6"), "");
  EXPECT_EQ(on({{"d", ""}, {"e", ""}}, "metrics.acc < 0.8"), "Beta");
  EXPECT_EQ(on({{"", "1"}}, ""), "`dataset_name` in the `datasets` clause must be specified.");
}

TEST_P(LoggedModelsTest, AreOrderedAndPaged) {
  std::string run_id = MakeRun();
  for (int i = 0; i < 7; ++i) {
    LoggedModel model = Make("m" + std::to_string(i), {}, {});
    if (i == 3) continue;  // without metric
    Metric metric{.key = "acc", .value = i % 2 == 0 ? 0.1 * i : 0.5};
    metric.model_id = model.model_id;
    if (i == 5) metric.value = std::nan("");
    Log(run_id, {{metric}, {}, {}});
  }
  auto find = [&](const std::vector<LoggedModelOrder>& order, size_t page_size) {
    LoggedModelSearch search;
    search.order_by = order;
    search.max_count = page_size;
    return Find(search);
  };
  for (size_t page_size : {1u, 2u, 3u, 7u, 8u}) {
    EXPECT_EQ(find({}, page_size), "m6 m5 m4 m3 m2 m1 m0");
    EXPECT_EQ(find({{"name", true, {}}}, page_size), "m0 m1 m2 m3 m4 m5 m6");
    EXPECT_EQ(find({{"metrics.acc", true, {}}}, page_size), "m0 m2 m4 m1 m6 m5 m3");
    EXPECT_EQ(find({{"metrics.acc", false, {}}, {"creation_timestamp", true, {}}}, page_size),
              "m6 m1 m4 m2 m0 m3 m5");
    EXPECT_EQ(find({{"model_type", true, {}}, {"name", false, {}}}, page_size),
              "m6 m5 m4 m3 m2 m1 m0");
  }
  for (const char* wrong : {"nothing", "params.x", "tags.x", "metrics"})
    EXPECT_TRUE(find({{wrong, true, {}}}, 1).starts_with("Invalid order by field name: ")) << wrong;

  LoggedModelSearch search{.experiment_ids = {"0"}, .filter = "", .max_count = 2};
  search.page_token = models_->Search(search).value().next_token;
  ASSERT_FALSE(search.page_token.empty());
  LoggedModelSearch other = search;
  other.filter = "name != 'x'";
  EXPECT_TRUE(models_->Search(other).error().message().starts_with(
      "Filter string in the page token do not match"));
  other = search;
  other.experiment_ids = {"0", "1"};
  EXPECT_EQ(CodeOf(models_->Search(other)), ErrorCode::kInvalidArgument);
  other = search;
  other.order_by = {{"name", true, {}}};
  EXPECT_EQ(CodeOf(models_->Search(other)), ErrorCode::kInvalidArgument);
  for (const char* token : {"x", "e30=", "W10=", "{}", "AAAA"}) {
    other = search;
    other.page_token = token;
    EXPECT_EQ(CodeOf(models_->Search(other)), ErrorCode::kInvalidArgument) << token;
  }
  EXPECT_EQ(find({}, 0).substr(0, 15), "Invalid value 0");
}

}  // namespace
}  // namespace sluice::tracking
