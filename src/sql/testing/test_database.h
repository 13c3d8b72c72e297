// Empty databases for tests, on every engine.
//
// SQLite is always there. PostgreSQL is where the environment variable SLUICE_TEST_POSTGRES holds
// the URI of a database (`tools/test_postgres run COMMAND`); each test gets a schema of its own in
// it, dropped afterwards. A suite of a store is instantiated for all, and skips where there is
// none:
//
//   StoreUnderTest Open(sql::TestEngine engine, Clock& clock);    // no database: no store
//   void SetUp() override { ... if (store == nullptr) GTEST_SKIP() << sql::kNoPostgres; }
//   INSTANTIATE_TEST_SUITE_P(Postgres, Suite, testing::Values(...kPostgres...));
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sql/db.h"

namespace sluice::sql {

enum class TestEngine : uint8_t { kSqliteMemory, kSqliteFile, kPostgres };

inline constexpr char kNoPostgres[] =
    "SLUICE_TEST_POSTGRES is not set; tools/test_postgres run COMMAND sets it";

/// An empty database by its URI, to be opened any number of times, by several processes too (but
/// kSqliteMemory is another one each time). Goes with its data when this is destroyed, which must
/// be after all that was opened. Failures: CHECK.
class TestDatabase {
 public:
  /// Null for kPostgres where there is none.
  static std::unique_ptr<TestDatabase> Make(TestEngine engine);
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& uri() const { return uri_; }
  std::unique_ptr<Db> Open() const;

 private:
  TestDatabase() = default;

  std::string uri_;
  std::string schema_;            // PostgreSQL
  std::shared_ptr<void> folder_;  // SQLite
};

/// One, opened; its data goes with the Db. Null for kPostgres where there is none.
std::shared_ptr<Db> OpenTestDb(TestEngine engine);

}  // namespace sluice::sql
