// The bootstrap: the same metrics on resampled rows.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate/internal/engine.h"
#include "evaluate/report.h"

namespace sluice::evaluate::internal {

struct BootstrapOptions {
  uint64_t seed = 0;
  std::string stream;  ///< what is resampled; gives each table and slice its own numbers
  int64_t resample_count = 0;
  size_t thread_count = 1;
  /// Called after each block of resamples with their number, from any thread.
  std::function<void(int64_t)> on_done;
};

/// Writes how often each row is drawn in resample `index`: multinomial, so that the counts sum to
/// the rows, up to kMultinomialRowLimit rows; above it independent Poisson(1) draws, which come in
/// row order and differ by nothing visible at that size. Depends on seed, stream and index only.
/// Pure.
void DrawCounts(const BootstrapOptions& options, int64_t index, std::span<double> counts);

/// Calls body(index, weights) for every resample; `weights` is the rows' own times the counts.
/// Bodies of one block of resamples run in one thread.
void ForEachResample(const BootstrapOptions& options, std::span<const double> row_weights,
                     const std::function<void(int64_t, std::span<const double>)>& body);

/// By name of the engine: what each resample gave, in order of index.
std::vector<std::vector<double>> Resample(const MetricEngine& engine,
                                          const BootstrapOptions& options);

/// The percentile interval of the defined values; none where under half of them are.
std::optional<Interval> PercentileInterval(std::vector<double> values, double confidence);

/// The engine's metrics with intervals. max_error has none: the bootstrap cannot see beyond the
/// largest error there is.
std::vector<MetricValue> ComputeWithIntervals(const MetricEngine& engine,
                                              const BootstrapOptions& options, double confidence);

}  // namespace sluice::evaluate::internal
