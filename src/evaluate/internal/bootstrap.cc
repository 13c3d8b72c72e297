#include "evaluate/internal/bootstrap.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/random.h"
#include "base/thread_pool.h"

namespace sluice::evaluate::internal {

namespace {

/// Results do not depend on it: each resample has a stream of its own.
constexpr int64_t kResamplesPerBlock = 16;

/// Poisson(1) by inversion from 16 random bits: table[bits] is the count.
std::array<uint8_t, 65536> MakePoissonTable() {
  std::array<uint8_t, 65536> table{};
  double probability = std::exp(-1.0);
  double cumulative = probability;
  uint8_t count = 0;
  for (size_t bits = 0; bits < table.size(); ++bits) {
    while ((static_cast<double>(bits) + 0.5) / 65536 > cumulative && count < 8) {
      ++count;
      probability /= count;
      cumulative += probability;
    }
    table[bits] = count;
  }
  return table;
}

}  // namespace

void DrawCounts(const BootstrapOptions& options, int64_t index, std::span<double> counts) {
  Random random(options.seed, "bootstrap/" + options.stream + "/" + std::to_string(index));
  if (counts.size() <= static_cast<size_t>(kMultinomialRowLimit)) {
    std::fill(counts.begin(), counts.end(), 0.0);
    for (size_t i = 0; i < counts.size(); ++i) counts[random.NextBelow(counts.size())] += 1;
    return;
  }
  static const std::array<uint8_t, 65536> kPoisson = MakePoissonTable();
  uint64_t bits = 0;
  for (size_t row = 0; row < counts.size(); ++row) {
    if (row % 4 == 0) bits = random.NextU64();
    counts[row] = kPoisson[bits & 0xffff];
    bits >>= 16;
  }
}

void ForEachResample(const BootstrapOptions& options, std::span<const double> row_weights,
                     const std::function<void(int64_t, std::span<const double>)>& body) {
  int64_t block_count = (options.resample_count + kResamplesPerBlock - 1) / kResamplesPerBlock;
  ParallelFor(options.thread_count, static_cast<size_t>(block_count), [&](size_t block) {
    std::vector<double> weights(row_weights.size());
    int64_t first = static_cast<int64_t>(block) * kResamplesPerBlock;
    int64_t last = std::min(first + kResamplesPerBlock, options.resample_count);
    for (int64_t index = first; index < last; ++index) {
      DrawCounts(options, index, weights);
      for (size_t row = 0; row < weights.size(); ++row) weights[row] *= row_weights[row];
      body(index, weights);
    }
    if (options.on_done) options.on_done(last - first);
  });
}

std::vector<std::vector<double>> Resample(const MetricEngine& engine,
                                          const BootstrapOptions& options) {
  size_t name_count = engine.names().size();
  std::vector<std::vector<double>> by_name(
      name_count, std::vector<double>(static_cast<size_t>(options.resample_count)));
  ForEachResample(options, engine.weights(), [&](int64_t index, std::span<const double> weights) {
    std::vector<double> values(name_count);
    engine.Compute(weights, values);
    for (size_t i = 0; i < name_count; ++i) by_name[i][static_cast<size_t>(index)] = values[i];
  });
  return by_name;
}

std::optional<Interval> PercentileInterval(std::vector<double> values, double confidence) {
  size_t all = values.size();
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty() || values.size() * 2 < all) return std::nullopt;
  std::sort(values.begin(), values.end());
  double tail = (1 - confidence) / 2;
  return Interval{SortedQuantile(values, tail), SortedQuantile(values, 1 - tail)};
}

std::vector<MetricValue> ComputeWithIntervals(const MetricEngine& engine,
                                              const BootstrapOptions& options, double confidence) {
  std::vector<double> values = engine.Compute();
  std::vector<std::vector<double>> resampled = Resample(engine, options);
  std::vector<MetricValue> metrics;
  for (size_t i = 0; i < values.size(); ++i) {
    MetricValue metric{std::string(engine.names()[i]), values[i], std::nullopt};
    if (!std::isnan(values[i]) && metric.name != "max_error") {
      metric.interval = PercentileInterval(std::move(resampled[i]), confidence);
    }
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

}  // namespace sluice::evaluate::internal
