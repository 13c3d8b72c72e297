#include "sql/sqlite.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "base/testing/processes.h"
#include "base/testing/scratch_folder.h"
#include "sql/migrator.h"

namespace sluice::sql {
namespace {

/// Remembers the scratch folder for as long as the test program runs.
std::unique_ptr<Db> OpenFresh() {
  static ScratchFolder folder;
  static int count = 0;
  return OpenSqlite(folder.Join(std::to_string(count++) + ".db")).value();
}

constexpr Query kBump{"test.bump", "UPDATE counter SET n = n + 1 RETURNING n"};
constexpr Query kRead{"test.read", "SELECT n FROM counter"};

std::vector<Migration> CounterMigrations() {
  return {
      {1, "0001_counter",
       "CREATE TABLE counter (n BIGINT NOT NULL); INSERT INTO counter VALUES (0)"},
      {2, "0002_log", "CREATE TABLE log (worker BIGINT NOT NULL, n BIGINT NOT NULL PRIMARY KEY)"}};
}

// The parent has no connection open while it forks: SQLite's locks do not survive a fork.
TEST(Sqlite, ProcessesCreateMigrateAndWriteOneDatabaseTogether) {
  constexpr int kProcesses = 6;
  constexpr int kWrites = 40;
  ScratchFolder folder;
  std::string path = folder.Join("shared.db");
  RunProcesses(kProcesses, [&](int worker) {
    auto db = OpenSqlite(path);
    if (!db.ok()) return 2;
    if (!Migrate(**db, CounterMigrations()).ok()) return 3;
    for (int i = 0; i < kWrites; ++i) {
      Status status = (*db)->Write(
          [&](Tx& tx) -> Status {
            ASSIGN_OR_RETURN(auto n,
                             tx.FindOne(kBump, {}, [](const Row& row) { return row.GetInt64(0); }));
            RETURN_IF_ERROR(
                tx.Execute(Query{"test.log", "INSERT INTO log VALUES ($1, $2)"}, {worker, n}));
            return Ok();
          },
          i % 2 == 0 ? io::Durability::kFast : io::Durability::kDurable);
      if (!status.ok()) return 4;
      auto seen = (*db)->Read([](Reader& reader) {
        return reader.FindOne(kRead, {}, [](const Row& row) { return row.GetInt64(0); });
      });
      if (!seen.ok() || seen->value() < i + 1) return 5;
    }
    return 0;
  });
  auto db = OpenSqlite(path).value();
  auto total = db->Read([](Reader& reader) {
    return reader.FindOne(kRead, {}, [](const Row& row) { return row.GetInt64(0); });
  });
  EXPECT_EQ(total.value(), kProcesses * kWrites);
}

TEST(Sqlite, AKilledWriterLeavesWhatItCommitted) {
  ScratchFolder folder;
  std::string path = folder.Join("killed.db");
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto db = OpenSqlite(path);
    if (!db.ok() || !Migrate(**db, CounterMigrations()).ok()) _exit(2);
    for (int i = 0; i < 5; ++i) {
      auto n = (*db)->Write([](Tx& tx) { return tx.Execute(kBump); }, io::Durability::kFast);
      if (!n.ok()) _exit(3);
    }
    auto never = (*db)->Write([](Tx& tx) -> Result<int64_t> {
      RETURN_IF_ERROR(tx.Execute(kBump));
      kill(getpid(), SIGKILL);
      return 0;
    });
    _exit(never.ok() ? 4 : 5);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  auto db = OpenSqlite(path).value();
  auto n = db->Read([](Reader& reader) {
    return reader.FindOne(kRead, {}, [](const Row& row) { return row.GetInt64(0); });
  });
  EXPECT_EQ(n.value(), 5);
}

TEST(Sqlite, ReadersSeeTheirSnapshotWhileAnotherWrites) {
  auto db = OpenFresh();
  ASSERT_TRUE(Migrate(*db, CounterMigrations()).ok());
  auto read = [](Reader& reader) {
    return reader.FindOne(kRead, {}, [](const Row& row) { return row.GetInt64(0); });
  };
  Status status = db->Read([&](Reader& reader) -> Status {
    ASSIGN_OR_RETURN(auto before, read(reader));
    std::thread writer(
        [&] { EXPECT_TRUE(db->Write([](Tx& tx) { return tx.Execute(kBump); }).ok()); });
    writer.join();
    ASSIGN_OR_RETURN(auto after, read(reader));
    EXPECT_EQ(before, after);
    return Ok();
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(db->Read(read).value(), 1);
}

TEST(Sqlite, AWriteLockHeldElsewhereIsUnavailable) {
  ScratchFolder folder;
  auto one = OpenSqlite(folder.Join("busy.db")).value();
  ASSERT_TRUE(Migrate(*one, CounterMigrations()).ok());
  auto other = OpenSqlite(folder.Join("busy.db"), {.busy_timeout_ms = 20}).value();
  Status status = one->Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(tx.Execute(kBump));
    auto refused = other->Write([](Tx& inner) { return inner.Execute(kBump); });
    EXPECT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::kUnavailable);
    return Ok();
  });
  EXPECT_TRUE(status.ok());
}

// Counted in the other's writes, not in time. Without the turnstile it is thousands.
TEST(Sqlite, AProcessThatWritesAllTheTimeLetsOthersIn) {
  constexpr int64_t kWrites = 20;
  ScratchFolder folder;
  std::string path = folder.Join("shared.db");
  { ASSERT_TRUE(Migrate(*OpenSqlite(path).value(), CounterMigrations()).ok()); }
  pid_t child = fork();
  ASSERT_GE(child, 0);
  auto bump = [](Tx& tx) {
    return tx.FindOne(kBump, {}, [](const Row& r) { return r.GetInt64(0); });
  };
  if (child == 0) {
    auto db = OpenSqlite(path).value();
    while (db->Write(bump, io::Durability::kFast).ok()) continue;
    _exit(1);
  }
  {
    auto db = OpenSqlite(path).value();
    int64_t first = db->Write(bump, io::Durability::kFast).value().value();
    int64_t last = first;
    for (int64_t i = 1; i < kWrites; ++i)
      last = db->Write(bump, io::Durability::kFast).value().value();
    EXPECT_LT(last - first, kWrites * 300);
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

constexpr Query kAddRow{"test.add_row", "INSERT INTO log VALUES ($1, $2)"};

/// `body` of thread 0 and inserts by the others, all at once. How many inserts were acknowledged.
int64_t InsertBeside(Db& db, const std::function<void()>& body) {
  constexpr int64_t kThreads = 8;
  constexpr int64_t kWrites = 50;
  std::atomic<int64_t> acknowledged{0};
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t i = 0; i < kWrites; ++i) {
        if (t == 0) {
          body();
        } else if (db.Write([&](Tx& tx) {
                       return tx.Execute(kAddRow, {t, t * kWrites + i});
                     }).ok()) {
          ++acknowledged;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto rows = db.Read([](Reader& reader) {
    return reader.FindOne(Query{"test.rows", "SELECT COUNT(*) FROM log"}, {},
                          [](const Row& row) { return row.GetInt64(0); });
  });
  EXPECT_EQ(rows.value(), acknowledged);
  return acknowledged;
}

// The database is as large as it may get, for what one writer wants.
TEST(Sqlite, AFullDiskFailsOnlyWhoNeedsMore) {
  auto db = OpenFresh();
  ASSERT_TRUE(Migrate(*db, CounterMigrations()).ok());
  ASSERT_TRUE(
      db->Write([](Tx& tx) { return tx.RunScript("limit", "PRAGMA max_page_count = 200"); }).ok());
  int64_t acknowledged = InsertBeside(*db, [&] {
    auto refused = db->Write([](Tx& tx) {
      return tx.Execute(Query{"test.large", "CREATE TABLE large AS SELECT zeroblob(4000000) AS b"});
    });
    EXPECT_EQ(refused.error().code(), ErrorCode::kResourceExhausted);
  });
  EXPECT_EQ(acknowledged, 7 * 50);
}

// A body makes the commit itself fail: nobody of its batch is told that it was done.
TEST(Sqlite, AFailedCommitIsNobodysSuccess) {
  auto db = OpenFresh();
  ASSERT_TRUE(Migrate(*db, CounterMigrations()).ok());
  ASSERT_TRUE(db->Write([](Tx& tx) {
                  return tx.RunScript("parts",
                                      "CREATE TABLE parts (n BIGINT REFERENCES log (n) DEFERRABLE "
                                      "INITIALLY DEFERRED)");
                }).ok());
  InsertBeside(*db, [&] {
    auto refused = db->Write([](Tx& tx) {
      return tx.Execute(Query{"test.orphan", "INSERT INTO parts VALUES (-1)"});
    });
    EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  });
}

TEST(Sqlite, RefusesWhatIsNoDatabase) {
  ScratchFolder folder;
  std::ofstream(folder.Join("text.db")) << std::string(5000, 'x');
  auto text = OpenSqlite(folder.Join("text.db"));
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().code(), ErrorCode::kDataLoss);
  EXPECT_NE(text.error().message().find("text.db"), std::string::npos);
  auto absent = OpenSqlite(folder.Join("no/such/folder.db"));
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code(), ErrorCode::kNotFound);
}

TEST(Sqlite, LooksAtAnotherProgramsDatabaseWithoutChangingAByte) {
  ScratchFolder folder;
  const std::string path = folder.Join("theirs.db");
  sqlite3* theirs = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &theirs), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(theirs, "CREATE TABLE alembic_version (v TEXT)", nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(theirs);
  const auto read_bytes = [&] {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string before = read_bytes();
  {
    auto db = OpenSqlite(path);
    ASSERT_TRUE(db.ok()) << db.error().message();
    EXPECT_TRUE((*db)->HasTable("alembic_version").value());
  }
  EXPECT_TRUE(read_bytes() == before);
}

TEST(Sqlite, BacksUpBeforeAMigrationOfData) {
  ScratchFolder folder;
  std::string path = folder.Join("data.db");
  std::string backup = folder.Join("data.db.before-migration");
  auto db = OpenSqlite(path).value();
  std::vector<Migration> first{CounterMigrations()[0]};
  ASSERT_TRUE(Migrate(*db, first, SystemClock(), {.backup_path = backup}).ok());
  EXPECT_FALSE(std::filesystem::exists(backup));
  ASSERT_TRUE(db->Write([](Tx& tx) { return tx.Execute(kBump); }).ok());
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(db->BackupTo(backup).ok());
  ASSERT_TRUE(Migrate(*db, CounterMigrations(), SystemClock(), {.backup_path = backup}).ok());
  auto copy = OpenSqlite(backup).value();
  EXPECT_FALSE(copy->HasTable("log").value());
  auto n = copy->Read([](Reader& reader) {
    return reader.FindOne(kRead, {}, [](const Row& row) { return row.GetInt64(0); });
  });
  EXPECT_EQ(n.value(), 1);
}

}  // namespace
}  // namespace sluice::sql
