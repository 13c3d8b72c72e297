#include <benchmark/benchmark.h>

#include <filesystem>

#include "base/id.h"
#include "sql/sqlite.h"
#include "tracking/metric_history.h"
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
  sql::Db& db() { return *db_; }

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

// What log_metric, log_param and start_run of the client cost here.
void BM_LogOneMetric(benchmark::State& state) {
  Scratch scratch;
  std::string run_id = scratch.store().CreateRun({.experiment_id = "0"}).value().info.run_id;
  int64_t step = 0;
  for (auto _ : state) {
    ++step;
    if (!scratch.store().LogBatch(run_id, {.metrics = {{"loss", 0.5, step, step}}}).ok())
      state.SkipWithError("log");
  }
}
BENCHMARK(BM_LogOneMetric)->Unit(benchmark::kMicrosecond);

void BM_LogOneParam(benchmark::State& state) {
  Scratch scratch;
  std::string run_id = scratch.store().CreateRun({.experiment_id = "0"}).value().info.run_id;
  int64_t number = 0;
  for (auto _ : state) {
    ++number;
    if (!scratch.store().LogBatch(run_id, {.params = {{"p" + std::to_string(number), "v"}}}).ok())
      state.SkipWithError("log");
  }
}
BENCHMARK(BM_LogOneParam)->Unit(benchmark::kMicrosecond);

void BM_CreateRun(benchmark::State& state) {
  Scratch scratch;
  for (auto _ : state) {
    Result<tracking::Run> run =
        scratch.store().CreateRun({.experiment_id = "0",
                                   .tags = {{"mlflow.user", "ann"},
                                            {"mlflow.source.name", "a.py"},
                                            {"mlflow.source.type", "LOCAL"}}});
    if (!run.ok()) state.SkipWithError(run.error().message().c_str());
  }
}
BENCHMARK(BM_CreateRun)->Unit(benchmark::kMicrosecond);

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

/// A run with a history of 100,000 points.
std::string MakeLongRun(Store& store) {
  std::string run_id = store.CreateRun({.experiment_id = "0"}).value().info.run_id;
  for (int64_t start = 0; start < 100'000; start += 10'000) {
    Batch batch;
    for (int64_t step = start; step < start + 10'000; ++step)
      batch.metrics.push_back({"loss", 1.0 / static_cast<double>(step + 1), 10 * step, step});
    CHECK(store.LogBatch(run_id, batch).ok());
  }
  return run_id;
}

// All of it, point by point.
void BM_History(benchmark::State& state) {
  Scratch scratch;
  std::string run_id = MakeLongRun(scratch.store());
  MetricHistory history(scratch.db());
  for (auto _ : state) {
    double sum = 0;
    Result<std::string> done =
        history.ForEachPoint({.run_id = run_id, .key = "loss", .max_count = {}},
                             [&](const MetricPoint& point) { sum += point.value; });
    if (!done.ok()) state.SkipWithError(done.error().message().c_str());
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 100'000);
}
BENCHMARK(BM_History)->Unit(benchmark::kMillisecond);

// What a chart shows of it.
void BM_SampledHistory(benchmark::State& state) {
  Scratch scratch;
  std::vector<std::string> run_ids = {MakeLongRun(scratch.store())};
  MetricHistory history(scratch.db());
  for (auto _ : state) {
    int64_t count = 0;
    Status done = history.ForEachSampled(
        {.run_ids = run_ids, .key = "loss", .start_step = {}, .end_step = {}},
        [&](std::string_view, const MetricPoint&) { ++count; });
    if (!done.ok() || count != 2500) state.SkipWithError("no sample");
  }
}
BENCHMARK(BM_SampledHistory)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice::tracking
