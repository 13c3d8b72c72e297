// Searches among many runs of one experiment, each with 5 params, 5 metrics and 3 tags, pages of
// 100. The database is made once: in a scratch folder, or where SLUICE_BENCH_DATABASE says (a URI
// as of --backend-store-uri, kept and used again). SLUICE_BENCH_RUN_COUNT says how many runs.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "base/id.h"
#include "sql/open.h"
#include "tracking/search.h"
#include "tracking/store.h"

namespace sluice::tracking {
namespace {

int64_t RunCount() {
  const char* given = std::getenv("SLUICE_BENCH_RUN_COUNT");
  return given == nullptr ? 10'000 : std::atoll(given);
}

/// "Random" numbers of a run, from 0 to 100,002: prime, so that every run has another.
constexpr std::string_view kRandom[] = {"((i * 7919) % 100003)", "((i * 104729 + 17) % 100003)",
                                        "((i * 15485863 + 5) % 100003)"};

/// All rows by a few statements; what each key holds is said where it is searched.
Status Fill(sql::Db& db, int64_t run_count) {
  const std::string numbers = fmt::format(
      "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < "
      "{}) ",
      run_count);
  std::vector<std::string> statements;
  statements.push_back(fmt::format(
      "INSERT INTO runs (run_id, experiment_id, name, user_id, status, start_ms, end_ms, "
      "artifact_uri, stage, user_head) {}SELECT 'abcdefabcdefabcdefabc' || (10000000000 + {}), 0, "
      "'run-' || "
      "i, "
      "'user' || (i % 7), CASE WHEN i % 10 = 0 THEN 4 ELSE 3 END, 1700000000000 + i * 1000, "
      "1700000000000 + i * 1000 + i % 997, 'mlflow-artifacts:/0/' || i || '/artifacts', 0, 'user' "
      "|| "
      "(i % 7) FROM n",
      numbers, kRandom[0]));
  auto add_text = [&](std::string_view table, std::string_view key, const std::string& value,
                      std::string_view where = "1 = 1") {
    statements.push_back(
        fmt::format("INSERT INTO {} (run_no, experiment_id, key, value, value_head) {}SELECT i, 0, "
                    "'{}', {}, {} FROM n WHERE {}",
                    table, numbers, key, value, value, where));
  };
  add_text("params", "ten", "'value' || (i % 10)");
  add_text("params", "thousand", fmt::format("'value' || ({} % 1000)", kRandom[1]));
  add_text("params", "unique", fmt::format("'value' || {}", kRandom[0]));
  add_text("params", "same", "'value'");
  add_text("params", "rare", "'value' || i", "i % 100 = 0");
  add_text("tags", "mlflow.runName", "'run-' || i");
  add_text("tags", "mlflow.user", "'user' || (i % 7)");
  add_text("tags", "team", "'team' || (i % 4)");
  int metric_number = 0;
  auto add_metric = [&](std::string_view key, const std::string& value,
                        std::string_view where = "1 = 1") {
    statements.push_back(
        fmt::format("INSERT INTO metric_series (series_id, run_no, experiment_id, key, step, "
                    "timestamp_ms, value, is_nan, "
                    "min_value, max_value) {}SELECT i * 10 + {}, i, 0, '{}', 0, 1700000000000 + i, "
                    "{}, 0, {} - 1, {} FROM n "
                    "WHERE {}",
                    numbers, metric_number++, key, value, value, value, where));
  };
  add_metric("uniform", fmt::format("{} / 100003.0", kRandom[0]));
  add_metric("other", fmt::format("{} / 100003.0", kRandom[2]));
  add_metric("opposite", fmt::format("1 - {} / 100003.0", kRandom[0]));
  add_metric("growing", "i * 1.0");
  add_metric("rare", "i * 1.0", "i % 100 = 0");
  statements.push_back("ANALYZE");
  for (const std::string& text : statements) {
    Result<int64_t> done = db.Write([&](sql::Tx& tx) {
      return tx.Execute(sql::Query{"bench.fill", text});
    });
    RETURN_IF_ERROR(done);
  }
  return Ok();
}

class Database {
 public:
  Database() {
    const char* given = std::getenv("SLUICE_BENCH_DATABASE");
    if (given == nullptr) {
      path_ = std::filesystem::temp_directory_path() / ("sluice-bench-" + NewRandomHex(12) + ".db");
    }
    db_ = sql::OpenDatabase(given != nullptr ? given : "sqlite:///" + path_).value();
    (void)sql::Migrate(*db_, Migrations()).value();
    (void)OpenStore(*db_, {.artifact_root = "root"}).value();
    bool is_empty =
        Search(*db_).Runs({.experiment_ids = {"0"}, .max_count = 1}).value().runs.empty();
    if (is_empty) {
      Status filled = Fill(*db_, RunCount());
      CHECK_MSG(filled.ok(), filled.error().ToString());
    }
  }
  ~Database() {
    db_.reset();
    if (path_.empty()) return;
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  }
  sql::Db& db() { return *db_; }

