// Values in order with how often each stands: what quantiles, histograms and counts of distinct
// values are read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/profile.h"

namespace sluice::data::internal {

/// A value as an unsigned key of the same order, and how many rows it stands for.
struct RankedKey {
  uint64_t key = 0;
  uint32_t count = 0;
};

/// Sorts by key, stably, in linear time.
void SortByKey(std::vector<RankedKey>& keys);
/// As SortByKey, faster for keys that are evenly spread, as hashes are; not stable.
void SortByHash(std::vector<RankedKey>& keys);

// Order-preserving maps. Doubles: no NaN, no -0.
uint64_t KeyOf(int64_t value);
uint64_t KeyOf(double value);
int64_t IntegerOfKey(uint64_t key);
double DoubleOfKey(uint64_t key);

/// Different values in ascending order, with the number of values up to and including each.
struct RankedValues {
  std::vector<uint64_t> keys;
  std::vector<int64_t> counts_up_to;

  int64_t count() const { return counts_up_to.empty() ? 0 : counts_up_to.back(); }
  int64_t CountAt(size_t i) const { return counts_up_to[i] - (i == 0 ? 0 : counts_up_to[i - 1]); }
  /// The value at this rank, from zero, below count().
  uint64_t KeyAtRank(int64_t rank) const;
  /// How many values are below `key`.
  int64_t CountBelow(uint64_t key) const;
};

/// `sorted` by key; equal keys are put together.
RankedValues RankValues(std::span<const RankedKey> sorted);

/// kQuantileShares of the values, interpolated for numbers. Empty if there are none.
std::vector<Cell> ComputeQuantiles(const RankedValues& values, ColumnType type, const Cell& min,
                                   const Cell& max);

/// Over at most `max_bin_count` bins with round edges. `total` is what the counts must sum to (the
/// sample's weights may differ by the values that are not finite). Nothing for no values.
std::optional<Histogram> ComputeHistogram(const RankedValues& values, ColumnType type,
                                          const Cell& min, const Cell& max, size_t max_bin_count);

}  // namespace sluice::data::internal
