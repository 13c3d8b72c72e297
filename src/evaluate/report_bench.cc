// What a report costs. 16,281 rows: the test part of UCI Adult, score ties as a boosted model has
// them.
#include <benchmark/benchmark.h>

#include "evaluate/internal/bootstrap.h"
#include "evaluate/internal/engine.h"
#include "evaluate/report.h"

#include <algorithm>

#include "base/random.h"

namespace sluice::evaluate {
namespace {

struct Rows {
  std::vector<double> labels;
  std::vector<double> predictions;
};

Rows MakeRows(size_t row_count) {
  Random random(1);
  Rows rows;
  for (size_t row = 0; row < row_count; ++row) {
    double label = random.NextDouble() < 0.24 ? 1 : 0;
    rows.labels.push_back(label);
    rows.predictions.push_back(
        std::clamp(0.2 + 0.4 * label + 0.2 * random.NextGaussian(), 0.0, 1.0));
  }
  return rows;
}

void BM_BinaryReport(benchmark::State& state) {
  Rows rows = MakeRows(static_cast<size_t>(state.range(0)));
  EvaluateRequest request;
  request.class_names = {"no", "yes"};
  request.labels = rows.labels;
  request.predictions = rows.predictions;
  for (auto _ : state) benchmark::DoNotOptimize(BuildReport(request).ok());
}
BENCHMARK(BM_BinaryReport)->Arg(16'281)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void BM_AllMetricsOfOneResample(benchmark::State& state) {
  Rows rows = MakeRows(16'281);
  auto engine =
      internal::MetricEngine::Create({Task::kBinary, 2, rows.labels, rows.predictions, {}, 0.5});
  std::vector<double> weights(rows.labels.size(), 1.0), values(engine->names().size());
  for (auto _ : state) {
    engine->Compute(weights, values);
    benchmark::DoNotOptimize(values.data());
  }
}
BENCHMARK(BM_AllMetricsOfOneResample)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sluice::evaluate
