#include "registry/store.h"

#include <gtest/gtest.h>

#include "base/testing/processes.h"
#include "registry/testing/search_contract.h"
#include "registry/testing/store_contract.h"
#include "sql/sqlite.h"
#include "sql/testing/test_database.h"

namespace sluice::registry {
namespace {

StoreUnderTest OpenOn(std::shared_ptr<sql::Db> db, Clock& clock) {
  if (db == nullptr) return {};
  Result<int> migrated = sql::Migrate(*db, Migrations(), clock);
  CHECK_MSG(migrated.ok(), migrated.error().ToString());
  return {db, OpenStore(*db, clock)};
}

template <sql::TestEngine kEngine>
StoreUnderTest Open(Clock& clock) {
  return OpenOn(sql::OpenTestDb(kEngine), clock);
}

INSTANTIATE_TEST_SUITE_P(SqliteInMemory, RegistryStoreContract,
                         testing::Values(Open<sql::TestEngine::kSqliteMemory>));
INSTANTIATE_TEST_SUITE_P(Postgres, RegistryStoreContract,
                         testing::Values(Open<sql::TestEngine::kPostgres>));
INSTANTIATE_TEST_SUITE_P(SqliteInMemory, RegistrySearchContract,
                         testing::Values(Open<sql::TestEngine::kSqliteMemory>));
INSTANTIATE_TEST_SUITE_P(Postgres, RegistrySearchContract,
                         testing::Values(Open<sql::TestEngine::kPostgres>));

TEST(ModelUri, ParsesTheThreeForms) {
  ModelUri version = ParseModelUri("models:/credit risk/12").value();
  EXPECT_EQ(version.name, "credit risk");
  EXPECT_EQ(version.version, 12);
  EXPECT_FALSE(version.alias);
  EXPECT_EQ(ParseModelUri("models:/a@champion").value().alias, "champion");
  ModelUri latest = ParseModelUri("models:/a/latest").value();
  EXPECT_FALSE(latest.version || latest.alias);
  EXPECT_TRUE(IsModelUri("models:/x"));
  EXPECT_FALSE(IsModelUri("model"));
  for (const char* wrong :
       {"", "a", "models:/", "models:/a", "models:/a/", "models:/a/0", "models:/a/-1",
        "models:/a/1x", "models:/a/b/1", "models:/@x", "models:/a@", "models:/a@b c",
        "models:/a/Live", "models://a/1", "models:/a/1@b", "models:/a/99999999999999999999"}) {
    Result<ModelUri> uri = ParseModelUri(wrong);
    ASSERT_FALSE(uri.ok()) << wrong;
    EXPECT_EQ(uri.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(uri.error().message().find("models:/NAME/VERSION"), std::string::npos);
  }
}

TEST(Verdict, NamesGoBothWays) {
  for (int number = 0; number < 4; ++number) {
    auto verdict = static_cast<Verdict>(number);
    EXPECT_EQ(FindVerdict(VerdictName(verdict)), verdict);
  }
  EXPECT_FALSE(FindVerdict("PASS"));
}

class RegistryProcesses : public testing::TestWithParam<sql::TestEngine> {};
INSTANTIATE_TEST_SUITE_P(SqliteFile, RegistryProcesses,
                         testing::Values(sql::TestEngine::kSqliteFile));
INSTANTIATE_TEST_SUITE_P(Postgres, RegistryProcesses, testing::Values(sql::TestEngine::kPostgres));

TEST_P(RegistryProcesses, NeverShareANumber) {
  constexpr int kProcesses = 4;
  constexpr int kVersions = 25;
  std::unique_ptr<sql::TestDatabase> database = sql::TestDatabase::Make(GetParam());
  if (database == nullptr) GTEST_SKIP() << sql::kNoPostgres;
  RunProcesses(kProcesses, [&](int /*process*/) {
    StoreUnderTest under_test = OpenOn(database->Open(), SystemClock());
    for (int i = 0; i < kVersions; ++i) {
      Result<ModelVersion> version =
          under_test.store->CreateVersion({.name = "m", .source = "s", .verdict = Verdict::kPass});
      if (!version.ok()) return 2;
      if (!under_test.store
               ->SetAlias({.name = "m", .alias = "champion", .version = version->version})
               .ok())
        return 3;
    }
    return 0;
  });
  {
    StoreUnderTest under_test = OpenOn(database->Open(), SystemClock());
    EXPECT_EQ(under_test.store->GetModel("m").value().latest_version, kProcesses * kVersions);
    EXPECT_EQ(under_test.store->ListVersions("m").value().size(), size_t{kProcesses} * kVersions);
    // The log is one chain: each move starts where the one before it ended.
    std::vector<AliasMove> moves = under_test.store->ListAliasMoves("m", "champion").value();
    ASSERT_EQ(moves.size(), size_t{kProcesses} * kVersions);
    for (size_t i = 0; i + 1 < moves.size(); ++i)
      EXPECT_EQ(moves[i].from_version, moves[i + 1].to_version);
  }
}

TEST(Registry, ListsModelFoldersForGarbageCollection) {
  ManualClock clock;
  std::unique_ptr<sql::Db> db = sql::OpenSqlite(":memory:").value();
  ASSERT_TRUE(sql::Migrate(*db, Migrations(), clock).ok());
  auto store = OpenStore(*db, clock);
  for (const char* id : {"tree:b", "", "tree:a", "tree:b"}) {
    ASSERT_TRUE(store->CreateVersion({.name = "m", .source = "s", .model_id = id}).ok());
  }
  ASSERT_TRUE(store->DeleteVersion("m", 3).ok());
  EXPECT_EQ(ListModelObjectIds(*db).value(), (std::vector<std::string>{"tree:a", "tree:b"}));
}

TEST(Registry, KeepsWhatTheFirstSchemaHeld) {
  ManualClock clock;
  std::shared_ptr<sql::Db> db = sql::OpenTestDb(sql::TestEngine::kSqliteMemory);
  ASSERT_TRUE(sql::Migrate(*db, {Migrations().front()}, clock).ok());
  static constexpr sql::Query kOld[] = {
      {"old.model", "INSERT INTO registered_models VALUES ('m', 'd', 2, 1, 2)"},
      {"old.version",
       "INSERT INTO model_versions (name, version, source, model_id, run_id, description, verdict, "
       "verdict_digest, provenance, created_ms, updated_ms, is_deleted) VALUES "
       "('m', 1, 's', 'tree:a', '', '', 1, '', '', 1, 1, 0), "
       "('m', 2, 's', 'tree:b', '', '', 1, '', '', 1, 1, 0)"},
      {"old.alias", "INSERT INTO model_aliases VALUES ('m', 'champion', 2)"},
      {"old.moves",
       "INSERT INTO alias_moves VALUES (1, 'm', 'champion', NULL, 1, NULL, 0, '', '', 1), "
       "(2, 'm', 'champion', 1, 2, NULL, 0, '', '', 2)"}};
  ASSERT_TRUE(db->Write([&](sql::Tx& tx) -> Status {
                  for (const sql::Query& query : kOld) RETURN_IF_ERROR(tx.Execute(query));
                  return Ok();
                }).ok());
  ASSERT_TRUE(sql::Migrate(*db, Migrations(), clock).ok());
  auto store = OpenStore(*db, clock);
  ModelVersion version = store->GetVersion("m", 2).value();
  EXPECT_EQ(version.stage, Stage::kNone);
  EXPECT_EQ(version.status, VersionStatus::kReady);
  EXPECT_EQ(store->ListAliasMoves("m", "champion").value().size(), 2u);
  EXPECT_EQ(store->UndoAlias("m", "champion", "", "").value().to_version, 1);
  EXPECT_EQ(store->CreateVersion({.name = "m", .source = "s"}).value().version, 3);
}

}  // namespace
}  // namespace sluice::registry
