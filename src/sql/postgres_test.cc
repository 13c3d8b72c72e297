// What only PostgreSQL has: a server that may be away, writers that run together.
#include "sql/postgres.h"

#include <gtest/gtest.h>

#include <barrier>
#include <cstdlib>
#include <thread>

#include "base/id.h"
#include "sql/migrator.h"
#include "sql/testing/test_database.h"

namespace sluice::sql {
namespace {

constexpr Query kCreate{"test.create", "CREATE TABLE counters (id TEXT PRIMARY KEY, n BIGINT)"};
constexpr Query kInsert{"test.insert", "INSERT INTO counters VALUES ($1, 0)"};
constexpr Query kBump{"test.bump", "UPDATE counters SET n = n + 1 WHERE id = $1"};
constexpr Query kSum{"test.sum", "SELECT SUM(n) FROM counters"};

class Postgres : public testing::Test {
 protected:
  void SetUp() override {
    database_ = TestDatabase::Make(TestEngine::kPostgres);
    if (database_ == nullptr) GTEST_SKIP() << kNoPostgres;
    db_ = OpenPostgres(database_->uri() + "&application_name=" + name_).value();
    Status status = db_->Write([](Tx& tx) -> Status {
      RETURN_IF_ERROR(tx.Execute(kCreate));
      for (const char* id : {"a", "b"}) RETURN_IF_ERROR(tx.Execute(kInsert, {id}));
      return Ok();
    });
    ASSERT_TRUE(status.ok()) << status.error().ToString();
  }
  Status Bump(std::string_view id) {
    return db_->Write([&](Tx& tx) { return tx.Post(kBump, {id}); }, WriteOptions{.scope = id});
  }
  int64_t Sum() {
    auto sum = db_->Read([](Reader& reader) {
      return reader.FindOne(kSum, {}, [](const Row& row) { return row.GetInt64(0); });
    });
    return sum.ok() ? sum->value() : -1;
  }
  /// Ends the connections of db_, as a restart of the server does.
  void HangUp() {
    static constexpr Query kTerminate{
        "test.hang_up",
        "SELECT COUNT(*) FROM (SELECT pg_terminate_backend(pid, 5000) AS is_gone FROM "
        "pg_stat_activity WHERE application_name = $1) ended WHERE is_gone"};
    auto other = database_->Open();
    auto ended = other->Read([&](Reader& reader) {
      return reader.FindOne(kTerminate, {name_}, [](const Row& row) { return row.GetInt64(0); });
    });
    ASSERT_TRUE(ended.ok()) << ended.error().ToString();
    EXPECT_GT(ended->value(), 0);
  }

  const std::string name_ = "test-" + NewRandomHex(8);
  std::unique_ptr<TestDatabase> database_;
  std::unique_ptr<Db> db_;
};

TEST_F(Postgres, SaysWhyItCannotConnectAndKeepsThePassword) {
  std::string uri = std::getenv("SLUICE_TEST_POSTGRES");
  size_t at = uri.find('@');
  size_t slash = uri.rfind('/');
  std::string wrong_password = "postgresql://sluice:verysecret" + uri.substr(at);
  struct Case {
    std::string uri;
    ErrorCode code;
  };
  for (const Case& wrong :
       {Case{wrong_password, ErrorCode::kPermissionDenied},
        Case{uri.substr(0, slash) + "/nosuchdatabase", ErrorCode::kNotFound},
        Case{uri + "?options=-csearch_path%3Dnowhere", ErrorCode::kNotFound},
        Case{"postgresql://u:verysecret@127.0.0.1:1/db", ErrorCode::kUnavailable}}) {
    auto db = OpenPostgres(wrong.uri);
    ASSERT_FALSE(db.ok()) << wrong.uri;
    EXPECT_EQ(db.error().code(), wrong.code) << db.error().message();
    EXPECT_EQ(db.error().message().find("verysecret"), std::string::npos) << db.error().message();
    EXPECT_EQ(db.error().message().find('\n'), std::string::npos) << db.error().message();
  }
  EXPECT_EQ(db_->description().find(uri.substr(at - 8, 8)), std::string::npos);
}

TEST_F(Postgres, GoesOnAfterItsConnectionsDied) {
  for (int i = 0; i < 3; ++i) {
    HangUp();
    Status status = Bump("a");
    EXPECT_TRUE(status.ok()) << status.error().ToString();
    HangUp();
    EXPECT_EQ(Sum(), i + 1);
    HangUp();
    EXPECT_TRUE(db_->HasTable("counters").value());
  }
}

TEST_F(Postgres, RunsABodyAgainWhoseConnectionDied) {
  int runs = 0;
  Status status = db_->Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(tx.Execute(kBump, {"a"}));
    if (++runs == 1) HangUp();
    RETURN_IF_ERROR(tx.Execute(kBump, {"b"}));
    return Ok();
  });
  EXPECT_TRUE(status.ok()) << status.error().ToString();
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Sum(), 2);
}

