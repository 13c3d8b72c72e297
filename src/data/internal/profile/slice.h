// The unit of profiling: some thousand rows of a batch, small enough that a column's temporaries
// stay in the first levels of cache.
#pragma once

#include <array>
#include <cstdint>

#include "data/internal/profile/moments.h"

namespace sluice::data::internal {

inline constexpr int64_t kSliceRows = 4'096;

/// Temporaries of one thread, reused from column to column.
struct SliceScratch {
  std::array<int64_t, kSliceRows> integers;
  std::array<double, kSliceRows> doubles;
  std::array<double, kSliceRows> finite;
  std::array<uint64_t, kSliceRows> hashes;
  std::array<uint8_t, kSliceRows> is_valid;
  std::array<uint8_t, kSliceRows> is_finite;
};

/// Where a slice lies and what it leaves behind for work across columns.
struct SliceContext {
  int64_t offset = 0;  ///< of its first row in the batch
  int64_t row_count = 0;
  SliceScratch* scratch = nullptr;
  uint64_t* row_hashes = nullptr;  ///< one a row; each column mixes in its cells
  Moments moments{};               ///< out: of this column's finite values
  double* deviations = nullptr;    ///< out, if not null: as CentredSlice
  double* mask = nullptr;          ///< out, with deviations
  bool is_mask_needed = false;     ///< out: some row has no value
};

}  // namespace sluice::data::internal
