#include "tracking/search.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "base/random.h"
#include "sql/testing/test_database.h"
#include "tracking/internal/run_finder.h"
#include "tracking/internal/run_nodes.h"
#include "tracking/internal/run_rows.h"

namespace sluice::tracking {
namespace {

/// Runs whose names are single letters, so that a result is a word.
class SearchTest : public testing::TestWithParam<sql::TestEngine> {
 protected:
  void SetUp() override {
    db_ = sql::OpenTestDb(GetParam());
    if (db_ == nullptr) GTEST_SKIP() << sql::kNoPostgres;
    ASSERT_TRUE(sql::Migrate(*db_, Migrations(), clock_).ok());
    store_ = OpenStore(*db_, {.artifact_root = "root"}, clock_).value();
  }

  std::string Make(const std::string& name, int64_t start_ms, const Batch& batch = {},
                   const std::string& experiment_id = "0") {
    std::string run_id = "run-" + name;
    EXPECT_TRUE(store_
                    ->CreateRun({.experiment_id = experiment_id,
                                 .run_id = run_id,
                                 .name = name,
                                 .user_id = "user-" + name,
                                 .start_ms = start_ms})
                    .ok());
    Status status = store_->LogBatch(run_id, batch);
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().ToString());
    return run_id;
  }

  RunPage Runs(const RunSearch& request) {
    Result<RunPage> page = Search(*db_).Runs(request);
    EXPECT_TRUE(page.ok()) << (page.ok() ? "" : page.error().ToString());
    return page.ok() ? *page : RunPage{};
  }
  std::string Find(const std::string& filter, std::vector<std::string> order_by = {},
                   ViewType view = ViewType::kActiveOnly) {
    Result<RunPage> page = Search(*db_).Runs(
        {.experiment_ids = {"0"}, .filter = filter, .view = view, .order_by = std::move(order_by)});
    if (!page.ok()) return "! " + page.error().message();
    std::string names;
    for (const tracking::Run& run : page->runs) names += run.info.name;
    return names;
  }
  std::string FindError(const std::string& filter, std::vector<std::string> order_by = {}) {
    std::string found = Find(filter, std::move(order_by));
    return found.substr(0, found.find(" (at character"));
  }

