// String columns. While a column has few different values, a row costs a hash and a probe: lengths
// and the like are taken from the values and their counts.
#include <arrow/array.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "data/internal/profile/column_accumulator.h"
#include "data/internal/profile/ranked_values.h"
#include "data/internal/profile/validity.h"
#include "data/internal/sketch/hash.h"
#include "data/internal/sketch/hyper_log_log.h"
#include "data/internal/sketch/strata.h"
#include "data/internal/sketch/value_counts.h"

namespace sluice::data::internal {

namespace {

/// How much of a value is kept for a person to read.
constexpr size_t kKeptBytes = 128;

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

int64_t CountCharacters(std::string_view text) {
  int64_t continuation_count = 0;
  for (char c : text) continuation_count += (static_cast<uint8_t>(c) & 0xc0) == 0x80 ? 1 : 0;
  return static_cast<int64_t>(text.size()) - continuation_count;
}

bool IsAscii(std::string_view text) {
  uint64_t bits = 0;
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) bits |= LoadWord(text.data() + i);
  for (; i < text.size(); ++i) bits |= static_cast<uint8_t>(text[i]) & 0x80U;
  return (bits & 0x8080808080808080U) == 0;
}

/// Cuts a kept prefix so that no character is halved.
std::string WholeCharacters(std::string_view text, bool was_cut) {
  if (was_cut) {
    size_t end = text.size();
    while (end > 0 && (static_cast<uint8_t>(text[end - 1]) & 0xc0) == 0x80) --end;
    if (end > 0 && static_cast<uint8_t>(text[end - 1]) >= 0xc0) --end;
    text = text.substr(0, end);
  }
  return std::string(text);
}

/// Owns the bytes of kept values; views stay valid.
class Arena {
 public:
  std::string_view Keep(std::string_view text) {
    text = text.substr(0, kKeptBytes);
    if (text.size() > left_) {
      chunks_.push_back(std::make_unique<char[]>(kChunkBytes));
      next_ = chunks_.back().get();
      left_ = kChunkBytes;
    }
    std::copy(text.begin(), text.end(), next_);
    std::string_view kept(next_, text.size());
    next_ += text.size();
    left_ -= text.size();
    return kept;
  }
  void Take(Arena& other) {
    std::move(other.chunks_.begin(), other.chunks_.end(), std::back_inserter(chunks_));
    // Our own last chunk is no longer the last, but next_ still points into it.
    other = Arena();
  }

 private:
  static constexpr size_t kChunkBytes = 1 << 14;
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;
  size_t left_ = 0;
};

struct KeptText {
  std::string_view text;  ///< the first kKeptBytes bytes
  int64_t size_bytes = 0;
  int64_t length = 0;  ///< characters
  bool is_blank = false;
  bool is_padded = false;
};

struct SampledText {
  uint64_t hash = 0;
  uint32_t weight = 0;
  bool was_cut = false;
  std::string_view text;
};

/// The least or greatest text so far, as its first kKeptBytes bytes (prefixes keep the order).
class Extreme {
 public:
  explicit Extreme(int sign) : sign_(sign) {}
  void Add(std::string_view text) {
    // Nearly all texts differ from an extreme in their first eight bytes.
    if (has_prefix_ && text.size() >= sizeof(uint64_t)) {
      uint64_t prefix = PrefixOf(text);
      if (sign_ > 0 ? prefix > prefix_ : prefix < prefix_) return;
    }
    if (has_value_ && sign_ * text.compare(kept_) >= 0) return;
    has_value_ = true;
    was_cut_ = text.size() > kKeptBytes;
    kept_.assign(text.substr(0, kKeptBytes));
    SetPrefix();
  }
  void Merge(const Extreme& other) {
    if (!other.has_value_ || (has_value_ && sign_ * other.kept_.compare(kept_) > 0)) return;
    bool is_same = has_value_ && kept_ == other.kept_;
    was_cut_ = is_same ? was_cut_ || other.was_cut_ : other.was_cut_;
    kept_ = other.kept_;
    has_value_ = true;
    SetPrefix();
  }
  Cell value() const { return has_value_ ? Cell(WholeCharacters(kept_, was_cut_)) : Cell(); }

