#include "data/internal/profile/worker.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>

#include "base/check.h"
#include "data/internal/sketch/hash.h"

namespace sluice::data::internal {

namespace {

int64_t ColumnSizeBytes(const arrow::Array& array, ColumnType type) {
  int64_t rows = array.length();
  int64_t validity = array.null_count() > 0 ? (rows + 7) / 8 : 0;
  switch (type) {
    case ColumnType::kBool: return validity + (rows + 7) / 8;
    case ColumnType::kDate: return validity + rows * 4;
    case ColumnType::kString: {
      const auto& texts = static_cast<const arrow::StringArray&>(array);
      return validity + rows * 4 + texts.total_values_length();
    }
    default: return validity + rows * 8;
  }
}

}  // namespace

void OrderedSums::Merge(const OrderedSums& other) {
  for (size_t i = 0; i < columns.size(); ++i) columns[i].Merge(other.columns[i]);
  for (size_t i = 0; i < pairs.size(); ++i) pairs[i].Merge(other.pairs[i]);
}

Worker::Worker(const ProfileLayout& layout, const ProfileOptions& options)
    : layout_(layout),
      duplicates_(options.exact_duplicate_row_limit),
      scratch_(std::make_unique<SliceScratch>()),
      row_hashes_(kSliceRows) {
  for (ColumnType type : layout.types) columns_.push_back(MakeColumnAccumulator(type));
  for (size_t i = 0; i < layout.correlated.size(); ++i)
    correlated_.push_back(std::make_unique<Correlated>());
}

OrderedSums Worker::AddBlock(int64_t block_index, const arrow::RecordBatch& batch) {
  CHECK(batch.num_columns() == static_cast<int>(columns_.size()));
  for (size_t i = 0; i < columns_.size(); ++i) {
    const arrow::Array& array = *batch.column(static_cast<int>(i));
    columns_[i]->BeginBlock({.index = block_index, .row_count = batch.num_rows()}, array);
    memory_size_bytes_ += ColumnSizeBytes(array, layout_.types[i]);
  }
  row_count_ += batch.num_rows();
  OrderedSums sums{.columns = std::vector<Moments>(columns_.size()),
                   .pairs = std::vector<PairMoments>(layout_.pair_count())};
  for (int64_t offset = 0; offset < batch.num_rows(); offset += kSliceRows) {
    sums.Merge(AddSlice(batch, offset, std::min(kSliceRows, batch.num_rows() - offset)));
  }
  return sums;
}

OrderedSums Worker::AddSlice(const arrow::RecordBatch& batch, int64_t offset, int64_t row_count) {
  OrderedSums sums{.columns = std::vector<Moments>(columns_.size()),
                   .pairs = std::vector<PairMoments>(layout_.pair_count())};
  std::fill_n(row_hashes_.begin(), row_count, 0);
  std::vector<CentredSlice> centred(correlated_.size());
  size_t next_correlated = 0;
  for (size_t i = 0; i < columns_.size(); ++i) {
    bool is_correlated =
        next_correlated < correlated_.size() && layout_.correlated[next_correlated] == i;
    Correlated* correlated = is_correlated ? correlated_[next_correlated].get() : nullptr;
    SliceContext context{.offset = offset,
                         .row_count = row_count,
                         .scratch = scratch_.get(),
                         .row_hashes = row_hashes_.data(),
                         .deviations = is_correlated ? correlated->deviations.data() : nullptr,
                         .mask = is_correlated ? correlated->mask.data() : nullptr};
    columns_[i]->AddSlice(*batch.column(static_cast<int>(i)), context);
    sums.columns[i] = context.moments;
    if (!is_correlated) continue;
    centred[next_correlated++] = {
        .moments = context.moments,
        .deviations = correlated->deviations.data(),
        .mask = context.is_mask_needed ? correlated->mask.data() : nullptr};
  }
  AddPairs(centred, row_count, sums);
  for (int64_t i = 0; i < row_count; ++i) {
    uint64_t& hash = row_hashes_[static_cast<size_t>(i)];
    hash = HashInteger(hash);
  }
  duplicates_.Add(row_hashes_.data(), row_count);
  return sums;
}

void Worker::AddPairs(const std::vector<CentredSlice>& slices, int64_t row_count,
                      OrderedSums& sums) const {
  size_t pair = 0;
  for (size_t i = 0; i < slices.size(); ++i) {
    for (size_t j = i + 1; j < slices.size(); ++j) {
      sums.pairs[pair++] = ComputePairMoments(slices[i], slices[j], row_count);
    }
  }
}

void Worker::Merge(Worker& other) {
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i]->Merge(*other.columns_[i]);
  duplicates_.Merge(other.duplicates_);
  row_count_ += other.row_count_;
  memory_size_bytes_ += other.memory_size_bytes_;
}

}  // namespace sluice::data::internal
