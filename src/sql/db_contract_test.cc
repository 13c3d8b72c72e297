#include "sql/testing/db_contract.h"

#include <gtest/gtest.h>

namespace sluice::sql {
namespace {

INSTANTIATE_TEST_SUITE_P(SqliteInMemory, DbContract,
                         testing::Values([] { return OpenTestDb(TestEngine::kSqliteMemory); }));
INSTANTIATE_TEST_SUITE_P(SqliteFile, DbContract,
                         testing::Values([] { return OpenTestDb(TestEngine::kSqliteFile); }));
INSTANTIATE_TEST_SUITE_P(Postgres, DbContract,
                         testing::Values([] { return OpenTestDb(TestEngine::kPostgres); }));

}  // namespace
}  // namespace sluice::sql