 private:
  static uint64_t PrefixOf(std::string_view text) {
    return __builtin_bswap64(LoadWord(text.data()));
  }
  void SetPrefix() {
    has_prefix_ = kept_.size() >= sizeof(uint64_t);
    if (has_prefix_) prefix_ = PrefixOf(kept_);
  }

  int sign_;
  bool has_prefix_ = false;
  uint64_t prefix_ = 0;
  bool has_value_ = false;
  bool was_cut_ = false;
  std::string kept_;
};

class TextAccumulator final : public ColumnAccumulator {
 public:
  TextAccumulator() : counts_(kExactDistinctCount) {}

  void BeginBlock(const BlockPlace& place, const arrow::Array& array) override {
    auto value_count = static_cast<uint64_t>(array.length() - array.null_count());
    null_count_ += array.null_count();
    valid_count_ += array.length() - array.null_count();
    strata_.emplace(static_cast<uint64_t>(place.index), value_count, place.step());
    is_sampled_ = is_sampled_ || place.step() > 1;
  }

  void AddSlice(const arrow::Array& array, SliceContext& context) override {
    SliceScratch& scratch = *context.scratch;
    const auto& texts = static_cast<const arrow::StringArray&>(array);
    int64_t rows = context.row_count;
    int64_t valid = ExpandValidity(array, context.offset, rows, scratch.is_valid.data());
    const int32_t* offsets = texts.raw_value_offsets() + context.offset;
    const char* bytes = reinterpret_cast<const char*>(texts.raw_data());
    bool has_nulls = valid < rows;
    // Row numbers of the values, for the sample; hashes side by side, as for numbers.
    int64_t* row_of = scratch.integers.data();
    size_t filled = 0;
    for (int64_t i = 0; i < rows; ++i) {
      if (has_nulls && scratch.is_valid[static_cast<size_t>(i)] == 0) {
        context.row_hashes[i] = CombineHash(context.row_hashes[i], kNullHash);
        continue;
      }
      uint64_t hash =
          HashBytes(bytes + offsets[i], static_cast<uint64_t>(offsets[i + 1] - offsets[i]));
      context.row_hashes[i] = CombineHash(context.row_hashes[i], hash);
      row_of[filled] = i;
      scratch.hashes[filled++] = hash;
    }
    auto text_at = [&](size_t index) {
      int64_t row = row_of[index];
      return std::string_view(bytes + offsets[row],
                              static_cast<size_t>(offsets[row + 1] - offsets[row]));
    };
    size_t done = 0;
    for (; done < filled && !distinct_; ++done) Count(text_at(done), scratch.hashes[done]);
    if (done < filled) {
      HyperLogLog& distinct = *distinct_;
      for (size_t i = done; i < filled; ++i) distinct.Add(scratch.hashes[i]);
      AddLengths(done, filled, text_at,
                 IsAscii({bytes + offsets[0], static_cast<size_t>(offsets[rows] - offsets[0])}));
    }
    strata_->Advance(filled, [&](uint64_t index, uint32_t weight) {
      std::string_view text = text_at(index);
      sample_.push_back({scratch.hashes[index], weight, text.size() > kKeptBytes,
                         KeepForSample(text, scratch.hashes[index])});
    });
  }

  void Merge(ColumnAccumulator& other) override {
    auto& from = static_cast<TextAccumulator&>(other);
    null_count_ += from.null_count_;
    valid_count_ += from.valid_count_;
    is_sampled_ = is_sampled_ || from.is_sampled_;
    min_.Merge(from.min_);
    max_.Merge(from.max_);
    MergeStatistics(from);
    arena_.Take(from.arena_);
    sample_.insert(sample_.end(), from.sample_.begin(), from.sample_.end());
    from.sample_ = {};
    if (from.distinct_) {
      GiveUpCounting();
      distinct_->Merge(*from.distinct_);
      return;
    }
    from.counts_.ForEach([&](const auto& slot) {
      if (distinct_ || counts_.Add(slot.hash, slot.count, [&] { return slot.value; }) == nullptr) {
        GiveUpCounting();
        distinct_->Add(slot.hash);
        Fold(slot.value, slot.count);
      }
    });
  }

