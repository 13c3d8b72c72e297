#include <arrow/array.h>

#include "data/internal/profile/column_accumulator.h"
#include "data/internal/profile/validity.h"
#include "data/internal/sketch/hash.h"

namespace sluice::data::internal {

namespace {

class BoolAccumulator final : public ColumnAccumulator {
 public:
  void BeginBlock(const BlockPlace&, const arrow::Array&) override {}

  void AddSlice(const arrow::Array& array, SliceContext& context) override {
    SliceScratch& scratch = *context.scratch;
    const auto& bools = static_cast<const arrow::BooleanArray&>(array);
    int64_t rows = context.row_count;
    uint8_t* is_true = scratch.is_finite.data();
    ExpandBits(bools.values()->data(), bools.offset() + context.offset, rows, is_true);
    int64_t valid = ExpandValidity(array, context.offset, rows, scratch.is_valid.data());
    bool has_nulls = valid < rows;
    static const uint64_t kHashes[3] = {HashInteger(0), HashInteger(1), kNullHash};
    int64_t true_count = 0;
    for (int64_t i = 0; i < rows; ++i) {
      size_t kind = has_nulls && scratch.is_valid[static_cast<size_t>(i)] == 0 ? 2 : is_true[i];
      context.row_hashes[i] = CombineHash(context.row_hashes[i], kHashes[kind]);
      true_count += kind == 1 ? 1 : 0;
    }
    valid_count_ += valid;
    true_count_ += true_count;
    null_count_ += rows - valid;
    AddMoments(context, valid, true_count, has_nulls);
  }

  void Merge(ColumnAccumulator& other) override {
    auto& from = static_cast<BoolAccumulator&>(other);
    valid_count_ += from.valid_count_;
    true_count_ += from.true_count_;
    null_count_ += from.null_count_;
  }

  void Finish(const Moments&, const ProfileOptions& options, ColumnProfile& profile) override {
    profile.null_count = null_count_;
    profile.true_count = true_count_;
    int64_t false_count = valid_count_ - true_count_;
    TopValue yes{.value = true, .count = true_count_};
    TopValue no{.value = false, .count = false_count};
    for (const TopValue& top :
         true_count_ > false_count ? std::array{yes, no} : std::array{no, yes}) {
      if (top.count == 0) continue;
      profile.distinct_count += 1;
      if (profile.top_values.size() < options.top_value_count) profile.top_values.push_back(top);
    }
    if (valid_count_ == 0) return;
    profile.min = Cell(false_count == 0);
    profile.max = Cell(true_count_ > 0);
  }

 private:
  /// As numbers 0 and 1, for correlations.
  static void AddMoments(SliceContext& context, int64_t valid, int64_t true_count, bool has_nulls) {
    if (context.deviations == nullptr) return;
    const SliceScratch& scratch = *context.scratch;
    Moments& moments = context.moments;
    moments.count = valid;
    moments.sum = static_cast<double>(true_count);
    moments.mean = valid == 0 ? 0 : moments.sum / static_cast<double>(valid);
    moments.m2 = moments.sum * (1 - moments.mean);
    context.is_mask_needed = has_nulls;
    for (size_t i = 0; i < static_cast<size_t>(context.row_count); ++i) {
      double mask = has_nulls ? scratch.is_valid[i] : 1;
      context.deviations[i] = (scratch.is_finite[i] - moments.mean) * mask;
      if (has_nulls) context.mask[i] = mask;
    }
  }

  int64_t valid_count_ = 0;
  int64_t true_count_ = 0;
  int64_t null_count_ = 0;
};

}  // namespace

std::unique_ptr<ColumnAccumulator> MakeBoolAccumulator() {
  return std::make_unique<BoolAccumulator>();
}

std::unique_ptr<ColumnAccumulator> MakeColumnAccumulator(ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return MakeBoolAccumulator();
    case ColumnType::kString: return MakeTextAccumulator();
    default: return MakeNumberAccumulator(type);
  }
}

}  // namespace sluice::data::internal
