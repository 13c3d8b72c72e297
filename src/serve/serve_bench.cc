// What one request costs: the protocol alone, and a round trip over loopback with the C++ client
// (both sides on this machine). The model is the test fixture's: 7 input columns of all types,
// about the width of a small credit model.
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <benchmark/benchmark.h>

#include "http/client.h"
#include "http/server.h"
#include "model/rows_json.h"
#include "model/testing/fixtures.h"
#include "serve/serve.h"

namespace sluice::serve {
namespace {

using model::testing::Target;

std::shared_ptr<const model::Model> TestModel() {
  static const auto model = model::testing::TrainAndLoad(Target::kBinaryText, "gbdt");
  return model;
}

std::shared_ptr<arrow::RecordBatch> Rows(int64_t count) {
  const auto table = model::testing::MakeTable(Target::kBinaryText, count);
  return table->SelectColumns({0, 1, 2, 3, 4, 5, 6})
      .ValueOrDie()
      ->CombineChunksToBatch()
      .ValueOrDie();
}

std::string Body(int64_t count) {
  return R"({"dataframe_split": )" + model::PrintSplitJson(*Rows(count)).value() + "}";
}

void BM_PredictRows(benchmark::State& state) {
  const auto rows = Rows(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(TestModel()->Predict(rows));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_PredictRows)->ArgName("rows")->Arg(1)->Arg(10'000);

void BM_Invoke(benchmark::State& state) {
  const std::string body = Body(state.range(0));
  const ServeOptions options;
  for (auto _ : state) {
    benchmark::DoNotOptimize(Invoke(*TestModel(), options, "application/json", body));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Invoke)->ArgName("rows")->Arg(1)->Arg(10'000);

/// `inline`: answered on the event loop, or handed to the pool.
void BM_RoundTrip(benchmark::State& state) {
  ServeOptions options;
  if (state.range(0) == 0) options.inline_body_bytes_max = -1;
  const auto server =
      http::Server::Start({}, http::Router(BuildRoutes(TestModel(), options))).value();
  const auto client = http::Client::Connect("127.0.0.1", server->port()).value();
  const std::string body = Body(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(client->Post("/invocations", "application/json", body));
  }
}
BENCHMARK(BM_RoundTrip)->ArgName("inline")->Arg(1)->Arg(0)->UseRealTime();

}  // namespace
}  // namespace sluice::serve
