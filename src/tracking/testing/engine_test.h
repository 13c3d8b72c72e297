// A migrated, empty database with a store, on each engine.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "sql/testing/test_database.h"
#include "tracking/store.h"

namespace sluice::tracking {

/// Artifacts are at "root". Instantiate with TRACKING_ON_EVERY_ENGINE.
class EngineTest : public testing::TestWithParam<sql::TestEngine> {
 protected:
  void SetUp() override {
    db_ = sql::OpenTestDb(GetParam());
    if (db_ == nullptr) GTEST_SKIP() << sql::kNoPostgres;
    Result<int> migrated = sql::Migrate(*db_, Migrations(), clock_);
    ASSERT_TRUE(migrated.ok()) << migrated.error().ToString();
    Result<std::unique_ptr<Store>> store =
        OpenStore(*db_, {.artifact_root = "root", .listener = listener()}, clock_);
    ASSERT_TRUE(store.ok()) << store.error().ToString();
    store_ = *std::move(store);
  }
  virtual WriteListener* listener() { return nullptr; }

  std::string MakeRun(const NewRun& run = {.experiment_id = "0"}) {
    Result<tracking::Run> created = store_->CreateRun(run);
    EXPECT_TRUE(created.ok()) << created.error().ToString();
    return created.ok() ? created->info.run_id : "";
  }
  std::string MakeExperiment(const std::string& name) {
    return store_->CreateExperiment({.name = name, .artifact_location = "", .tags = {}}).value();
  }
  void Log(const std::string& run_id, const Batch& batch) {
    Status status = store_->LogBatch(run_id, batch);
    ASSERT_TRUE(status.ok()) << status.error().ToString();
  }
  template <typename T>
  static ErrorCode CodeOf(const Result<T>& result) {
    return result.ok() ? ErrorCode::kInternal : result.error().code();
  }

  ManualClock clock_;
  std::shared_ptr<sql::Db> db_;
  std::unique_ptr<Store> store_;
};

#define TRACKING_ON_EVERY_ENGINE(Suite)                                                       \
  INSTANTIATE_TEST_SUITE_P(SqliteInMemory, Suite,                                             \
                           testing::Values(sql::TestEngine::kSqliteMemory));                  \
  INSTANTIATE_TEST_SUITE_P(SqliteFile, Suite, testing::Values(sql::TestEngine::kSqliteFile)); \
  INSTANTIATE_TEST_SUITE_P(Postgres, Suite, testing::Values(sql::TestEngine::kPostgres))

}  // namespace sluice::tracking
