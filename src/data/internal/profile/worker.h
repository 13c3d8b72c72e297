// What one thread gathers while blocks of a table go by. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "data/internal/profile/column_accumulator.h"
#include "data/internal/profile/duplicate_rows.h"
#include "data/internal/profile/moments.h"
#include "data/internal/profile/slice.h"
#include "data/profile.h"

namespace sluice::data::internal {

/// The sums of one block that depend on the order in which blocks are added.
struct OrderedSums {
  std::vector<Moments> columns;
  std::vector<PairMoments> pairs;  ///< (0,1), (0,2), ... (1,2), ... of the correlated columns

  void Merge(const OrderedSums& other);
};

/// The columns of a table as profiling sees them.
struct ProfileLayout {
  std::vector<std::string> names;
  std::vector<ColumnType> types;
  std::vector<size_t> correlated;  ///< ascending column indexes
  size_t pair_count() const { return correlated.size() * (correlated.size() - 1) / 2; }
};

class Worker {
 public:
  Worker(const ProfileLayout& layout, const ProfileOptions& options);

  OrderedSums AddBlock(int64_t block_index, const arrow::RecordBatch& batch);
  /// `other` is used up.
  void Merge(Worker& other);

  int64_t row_count() const { return row_count_; }
  int64_t memory_size_bytes() const { return memory_size_bytes_; }
  ColumnAccumulator& column(size_t i) { return *columns_[i]; }
  DuplicateRows& duplicates() { return duplicates_; }

 private:
  struct Correlated {
    std::array<double, kSliceRows> deviations;
    std::array<double, kSliceRows> mask;
  };

  OrderedSums AddSlice(const arrow::RecordBatch& batch, int64_t offset, int64_t row_count);
  void AddPairs(const std::vector<CentredSlice>& slices, int64_t row_count,
                OrderedSums& sums) const;

  const ProfileLayout& layout_;
  std::vector<std::unique_ptr<ColumnAccumulator>> columns_;
  DuplicateRows duplicates_;
  int64_t row_count_ = 0;
  int64_t memory_size_bytes_ = 0;
  std::unique_ptr<SliceScratch> scratch_;
  std::vector<uint64_t> row_hashes_;
  std::vector<std::unique_ptr<Correlated>> correlated_;  ///< as layout.correlated
};

}  // namespace sluice::data::internal
