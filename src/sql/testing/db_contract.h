// What every engine must do. Instantiate it with a function that makes an empty database:
//
//   INSTANTIATE_TEST_SUITE_P(SqliteInMemory, DbContract, testing::Values([] { return ...; }));
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sql/db.h"
#include "sql/migrator.h"
#include "sql/testing/test_database.h"

namespace sluice::sql {

/// Null: to be skipped.
using DbFactory = std::function<std::shared_ptr<Db>()>;

class DbContract : public testing::TestWithParam<DbFactory> {
 protected:
  void SetUp() override {
    db_ = GetParam()();
    if (db_ == nullptr) GTEST_SKIP() << kNoPostgres;
    Status status = db_->Write([](Tx& tx) {
      return tx.RunScript("setup",
                          "CREATE TABLE items (id BIGINT NOT NULL PRIMARY KEY, name TEXT UNIQUE, "
                          "score DOUBLE PRECISION, CHECK (id >= 0));"
                          "CREATE TABLE parts (item_id BIGINT NOT NULL REFERENCES items (id))");
    });
    ASSERT_TRUE(status.ok()) << status.error().ToString();
  }

  Status Insert(int64_t id, std::string_view name, double score = 0) {
    return db_->Write([&](Tx& tx) -> Status {
      RETURN_IF_ERROR(tx.Execute(kInsert, {id, name, score}));
      return Ok();
    });
  }
  int64_t Count() {
    auto count = db_->Read([](Reader& reader) {
      return reader.FindOne(Query{"test.count", "SELECT COUNT(*) FROM items"}, {},
                            [](const Row& row) { return row.GetInt64(0); });
    });
    return count.ok() ? count->value() : -1;
  }

  static constexpr Query kInsert{"test.insert",
                                 "INSERT INTO items (id, name, score) VALUES ($1, $2, $3)"};
  static constexpr Query kGet{"test.get", "SELECT id, name, score FROM items WHERE id = $1"};

  std::shared_ptr<Db> db_;
};

TEST_P(DbContract, ReturnsWhatWasStored) {
  std::string text = "\xf0\x9f\x8c\x8a 'quoted' \"twice\"\n";
  double values[] = {0.1, 1e308, 5e-324, std::numeric_limits<double>::infinity(),
                     -std::numeric_limits<double>::infinity()};
  int64_t id = 0;
  for (double value : values) {
    ASSERT_TRUE(Insert(id, text + std::to_string(id), value).ok());
    auto found = db_->Read([&](Reader& reader) {
      return reader.FindOne(kGet, {id}, [](const Row& row) {
        return std::make_pair(row.GetText(1), row.GetDouble(2));
      });
    });
    ASSERT_TRUE(found.ok()) << found.error().ToString();
    ASSERT_TRUE(found->has_value());
    EXPECT_EQ((*found)->first, text + std::to_string(id));
    EXPECT_EQ((*found)->second, value);
    ++id;
  }
}

TEST_P(DbContract, KeepsTheLimitsOfIntegers) {
  for (int64_t value : {int64_t{0}, std::numeric_limits<int64_t>::max()})
    ASSERT_TRUE(Insert(value, std::to_string(value)).ok());
  auto found = db_->Read([&](Reader& reader) {
    return reader.FindOne(kGet, {std::numeric_limits<int64_t>::max()},
                          [](const Row& row) { return row.GetInt64(0); });
  });
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(*found, std::numeric_limits<int64_t>::max());
}

TEST_P(DbContract, StoresNullForAnAbsentOptional) {
  Status status = db_->Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(
        tx.Execute(kInsert, {1, std::optional<std::string>(), std::optional<double>()}));
    return Ok();
  });
  ASSERT_TRUE(status.ok()) << status.error().ToString();
  auto found = db_->Read([&](Reader& reader) {
    return reader.FindOne(kGet, {1}, [](const Row& row) {
      return row.IsNull(1) && !row.FindText(1) && !row.FindDouble(2);
    });
  });
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(*found, true);
}

