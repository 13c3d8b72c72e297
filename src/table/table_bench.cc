// The steps of reading CSV one by one. Rows are like those of bench/ingest_csv.py: twelve columns
// of numbers, words, dates and times, about 120 bytes a row.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/random.h"
#include "io/fs.h"
#include "table/internal/csv_tokenizer.h"
#include "table/internal/decimal_to_double.h"
#include "table/internal/parse_number.h"
#include "table/internal/utf8.h"
#include "table/scan.h"
#include "table/time_text.h"

namespace sluice::table {
namespace {

constexpr int64_t kRowCount = 50'000;

const std::string& SampleText() {
  static const std::string text = [] {
    Random random(7);
    std::string out = "id,age,price,score,share,city,segment,note,day,seen_at,is_new,code\n";
    static constexpr std::string_view kCities[] = {"Lisbon", "Porto", "Braga", "Aveiro", "Faro"};
    for (int64_t i = 0; i < kRowCount; ++i) {
      out += fmt::format(
          "{},{},{:.2f},{},{:.6f},{},segment-{},\"some words, {}\",2021-{:02}-{:02},2021-03-{:02} "
          "{:02}:30:{:02},{},{:05}\n",
          i, random.NextBelow(90), random.NextDouble() * 1000, random.NextGaussian(),
          random.NextDouble(), kCities[random.NextBelow(5)], random.NextBelow(20),
          random.NextBelow(1000), 1 + random.NextBelow(12), 1 + random.NextBelow(28),
          1 + random.NextBelow(28), random.NextBelow(24), random.NextBelow(60),
          random.NextBelow(2) == 0 ? "true" : "false", random.NextBelow(100'000));
    }
    return out;
  }();
  return text;
}

void CountBytes(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
}

void BM_Tokenize(benchmark::State& state) {
  std::string_view text = SampleText();
  internal::CsvTokens tokens;
  for (auto _ : state) {
    internal::TokenizeCsv({.text = text, .wanted_bytes = text.size(), .max_row_bytes = text.size()},
                          {}, tokens);
    benchmark::DoNotOptimize(tokens.field_count);
  }
  CountBytes(state, text.size());
}
BENCHMARK(BM_Tokenize);

void BM_CheckUtf8(benchmark::State& state) {
  std::string_view text = SampleText();
  for (auto _ : state) benchmark::DoNotOptimize(internal::FindInvalidUtf8(text));
  CountBytes(state, text.size());
}
BENCHMARK(BM_CheckUtf8);

void BM_ParseDouble(benchmark::State& state) {
  static const std::string kTexts[] = {"12.50        ", "3.933333333333333        ",
                                       "-0.000123456789012        ", "123456.789        "};
  size_t i = 0;
  double value = 0;
  for (auto _ : state) {
    const std::string& text = kTexts[i++ % 4];
    internal::ParseDouble(text.data(), text.data() + text.size() - 8,
                          internal::NumberForm::kInferred, value);
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK(BM_ParseDouble);

void BM_ParseInt64(benchmark::State& state) {
  static const std::string kTexts[] = {"7        ", "1234567        ", "-42        ",
                                       "1234567890123        "};
  size_t i = 0;
  int64_t value = 0;
  for (auto _ : state) {
    const std::string& text = kTexts[i++ % 4];
    internal::ParseInt64(text.data(), text.data() + text.size() - 8,
                         internal::NumberForm::kInferred, value);
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK(BM_ParseInt64);

void BM_ParseTimestamp(benchmark::State& state) {
  for (auto _ : state) {
    std::optional<int64_t> micros = ParseIsoTimestamp("2021-03-04 05:06:07");
    benchmark::DoNotOptimize(micros);
  }
}
BENCHMARK(BM_ParseTimestamp);

struct NoVisitor : ScanVisitor {
  void Begin(const std::shared_ptr<arrow::Schema>&, size_t) override {}
  void Visit(size_t, const std::shared_ptr<arrow::RecordBatch>&) override {}
};

/// Argument: threads.
void BM_ScanTable(benchmark::State& state) {
  std::string path = fmt::format("/tmp/sluice-table-bench-{}.csv", getpid());
  CHECK(io::RealFs().WriteFileAtomic(path, SampleText(), io::Durability::kFast).ok());
  ReadOptions options;
  options.thread_count = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    NoVisitor visitor;
    CHECK(ScanTable({path}, options, visitor).ok());
  }
  CHECK(io::RealFs().Remove(path).ok());
  CountBytes(state, SampleText().size());
}
BENCHMARK(BM_ScanTable)->Arg(1)->Arg(2)->UseRealTime();

}  // namespace
}  // namespace sluice::table
