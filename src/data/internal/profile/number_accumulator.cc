// int64, double, date and timestamp columns.
#include <arrow/array.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "base/check.h"
#include "data/internal/profile/column_accumulator.h"
#include "data/internal/profile/ranked_values.h"
#include "data/internal/profile/validity.h"
#include "data/internal/sketch/hash.h"
#include "data/internal/sketch/hyper_log_log.h"
#include "data/internal/sketch/strata.h"
#include "data/internal/sketch/value_counts.h"

namespace sluice::data::internal {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

uint64_t HashNumber(int64_t value) { return HashInteger(static_cast<uint64_t>(value)); }
/// 0 and -0 are one value; callers see to it that NaN is always kNan.
uint64_t HashNumber(double value) { return HashInteger(std::bit_cast<uint64_t>(value + 0.0)); }

template <typename T>
class NumberAccumulator final : public ColumnAccumulator {
 public:
  explicit NumberAccumulator(ColumnType type) : type_(type), counts_(kExactDistinctCount) {}

  void BeginBlock(const BlockPlace& place, const arrow::Array& array) override {
    auto value_count = static_cast<uint64_t>(array.length() - array.null_count());
    null_count_ += array.null_count();
    strata_.emplace(static_cast<uint64_t>(place.index), value_count, place.step());
    max_step_ = std::max(max_step_, static_cast<int64_t>(place.step()));
  }

  void AddSlice(const arrow::Array& array, SliceContext& context) override {
    SliceScratch& scratch = *context.scratch;
    int64_t valid =
        ExpandValidity(array, context.offset, context.row_count, scratch.is_valid.data());
    const T* values = LoadValues(array, context, valid);
    auto count = static_cast<size_t>(valid);
    std::span<const double> finite = AddValues(values, count, scratch);
    HashValues(values, count, scratch);
    MixRowHashes(context, valid);
    CountDistinct(values, count, scratch);
    strata_->Advance(count, [&](uint64_t index, uint32_t weight) {
      if constexpr (std::is_same_v<T, double>) {
        if (!std::isfinite(values[index])) return;
      }
      sample_.push_back({KeyOf(static_cast<T>(values[index] + T{})), weight});
    });
    context.moments = ComputeMoments(finite);
    if (context.deviations != nullptr) Centre(context, valid, finite);
  }

  void Merge(ColumnAccumulator& other) override {
    auto& from = static_cast<NumberAccumulator&>(other);
    min_ = std::min(min_, from.min_);
    max_ = std::max(max_, from.max_);
    null_count_ += from.null_count_;
    integer_sum_ += from.integer_sum_;
    max_step_ = std::max(max_step_, from.max_step_);
    statistics_.finite_count += from.statistics_.finite_count;
    statistics_.nan_count += from.statistics_.nan_count;
    statistics_.positive_infinity_count += from.statistics_.positive_infinity_count;
    statistics_.negative_infinity_count += from.statistics_.negative_infinity_count;
    statistics_.zero_count += from.statistics_.zero_count;
    statistics_.negative_count += from.statistics_.negative_count;
    sample_.insert(sample_.end(), from.sample_.begin(), from.sample_.end());
    from.sample_ = {};
    if (from.distinct_) {
      GiveUpCounting();
      distinct_->Merge(*from.distinct_);
    } else {
      from.counts_.ForEach([&](const auto& slot) { Count(slot.value, slot.hash, slot.count); });
    }
  }

  void Finish(const Moments& moments, const ProfileOptions& options,
              ColumnProfile& profile) override {
    profile.null_count = null_count_;
    FinishNumeric(moments, profile);
    RankedValues ranked = Rank();
    profile.are_quantiles_exact = IsExact();
    FinishTop(ranked, options, profile);
    FinishDistinct(ranked, profile);
    if (statistics_.finite_count == 0) return;
    profile.quantiles = ComputeQuantiles(ranked, type_, Cell(min_), Cell(max_));
    profile.histogram =
        ComputeHistogram(ranked, type_, Cell(min_), Cell(max_), options.histogram_bin_count);
  }

 private:
  /// The slice's values without nulls, side by side.
  const T* LoadValues(const arrow::Array& array, const SliceContext& context, int64_t valid) {
    if (type_ == ColumnType::kDate) {
      return Compact(array.data()->GetValues<int32_t>(1) + context.offset, context, valid);
    }
    // Timestamps have the layout of int64.
    const T* values = array.data()->GetValues<T>(1) + context.offset;
    return valid == context.row_count ? values : Compact(values, context, valid);
  }

