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
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "sql/db.h"
#include "sql/fold_case.h"
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

TEST_P(DbContract, TextSortsByItsBytes) {
  const char* names[] = {"a", "B", "_", "Z", "ä", "aa", "A b", "A-b"};
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(Insert(i, names[i]).ok());
  auto sorted = db_->Read([](Reader& reader) {
    return reader.FindAll(
        Query{"test.sorted", "SELECT name FROM items WHERE name >= $1 ORDER BY name"}, {"A-"},
        [](const Row& row) { return row.GetText(0); });
  });
  ASSERT_TRUE(sorted.ok()) << sorted.error().ToString();
  EXPECT_EQ(*sorted, (std::vector<std::string>{"A-b", "B", "Z", "_", "a", "aa", "ä"}));
}

TEST_P(DbContract, LikeTakesABackslashForOne) {
  ASSERT_TRUE(Insert(1, "a\\b").ok());
  ASSERT_TRUE(Insert(2, "a%b").ok());
  static const std::string text =
      "SELECT id FROM items WHERE name LIKE $1" + std::string(kLikeEscape) + " ORDER BY id";
  auto matches = [&](std::string_view pattern) {
    return db_
        ->Read([&](Reader& reader) {
          return reader.FindAll(Query{"test.like", text}, {pattern},
                                [](const Row& row) { return row.GetInt64(0); });
        })
        .value();
  };
  EXPECT_EQ(matches("a\\b"), std::vector<int64_t>{1});
  EXPECT_EQ(matches("a\\%"), std::vector<int64_t>{1});
  EXPECT_EQ(matches("a%b"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(matches("_\\"), std::vector<int64_t>{});
}

TEST_P(DbContract, FoldsCaseAlike) {
  ASSERT_TRUE(Migrate(*db_, {{1, "0001_first", "CREATE TABLE first (id BIGINT)"}}).ok());
  const char* texts[] = {"ABC xyz_9", "ÀÉÎ ẞ ΣΩ ЖЯ Ⴀ Ꙁ 𐐀 İı", "ﬁ × ÷ 漢 🌊", ""};
  for (const char* text : texts) {
    auto folded = db_->Read([&](Reader& reader) {
      return reader.FindOne(Query{"test.fold", "SELECT fold_case($1)"}, {text},
                            [](const Row& row) { return row.GetText(0); });
    });
    ASSERT_TRUE(folded.ok()) << folded.error().ToString();
    EXPECT_EQ(*folded, FoldCase(text));
  }
  ASSERT_TRUE(Insert(1, "Modèle ÉTÉ").ok());
  static const std::string text =
      "SELECT id FROM items WHERE fold_case(name) LIKE fold_case($1)" + std::string(kLikeEscape);
  auto found = db_->Read([&](Reader& reader) {
    return reader.FindOne(Query{"test.ilike", text}, {"modÈle é%"},
                          [](const Row& row) { return row.GetInt64(0); });
  });
  ASSERT_TRUE(found.ok()) << found.error().ToString();
  EXPECT_EQ(*found, 1);
}

TEST_P(DbContract, ReadsComputedValues) {
  for (int64_t i = 1; i <= 4; ++i)
    ASSERT_TRUE(Insert(i, std::to_string(i), i == 4 ? INFINITY : 0.25).ok());
  auto values = db_->Read([](Reader& reader) {
    return reader.FindOne(
        Query{"test.computed",
              "SELECT COUNT(*), SUM(id), AVG(id), MAX(score), MIN(score) < MAX(score), "
              "2 = 2, EXISTS (SELECT 1 FROM items), "
              "CAST(0.5 AS DOUBLE PRECISION) FROM items WHERE id <= $1"},
        {2}, [](const Row& row) {
          EXPECT_EQ(row.GetInt64(0), 2);
          EXPECT_EQ(row.GetInt64(1), 3);
          EXPECT_EQ(row.GetDouble(2), 1.5);
          EXPECT_EQ(row.GetDouble(3), 0.25);
          EXPECT_FALSE(row.GetBool(4));
          EXPECT_TRUE(row.GetBool(6));
          EXPECT_EQ(row.GetDouble(7), 0.5);
          return true;
        });
  });
  EXPECT_TRUE(values.ok()) << values.error().ToString();
  auto infinite = db_->Read([](Reader& reader) {
    return reader.FindAll(Query{"test.infinite", "SELECT id FROM items WHERE score > $1"}, {1e308},
                          [](const Row& row) { return row.GetInt64(0); });
  });
  EXPECT_EQ(infinite.value(), std::vector<int64_t>{4});
}

TEST_P(DbContract, RefusesTextWithNul) {
  Status status = Insert(1, std::string_view("a\0b", 3));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(status.error().message().find("NUL"), std::string::npos);
}

TEST_P(DbContract, AFailedStatementFailsTheWriteThatPassesOverIt) {
  ASSERT_TRUE(Insert(1, "one").ok());
  Status status = db_->Write([](Tx& tx) -> Status {
    (void)tx.Execute(kInsert, {2, "two", 0.0}).ok();
    EXPECT_FALSE(tx.Execute(kInsert, {1, "again", 0.0}).ok());
    EXPECT_FALSE(tx.Execute(kInsert, {3, "three", 0.0}).ok());
    return Ok();
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(Count(), 1);
}

TEST_P(DbContract, PostedStatementsRunInOrder) {
  Status status = db_->Write([](Tx& tx) -> Status {
    for (int64_t i = 0; i < 5000; ++i) {
      std::string name = "name " + std::to_string(i);  // is copied
      RETURN_IF_ERROR(tx.Post(kInsert, {i, name, 0.5}));
    }
    ASSIGN_OR_RETURN(auto count, tx.FindOne(Query{"test.count", "SELECT COUNT(*) FROM items"}, {},
                                            [](const Row& row) { return row.GetInt64(0); }));
    EXPECT_EQ(count, 5000);
    return tx.Post(Query{"test.delete", "DELETE FROM items WHERE id >= $1"}, {10});
  });
  EXPECT_TRUE(status.ok()) << status.error().ToString();
  EXPECT_EQ(Count(), 10);
}

TEST_P(DbContract, APostedStatementsErrorIsTheWrites) {
  ASSERT_TRUE(Insert(1, "one").ok());
  Status status = db_->Write([](Tx& tx) -> Status {
    RETURN_IF_ERROR(tx.Post(kInsert, {2, "two", 0.0}));
    return tx.Post(Query{"test.second", "INSERT INTO items (id) VALUES ($1)"}, {1});
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), ErrorCode::kAlreadyExists);
  EXPECT_NE(status.error().message().find("test.second"), std::string::npos)
      << status.error().message();
  EXPECT_EQ(Count(), 1);
}

// Writers that come together share transactions; what one does wrong is its own affair.
TEST_P(DbContract, WritersFailAlone) {
  constexpr int kThreads = 16;
  constexpr int kWrites = 24;
  ASSERT_TRUE(Insert(1'000'000, "taken").ok());
  for (const char* scope : {"", "one"}) {
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kWrites; ++i) {
          int64_t id = t * 1000 + i;
          Status status = db_->Write(
              [&](Tx& tx) -> Status {
                RETURN_IF_ERROR(tx.Execute(kInsert, {id, scope + std::to_string(id), 0.0}));
                if (i % 4 == 1) return Cancelled("by the body");
                if (i % 4 == 2) return tx.Post(kInsert, {id + 500, "taken", 0.0});
                return Ok();
              },
              WriteOptions{.scope = scope});
          bool is_right =
              i % 4 == 1   ? !status.ok() && status.error().code() == ErrorCode::kCancelled
              : i % 4 == 2 ? !status.ok() && status.error().code() == ErrorCode::kAlreadyExists
                           : status.ok();
          if (!is_right) ++wrong;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0) << scope;
    EXPECT_EQ(Count(), 1 + kThreads * kWrites / 2) << scope;
    ASSERT_TRUE(db_->Write([](Tx& tx) {
                     return tx.Execute(Query{"test.clear", "DELETE FROM items WHERE id < 1000000"});
                   })
                    .ok());
  }
}

TEST_P(DbContract, WritersWithoutAScopeAreAlone) {
  // Each takes the greatest number plus one: right for one writer at a time only.
  constexpr int kThreads = 8;
  constexpr int kWrites = 20;
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kWrites; ++i) {
        Status status = db_->Write([&](Tx& tx) -> Status {
          ASSIGN_OR_RETURN(
              auto next,
              tx.FindOne(Query{"test.next", "SELECT COALESCE(MAX(id), 0) + 1 FROM items"}, {},
                         [](const Row& row) { return row.GetInt64(0); }));
          RETURN_IF_ERROR(tx.Execute(kInsert, {*next, std::to_string(*next), 0.0}));
          return Ok();
        });
        if (!status.ok()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(Count(), kThreads * kWrites);
}

TEST_P(DbContract, TheEngineNumbersRowsOfManyScopes) {
  ASSERT_TRUE(
      db_->Write([](Tx& tx) {
           return tx.RunScript(
               "numbered",
               "CREATE TABLE numbered (id /*sqlite INTEGER *//*postgres BIGINT GENERATED BY "
               "DEFAULT AS IDENTITY */ NOT NULL PRIMARY KEY, thread BIGINT NOT NULL)");
         })
          .ok());
  static constexpr Query kAdd{"test.add", "INSERT INTO numbered (thread) VALUES ($1) RETURNING id"};
  constexpr int kThreads = 8;
  constexpr int kWrites = 25;
  std::vector<std::vector<int64_t>> ids(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kWrites; ++i) {
        Result<std::optional<int64_t>> id = db_->Write(
            [&](Tx& tx) {
              return tx.FindOne(kAdd, {t}, [](const Row& row) { return row.GetInt64(0); });
            },
            WriteOptions{.scope = std::to_string(t)});
        if (id.ok() && *id) ids[static_cast<size_t>(t)].push_back(**id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<int64_t> all;
  for (const auto& some : ids) all.insert(some.begin(), some.end());
  EXPECT_EQ(all.size(), size_t{kThreads * kWrites});
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