TEST_F(Postgres, ScopesRunTogether) {
  std::barrier both(2);
  std::vector<std::thread> threads;
  for (const char* id : {"a", "b"}) {
    threads.emplace_back([&, id] {
      Status status = db_->Write(
          [&](Tx& tx) -> Status {
            RETURN_IF_ERROR(tx.Execute(kBump, {id}));
            both.arrive_and_wait();  // never returns if one waits for the other
            return Ok();
          },
          WriteOptions{.scope = id});
      EXPECT_TRUE(status.ok()) << status.error().ToString();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Sum(), 2);
}

TEST_F(Postgres, ResolvesDeadlocksByRunningAgain) {
  std::barrier both(2);
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      int runs = 0;
      Status status = db_->Write(
          [&](Tx& tx) -> Status {
            RETURN_IF_ERROR(tx.Execute(kBump, {t == 0 ? "a" : "b"}));
            if (++runs == 1) both.arrive_and_wait();
            RETURN_IF_ERROR(tx.Execute(kBump, {t == 0 ? "b" : "a"}));
            return Ok();
          },
          WriteOptions{.scope = t == 0 ? "one" : "other"});
      EXPECT_TRUE(status.ok()) << status.error().ToString();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Sum(), 4);
}

TEST_F(Postgres, EndsAStatementThatTakesTooLong) {
  auto db = OpenPostgres(database_->uri(), {.statement_timeout_ms = 50}).value();
  auto slow = db->Read([](Reader& reader) {
    return reader.FindOne(Query{"test.sleep", "SELECT CAST(pg_sleep(20) AS TEXT)"}, {},
                          [](const Row&) { return true; });
  });
  ASSERT_FALSE(slow.ok());
  EXPECT_EQ(slow.error().code(), ErrorCode::kResourceExhausted) << slow.error().message();
  EXPECT_EQ(db->Read([](Reader& reader) {
                return reader.FindOne(kSum, {}, [](const Row& row) { return row.GetInt64(0); });
              }).value(),
            0);
}

TEST_F(Postgres, AWriterThatWaitsTooLongIsToldSo) {
  auto other = OpenPostgres(database_->uri(), {.lock_timeout_ms = 50}).value();
  Status status = db_->Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(tx.Execute(kBump, {"a"}));
    Status refused = other->Write([](Tx& inner) { return inner.Post(kBump, {"b"}); },
                                  WriteOptions{.scope = "b"});
    EXPECT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::kUnavailable);
    return Ok();
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(Sum(), 1);
}

TEST_F(Postgres, ForgetsStatementsThatWereNotUsedForLong) {
  std::vector<std::string> texts;
  for (int i = 0; i < 600; ++i) texts.push_back("SELECT CAST($1 AS BIGINT) + " + std::to_string(i));
  for (int round = 0; round < 2; ++round) {
    Status status = db_->Read([&](Reader& reader) -> Status {
      for (int64_t i = 0; i < 600; ++i) {
        ASSIGN_OR_RETURN(auto sum,
                         reader.FindOne(Query{"test.many", texts[static_cast<size_t>(i)]}, {1},
                                        [](const Row& row) { return row.GetInt64(0); }));
        EXPECT_EQ(sum, i + 1);
      }
      return Ok();
    });
    EXPECT_TRUE(status.ok()) << status.error().ToString();
  }
}

TEST_F(Postgres, RefusesValuesThatTheirPlaceCannotHold) {
  auto find = [&](const Query& query, const Param& param) {
    auto found = db_->Read([&](Reader& reader) {
      return reader.FindOne(query, {param}, [](const Row& row) { return row.GetInt64(0); });
    });
    return found.ok() ? std::string("ok") : found.error().message();
  };
  Query by_n{"test.by_n", "SELECT n FROM counters WHERE n = $1"};
  EXPECT_NE(find(by_n, 0.5).find("asks for an integer"), std::string::npos);
  Query small{"test.small", "SELECT n FROM counters WHERE $1 = 1"};
  EXPECT_NE(find(small, int64_t{1} << 40).find("CAST($1 AS BIGINT)"), std::string::npos);
  Query time{"test.time", "SELECT now(), $1 = ''"};
  EXPECT_NE(find(time, "").find("column 0 is of PostgreSQL's type"), std::string::npos);
}

TEST_F(Postgres, ReplicasMigrateAtOnce) {
  std::vector<Migration> migrations{
      {1, "0001_slow", "CREATE TABLE slow (id BIGINT); SELECT pg_sleep(0.05)"},
      {2, "0002_more", "CREATE TABLE more (id BIGINT)"}};
  std::atomic<int> applied{0};
  std::vector<std::thread> replicas;
  for (int i = 0; i < 4; ++i) {
    replicas.emplace_back([&] {
      Result<int> count = Migrate(*database_->Open(), migrations);
      EXPECT_TRUE(count.ok()) << count.error().ToString();
      if (count.ok()) applied += *count;
    });
  }
  for (std::thread& replica : replicas) replica.join();
  EXPECT_EQ(applied, 2);
}

}  // namespace
}  // namespace sluice::sql