  template <typename From>
  const T* Compact(const From* from, const SliceContext& context, int64_t valid) {
    SliceScratch& scratch = *context.scratch;
    T* to = nullptr;
    if constexpr (std::is_same_v<T, double>) {
      to = scratch.doubles.data();
    } else {
      to = scratch.integers.data();
    }
    auto rows = static_cast<size_t>(context.row_count);
    if (valid == context.row_count) {
      for (size_t i = 0; i < rows; ++i) to[i] = static_cast<T>(from[i]);
      return to;
    }
    size_t filled = 0;
    for (size_t i = 0; i < rows; ++i) {
      // With a null somewhere, the slot after the last value is still within the slice.
      to[filled] = static_cast<T>(from[i]);
      filled += scratch.is_valid[i];
    }
    return to;
  }

  /// Counts, extremes and sums. Returns the finite values as doubles.
  std::span<const double> AddValues(const T* values, size_t count, SliceScratch& scratch) {
    if constexpr (std::is_same_v<T, double>) {
      return AddDoubles(values, count, scratch);
    } else {
      double* doubles = scratch.doubles.data();
      int64_t low = min_;
      int64_t high = max_;
      int64_t zeros = 0;
      int64_t negatives = 0;
      for (size_t i = 0; i < count; ++i) {
        int64_t value = values[i];
        doubles[i] = static_cast<double>(value);
        low = std::min(low, value);
        high = std::max(high, value);
        zeros += value == 0 ? 1 : 0;
        negatives += value < 0 ? 1 : 0;
      }
      Wide sum = 0;
      for (size_t i = 0; i < count; ++i) sum += values[i];
      integer_sum_ += sum;
      min_ = low;
      max_ = high;
      statistics_.zero_count += zeros;
      statistics_.negative_count += negatives;
      statistics_.finite_count += static_cast<int64_t>(count);
      return {doubles, count};
    }
  }

  std::span<const double> AddDoubles(const double* values, size_t count, SliceScratch& scratch) {
    constexpr uint64_t kExponent = uint64_t{0x7ff} << 52;
    int64_t odd_count = 0;
    for (size_t i = 0; i < count; ++i) {
      odd_count += (std::bit_cast<uint64_t>(values[i]) & kExponent) == kExponent ? 1 : 0;
    }
    if (odd_count != 0) {
      size_t filled = 0;
      for (size_t i = 0; i < count; ++i) {
        double value = values[i];
        scratch.is_finite[i] = std::isfinite(value) ? 1 : 0;
        if (std::isfinite(value)) {
          scratch.finite[filled++] = value;
        } else {
          statistics_.nan_count += std::isnan(value) ? 1 : 0;
          statistics_.positive_infinity_count += value > 0 ? 1 : 0;
          statistics_.negative_infinity_count += value < 0 ? 1 : 0;
        }
      }
      values = scratch.finite.data();
      count = filled;
    }
    has_odd_values_ = odd_count != 0;
    // Four of each, so that comparisons need not wait for one another.
    double low[4] = {min_, min_, min_, min_};
    double high[4] = {max_, max_, max_, max_};
    int64_t zeros = 0;
    int64_t negatives = 0;
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
      for (size_t lane = 0; lane < 4; ++lane) {
        double value = values[i + lane];
        low[lane] = value < low[lane] ? value : low[lane];
        high[lane] = value > high[lane] ? value : high[lane];
        zeros += value == 0 ? 1 : 0;
        negatives += value < 0 ? 1 : 0;
      }
    }
    for (; i < count; ++i) {
      low[0] = std::min(low[0], values[i]);
      high[0] = std::max(high[0], values[i]);
      zeros += values[i] == 0 ? 1 : 0;
      negatives += values[i] < 0 ? 1 : 0;
    }
    // Adding zero makes -0, which compares equal to 0, always 0.
    min_ = std::min(std::min(low[0], low[1]), std::min(low[2], low[3])) + 0.0;
    max_ = std::max(std::max(high[0], high[1]), std::max(high[2], high[3])) + 0.0;
    statistics_.zero_count += zeros;
    statistics_.negative_count += negatives;
    statistics_.finite_count += static_cast<int64_t>(count);
    return {values, count};
  }

  void HashValues(const T* values, size_t count, SliceScratch& scratch) {
    uint64_t* hashes = scratch.hashes.data();
    for (size_t i = 0; i < count; ++i) hashes[i] = HashNumber(values[i]);
    if constexpr (std::is_same_v<T, double>) {
      if (!has_odd_values_) return;
      for (size_t i = 0; i < count; ++i) {
        if (std::isnan(values[i])) hashes[i] = HashNumber(kNan);
      }
    }
  }

