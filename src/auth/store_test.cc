#include "auth/store.h"

#include <gtest/gtest.h>

#include "auth/testing/store_contract.h"
#include "sql/sqlite.h"

namespace sluice::auth {
namespace {

std::unique_ptr<sql::Db> OpenInMemory(Clock& clock) {
  std::unique_ptr<sql::Db> db = sql::OpenSqlite(":memory:").value();
  CHECK(sql::Migrate(*db, Migrations(), clock).ok());
  return db;
}

INSTANTIATE_TEST_SUITE_P(SqliteInMemory, AuthStoreContract, testing::Values(OpenInMemory));

}  // namespace
}  // namespace sluice::auth