TEST_P(DbContract, BindsParametersByNumberInAnyOrderAndRepeatedly) {
  ASSERT_TRUE(Insert(7, "seven", 7.5).ok());
  auto found = db_->Read([&](Reader& reader) {
    return reader.FindOne(
        Query{"test.order",
              "SELECT id FROM items WHERE name = $2 AND id = $1 AND (score > $3 OR id = $1)"},
        {7, "seven", 99.0}, [](const Row& row) { return row.GetInt64(0); });
  });
  ASSERT_TRUE(found.ok()) << found.error().ToString();
  EXPECT_EQ(*found, 7);
}

TEST_P(DbContract, RefusesAMissingParameterAndNaN) {
  EXPECT_EQ(Insert(1, "nan", std::nan("")).error().code(), ErrorCode::kInvalidArgument);
  auto missing = db_->Read([&](Reader& reader) {
    return reader.FindOne(kGet, {}, [](const Row& row) { return row.GetInt64(0); });
  });
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Count(), 0);
}

TEST_P(DbContract, NamesTheQueryInErrors) {
  auto wrong = db_->Read([&](Reader& reader) {
    return reader.FindOne(Query{"test.typo", "SELEC 1"}, {},
                          [](const Row& row) { return row.GetInt64(0); });
  });
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(wrong.error().message().find("test.typo"), std::string::npos);
}

TEST_P(DbContract, SaysWhenAColumnHoldsAnotherType) {
  ASSERT_TRUE(Insert(1, "text").ok());
  auto wrong = db_->Read([&](Reader& reader) {
    return reader.FindOne(kGet, {1}, [](const Row& row) { return row.GetInt64(1); });
  });
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code(), ErrorCode::kDataLoss);
  EXPECT_NE(wrong.error().message().find("column 1"), std::string::npos);
}

TEST_P(DbContract, MapsConstraintsToCodes) {
  ASSERT_TRUE(Insert(1, "one").ok());
  EXPECT_EQ(Insert(1, "other").error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(Insert(2, "one").error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(Insert(-1, "minus").error().code(), ErrorCode::kInvalidArgument);
  Status orphan = db_->Write([](Tx& tx) -> Status {
    RETURN_IF_ERROR(tx.Execute(Query{"test.orphan", "INSERT INTO parts (item_id) VALUES (99)"}));
    return Ok();
  });
  ASSERT_FALSE(orphan.ok());
  EXPECT_EQ(orphan.error().code(), ErrorCode::kInvalidArgument);
}

TEST_P(DbContract, RollsBackWhenTheBodyFails) {
  Status status = db_->Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(tx.Execute(kInsert, {1, "one", 0.0}));
    return Cancelled("no");
  });
  EXPECT_EQ(status.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(Count(), 0);
  // And the connection is usable again.
  EXPECT_TRUE(Insert(1, "one").ok());
  EXPECT_EQ(Count(), 1);
}

TEST_P(DbContract, CountsChangedRowsAndUpserts) {
  ASSERT_TRUE(Insert(1, "one", 1).ok());
  ASSERT_TRUE(Insert(2, "two", 2).ok());
  auto changed = db_->Write([](Tx& tx) {
    return tx.Execute(Query{"test.update", "UPDATE items SET score = score + 1 WHERE id <= $1"},
                      {5});
  });
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(*changed, 2);
  auto score = db_->Write([](Tx& tx) {
    return tx.FindOne(
        Query{"test.upsert",
              "INSERT INTO items (id, name, score) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE "
              "SET score = excluded.score + items.score RETURNING score"},
        {1, "one", 10.0}, [](const Row& row) { return row.GetDouble(0); });
  });
  ASSERT_TRUE(score.ok()) << score.error().ToString();
  EXPECT_EQ(*score, 12.0);
}

TEST_P(DbContract, LikeMindsTheCase) {
  ASSERT_TRUE(Insert(1, "Adult").ok());
  auto found = db_->Read([&](Reader& reader) {
    return reader.FindAll(Query{"test.like", "SELECT id FROM items WHERE name LIKE $1"}, {"adul%"},
                          [](const Row& row) { return row.GetInt64(0); });
  });
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->empty());
}