  ManualClock clock_;
  std::shared_ptr<sql::Db> db_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, SearchTest, testing::Values(sql::TestEngine::kSqliteMemory));
INSTANTIATE_TEST_SUITE_P(Postgres, SearchTest, testing::Values(sql::TestEngine::kPostgres));

TEST_P(SearchTest, ComparesMetricsAsMlflowDoes) {
  Make("a", 5, {.metrics = {{"m", 1}}});
  Make("b", 4, {.metrics = {{"m", 2}}});
  Make("c", 3, {.metrics = {{"m", std::nan("")}}});
  Make("d", 2);
  Make("e", 1, {.metrics = {{"m", std::numeric_limits<double>::infinity()}, {"other", 1}}});
  EXPECT_EQ(Find("metrics.m = 1"), "a");
  EXPECT_EQ(Find("metric.m != 1"), "bce") << "NaN is unequal; whoever lacks the metric is not";
  EXPECT_EQ(Find("metrics.m >= 1"), "abe");
  EXPECT_EQ(Find("metrics.m < 1"), "") << "NaN is stored as 0 and must not show";
  EXPECT_EQ(Find("metrics.m > 1e300"), "e");
  EXPECT_EQ(Find("metrics.m <= 2 and metrics.m > 1"), "b");
  EXPECT_EQ(Find("NOT metrics.m >= 1"), "cd");
  EXPECT_EQ(Find("metrics.m BETWEEN 0.5 AND 2 OR metrics.other = 1"), "abe");
  EXPECT_EQ(Find("metrics.m NOT BETWEEN 1 AND 1"), "bce");
  EXPECT_EQ(Find("metrics.m IN (1, 2, 3)"), "ab");
  EXPECT_EQ(Find("metrics.m NOT IN (1, 2, 3)"), "ce");
}

TEST_P(SearchTest, AggregatesOfMetricsAreToldFromNames) {
  Make("a", 3, {.metrics = {{"loss", 5, 0, 0}, {"loss", 1, 0, 1}, {"loss", 3, 0, 2}}});
  Make("b", 2, {.metrics = {{"loss", 4, 0, 0}, {"loss", 2, 0, 1}}});
  Make("c", 1, {.metrics = {{"loss", std::nan(""), 0, 0}}});
  EXPECT_EQ(Find("metrics.loss.min < 2"), "a");
  EXPECT_EQ(Find("metrics.`loss`.min < 2"), "a");
  EXPECT_EQ(Find("metrics.loss.max >= 4"), "ab");
  EXPECT_EQ(Find("metrics.loss.last = 3"), "a");
  EXPECT_EQ(Find("metrics.loss.best = 2"), "b") << "of a loss the least is best";
  EXPECT_EQ(Find("", {"metrics.loss.max"}), "bac");
  EXPECT_EQ(Find("", {"metrics.`loss`.min DESC"}), "bac");
  EXPECT_EQ(Find("metrics.loss.max != 4"), "ac");
  // A metric of this very name keeps the meaning the filter had before.
  Make("d", 0, {.metrics = {{"loss.min", 1}}});
  EXPECT_EQ(Find("metrics.loss.min < 2"), "d");
  EXPECT_EQ(Find("metrics.`loss.min` < 2"), "d");
  EXPECT_EQ(Find("metrics.`loss`.min < 2"), "a");
  ASSERT_TRUE(store_->SetExperimentTag("0", {"mlflow.experiment.primaryMetric.name", "loss"}).ok());
  ASSERT_TRUE(
      store_->SetExperimentTag("0", {"mlflow.experiment.primaryMetric.greaterIsBetter", "True"})
          .ok());
  EXPECT_EQ(Find("metrics.loss.best = 5"), "a");
}

TEST_P(SearchTest, ComparesParamsAndTagsAsMlflowDoes) {
  Make("a", 5, {.params = {{"p", "abc"}, {"only a", "1"}}, .tags = {{"t", "x"}}});
  Make("b", 4, {.params = {{"p", "ABC"}}, .tags = {{"t", "100%"}}});
  Make("c", 3, {.params = {{"p", "a\\c"}}, .tags = {{"t", "a_b"}}});
  Make("d", 2,
       {.params = {{"p",
                    "\xc3\x84"
                    "bc"}}});
  EXPECT_EQ(Find("params.p = 'abc'"), "a");
  EXPECT_EQ(Find("params.p != 'abc'"), "bcd");
  EXPECT_EQ(Find("params.p LIKE 'a%'"), "ac");
  EXPECT_EQ(Find("params.p LIKE '%bc'"), "ad");
  EXPECT_EQ(Find("params.p LIKE 'a\\_'"), "c") << "a backslash is a backslash";
  EXPECT_EQ(Find("params.p LIKE '_bc'"), "ad");
  EXPECT_EQ(Find("params.p ILIKE 'ab%'"), "ab");
  EXPECT_EQ(Find("params.p ILIKE '\xc3\xa4%'"), "d");
  EXPECT_EQ(Find("params.p NOT LIKE 'a%'"), "bd");
  EXPECT_EQ(Find("params.p IN ('abc', 'ABC', 'no')"), "ab");
  EXPECT_EQ(Find("params.p NOT IN ('abc', 'ABC')"), "cd");
  EXPECT_EQ(Find("params.`only a` IS NOT NULL"), "a");
  EXPECT_EQ(Find("params.\"only a\" IS NULL AND tags.t IS NOT NULL"), "bc");
  EXPECT_EQ(Find("tags.t = '100%' OR (tags.t LIKE 'a%' AND params.p != 'abc')"), "bc");
  EXPECT_EQ(Find("NOT (params.p = 'abc' OR params.p = 'ABC')"), "cd");
}

TEST_P(SearchTest, LongTextsAreComparedWhole) {
  const std::string head(250, 'h');
  Make("a", 3, {.params = {{"p", head + "1"}}});
  Make("b", 2, {.params = {{"p", head + "2"}}});
  Make("c", 1, {.params = {{"p", head.substr(0, 200)}}});
  EXPECT_EQ(Find("params.p = '" + head + "2'"), "b");
  EXPECT_EQ(Find("params.p != '" + head + "2'"), "ac");
  EXPECT_EQ(Find("params.p IN ('" + head + "2', 'x')"), "b");
  EXPECT_EQ(Find("params.p NOT IN ('" + head + "2', 'x')"), "ac");
  EXPECT_EQ(Find("params.p LIKE '" + head + "%'"), "ab");
  EXPECT_EQ(Find("params.p LIKE '%1'"), "a");
  EXPECT_EQ(Find("params.p NOT LIKE '%1'"), "bc");
  EXPECT_EQ(Find("params.p = '" + head.substr(0, 200) + "'"), "c");
  EXPECT_EQ(Find("", {"params.p"}), "cab");
  EXPECT_EQ(Find("", {"params.p DESC"}), "bac");
}

TEST_P(SearchTest, ComparesAttributes) {
  Make("a", 30);
  Make("b", 20);
  Make("c", 10);
  ASSERT_TRUE(store_->UpdateRun("run-b", {.status = RunStatus::kFinished, .end_ms = 25}).ok());
  ASSERT_TRUE(store_->UpdateRun("run-c", {.status = RunStatus::kFailed, .end_ms = 40}).ok());
  EXPECT_EQ(Find("attributes.status = 'FINISHED'"), "b");
  EXPECT_EQ(Find("status != 'FINISHED'"), "ac");
  EXPECT_EQ(Find("attr.status LIKE 'F%'"), "bc");
  EXPECT_EQ(Find("status IN ('RUNNING', 'FAILED')"), "ac");
  EXPECT_EQ(Find("status = 'finished'"), "");
  EXPECT_EQ(Find("run_name = 'a'"), "a");
  EXPECT_EQ(Find("attribute.`Run name` ILIKE 'A'"), "a");
  EXPECT_EQ(Find("user_id = 'user-b'"), "b");
  EXPECT_EQ(Find("user_id LIKE 'user-_' AND artifact_uri LIKE '%/run-c/%'"), "c");
  EXPECT_EQ(Find("run_id IN ('run-a', 'run-c')"), "ac");
  EXPECT_EQ(Find("run.run_id NOT IN ('run-a', 'run-c')"), "b");
  EXPECT_EQ(Find("start_time > 15.5"), "ab");
  EXPECT_EQ(Find("created <= 20"), "bc");
  EXPECT_EQ(Find("start_time = 20.5"), "");
  EXPECT_EQ(Find("start_time != 20.5"), "abc");
  EXPECT_EQ(Find("end_time != 25"), "c");
  EXPECT_EQ(Find("end_time BETWEEN 24.5 AND 25.5"), "b");
  EXPECT_EQ(Find("end_time > 99999999999999999999"), "");
}

TEST_P(SearchTest, ComparesDatasetsThatWereRead) {
  Make("a", 3);
  Make("b", 2);
  Make("c", 1);
  DatasetLink iris{{"iris", "d1", "local", "s", "", ""}, {{"mlflow.data.context", "train"}}};
  DatasetLink wine{{"wine", "d2", "local", "s", "", ""}, {{"mlflow.data.context", "eval"}}};
  ASSERT_TRUE(store_->LogInputs("run-a", std::vector{iris, wine}).ok());
  ASSERT_TRUE(store_->LogInputs("run-b", std::vector{wine}).ok());
  ASSERT_TRUE(store_->LogOutputs("run-c", std::vector{iris}).ok());
  EXPECT_EQ(Find("dataset.name = 'iris'"), "a");
  EXPECT_EQ(Find("datasets.name != 'iris'"), "ab");
  EXPECT_EQ(Find("dataset.digest LIKE 'd%'"), "ab");
  EXPECT_EQ(Find("dataset.name = 'wine' AND dataset.context = 'train'"), "a");
  EXPECT_EQ(Find("dataset.context IN ('eval')"), "ab");
  EXPECT_EQ(Find("NOT dataset.name = 'iris'"), "bc");
  RunPage page = Runs({.experiment_ids = {"0"}, .filter = "dataset.name = 'iris'"});
  ASSERT_EQ(page.runs.size(), 1u);
  EXPECT_EQ(page.runs[0].inputs, (std::vector{iris, wine}));
}

TEST_P(SearchTest, PutsNanAndMissingLastInEitherDirection) {
  Make("a", 5, {.metrics = {{"m", 1}}});
  Make("b", 4, {.metrics = {{"m", std::nan("")}}});
  Make("c", 3);
  Make("d", 2, {.metrics = {{"m", 2}}});
  Make("e", 1, {.metrics = {{"m", 1}}});
  Make("f", 5);
  EXPECT_EQ(Find(""), "afbcde");
  EXPECT_EQ(Find("", {"metrics.m"}), "aedbfc");
  EXPECT_EQ(Find("", {"metrics.m DESC"}), "daebfc");
  EXPECT_EQ(Find("", {"metrics.m ASC", "start_time ASC"}), "eadbcf");
  EXPECT_EQ(Find("", {"metrics.nobody", "attributes.run_name DESC"}), "fedcba");
  EXPECT_EQ(Find("", {"start_time"}), "edcbaf");
  EXPECT_EQ(Find("", {"run_id DESC"}), "fedcba");
  EXPECT_EQ(Find("", {"end_time DESC", "user_id"}), "abcdef");
}

TEST_P(SearchTest, OrdersByStatusNameAndParams) {
  Make("a", 3, {.params = {{"p", "10"}}});
  Make("b", 2, {.params = {{"p", "9"}}});
  Make("c", 1, {.params = {{"q", "x"}}});
  ASSERT_TRUE(store_->UpdateRun("run-b", {.status = RunStatus::kFinished, .end_ms = 25}).ok());
  ASSERT_TRUE(store_->UpdateRun("run-c", {.status = RunStatus::kFailed, .end_ms = 40}).ok());
  EXPECT_EQ(Find("", {"status"}), "cba");
  EXPECT_EQ(Find("", {"attributes.status DESC"}), "abc");
  EXPECT_EQ(Find("", {"params.p"}), "abc") << "as texts";
  EXPECT_EQ(Find("", {"params.p DESC"}), "bac");
  EXPECT_EQ(Find("", {"end_time"}), "bca");
  EXPECT_EQ(Find("", {"tags.`mlflow.runName` DESC"}), "cba");
}

TEST_P(SearchTest, ShowsTheStagesOfTheView) {
  Make("a", 3, {.metrics = {{"m", 1}}});
  Make("b", 2, {.metrics = {{"m", 2}}});
  ASSERT_TRUE(store_->DeleteRun("run-a").ok());
  for (const char* filter : {"", "metrics.m > 0", "NOT metrics.m > 5"}) {
    for (const char* order : {"start_time DESC", "metrics.m", "user_id"}) {
      EXPECT_EQ(Find(filter, {order}), "b");
      EXPECT_EQ(Find(filter, {order}, ViewType::kDeletedOnly), "a");
      EXPECT_EQ(Find(filter, {order}, ViewType::kAll), "ab");
    }
  }
}

TEST_P(SearchTest, SearchesSeveralExperimentsAndFollowsMovedRuns) {
  std::string other = store_->CreateExperiment({.name = "other"}).value();
  Make("a", 3, {.metrics = {{"m", 1}}, .params = {{"p", "x"}}, .tags = {{"t", "y"}}});
  Make("b", 2, {.metrics = {{"m", 3}}}, other);
  Make("c", 1, {.metrics = {{"m", 2}}});
  auto find = [&](std::vector<std::string> ids, const std::string& filter) {
    std::string names;
    for (const tracking::Run& run :
         Runs({.experiment_ids = std::move(ids), .filter = filter, .order_by = {"metrics.m DESC"}})
             .runs)
      names += run.info.name;
    return names;
  };
  EXPECT_EQ(find({"0", other, "0"}, ""), "bca");
  EXPECT_EQ(find({other}, ""), "b");
  EXPECT_EQ(find({}, ""), "");
  EXPECT_EQ(find({"777"}, ""), "");
  ASSERT_TRUE(store_->MoveRuns(std::vector<std::string>{"run-a"}, other).ok());
  EXPECT_EQ(find({"0"}, ""), "c");
  EXPECT_EQ(find({other}, "params.p = 'x' AND tags.t = 'y' AND metrics.m = 1"), "a");
}

TEST_P(SearchTest, RefusesWhatMlflowRefuses) {
  EXPECT_EQ(FindError("metrics.m = '1'"), "! Expected numeric value type for metric. Found '1'");
  EXPECT_EQ(FindError("params.p = 1"),
            "! Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1");
  EXPECT_EQ(FindError("lifecycle_stage = 'active'").substr(0, 56),
            "! Invalid attribute key 'lifecycle_stage' specified. Val");
  EXPECT_EQ(
      FindError("dataset.source = 'x'"),
      "! Invalid dataset key 'source' specified. Valid keys are '{'context', 'digest', 'name'}'");
  EXPECT_EQ(FindError("metrics.m IS NULL"),
            "! IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'm'");
  EXPECT_EQ(FindError("status IS NULL"),
            "! IS NULL / IS NOT NULL is only supported for tags and params, not for 'attribute' "
            "'status'");
  EXPECT_EQ(FindError("params.`p`.min = 'x'"), "! only metrics have .min, .max, .last and .best");
  EXPECT_EQ(FindError("", {"metrics.m", "metrics.m DESC"}),
            "! `order_by` contains duplicate fields: ['metrics.m', 'metrics.m DESC']");
  EXPECT_EQ(FindError("", {"start_time", "created"}).substr(0, 40),
            "! `order_by` contains duplicate fields: ");
  EXPECT_EQ(FindError("", {"dataset.name"}).substr(0, 38),
            "! Invalid identifier type 'dataset': r");
  EXPECT_EQ(FindError("", {"`run name`"}).substr(0, 33), "! Invalid attribute key 'run name");
  for (int64_t count : {int64_t{0}, int64_t{-1}, int64_t{50001}}) {
    EXPECT_EQ(Search(*db_).Runs({.experiment_ids = {"0"}, .max_count = count}).error().code(),
              ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(Search(*db_).Runs({.experiment_ids = {"x"}}).error().message(),
            "Invalid experiment ID 'x'. Experiment ID must be a valid integer.");
}

TEST_P(SearchTest, TokensHoldForTheirSearchOnly) {
  for (char name = 'a'; name <= 'e'; ++name) Make(std::string(1, name), name);
  RunSearch request{.experiment_ids = {"0"}, .filter = "start_time > 0", .max_count = 2};
  RunPage page = Runs(request);
  ASSERT_FALSE(page.next_token.empty());
  Make("f", 'f');  // newer than all: the pages go on as if it were not there
  request.page_token = page.next_token;
  page = Runs(request);
  ASSERT_EQ(page.runs.size(), 2u);
  EXPECT_EQ(page.runs[0].info.name, "c");
  request.filter = "start_time > 1";
  EXPECT_EQ(Search(*db_).Runs(request).error().code(), ErrorCode::kInvalidArgument);
  request.filter = "start_time > 0";
  for (const std::string& token : {std::string("x"), page.next_token + "-m",
                                   page.next_token.substr(0, 20), "1" + page.next_token}) {
    request.page_token = token;
    EXPECT_EQ(Search(*db_).Runs(request).error().code(), ErrorCode::kInvalidArgument) << token;
  }
}

TEST_P(SearchTest, FindsExperiments) {
  clock_.AdvanceMs(1000);
  ASSERT_TRUE(store_->CreateExperiment({.name = "alpha", .tags = {{"team", "x"}}}).ok());
  ASSERT_TRUE(store_->CreateExperiment({.name = "Beta", .tags = {{"team", "y"}}}).ok());
  ASSERT_TRUE(store_->CreateExperiment({.name = "gone"}).ok());
  ASSERT_TRUE(store_->DeleteExperiment("3").ok());
  auto find = [&](const std::string& filter, std::vector<std::string> order_by = {},
                  ViewType view = ViewType::kActiveOnly) {
    std::string ids;
    std::string token;
    do {
      Result<ExperimentPage> page = Search(*db_).Experiments({.filter = filter,
                                                              .view = view,
                                                              .order_by = order_by,
                                                              .max_count = 1,
                                                              .page_token = token});
      if (!page.ok())
        return "! " + page.error().message().substr(0, page.error().message().find(" (at char"));
      for (const Experiment& experiment : page->experiments) ids += experiment.id;
      token = page->next_token;
    } while (!token.empty());
    return ids;
  };
  EXPECT_EQ(find(""), "120");
  EXPECT_EQ(find("", {"name"}), "201");
  EXPECT_EQ(find("", {"experiment_id DESC"}, ViewType::kAll), "3210");
  EXPECT_EQ(find("", {"creation_time"}, ViewType::kAll), "0321");
  EXPECT_EQ(find("", {}, ViewType::kDeletedOnly), "3");
  EXPECT_EQ(find("name LIKE '%a'"), "12");
  EXPECT_EQ(find("attribute.name ILIKE 'b%' OR tags.team = 'x'"), "12");
  EXPECT_EQ(find("tags.team != 'x'"), "2");
  EXPECT_EQ(find("tag.team IS NULL"), "0");
  EXPECT_EQ(find("experiment_id IN ('1', '0')"), "10");
  EXPECT_EQ(find(fmt::format("creation_time >= {}", clock_.NowMs())), "12");
  EXPECT_EQ(find("experiment_id = 1"),
            "! Expected a quoted string value for attributes. Got value 1");
  EXPECT_EQ(find("name IS NULL"),
            "! IS NULL / IS NOT NULL is only supported for tags, not for attribute 'name'");
  EXPECT_EQ(find("", {"tags.x"}), "! Invalid order_by entity: tag");
  EXPECT_EQ(find("metrics.x > 1"),
            "! Invalid entity type 'metrics'. Valid values are ['attribute', 'tag']");
}

TEST(ChooseSet, ReadsAConditionAsASetWhenProbingItCostsMore) {
  auto choose = [](std::vector<double> shares, double rows_ahead) {
    return internal::ChooseSet(
        {.shares = shares, .rows_ahead = rows_ahead, .run_count = 100'000, .probe_budget = 8000});
  };
  EXPECT_EQ(choose({}, 1000), std::nullopt);
  EXPECT_EQ(choose({0.5}, 200), std::nullopt) << "nearly there";
  EXPECT_EQ(choose({0.5, 0.1}, 2000), 1u) << "a small set, which spares the other one's probes";
  EXPECT_EQ(choose({0.5, 0.4}, 40'000), 1u) << "too far: the strictest";
}

// ---- Every plan gives what reading everything gives.

struct Plain {
  std::string run_id;
  int64_t run_no = 0;
  int64_t start_ms = 0;
  std::optional<int64_t> end_ms;
  RunStatus status = RunStatus::kRunning;
  std::map<std::string, double> metrics;
  std::map<std::string, std::string> params;
  bool is_deleted = false;
  bool is_other = false;  ///< of the second experiment
};

struct RandomFilter {
  std::string text;
  std::function<bool(const Plain&)> holds;
};

class RandomSearches {
 public:
  explicit RandomSearches(uint64_t seed) : random_(seed) {}

  int64_t Number(int64_t end) {
    return static_cast<int64_t>(random_.NextBelow(static_cast<uint64_t>(end)));
  }

  RandomFilter Filter(int depth) {
    int64_t choice = Number(depth == 0 ? 5 : 8);
    if (choice >= 5) {
      RandomFilter a = Filter(depth - 1);
      if (choice == 7) {
        return {"NOT (" + a.text + ")", [a](const Plain& run) { return !a.holds(run); }};
      }
      RandomFilter b = Filter(depth - 1);
      if (choice == 5) {
        return {fmt::format("({} AND {})", a.text, b.text),
                [a, b](const Plain& run) { return a.holds(run) && b.holds(run); }};
      }
      return {fmt::format("({} OR {})", a.text, b.text),
              [a, b](const Plain& run) { return a.holds(run) || b.holds(run); }};
    }
    if (choice <= 1) return Metric();
    if (choice == 4) return Time();
    std::string key(1, static_cast<char>('p' + Number(2)));
    std::string value = std::to_string(Number(4));
    bool is_equal = Number(2) == 0;
    if (choice == 2) {
      return {fmt::format("params.{} {} '{}'", key, is_equal ? "=" : "!=", value),
              [=](const Plain& run) {
                auto found = run.params.find(key);
                return found != run.params.end() && (found->second == value) == is_equal;
              }};
    }
    return {fmt::format("params.{} IS {}NULL", key, is_equal ? "" : "NOT "),
            [=](const Plain& run) { return run.params.contains(key) != is_equal; }};
  }

  std::vector<std::string> OrderClauses() {
    std::vector<std::string> all = {"metrics.m", "metrics.n",  "params.p", "params.q",
                                    "status",    "start_time", "end_time", "run_id"};
    random_.Shuffle(std::span(all));
    all.resize(static_cast<size_t>(Number(4)));
    for (std::string& clause : all) clause += Number(2) == 0 ? " ASC" : " DESC";
    return all;
  }

 private:
  RandomFilter Metric() {
    static constexpr std::string_view kOperators[] = {"=", "!=", "<", "<=", ">", ">="};
    std::string key(1, static_cast<char>('m' + Number(2)));
    std::string_view op = kOperators[Number(6)];
    double value = static_cast<double>(Number(6)) - 1;
    return {fmt::format("metrics.{} {} {}", key, op, value), [=](const Plain& run) {
              auto found = run.metrics.find(key);
              if (found == run.metrics.end()) return false;
              double mine = found->second;
              return op == "="    ? mine == value
                     : op == "!=" ? mine != value
                     : op == "<"  ? mine < value
                     : op == "<=" ? mine <= value
                     : op == ">"  ? mine > value
                                  : mine >= value;
            }};
  }
  RandomFilter Time() {
    int64_t time = Number(20);
    return {fmt::format("end_time <= {}", time),
            [=](const Plain& run) { return run.end_ms && *run.end_ms <= time; }};
  }

  Random random_;
};

/// Sorts as the contract says.
void SortPlainly(std::vector<const Plain*>& runs, const std::vector<std::string>& clauses) {
  auto rank_and_value = [](const Plain& run, const std::string& key) {
    struct Value {
      int rank = 2;
      double number = 0;
      std::string text;
    } value;
    if (key.starts_with("metrics.")) {
      auto found = run.metrics.find(key.substr(8));
      if (found == run.metrics.end()) return value;
      value.rank = std::isnan(found->second) ? 1 : 0;
      if (value.rank == 0) value.number = found->second;
    } else if (key.starts_with("params.")) {
      auto found = run.params.find(key.substr(7));
      if (found != run.params.end()) {
        value.rank = 0;
        value.text = found->second;
      }
    } else if (key == "end_time") {
      if (run.end_ms) {
        value.rank = 0;
        value.number = static_cast<double>(*run.end_ms);
      }
    } else {
      value.rank = 0;
      if (key == "start_time") value.number = static_cast<double>(run.start_ms);
      if (key == "status") value.text = RunStatusName(run.status);
      if (key == "run_id") value.text = run.run_id;
    }
    return value;
  };
  std::vector<std::string> all = clauses;
  bool has_start = std::any_of(all.begin(), all.end(), [](const std::string& clause) {
    return clause.starts_with("start");
  });
  if (!has_start) all.push_back("start_time DESC");
  all.push_back("run_id ASC");
  std::sort(runs.begin(), runs.end(), [&](const Plain* a, const Plain* b) {
    for (const std::string& clause : all) {
      std::string key = clause.substr(0, clause.find(' '));
      bool is_up = clause.ends_with("ASC");
      auto left = rank_and_value(*a, key);
      auto right = rank_and_value(*b, key);
      if (left.rank != right.rank) return left.rank < right.rank;
      if (left.number != right.number) return (left.number < right.number) == is_up;
      if (left.text != right.text) return (left.text < right.text) == is_up;
    }
    return false;
  });
}

TEST_P(SearchTest, EveryPlanAgreesWithReadingEverything) {
  const bool is_server = GetParam() == sql::TestEngine::kPostgres;
  RandomSearches random(20261121);
  std::string other = store_->CreateExperiment({.name = "other"}).value();
  std::vector<Plain> runs(is_server ? 120 : 300);
  for (size_t i = 0; i < runs.size(); ++i) {
    Plain& run = runs[i];
    run.run_id = fmt::format("r{:03}", (i * 7919) % 1000);
    run.start_ms = random.Number(10) < 3 ? 7 : random.Number(20);
    run.is_other = random.Number(4) == 0;
    run.is_deleted = random.Number(6) == 0;
    Batch batch;
    for (const char* key : {"m", "n"}) {
      int64_t choice = random.Number(8);
      if (choice == 0) continue;
      run.metrics[key] = choice == 1 ? std::nan("") : static_cast<double>(random.Number(4));
      batch.metrics.push_back({key, run.metrics[key]});
    }
    for (const char* key : {"p", "q"}) {
      if (random.Number(5) == 0) continue;
      run.params[key] = std::to_string(random.Number(3));
      if (run.params[key] == "2")  // longer than an index entry, and different behind its end
        run.params[key] = std::string(210, 'z') + std::to_string(random.Number(3));
      batch.params.push_back({key, run.params[key]});
    }
    ASSERT_TRUE(store_
                    ->CreateRun({.experiment_id = run.is_other ? other : "0",
                                 .run_id = run.run_id,
                                 .start_ms = run.start_ms})
                    .ok());
    ASSERT_TRUE(store_->LogBatch(run.run_id, batch).ok());
    if (random.Number(2) == 0) {
      run.end_ms = random.Number(20);
      run.status = random.Number(2) == 0 ? RunStatus::kFinished : RunStatus::kFailed;
      ASSERT_TRUE(store_->UpdateRun(run.run_id, {.status = run.status, .end_ms = run.end_ms}).ok());
    }
    if (run.is_deleted) {
      ASSERT_TRUE(store_->DeleteRun(run.run_id).ok());
    }
  }

  // From "everything is listed" to "everything is walked, a few at a time".
  const internal::RunTuning tunings[] = {{},
                                         {.few_runs = 0,
                                          .probe_budget = 1'000'000,
                                          .listed_runs = 0,
                                          .tied_runs = 0,
                                          .first_chunk = 1},
                                         {.few_runs = 0,
                                          .probe_budget = 5,
                                          .listed_runs = 0,
                                          .listed_late_runs = 5,
                                          .tied_runs = 10,
                                          .first_chunk = 3},
                                         {.few_runs = 10,
                                          .probe_budget = 20,
                                          .listed_runs = 15,
                                          .listed_late_runs = 40,
                                          .tied_runs = 30,
                                          .first_chunk = 7}};
  for (int i = 0; i < (is_server ? 25 : 120); ++i) {
    RandomFilter filter = random.Filter(2);
    if (random.Number(8) == 0) filter = {"", [](const Plain&) { return true; }};
    std::vector<std::string> clauses = random.OrderClauses();
    auto view = static_cast<ViewType>(1 + random.Number(3));
    bool has_both = random.Number(2) == 0;
    std::vector<const Plain*> wanted;
    for (const Plain& run : runs) {
      bool is_shown = view == ViewType::kAll || run.is_deleted == (view == ViewType::kDeletedOnly);
      if (is_shown && (has_both || !run.is_other) && filter.holds(run)) wanted.push_back(&run);
    }
    SortPlainly(wanted, clauses);
    std::vector<std::string> wanted_ids;
    for (const Plain* run : wanted) wanted_ids.push_back(run->run_id);

    const std::vector<int64_t> experiment_ids =
        has_both ? std::vector<int64_t>{0, std::stoll(other)} : std::vector<int64_t>{0};
    for (const internal::RunTuning& tuning : tunings) {
      const size_t page_size = static_cast<size_t>(1 + random.Number(40));
      Result<std::vector<std::string>> found =
          db_->Read([&](sql::Reader& reader) -> Result<std::vector<std::string>> {
            internal::RunQuery query{.view = view, .count = page_size, .tuning = tuning};
            ASSIGN_OR_RETURN(query.conditions,
                             internal::CompileRunFilter(reader, filter.text, experiment_ids));
            ASSIGN_OR_RETURN(query.orders,
                             internal::CompileRunOrders(reader, clauses, experiment_ids));
            internal::RunReads reads(reader, experiment_ids, internal::StagesOf(view));
            std::vector<std::string> ids;
            for (;;) {
              ASSIGN_OR_RETURN(std::vector<int64_t> page, internal::FindRuns(reads, query));
              ASSIGN_OR_RETURN(auto rows, internal::ListRunRows(reader, page));
              for (const internal::RunRow& row : rows) ids.push_back(row.info.run_id);
              if (page.size() < page_size || ids.size() > 1000) return ids;
              ASSIGN_OR_RETURN(auto last, reads.LoadValues(query.orders, {&page.back(), 1}));
              query.after = last.at(0);
            }
          });
      ASSERT_TRUE(found.ok()) << found.error().ToString();
      auto [other_one, wanted_one] =
          std::mismatch(found->begin(), found->end(), wanted_ids.begin(), wanted_ids.end());
      ASSERT_EQ(*found, wanted_ids)
          << "from " << other_one - found->begin() << " of " << wanted_ids.size() << " on, "
          << (other_one == found->end() ? "" : *other_one) << " instead of "
          << (wanted_one == wanted_ids.end() ? "" : *wanted_one) << "\nfilter: " << filter.text
          << "\norder: " << fmt::format("{}", fmt::join(clauses, ", ")) << "\npages of "
          << page_size << ", few_runs " << tuning.few_runs << ", probe_budget "
          << tuning.probe_budget << ", view " << static_cast<int>(view) << ", both " << has_both;
    }
  }
}

}  // namespace
}  // namespace sluice::tracking
