// Sizes model the scenario benchmark, bench/profile.py: loan applications, 1 M rows, 12 columns.
// SLUICE_PROFILE_FILE names a file to profile instead of the made table.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/table.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>

#include "base/check.h"
#include "base/random.h"
#include "data/profile.h"
#include "data/profile_file.h"

namespace sluice::data {
namespace {

template <typename Builder, typename Make>
std::shared_ptr<arrow::Array> MakeColumn(int64_t rows, Make&& make) {
  Builder builder;
  for (int64_t i = 0; i < rows; ++i) CHECK(builder.Append(make(i)).ok());
  std::shared_ptr<arrow::Array> array;
  CHECK(builder.Finish(&array).ok());
  return array;
}

/// Four columns: unique integers, normal numbers, a dozen categories, nearly unique text.
std::shared_ptr<arrow::Table> MakeTable(int64_t rows) {
  Random random(7);
  auto schema = arrow::schema(
      {arrow::field("id", arrow::int64()), arrow::field("score", arrow::float64()),
       arrow::field("purpose", arrow::utf8()), arrow::field("comment", arrow::utf8())});
  return arrow::Table::Make(
      schema, {MakeColumn<arrow::Int64Builder>(rows, [](int64_t i) { return i * 7; }),
               MakeColumn<arrow::DoubleBuilder>(
                   rows, [&](int64_t) { return 620 + 80 * random.NextGaussian(); }),
               MakeColumn<arrow::StringBuilder>(
                   rows, [&](int64_t) { return fmt::format("purpose {}", random.NextBelow(12)); }),
               MakeColumn<arrow::StringBuilder>(
                   rows, [&](int64_t) { return fmt::format("comment {:x}", random.NextU64()); })});
}

void ProfileTableInMemory(benchmark::State& state) {
  std::shared_ptr<arrow::Table> table = MakeTable(1'000'000);
  for (auto _ : state) {
    Result<TableProfile> profile = ProfileTable(*table, static_cast<size_t>(state.range(0)));
    CHECK(profile.ok());
    benchmark::DoNotOptimize(profile->row_count);
  }
  state.SetItemsProcessed(state.iterations() * table->num_rows() * table->num_columns());
}
BENCHMARK(ProfileTableInMemory)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void ProfileCsvFile(benchmark::State& state) {
  const char* path = std::getenv("SLUICE_PROFILE_FILE");
  if (path == nullptr) {
    state.SkipWithError("set SLUICE_PROFILE_FILE to a file");
    return;
  }
  table::ReadOptions options;
  options.thread_count = static_cast<size_t>(state.range(0));
  int64_t bytes = 0;
  for (auto _ : state) {
    Result<FileProfile> profile = ProfileFiles({path}, options);
    if (!profile.ok()) {
      state.SkipWithError(profile.error().ToString().c_str());
      return;
    }
    bytes = profile->facts.bytes_read;
  }
  state.SetBytesProcessed(state.iterations() * bytes);
}
BENCHMARK(ProfileCsvFile)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace sluice::data
