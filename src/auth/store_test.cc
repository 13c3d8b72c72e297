#include "auth/store.h"

#include <gtest/gtest.h>

#include "auth/testing/store_contract.h"
#include "sql/testing/test_database.h"

namespace sluice::auth {
namespace {

template <sql::TestEngine kEngine>
std::shared_ptr<sql::Db> Open(Clock& clock) {
  std::shared_ptr<sql::Db> db = sql::OpenTestDb(kEngine);
  if (db == nullptr) return db;
  const Result<int> migrated = sql::Migrate(*db, Migrations(), clock);
  CHECK_MSG(migrated.ok(), migrated.error().ToString());
  return db;
}

INSTANTIATE_TEST_SUITE_P(SqliteInMemory, AuthStoreContract,
                         testing::Values(Open<sql::TestEngine::kSqliteMemory>));
INSTANTIATE_TEST_SUITE_P(Postgres, AuthStoreContract,
                         testing::Values(Open<sql::TestEngine::kPostgres>));

}  // namespace
}  // namespace sluice::auth