TEST_P(DbContract, StopsAtTheErrorOfARow) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Insert(i, std::to_string(i)).ok());
  int seen = 0;
  Status status = db_->Read([&](Reader& reader) {
    return reader.ForEach(Query{"test.all", "SELECT id FROM items ORDER BY id"}, {},
                          [&](const Row& row) -> Status {
                            ++seen;
                            return row.GetInt64(0) == 3 ? Status(Cancelled("enough")) : Ok();
                          });
  });
  EXPECT_EQ(status.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(seen, 4);
}

TEST_P(DbContract, RunsAQueryInsideItself) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Insert(i, std::to_string(i)).ok());
  int pairs = 0;
  Query all{"test.all", "SELECT id FROM items ORDER BY id"};
  Status status = db_->Read([&](Reader& reader) {
    return reader.ForEach(all, {}, [&](const Row&) {
      return reader.ForEach(all, {}, [&](const Row&) -> Status {
        ++pairs;
        return Ok();
      });
    });
  });
  ASSERT_TRUE(status.ok()) << status.error().ToString();
  EXPECT_EQ(pairs, 9);
}

TEST_P(DbContract, ThreadsReadAndWriteTogether) {
  constexpr int kThreads = 4;
  constexpr int kInserts = 50;
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kInserts; ++i) {
        int64_t id = t * 1000 + i;
        if (!Insert(id, std::to_string(id)).ok()) ++failures;
        if (Count() < i) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(Count(), kThreads * kInserts);
}

TEST_P(DbContract, MigratesOnceAndOnlyForward) {
  std::vector<Migration> migrations{
      {20, "0020_second", "CREATE TABLE second (id BIGINT REFERENCES first (id))"},
      {1, "0001_first",
       "CREATE TABLE first (id BIGINT NOT NULL PRIMARY KEY) /*sqlite WITHOUT ROWID */;"
       "CREATE TABLE more (id BIGINT)"}};
  ManualClock clock;
  auto count = Migrate(*db_, migrations, clock);
  ASSERT_TRUE(count.ok()) << count.error().ToString();
  EXPECT_EQ(*count, 2);
  EXPECT_EQ(Migrate(*db_, migrations, clock).value(), 0);

  // A number below the greatest is applied too: modules number in ranges.
  migrations.push_back({10, "0010_between", "CREATE TABLE between_them (id BIGINT)"});
  EXPECT_EQ(Migrate(*db_, migrations, clock).value(), 1);
  EXPECT_TRUE(db_->HasTable("between_them").value());

  std::vector<Migration> changed = migrations;
  changed[0].text = "CREATE TABLE second (id BIGINT)";
  EXPECT_EQ(Migrate(*db_, changed, clock).error().code(), ErrorCode::kFailedPrecondition);
  std::vector<Migration> older(migrations.begin(), migrations.begin() + 2);
  Result<int> refused = Migrate(*db_, older, clock);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_NE(refused.error().message().find("newer Sluice"), std::string::npos);
  migrations.push_back({10, "0010_again", "SELECT 1"});
  EXPECT_EQ(Migrate(*db_, migrations, clock).error().code(), ErrorCode::kInvalidArgument);
}

TEST_P(DbContract, AFailedMigrationLeavesNothing) {
  std::vector<Migration> migrations{
      {1, "0001_good", "CREATE TABLE good (id BIGINT)"},
      {2, "0002_bad", "CREATE TABLE half (id BIGINT); CREATE TABLE items (id BIGINT)"}};
  Result<int> failed = Migrate(*db_, migrations);
  ASSERT_FALSE(failed.ok());
  EXPECT_NE(failed.error().message().find("0002_bad"), std::string::npos);
  EXPECT_TRUE(db_->HasTable("good").value());
  EXPECT_FALSE(db_->HasTable("half").value());
  migrations[1].text = "CREATE TABLE half (id BIGINT)";
  EXPECT_EQ(Migrate(*db_, migrations).value(), 1);
}

}  // namespace sluice::sql
