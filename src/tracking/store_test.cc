#include "tracking/store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/id.h"
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
  static const std::shared_ptr<std::string> folder(
      new std::string(std::filesystem::temp_directory_path() /
                      ("sluice-tracking-" + NewRandomHex(12))),
      [](std::string* path) {
        std::filesystem::remove_all(*path);
        delete path;
      });
  std::filesystem::create_directories(*folder);
  return OpenAt(*folder + "/" + NewRandomHex(8) + ".db", clock);
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
  std::string folder =
      std::filesystem::temp_directory_path() / ("sluice-tracking-" + NewRandomHex(12));
  std::filesystem::create_directories(folder);
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      StoreUnderTest under_test = OpenAt(folder + "/shared.db", SystemClock());
      Store& store = *under_test.store;
      Result<tracking::Run> run = store.CreateRun({.experiment_id = "0"});
      if (!run.ok()) _exit(2);
      for (int64_t i = 0; i < kBatches; ++i) {
        Batch batch{.metrics = {{"loss", 1.0, 0, i}, {"m" + std::to_string(i), 1.0, 0, 0}},
                    .params = {},
                    .tags = {}};
        if (!store.LogBatch(run->info.run_id, batch).ok()) _exit(3);
      }
      if (!store.UpdateRun(run->info.run_id, {.status = RunStatus::kFinished}).ok()) _exit(4);
      under_test.store.reset();
      under_test.database.reset();
      _exit(0);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  {
    StoreUnderTest under_test = OpenAt(folder + "/shared.db", SystemClock());
    RunPage page = under_test.store->ListRuns({.status = RunStatus::kFinished}).value();
    ASSERT_EQ(page.runs.size(), size_t{kProcesses});
    for (const tracking::Run& run : page.runs) {
      EXPECT_EQ(run.metrics.size(), size_t{kBatches} + 1);
      EXPECT_EQ(under_test.store->GetMetricHistory(run.info.run_id, "loss").value().metrics.size(),
                size_t{kBatches});
    }
    EXPECT_EQ(under_test.store->ListExperiments(ViewType::kAll).value().size(), 1u);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sluice::tracking
