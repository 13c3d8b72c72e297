// Many writers at once, each logging one metric: the statements of tracking's LogBatch on a schema
// like its own. SQLite always, PostgreSQL where SLUICE_TEST_POSTGRES is set.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "base/id.h"
#include "sql/migrator.h"
#include "sql/open.h"

namespace sluice::sql {
namespace {

constexpr Query kGetRun{"bench.get_run", "SELECT name, stage FROM runs WHERE run_id = $1"};
constexpr Query kGetSeries{"bench.get_series",
                           "SELECT series_id, step FROM series WHERE run_id = $1 AND key = 'loss'"};
constexpr Query kInsertPoint{"bench.insert_point",
                             "INSERT INTO points (series_id, step, value) VALUES ($1, $2, $3) "
                             "ON CONFLICT DO NOTHING"};
constexpr Query kSetLatest{"bench.set_latest",
                           "UPDATE series SET step = $2, value = $3 WHERE series_id = $1"};

std::vector<Migration> Schema() {
  return {
      {1, "0001_bench",
       "CREATE TABLE runs (run_id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, stage BIGINT "
       "NOT NULL);"
       "CREATE TABLE series (series_id BIGINT NOT NULL PRIMARY KEY, run_id TEXT NOT NULL "
       "REFERENCES runs (run_id), key TEXT NOT NULL, step BIGINT NOT NULL, value DOUBLE "
       "PRECISION NOT NULL, UNIQUE (run_id, key));"
       "CREATE TABLE points (series_id BIGINT NOT NULL REFERENCES series (series_id), step "
       "BIGINT NOT NULL, value DOUBLE PRECISION NOT NULL, PRIMARY KEY (series_id, step, value)) "
       "/*sqlite WITHOUT ROWID */"}};
}

std::string RunId(int64_t number) { return "run-" + std::to_string(number); }

/// A database with `run_count` runs of one series each; goes when it does.
class Scratch {
 public:
  explicit Scratch(bool is_postgres) : path_("/tmp/sluice-bench-" + NewRandomHex(12) + ".db") {
    if (is_postgres) {
      uri_ = std::getenv("SLUICE_TEST_POSTGRES");
      schema_ = "bench_" + NewRandomHex(12);
      OnServer("CREATE SCHEMA " + schema_);
      db_ = OpenDatabase(uri_ + "?options=-csearch_path%3D" + schema_).value();
    } else {
      db_ = OpenDatabase("sqlite:///" + path_).value();
    }
    (void)Migrate(*db_, Schema()).value();
    Status filled = db_->Write([](Tx& tx) -> Status {
      for (int64_t i = 0; i < 64; ++i) {
        RETURN_IF_ERROR(
            tx.Post({"bench.run", "INSERT INTO runs VALUES ($1, $2, 0)"}, {RunId(i), "name"}));
        RETURN_IF_ERROR(tx.Post(
            {"bench.series", "INSERT INTO series VALUES ($1, $2, 'loss', 0, 0)"}, {i, RunId(i)}));
      }
      return Ok();
    });
    CHECK(filled.ok());
  }
  ~Scratch() {
    db_.reset();
    if (!schema_.empty()) OnServer("DROP SCHEMA " + schema_ + " CASCADE");
    for (const char* suffix : {"", "-wal", "-shm"}) std::remove((path_ + suffix).c_str());
  }
  Db& db() { return *db_; }

 private:
  void OnServer(const std::string& statement) {
    auto server = OpenDatabase(uri_).value();
    CHECK(server->Write([&](Tx& tx) { return tx.RunScript("bench", statement); }).ok());
  }
  const std::string path_;
  std::string uri_;
  std::string schema_;
  std::unique_ptr<Db> db_;
};

Status LogMetric(Db& db, const std::string& run_id, int64_t step, bool has_scope) {
  return db.Write(
      [&](Tx& tx) -> Status {
        ASSIGN_OR_RETURN(auto run, tx.FindOne(kGetRun, {run_id},
                                              [](const Row& row) { return row.GetInt64(1); }));
        ASSIGN_OR_RETURN(auto series, tx.FindOne(kGetSeries, {run_id},
                                                 [](const Row& row) { return row.GetInt64(0); }));
        if (!run || !series) return NotFound("run");
        RETURN_IF_ERROR(tx.Post(kInsertPoint, {*series, step, 0.5}));
        return tx.Post(kSetLatest, {*series, step, 0.5});
      },
      WriteOptions{.scope = has_scope ? run_id : std::string_view()});
}

enum Mode { kSqlite = 0, kPostgresScoped = 1, kPostgresAlone = 2, kPostgresOneRun = 3 };

void BM_LogMetric(benchmark::State& state) {
  static Scratch* scratch = nullptr;
  Mode mode = static_cast<Mode>(state.range(0));
  if (mode != kSqlite && std::getenv("SLUICE_TEST_POSTGRES") == nullptr) {
    state.SkipWithError("SLUICE_TEST_POSTGRES is not set");
    return;
  }
  if (state.thread_index() == 0) scratch = new Scratch(mode != kSqlite);
  std::string run_id = RunId(mode == kPostgresOneRun ? 0 : state.thread_index());
  int64_t step = state.thread_index() * int64_t{1'000'000'000};
  for (auto _ : state) {
    Status status = LogMetric(scratch->db(), run_id, ++step, mode != kPostgresAlone);
    if (!status.ok()) state.SkipWithError(status.error().message().c_str());
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) {
    delete scratch;
    scratch = nullptr;
  }
}
BENCHMARK(BM_LogMetric)
    ->ArgName("mode")
    ->DenseRange(kSqlite, kPostgresOneRun)
    ->Threads(1)
    ->Threads(8)
    ->Threads(64)
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sluice::sql