  void Finish(const Moments&, const ProfileOptions& options, ColumnProfile& profile) override {
    profile.null_count = null_count_;
    bool is_counted = !distinct_;
    counts_.ForEach([&](const auto& slot) { Fold(slot.value, slot.count); });
    TextStatistics& text = profile.text.emplace(statistics_);
    if (valid_count_ == 0) {
      text.min_length = 0;
    } else {
      text.mean_length = static_cast<double>(length_sum_) / static_cast<double>(valid_count_);
    }
    profile.min = min_.value();
    profile.max = max_.value();
    profile.are_top_values_exact = is_counted || !is_sampled_;
    profile.is_distinct_exact = profile.are_top_values_exact;
    std::vector<Frequency> frequencies = is_counted ? CountedFrequencies() : SampledFrequencies();
    if (profile.is_distinct_exact) {
      profile.distinct_count =
          static_cast<double>(is_counted ? frequencies.size() : sampled_distinct_count_);
    } else {
      profile.distinct_count =
          std::min(static_cast<double>(valid_count_), std::round(distinct_->Estimate()));
    }
    FinishTop(std::move(frequencies), options, profile);
  }

 private:
  struct Frequency {
    std::string_view text;
    uint64_t hash = 0;
    int64_t count = 0;
    int64_t met_count = 0;  ///< in the sample
    bool was_cut = false;
  };

  static KeptText Describe(std::string_view text) {
    KeptText kept{.text = text,
                  .size_bytes = static_cast<int64_t>(text.size()),
                  .length = CountCharacters(text)};
    if (!text.empty() && (IsBlank(text.front()) || IsBlank(text.back()))) {
      kept.is_padded = true;
      kept.is_blank = std::all_of(text.begin(), text.end(), IsBlank);
    }
    return kept;
  }

  void Count(std::string_view text, uint64_t hash) {
    auto* slot = counts_.Add(hash, 1, [&] {
      min_.Add(text);
      max_.Add(text);
      KeptText kept = Describe(text);
      kept.text = arena_.Keep(text);
      return kept;
    });
    if (slot != nullptr) return;
    GiveUpCounting();
    distinct_->Add(hash);
    min_.Add(text);
    max_.Add(text);
    Fold(Describe(text), 1);
  }

  void GiveUpCounting() {
    if (distinct_) return;
    distinct_ = std::make_unique<HyperLogLog>();
    counts_.ForEach([&](const auto& slot) {
      distinct_->Add(slot.hash);
      Fold(slot.value, slot.count);
    });
    counts_.Drop();
  }

  void Fold(const KeptText& kept, int64_t count) {
    statistics_.min_length = std::min(statistics_.min_length, kept.length);
    statistics_.max_length = std::max(statistics_.max_length, kept.length);
    length_sum_ += kept.length * count;
    if (kept.size_bytes == 0) statistics_.empty_count += count;
    if (kept.is_blank) statistics_.blank_count += count;
    if (kept.is_padded) statistics_.padded_count += count;
  }

  template <typename TextAt>
  void AddLengths(size_t begin, size_t end, TextAt&& text_at, bool is_ascii) {
    for (size_t i = begin; i < end; ++i) {
      std::string_view text = text_at(i);
      min_.Add(text);
      max_.Add(text);
      int64_t length = is_ascii ? static_cast<int64_t>(text.size()) : CountCharacters(text);
      statistics_.min_length = std::min(statistics_.min_length, length);
      statistics_.max_length = std::max(statistics_.max_length, length);
      length_sum_ += length;
      if (text.empty()) {
        ++statistics_.empty_count;
      } else if (IsBlank(text.front()) || IsBlank(text.back())) {
        ++statistics_.padded_count;
        if (std::all_of(text.begin(), text.end(), IsBlank)) ++statistics_.blank_count;
      }
    }
  }

