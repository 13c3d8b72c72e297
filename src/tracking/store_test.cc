#include "tracking/store.h"

#include <gtest/gtest.h>

#include "base/id.h"
#include "base/testing/processes.h"
#include "base/testing/scratch_folder.h"
#include "sql/sqlite.h"
#include "tracking/testing/store_contract.h"

namespace sluice::tracking {
namespace {

StoreUnderTest OpenAt(const std::string& path, Clock& clock) {
  std::shared_ptr<sql::Db> db = sql::OpenSqlite(path).value();
  CHECK(sql::Migrate(*db, Migrations(), clock).ok());
  Result<std::unique_ptr<Store>> store = OpenStore(*db, {.artifact_root = "root"}, clock);
  CHECK_MSG(store.ok(), store.error().ToString());
  return {db, *std::move(store)};
}

StoreUnderTest OpenInMemory(Clock& clock) { return OpenAt(":memory:", clock); }

StoreUnderTest OpenFile(Clock& clock) {
  static const ScratchFolder folder;
  return OpenAt(folder.Join(NewRandomHex(8) + ".db"), clock);
}

INSTANTIATE_TEST_SUITE_P(SqliteInMemory, TrackingStoreContract, testing::Values(OpenInMemory));
INSTANTIATE_TEST_SUITE_P(SqliteFile, TrackingStoreContract, testing::Values(OpenFile));

TEST(RunStatus, NamesAreMlflows) {
  for (int number = 1; number <= 5; ++number) {
    auto status = static_cast<RunStatus>(number);
    EXPECT_EQ(FindRunStatus(RunStatusName(status)), status);
    EXPECT_EQ(IsEnded(status), number >= 3);
  }
  EXPECT_FALSE(FindRunStatus("running"));
}

// `sluice run`, its steps and `sluice status` are processes of their own.
TEST(Tracking, ProcessesLogIntoOneDatabase) {
  constexpr int kProcesses = 4;
  constexpr int kBatches = 30;
  ScratchFolder folder;
  RunProcesses(kProcesses, [&](int /*process*/) {
    StoreUnderTest under_test = OpenAt(folder.Join("shared.db"), SystemClock());
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
    StoreUnderTest under_test = OpenAt(folder.Join("shared.db"), SystemClock());
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
