#include "tracking/store.h"

#include <gtest/gtest.h>

#include "base/testing/processes.h"
#include "sql/testing/test_database.h"
#include "tracking/testing/store_contract.h"

namespace sluice::tracking {
namespace {

StoreUnderTest OpenOn(std::shared_ptr<sql::Db> db, Clock& clock) {
  if (db == nullptr) return {};
  Result<int> migrated = sql::Migrate(*db, Migrations(), clock);
  CHECK_MSG(migrated.ok(), migrated.error().ToString());
  Result<std::unique_ptr<Store>> store = OpenStore(*db, {.artifact_root = "root"}, clock);
  CHECK_MSG(store.ok(), store.error().ToString());
  return {db, *std::move(store)};
}

template <sql::TestEngine kEngine>
StoreUnderTest Open(Clock& clock) {
  return OpenOn(sql::OpenTestDb(kEngine), clock);
}

INSTANTIATE_TEST_SUITE_P(SqliteInMemory, TrackingStoreContract,
                         testing::Values(Open<sql::TestEngine::kSqliteMemory>));
INSTANTIATE_TEST_SUITE_P(SqliteFile, TrackingStoreContract,
                         testing::Values(Open<sql::TestEngine::kSqliteFile>));
INSTANTIATE_TEST_SUITE_P(Postgres, TrackingStoreContract,
                         testing::Values(Open<sql::TestEngine::kPostgres>));

TEST(RunStatus, NamesAreMlflows) {
  for (int number = 1; number <= 5; ++number) {
    auto status = static_cast<RunStatus>(number);
    EXPECT_EQ(FindRunStatus(RunStatusName(status)), status);
    EXPECT_EQ(IsEnded(status), number >= 3);
  }
  EXPECT_FALSE(FindRunStatus("running"));
}

/// Processes that share one database: `sluice run`, its steps, replicas of a server.
class TrackingProcesses : public testing::TestWithParam<sql::TestEngine> {};
INSTANTIATE_TEST_SUITE_P(SqliteFile, TrackingProcesses,
                         testing::Values(sql::TestEngine::kSqliteFile));
INSTANTIATE_TEST_SUITE_P(Postgres, TrackingProcesses, testing::Values(sql::TestEngine::kPostgres));

TEST_P(TrackingProcesses, LogIntoOneDatabase) {
  constexpr int kProcesses = 4;
  constexpr int kBatches = 30;
  std::unique_ptr<sql::TestDatabase> database = sql::TestDatabase::Make(GetParam());
  if (database == nullptr) GTEST_SKIP() << sql::kNoPostgres;
  RunProcesses(kProcesses, [&](int /*process*/) {
    StoreUnderTest under_test = OpenOn(database->Open(), SystemClock());
    Store& store = *under_test.store;
    Result<tracking::Run> run = store.CreateRun({.experiment_id = "0"});
    if (!run.ok()) return 2;
    for (int64_t i = 0; i < kBatches; ++i) {
      Batch batch{.metrics = {{"loss", 1.0, 0, i}, {"m" + std::to_string(i), 1.0, 0, 0}},
                  .params = {},
                  .tags = {}};
      if (!store.LogBatch(run->info.run_id, batch).ok()) return 3;
    }
    if (!store.UpdateRun(run->info.run_id, {.status = RunStatus::kFinished}).ok()) return 4;
    return 0;
  });
  {
    StoreUnderTest under_test = OpenOn(database->Open(), SystemClock());
    RunPage page = under_test.store->ListRuns({.status = RunStatus::kFinished}).value();
    ASSERT_EQ(page.runs.size(), size_t{kProcesses});
    for (const tracking::Run& run : page.runs) {
      EXPECT_EQ(run.metrics.size(), size_t{kBatches} + 1);
      EXPECT_EQ(under_test.store->GetMetricHistory(run.info.run_id, "loss").value().metrics.size(),
                size_t{kBatches});
    }
    EXPECT_EQ(under_test.store->ListExperiments(ViewType::kAll).value().size(), 1u);
  }
}

}  // namespace
}  // namespace sluice::tracking
