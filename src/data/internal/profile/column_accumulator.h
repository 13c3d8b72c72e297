// What is gathered about one column, except for the sums that depend on order (moments.h). Order of
// slices and merges does not matter for the result. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "data/internal/profile/slice.h"
#include "data/profile.h"

namespace arrow {
class Array;
}

namespace sluice::data::internal {

/// Which rows of a block go into the sample.
struct BlockPlace {
  int64_t index = 0;
  int64_t row_count = 0;
  /// As Strata's.
  uint64_t step() const {
    return 1 +
           2 * (static_cast<uint64_t>(index) * static_cast<uint64_t>(row_count) / kSampleFullRows);
  }
};

class ColumnAccumulator {
 public:
  virtual ~ColumnAccumulator() = default;
  /// Comes before the slices of a block, which follow in order. `array` is the block's column,
  /// whole.
  virtual void BeginBlock(const BlockPlace& place, const arrow::Array& array) = 0;
  virtual void AddSlice(const arrow::Array& array, SliceContext& context) = 0;
  /// `other` was made for the same column and is empty afterwards.
  virtual void Merge(ColumnAccumulator& other) = 0;
  /// Fills in all but name, type and row_count. Call once, last.
  virtual void Finish(const Moments& moments, const ProfileOptions& options,
                      ColumnProfile& profile) = 0;
};

std::unique_ptr<ColumnAccumulator> MakeColumnAccumulator(ColumnType type);

// One maker for each file of accumulators.
std::unique_ptr<ColumnAccumulator> MakeBoolAccumulator();
std::unique_ptr<ColumnAccumulator> MakeNumberAccumulator(ColumnType type);
std::unique_ptr<ColumnAccumulator> MakeTextAccumulator();

}  // namespace sluice::data::internal
