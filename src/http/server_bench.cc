// What the front itself costs: a small JSON request and answer over loopback, client and server on
// this machine. The request is the size of a logged metric's, with the fields that Python's
// requests sends.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "http/client.h"
#include "http/internal/coding.h"
#include "http/server.h"

namespace sluice::http {
namespace {

/// `inline`: answered on the event loop, or handed to the pool.
void BM_SmallJsonRoundTrip(benchmark::State& state) {
  Route route;
  route.method = Method::kPost;
  route.pattern = "/api/2.0/mlflow/runs/log-metric";
  route.name = "log-metric";
  route.inline_body_bytes_max = state.range(0) == 1 ? 4096 : -1;
  route.handler = [](const Request&) { return Response::JsonText(200, "{}"); };
  std::vector<Route> rows;
  rows.push_back(std::move(route));
  const auto server = Server::Start({}, Router(std::move(rows))).value();
  const auto client = Client::Connect("127.0.0.1", server->port()).value();
  const std::string body =
      R"({"run_uuid": "0123456789abcdef0123456789abcdef", "run_id": "0123456789abcdef0123456789abcdef", )"
      R"("key": "loss", "value": 0.25, "timestamp": 1700000000000, "step": 17})";
  Client::Call call{.method = Method::kPost,
                    .target = "/api/2.0/mlflow/runs/log-metric",
                    .headers = {},
                    .body = body};
  call.headers.Add("User-Agent", "mlflow-python-client/3.1.4");
  call.headers.Add("Accept-Encoding", "gzip, deflate");
  call.headers.Add("Accept", "*/*");
  call.headers.Add("Connection", "keep-alive");
  call.headers.Add("Content-Type", "application/json");
  for (auto _ : state) benchmark::DoNotOptimize(client->Send(call));
}
BENCHMARK(BM_SmallJsonRoundTrip)->ArgName("inline")->Arg(1)->Arg(0)->UseRealTime();

/// The reply to a search of 100 runs is about this long.
void BM_CompressJson(benchmark::State& state) {
  std::string text;
  for (int i = 0; text.size() < 100'000; ++i) {
    text += fmt::format("{{\"key\": \"metric{}\", \"value\": 0.{}, \"timestamp\": {}}}, ", i % 40,
                        i * 7919 % 99'991, 1'700'000'000'000 + i * 977);
  }
  const auto coding = static_cast<internal::Coding>(state.range(0));
  size_t coded_bytes = 0;
  for (auto _ : state) coded_bytes = internal::Compress(coding, text).value().size();
  state.SetLabel(fmt::format("{} to {} bytes", text.size(), coded_bytes));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(BM_CompressJson)
    ->ArgName("coding")
    ->Arg(static_cast<int>(internal::Coding::kGzip))
    ->Arg(static_cast<int>(internal::Coding::kZstd));

}  // namespace
}  // namespace sluice::http
