#include <benchmark/benchmark.h>

#include <filesystem>

#include "base/id.h"
#include "sql/migrator.h"
#include "sql/sqlite.h"

namespace sluice::sql {
namespace {

std::string FreshPath() {
  return std::filesystem::temp_directory_path() / ("sluice-bench-" + NewRandomHex(12) + ".db");
}

void RemoveDatabase(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
}

const std::vector<Migration>& ThreeMigrations() {
  static const std::vector<Migration> migrations{
      {1, "0001_a", "CREATE TABLE a (id BIGINT NOT NULL PRIMARY KEY)"},
      {2, "0002_b", "CREATE TABLE b (id BIGINT)"},
      {3, "0003_c", "CREATE TABLE c (id BIGINT)"}};
  return migrations;
}

// What a `sluice run` with nothing to do pays before its first question: open, and see that nothing
// is to migrate.
void BM_OpenAndFindNothingToMigrate(benchmark::State& state) {
  std::string path = FreshPath();
  { (void)Migrate(*OpenSqlite(path).value(), ThreeMigrations()).value(); }
  for (auto _ : state) {
    auto db = OpenSqlite(path).value();
    benchmark::DoNotOptimize(Migrate(*db, ThreeMigrations()).value());
  }
  RemoveDatabase(path);
}
BENCHMARK(BM_OpenAndFindNothingToMigrate)->Unit(benchmark::kMicrosecond);

void BM_WriteOneRow(benchmark::State& state) {
  std::string path = FreshPath();
  auto db = OpenSqlite(path).value();
  (void)Migrate(*db, ThreeMigrations()).value();
  int64_t id = 0;
  auto durability = state.range(0) == 1 ? io::Durability::kDurable : io::Durability::kFast;
  for (auto _ : state) {
    auto count = db->Write(
        [&](Tx& tx) {
          return tx.Execute(Query{"bench.insert", "INSERT INTO a (id) VALUES ($1)"}, {id++});
        },
        durability);
    benchmark::DoNotOptimize(count.value());
  }
  db.reset();
  RemoveDatabase(path);
}
BENCHMARK(BM_WriteOneRow)->ArgName("durable")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

void BM_ReadOneRow(benchmark::State& state) {
  std::string path = FreshPath();
  auto db = OpenSqlite(path).value();
  (void)Migrate(*db, ThreeMigrations()).value();
  for (auto _ : state) {
    auto found = db->Read([](Reader& reader) {
      return reader.FindOne(
          Query{"bench.get", "SELECT number FROM schema_migrations WHERE number = $1"}, {2},
          [](const Row& row) { return row.GetInt64(0); });
    });
    benchmark::DoNotOptimize(found.value());
  }
  db.reset();
  RemoveDatabase(path);
}
BENCHMARK(BM_ReadOneRow)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sluice::sql