  /// While values are counted, the sample points at their copies.
  std::string_view KeepForSample(std::string_view text, uint64_t hash) {
    if (distinct_) return arena_.Keep(text);
    return counts_.Add(hash, 0, [&] { return KeptText{}; })->value.text;
  }

  void MergeStatistics(const TextAccumulator& from) {
    statistics_.min_length = std::min(statistics_.min_length, from.statistics_.min_length);
    statistics_.max_length = std::max(statistics_.max_length, from.statistics_.max_length);
    length_sum_ += from.length_sum_;
    statistics_.empty_count += from.statistics_.empty_count;
    statistics_.blank_count += from.statistics_.blank_count;
    statistics_.padded_count += from.statistics_.padded_count;
  }

  std::vector<Frequency> CountedFrequencies() const {
    std::vector<Frequency> frequencies;
    counts_.ForEach([&](const auto& slot) {
      bool was_cut = slot.value.size_bytes > static_cast<int64_t>(kKeptBytes);
      frequencies.push_back({slot.value.text, slot.hash, slot.count, slot.count, was_cut});
    });
    return frequencies;
  }

  std::vector<Frequency> SampledFrequencies() {
    std::vector<RankedKey> order;
    order.reserve(sample_.size());
    for (const SampledText& sampled : sample_) {
      order.push_back({sampled.hash, static_cast<uint32_t>(order.size())});
    }
    SortByHash(order);
    std::vector<Frequency> frequencies;
    for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
      const SampledText& first = sample_[order[begin].count];
      Frequency frequency{first.text, first.hash, 0, 0, first.was_cut};
      for (; end < order.size() && order[end].key == first.hash; ++end) {
        frequency.count += sample_[order[end].count].weight;
        ++frequency.met_count;
      }
      ++sampled_distinct_count_;
      if (frequency.met_count >= LeastMetCount()) frequencies.push_back(frequency);
    }
    return frequencies;
  }

  /// Of many values, one that was met once says nothing; in a sample, nor does one met twice.
  int64_t LeastMetCount() const { return is_sampled_ ? 3 : 2; }

  void FinishTop(std::vector<Frequency> frequencies, const ProfileOptions& options,
                 ColumnProfile& profile) const {
    size_t wanted = std::min(options.top_value_count, frequencies.size());
    std::partial_sort(frequencies.begin(),
                      frequencies.begin() + static_cast<std::ptrdiff_t>(wanted), frequencies.end(),
                      [](const Frequency& a, const Frequency& b) {
                        if (a.count != b.count) return a.count > b.count;
                        return a.text != b.text ? a.text < b.text : a.hash < b.hash;
                      });
    for (size_t i = 0; i < wanted; ++i) {
      profile.top_values.push_back(
          {WholeCharacters(frequencies[i].text, frequencies[i].was_cut), frequencies[i].count});
    }
  }

  int64_t null_count_ = 0;
  int64_t valid_count_ = 0;
  int64_t length_sum_ = 0;
  TextStatistics statistics_{.min_length = std::numeric_limits<int64_t>::max()};
  Extreme min_{1};
  Extreme max_{-1};
  bool is_sampled_ = false;
  std::optional<Strata> strata_;
  std::vector<SampledText> sample_;
  size_t sampled_distinct_count_ = 0;
  Arena arena_;
  ValueCounts<KeptText> counts_;
  std::unique_ptr<HyperLogLog> distinct_;  ///< from the moment `counts_` has overflowed
};

}  // namespace

std::unique_ptr<ColumnAccumulator> MakeTextAccumulator() {
  return std::make_unique<TextAccumulator>();
}

}  // namespace sluice::data::internal
