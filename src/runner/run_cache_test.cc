#include "runner/run_cache.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "base/clock.h"
#include "runner/run_history.h"
#include "sql/migrator.h"
#include "sql/testing/test_database.h"

namespace sluice::runner {
namespace {

class RunCacheTest : public testing::TestWithParam<sql::TestEngine> {
 protected:
  void SetUp() override {
    db_ = sql::OpenTestDb(GetParam());
    if (db_ == nullptr) GTEST_SKIP() << sql::kNoPostgres;
    ASSERT_TRUE(sql::Migrate(*db_, RunnerMigrations()).ok());
    cache_ = std::make_unique<RunCache>(*db_);
  }
  static CacheEntry Entry(const std::string& step, const std::string& seed) {
    CacheEntry entry;
    entry.ingredients.kind = "command";
    entry.ingredients.words = {"make", seed};
    entry.key = pipeline::ComputeCacheKey(entry.ingredients);
    entry.step = step;
    entry.run_id = "run-" + seed;
    entry.created_ms = 5;
    entry.duration_ms = 7;
    entry.outputs = {{"b", {{objects::ObjectKind::kTree, ComputeSha256(seed)}, 10}},
                     {"a", {{objects::ObjectKind::kExecutable, ComputeSha256("x")}, 1}}};
    entry.facts.metrics = {{"auc", 0.1}, {"nan", NAN}, {"inf", INFINITY}};
    entry.facts.summary = {"12 rows \"good\""};
    entry.facts.tags = {{"k", "v"}};
    return entry;
  }
  std::shared_ptr<sql::Db> db_;
  std::unique_ptr<RunCache> cache_;
};
INSTANTIATE_TEST_SUITE_P(Sqlite, RunCacheTest, testing::Values(sql::TestEngine::kSqliteMemory));
INSTANTIATE_TEST_SUITE_P(Postgres, RunCacheTest, testing::Values(sql::TestEngine::kPostgres));

TEST_P(RunCacheTest, GivesBackWhatWasRecorded) {
  CacheEntry entry = Entry("train", "1");
  ASSERT_TRUE(cache_->Record("p", entry).ok());
  Result<std::optional<CacheEntry>> found = cache_->Find(entry.key);
  ASSERT_TRUE(found.ok() && found->has_value());
  const CacheEntry& read = **found;
  EXPECT_EQ(read.step, "train");
  EXPECT_EQ(read.run_id, "run-1");
  EXPECT_EQ(read.duration_ms, 7);
  EXPECT_EQ(read.outputs, entry.outputs);
  EXPECT_EQ(read.ingredients, entry.ingredients);
  EXPECT_EQ(read.facts.summary, entry.facts.summary);
  EXPECT_EQ(read.facts.metrics.at("auc"), 0.1);
  EXPECT_TRUE(std::isnan(read.facts.metrics.at("nan")));
  EXPECT_TRUE(std::isinf(read.facts.metrics.at("inf")));
  EXPECT_FALSE(cache_->Find(ComputeSha256("other"))->has_value());
}

TEST_P(RunCacheTest, LastSuccessFollowsRecordsAndUses) {
  CacheEntry first = Entry("train", "1");
  CacheEntry second = Entry("train", "2");
  ASSERT_TRUE(cache_->Record("p", first).ok());
  ASSERT_TRUE(cache_->Record("p", second).ok());
  EXPECT_EQ(cache_->LoadLastSuccesses("p")->at("train").key, second.key);
  EXPECT_EQ(cache_->LoadLastSuccesses("p")->at("train").outputs, second.outputs);
  EXPECT_TRUE(cache_->LoadLastSuccesses("another")->empty());
  ASSERT_TRUE(cache_->MarkUsed("p", "run-3", 9, {{"train", first.key}}).ok());
  EXPECT_EQ(cache_->LoadLastSuccesses("p")->at("train").key, first.key);
}

TEST_P(RunCacheTest, ForgettingKeepsTheReasonsAndFreesTheObjects) {
  CacheEntry entry = Entry("train", "1");
  ASSERT_TRUE(cache_->Record("p", entry).ok());
  EXPECT_EQ(cache_->ListObjects()->size(), 2U);
  ASSERT_TRUE(cache_->Forget(entry.key).ok());
  EXPECT_TRUE(cache_->ListObjects()->empty());
  EXPECT_EQ(cache_->LoadLastSuccesses("p")->at("train").ingredients, entry.ingredients);
  EXPECT_TRUE(cache_->Find(entry.key)->value().outputs.empty());
}

TEST_P(RunCacheTest, HistoryClosesWhatWasInterrupted) {
  RunHistory history(*db_);
  RunRow run{
      .run_id = "r1", .pipeline = "p", .environment = "local", .state = "running", .start_ms = 1};
  StepRow done{.run_id = "r1", .step = "a", .state = "succeeded"};
  StepRow open{.run_id = "r1", .step = "b", .state = "running"};
  ASSERT_TRUE(history.BeginRun(run, {done, open}).ok());
  ASSERT_TRUE(history.CloseInterruptedRuns("r2", 50).ok());
  EXPECT_EQ(history.FindRun("r1")->value().state, "interrupted");
  EXPECT_EQ(history.FindRun("r1")->value().end_ms, 50);
  EXPECT_EQ(history.ListSteps("r1")->at(0).state, "succeeded");
  EXPECT_EQ(history.ListSteps("r1")->at(1).state, "interrupted");
  EXPECT_EQ(history.EndRun("absent", "failed", 1, {}, io::Durability::kFast).error().code(),
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace sluice::runner
