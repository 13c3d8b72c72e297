// Prediction of one row (a request) and of 10,000 rows (a batch job): 300 trees of depth 6 over 75
// features, as gbdt has on UCI Adult, and a linear model of as many features.
#include <benchmark/benchmark.h>

#include "base/random.h"
#include "learn/learners.h"

namespace sluice::learn {
namespace {

constexpr int64_t kColumns = 75;

struct Data {
  explicit Data(int64_t rows) {
    Random random(1);
    for (int64_t i = 0; i < rows * kColumns; ++i) values.push_back(random.NextGaussian());
    for (int64_t i = 0; i < rows; ++i) {
      double score =
          values[static_cast<size_t>(i * kColumns)] + values[static_cast<size_t>(i * kColumns + 1)];
      labels.push_back(score + random.NextGaussian() > 0 ? 1 : 0);
    }
  }
  MatrixView View(int64_t rows) const { return {values.data(), rows, kColumns}; }
  std::vector<double> values, labels;
};

void BM_Predict(benchmark::State& state, const char* learner) {
  Data data(10'000);
  TrainRequest request{.task = Task::kBinary, .class_count = 2};
  for (int64_t i = 0; i < kColumns; ++i) request.feature_names.push_back("f" + std::to_string(i));
  request.train = {data.View(10'000), data.labels, {}};
  Result<std::unique_ptr<Model>> model = Train(learner, request);
  if (!model.ok()) {
    state.SkipWithError(model.error().message().c_str());
    return;
  }
  int64_t rows = state.range(0);
  std::vector<double> out(static_cast<size_t>(rows));
  for (auto _ : state)
    benchmark::DoNotOptimize((*model)->PredictInto(data.View(rows), out, 1).ok());
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK_CAPTURE(BM_Predict, gbdt, "gbdt")->Arg(1)->Arg(10'000);
BENCHMARK_CAPTURE(BM_Predict, linear, "linear")->Arg(1)->Arg(10'000);

}  // namespace
}  // namespace sluice::learn