 private:
  std::string path_;
  std::unique_ptr<sql::Db> db_;
};

sql::Db& SharedDb() {
  static Database database;
  return database.db();
}

struct Case {
  const char* name;
  std::string filter;
  std::vector<std::string> order_by;
  int page = 1;
};

std::vector<Case> Cases() {
  const std::string middle = std::to_string(RunCount() / 2);
  return {
      {"newest", "", {}},
      {"order_by_metric", "", {"metrics.uniform DESC"}},
      {"filter_and_order",
       "metrics.uniform > 0.5 AND params.ten = 'value3'",
       {"metrics.other DESC"}},
      {"filter_and_order_of_one_metric",
       "metrics.uniform > 0.9 AND tags.team = 'team1'",
       {"metrics.uniform ASC"}},
      {"one_of_a_thousand", "params.thousand = 'value77'", {"metrics.uniform"}},
      {"unique_value", "params.unique = 'value7919'", {}},
      {"run_name_like", "run_name LIKE 'run-77%'", {"metrics.uniform DESC"}},
      {"param_like_inside", "params.unique LIKE '%777%'", {}},
      {"status_failed", "status = 'FAILED' AND metrics.growing < " + middle, {}},
      {"nothing_matches", "params.ten = 'nobody' AND metrics.uniform > 0.1", {"metrics.other"}},
      // Each half, together nothing: no early stop, no small condition.
      {"contradiction", "metrics.uniform > 0.6 AND metrics.opposite > 0.6", {"metrics.other"}},
      // Matches stand at the far end of the order.
      {"far_end", "metrics.uniform > 0.5 AND params.same = 'value'", {"metrics.opposite DESC"}},
      {"order_by_param_of_ten", "metrics.uniform > 0.5", {"params.ten DESC", "metrics.other"}},
      {"order_by_unique_param", "tags.team = 'team2'", {"params.unique"}},
      {"order_by_rare_metric", "tags.team = 'team0'", {"metrics.rare DESC"}},
      {"or_and_not",
       "(params.ten = 'value1' OR metrics.uniform < 0.1) AND NOT tags.team = 'team1'",
       {"metrics.other"}},
      {"aggregate",
       "metrics.uniform.max > 0.5 AND params.ten = 'value3'",
       {"metrics.uniform.min DESC"}},
      {"page_51", "metrics.uniform > 0.25", {"metrics.other DESC"}, 51},
  };
}

void BM_Search(benchmark::State& state, const Case& test) {
  Search search(SharedDb());
  RunSearch request{
      .experiment_ids = {"0"}, .filter = test.filter, .order_by = test.order_by, .max_count = 100};
  for (int page = 1; page < test.page; ++page) {
    request.page_token = search.Runs(request).value().next_token;
    if (request.page_token.empty()) break;
  }
  size_t found_count = 0;
  for (auto _ : state) {
    Result<RunPage> page = search.Runs(request);
    if (!page.ok()) {
      state.SkipWithError(page.error().message().c_str());
      break;
    }
    found_count = page->runs.size();
  }
  state.counters["found"] = static_cast<double>(found_count);
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const Case& test : Cases()) {
    benchmark::RegisterBenchmark(fmt::format("BM_Search/{}", test.name).c_str(),
                                 [test](benchmark::State& state) { BM_Search(state, test); })
        ->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
}  // namespace sluice::tracking
