#include <benchmark/benchmark.h>

#include <filesystem>

#include "base/id.h"
#include "objects/store.h"

namespace sluice::objects {
namespace {

class Scratch {
 public:
  Scratch() : path_(std::filesystem::temp_directory_path() / ("sluice-bench-" + NewRandomHex(12))) {
    std::filesystem::create_directories(path_);
  }
  ~Scratch() { (void)io::RealFs().RemoveTree(path_).ok(); }
  std::string At(const std::string& name) const { return path_ + "/" + name; }

 private:
  const std::string path_;
};

// A no-op run looks at each file of its inputs once: a folder of 2,000 small files, as of an image
// data set.
void BM_HashKnownFolder(benchmark::State& state) {
  Scratch scratch;
  std::filesystem::create_directories(scratch.At("in"));
  for (int i = 0; i < 2000; ++i) {
    (void)io::RealFs()
        .WriteFileAtomic(scratch.At("in/" + std::to_string(i)), std::string(100, 'x'),
                         io::Durability::kFast)
        .ok();
  }
  ManualClock later(SystemClock().NowMs() + 10'000);
  {
    auto cache = StatCache::Open(io::RealFs(), scratch.At("cache"), later).value();
    (void)HashPath(io::RealFs(), scratch.At("in"), {.cache = cache.get()}).value();
    (void)cache->Save().ok();
  }
  for (auto _ : state) {
    auto cache = StatCache::Open(io::RealFs(), scratch.At("cache"), later).value();
    benchmark::DoNotOptimize(
        HashPath(io::RealFs(), scratch.At("in"), {.cache = cache.get()}).value());
  }
}
BENCHMARK(BM_HashKnownFolder)->Unit(benchmark::kMicrosecond);

// A step's output of 64 MB becomes an object, by copy or by adoption.
void BM_PutFile(benchmark::State& state) {
  Scratch scratch;
  auto store =
      Store::Open(io::RealFs(), scratch.At("store"), {.durability = io::Durability::kFast}).value();
  std::string bytes(64 << 20, 'x');
  int64_t count = 0;
  for (auto _ : state) {
    state.PauseTiming();
    bytes.replace(0, 16, NewRandomHex(16));
    (void)io::RealFs().WriteFileAtomic(scratch.At("out"), bytes, io::Durability::kFast).ok();
    state.ResumeTiming();
    benchmark::DoNotOptimize(
        store->PutPath(scratch.At("out"), {.adopt = state.range(0) == 1}).value());
    ++count;
  }
  state.SetBytesProcessed(count * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(BM_PutFile)
    ->ArgName("adopt")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);

}  // namespace
}  // namespace sluice::objects
