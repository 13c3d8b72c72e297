// Databases of older versions come along with what is in them.
#include <gtest/gtest.h>

#include <cmath>

#include "sql/testing/test_database.h"
#include "tracking/metric_history.h"
#include "tracking/search.h"
#include "tracking/store.h"

namespace sluice::tracking {
namespace {

class TrackingMigrations : public testing::TestWithParam<sql::TestEngine> {};
INSTANTIATE_TEST_SUITE_P(Sqlite, TrackingMigrations, testing::Values(sql::TestEngine::kSqliteFile));
INSTANTIATE_TEST_SUITE_P(Postgres, TrackingMigrations, testing::Values(sql::TestEngine::kPostgres));

TEST_P(TrackingMigrations, RunsOfTheFirstSchemaAreFoundAndWritten) {
  std::shared_ptr<sql::Db> db = sql::OpenTestDb(GetParam());
  if (db == nullptr) GTEST_SKIP() << sql::kNoPostgres;
  std::vector<sql::Migration> first = Migrations();
  std::erase_if(first, [](const sql::Migration& migration) { return migration.number != 20; });
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(sql::Migrate(*db, first).value(), 1);
  for (const char* text :
       {"INSERT INTO experiments VALUES (0, 'Default', 'root/0', 0, 1, 1)",
        "INSERT INTO runs VALUES ('b', 0, 'second', 'ann', 3, 20, 25, 'root/0/b', 0, 0)",
        "INSERT INTO runs VALUES ('a', 0, 'first', 'ann', 1, 10, NULL, 'root/0/a', 0, 0)",
        "INSERT INTO params VALUES ('a', 'p', 'x'), ('b', 'p', 'y')",
        "INSERT INTO tags VALUES ('a', 'mlflow.runName', 'first')",
        "INSERT INTO metric_series VALUES (7, 'a', 'm', 2, 5, 0, 1), (9, 'b', 'm', 1, 5, 3, 0)",
        "INSERT INTO metric_points VALUES (7, 4, 1, 0, 8), (7, 5, 2, 1, 0), (9, 5, 1, 0, 3)",
        "INSERT INTO datasets VALUES (1, 0, 'iris', 'd', 'local', 's', '', '')",
        "INSERT INTO dataset_links VALUES ('a', 0, 1)",
        "INSERT INTO dataset_link_tags VALUES ('a', 0, 1, 'mlflow.data.context', 'train')"}) {
    Result<int64_t> done = db->Write([&](sql::Tx& tx) {
      return tx.Execute(sql::Query{"test.fill", text});
    });
    ASSERT_TRUE(done.ok()) << done.error().ToString();
  }

  Result<int> migrated = sql::Migrate(*db, Migrations());
  ASSERT_TRUE(migrated.ok()) << migrated.error().ToString();
  std::unique_ptr<Store> store = OpenStore(*db, {.artifact_root = "root"}).value();
  tracking::Run run = store->GetRun("a").value();
  EXPECT_EQ(run.info.name, "first");
  EXPECT_EQ(run.params, (std::vector<Param>{{"p", "x"}}));
  ASSERT_EQ(run.metrics.size(), 1u);
  EXPECT_TRUE(std::isnan(run.metrics[0].value));
  ASSERT_EQ(run.inputs.size(), 1u);
  EXPECT_EQ(run.inputs[0].tags.at(0).value, "train");

  // New numbers go on behind the old ones.
  ASSERT_TRUE(store->CreateRun({.experiment_id = "0", .run_id = "c", .start_ms = 30}).ok());
  ASSERT_TRUE(store->LogBatch("c", {.metrics = {{"m", 5}}}).ok());
  ASSERT_TRUE(store->LogBatch("a", {.metrics = {{"m", 9, 6, 3}}}).ok());
  auto find = [&](const std::string& filter) {
    std::string ids;
    for (const tracking::Run& found :
         Search(*db)
             .Runs({.experiment_ids = {"0"}, .filter = filter, .order_by = {"metrics.m"}})
             .value()
             .runs)
      ids += found.info.run_id;
    return ids;
  };
  EXPECT_EQ(find(""), "bca");
  EXPECT_EQ(find("metrics.m.min = 8 AND dataset.context = 'train'"), "a");
  EXPECT_EQ(find("params.p != 'x' OR metrics.m = 5"), "bc");
  int64_t count = 0;
  ASSERT_TRUE(MetricHistory(*db)
                  .ForEachPoint({.run_id = "a", .key = "m", .max_count = {}},
                                [&](const MetricPoint&) { ++count; })
                  .ok());
  EXPECT_EQ(count, 3);
}

}  // namespace
}  // namespace sluice::tracking