  static void MixRowHashes(const SliceContext& context, int64_t valid) {
    const SliceScratch& scratch = *context.scratch;
    auto rows = static_cast<size_t>(context.row_count);
    if (valid == context.row_count) {
      for (size_t i = 0; i < rows; ++i) {
        context.row_hashes[i] = CombineHash(context.row_hashes[i], scratch.hashes[i]);
      }
      return;
    }
    size_t next = 0;
    for (size_t i = 0; i < rows; ++i) {
      size_t is_valid = scratch.is_valid[i];
      uint64_t cell = is_valid != 0 ? scratch.hashes[next] : kNullHash;
      context.row_hashes[i] = CombineHash(context.row_hashes[i], cell);
      next += is_valid;
    }
  }

  void CountDistinct(const T* values, size_t count, const SliceScratch& scratch) {
    const uint64_t* hashes = scratch.hashes.data();
    size_t i = 0;
    for (; i < count && !distinct_; ++i) Count(values[i], hashes[i], 1);
    if (!distinct_) return;
    HyperLogLog& distinct = *distinct_;
    for (; i < count; ++i) distinct.Add(hashes[i]);
  }

  void Count(T value, uint64_t hash, int64_t count) {
    if (distinct_) {
      distinct_->Add(hash);
    } else if (counts_.Add(hash, count, [&] { return value; }) == nullptr) {
      GiveUpCounting();
      distinct_->Add(hash);
    }
  }

  void GiveUpCounting() {
    if (distinct_) return;
    distinct_ = std::make_unique<HyperLogLog>();
    counts_.ForEach([&](const auto& slot) { distinct_->Add(slot.hash); });
    counts_.Drop();
  }

  static void Centre(SliceContext& context, int64_t valid, std::span<const double> finite) {
    const SliceScratch& scratch = *context.scratch;
    auto rows = static_cast<size_t>(context.row_count);
    double mean = context.moments.mean;
    context.is_mask_needed = finite.size() < rows;
    if (!context.is_mask_needed) {
      for (size_t i = 0; i < rows; ++i) context.deviations[i] = finite[i] - mean;
      return;
    }
    bool has_nulls = valid < context.row_count;
    bool has_odd = finite.size() < static_cast<size_t>(valid);
    size_t next_valid = 0;
    size_t next_finite = 0;
    for (size_t i = 0; i < rows; ++i) {
      bool is_there = !has_nulls || scratch.is_valid[i] != 0;
      if (is_there && has_odd) is_there = scratch.is_finite[next_valid++] != 0;
      context.mask[i] = is_there ? 1 : 0;
      context.deviations[i] = is_there ? finite[next_finite++] - mean : 0;
    }
  }

  /// All finite values in order: exact from the counts, else the sample.
  RankedValues Rank() {
    if (!distinct_) {
      std::vector<std::pair<uint64_t, int64_t>> entries;
      counts_.ForEach([&](const auto& slot) {
        if constexpr (std::is_same_v<T, double>) {
          if (!std::isfinite(slot.value)) return;
        }
        entries.emplace_back(KeyOf(static_cast<T>(slot.value + T{})), slot.count);
      });
      std::sort(entries.begin(), entries.end());
      RankedValues ranked;
      int64_t total = 0;
      for (const auto& [key, count] : entries) {
        ranked.keys.push_back(key);
        ranked.counts_up_to.push_back(total += count);
      }
      return ranked;
    }
    SortByKey(sample_);
    RankedValues ranked = RankValues(sample_);
    sample_ = {};
    return ranked;
  }

  void FinishNumeric(const Moments& moments, ColumnProfile& profile) {
    NumericStatistics& numeric = profile.numeric.emplace(statistics_);
    constexpr bool kIsDouble = std::is_same_v<T, double>;
    numeric.sum = kIsDouble ? moments.sum : static_cast<double>(integer_sum_);
    numeric.mean = moments.count == 0 ? kNan : moments.mean;
    numeric.variance = moments.Variance();
    numeric.standard_deviation = std::sqrt(numeric.variance);
    numeric.skewness = moments.Skewness();
    numeric.kurtosis = moments.Kurtosis();
    if (statistics_.finite_count > 0) {
      profile.min = Cell(min_);
      profile.max = Cell(max_);
    }
    if constexpr (kIsDouble) {
      constexpr double kInfinity = std::numeric_limits<double>::infinity();
      bool has_high = numeric.positive_infinity_count > 0;
      bool has_low = numeric.negative_infinity_count > 0;
      if (has_low || (statistics_.finite_count == 0 && has_high)) {
        profile.min = Cell(has_low ? -kInfinity : kInfinity);
      }
      if (has_high || (statistics_.finite_count == 0 && has_low)) {
        profile.max = Cell(has_high ? kInfinity : -kInfinity);
      }
    }
  }

