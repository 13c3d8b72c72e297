#include <benchmark/benchmark.h>

#include <filesystem>

#include "base/id.h"
#include "sql/sqlite.h"
#include "tracking/store.h"

namespace sluice::tracking {
namespace {

class Scratch {
 public:
  Scratch()
      : path_(std::filesystem::temp_directory_path() /
              ("sluice-bench-" + NewRandomHex(12) + ".db")) {
    db_ = sql::OpenSqlite(path_).value();
    (void)sql::Migrate(*db_, Migrations()).value();
    store_ = OpenStore(*db_, {.artifact_root = "root"}).value();
  }
  ~Scratch() {
    store_.reset();
    db_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  }
  Store& store() { return *store_; }

 private:
  const std::string path_;
  std::unique_ptr<sql::Db> db_;
  std::unique_ptr<Store> store_;
};

// A training loop logs ten metrics a step; an importer logs a thousand points a call (MLflow's
// limit).
void BM_LogMetrics(benchmark::State& state) {
  Scratch scratch;
  std::string run_id = scratch.store().CreateRun({.experiment_id = "0"}).value().info.run_id;
  int64_t step = 0;
  for (auto _ : state) {
    Batch batch;
    for (int64_t i = 0; i < state.range(0); ++i) {
      batch.metrics.push_back({"metric_" + std::to_string(i % 10), 0.5, step, step});
      if (i % 10 == 9) ++step;
    }
    Status status = scratch.store().LogBatch(run_id, batch);
    if (!status.ok()) state.SkipWithError(status.error().message().c_str());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(BM_LogMetrics)->ArgName("points")->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);

// The runs page: the newest 100 of 5,000 runs with 10 params, 10 metrics and 5 tags each.
void BM_ListNewestRuns(benchmark::State& state) {
  Scratch scratch;
  for (int64_t r = 0; r < 5000; ++r) {
    std::string run_id =
        scratch.store().CreateRun({.experiment_id = "0", .start_ms = r}).value().info.run_id;
    Batch batch;
    for (int i = 0; i < 10; ++i) {
      batch.metrics.push_back({"metric_" + std::to_string(i), 0.5, r, 0});
      batch.params.push_back({"param_" + std::to_string(i), "value"});
      if (i < 5) batch.tags.push_back({"tag_" + std::to_string(i), "value"});
    }
    if (!scratch.store().LogBatch(run_id, batch).ok()) state.SkipWithError("log");
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        scratch.store().ListRuns({.experiment_ids = {"0"}, .max_count = 100}).value());
  }
}
BENCHMARK(BM_ListNewestRuns)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sluice::tracking