  void FinishDistinct(const RankedValues& ranked, ColumnProfile& profile) const {
    int64_t odd_count = (statistics_.nan_count > 0 ? 1 : 0) +
                        (statistics_.positive_infinity_count > 0 ? 1 : 0) +
                        (statistics_.negative_infinity_count > 0 ? 1 : 0);
    profile.is_distinct_exact = IsExact();
    if (profile.is_distinct_exact) {
      profile.distinct_count =
          static_cast<double>(static_cast<int64_t>(ranked.keys.size()) + odd_count);
    } else {
      auto value_count = static_cast<double>(statistics_.finite_count + statistics_.nan_count +
                                             statistics_.positive_infinity_count +
                                             statistics_.negative_infinity_count);
      profile.distinct_count = std::min(value_count, std::round(distinct_->Estimate()));
    }
  }

  void FinishTop(const RankedValues& ranked, const ProfileOptions& options,
                 ColumnProfile& profile) const {
    profile.are_top_values_exact = IsExact();
    std::vector<TopValue> tops;
    if constexpr (std::is_same_v<T, double>) {
      AddOddTops(tops);
    }
    // A value counts as frequent in a sample once it was met three times.
    int64_t least = profile.are_top_values_exact ? 1 : 3 * max_step_;
    std::vector<std::pair<int64_t, size_t>> by_count;
    bool has_many = ranked.keys.size() > static_cast<size_t>(kExactDistinctCount);
    for (size_t i = 0; i < ranked.keys.size(); ++i) {
      int64_t count = ranked.CountAt(i);
      if (count >= least && !(has_many && count == 1)) by_count.emplace_back(-count, i);
    }
    size_t wanted = std::min(options.top_value_count, by_count.size());
    std::partial_sort(by_count.begin(), by_count.begin() + static_cast<std::ptrdiff_t>(wanted),
                      by_count.end());
    for (size_t i = 0; i < wanted; ++i) {
      uint64_t key = ranked.keys[by_count[i].second];
      TopValue top{.count = -by_count[i].first};
      if constexpr (std::is_same_v<T, double>) {
        top.value = DoubleOfKey(key);
      } else {
        top.value = IntegerOfKey(key);
      }
      tops.push_back(std::move(top));
    }
    std::stable_sort(tops.begin(), tops.end(),
                     [](const TopValue& a, const TopValue& b) { return a.count > b.count; });
    if (tops.size() > options.top_value_count) tops.resize(options.top_value_count);
    profile.top_values = std::move(tops);
  }

  /// The sample holds all values as long as its strata have one row.
  bool IsExact() const { return !distinct_ || max_step_ == 1; }

  void AddOddTops(std::vector<TopValue>& tops) const {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (statistics_.negative_infinity_count > 0)
      tops.push_back({-kInfinity, statistics_.negative_infinity_count});
    if (statistics_.positive_infinity_count > 0)
      tops.push_back({kInfinity, statistics_.positive_infinity_count});
    if (statistics_.nan_count > 0) tops.push_back({kNan, statistics_.nan_count});
  }

  __extension__ using Wide = __int128;

  ColumnType type_;
  T min_ = std::numeric_limits<T>::max();
  T max_ = std::numeric_limits<T>::lowest();
  int64_t null_count_ = 0;
  Wide integer_sum_ = 0;
  NumericStatistics statistics_;  ///< the counts only
  bool has_odd_values_ = false;   ///< in the current slice: NaN or infinities
  int64_t max_step_ = 1;
  std::optional<Strata> strata_;
  std::vector<RankedKey> sample_;
  ValueCounts<T> counts_;
  std::unique_ptr<HyperLogLog> distinct_;  ///< from the moment `counts_` has overflowed
};

}  // namespace

std::unique_ptr<ColumnAccumulator> MakeNumberAccumulator(ColumnType type) {
  if (type == ColumnType::kDouble) return std::make_unique<NumberAccumulator<double>>(type);
  return std::make_unique<NumberAccumulator<int64_t>>(type);
}

}  // namespace sluice::data::internal
