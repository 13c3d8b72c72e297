#include "data/internal/profile/ranked_values.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/check.h"

namespace sluice::data::internal {

namespace {

constexpr uint64_t kSignBit = uint64_t{1} << 63;

constexpr size_t kDigitBits = 11;
constexpr size_t kMinRadixCount = 512;

bool IsKeyBefore(const RankedKey& a, const RankedKey& b) { return a.key < b.key; }

/// Sorts stably by DigitCount digits, the lowest at bit `first_bit`. Digits that all keys share
/// cost nothing.
template <size_t DigitCount>
void SortDigits(std::vector<RankedKey>& keys, size_t first_bit) {
  constexpr size_t kRadix = size_t{1} << kDigitBits;
  std::vector<std::array<uint32_t, kRadix>> histograms(DigitCount);
  for (const RankedKey& entry : keys) {
    for (size_t digit = 0; digit < DigitCount; ++digit) {
      ++histograms[digit][(entry.key >> (first_bit + digit * kDigitBits)) & (kRadix - 1)];
    }
  }
  std::vector<RankedKey> other(keys.size());
  for (size_t digit = 0; digit < DigitCount; ++digit) {
    std::array<uint32_t, kRadix>& starts = histograms[digit];
    size_t shift = first_bit + digit * kDigitBits;
    if (starts[(keys[0].key >> shift) & (kRadix - 1)] == keys.size()) continue;
    uint32_t total = 0;
    for (uint32_t& start : starts) {
      uint32_t count = start;
      start = total;
      total += count;
    }
    for (const RankedKey& entry : keys)
      other[starts[(entry.key >> shift) & (kRadix - 1)]++] = entry;
    keys.swap(other);
  }
}

double NumberOfKey(uint64_t key, ColumnType type) {
  return type == ColumnType::kDouble ? DoubleOfKey(key) : static_cast<double>(IntegerOfKey(key));
}

Cell CellOfKey(uint64_t key, ColumnType type) {
  if (type == ColumnType::kDouble) return DoubleOfKey(key);
  return IntegerOfKey(key);
}

Cell Interpolate(const RankedValues& values, ColumnType type, double share) {
  double rank = share * static_cast<double>(values.count() - 1);
  auto lower = static_cast<int64_t>(rank);
  double fraction = rank - static_cast<double>(lower);
  uint64_t low_key = values.KeyAtRank(lower);
  uint64_t high_key = fraction > 0 ? values.KeyAtRank(lower + 1) : low_key;
  if (low_key == high_key || IsTemporal(type)) return CellOfKey(low_key, type);
  double low = NumberOfKey(low_key, type);
  double high = NumberOfKey(high_key, type);
  // As numpy: from the nearer end, so that the result never leaves [low, high].
  double gap = high - low;
  if (!std::isfinite(gap)) return low * (1 - fraction) + high * fraction;
  return fraction < 0.5 ? low + gap * fraction : high - gap * (1 - fraction);
}

/// The smallest round number that is at least `width`: 1, 2, 2.5 or 5 times a power of ten.
double RoundWidth(double width) {
  double power = std::pow(10, std::floor(std::log10(width)));
  for (double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (factor * power >= width) return factor * power;
  }
  return 10 * power;
}

double RoundIntegerWidth(double width) {
  return width <= 1 ? 1 : std::max(1.0, std::ceil(RoundWidth(width)));
}

/// In microseconds or days: the widths a calendar or a clock has.
double RoundTimeWidth(double width, ColumnType type) {
  constexpr double kSecond = 1e6;
  constexpr double kDay = 86'400 * kSecond;
  static constexpr std::array<double, 22> kWidths = {kSecond,
                                                     5 * kSecond,
                                                     15 * kSecond,
                                                     30 * kSecond,
                                                     60 * kSecond,
                                                     300 * kSecond,
                                                     900 * kSecond,
                                                     1'800 * kSecond,
                                                     3'600 * kSecond,
                                                     10'800 * kSecond,
                                                     21'600 * kSecond,
                                                     43'200 * kSecond,
                                                     kDay,
                                                     2 * kDay,
                                                     7 * kDay,
                                                     14 * kDay,
                                                     28 * kDay,
                                                     91 * kDay,
                                                     182 * kDay,
                                                     365 * kDay,
                                                     3'650 * kDay,
                                                     36'500 * kDay};
  double unit = type == ColumnType::kDate ? kDay : 1;
  if (width * unit < kSecond) return RoundIntegerWidth(width);
  for (double candidate : kWidths) {
    if (candidate >= width * unit && candidate >= unit) return candidate / unit;
  }
  return RoundIntegerWidth(width);
}

double RoundWidthOf(double width, ColumnType type) {
  if (IsTemporal(type)) return RoundTimeWidth(width, type);
  return type == ColumnType::kInt64 ? RoundIntegerWidth(width) : RoundWidth(width);
}

struct Range {
  double low = 0;
  double high = 0;
};

/// All values, unless a few lie so far out that the rest would share a bin or two: then the 0.1 %
/// and 99.9 % quantiles and half their distance on both sides.
Range BulkOf(const RankedValues& values, ColumnType type, Range all) {
  auto at = [&](double share) {
    return NumberOfKey(
        values.KeyAtRank(static_cast<int64_t>(share * static_cast<double>(values.count() - 1))),
        type);
  };
  double low = at(0.001);
  double high = at(0.999);
  double margin = (high - low) / 2;
  if (margin <= 0) {
    low = at(0.0001);
    high = at(0.9999);
    margin = (high - low) / 2;
  }
  if (margin <= 0) return all;
  return {std::max(all.low, low - margin), std::min(all.high, high + margin)};
}

uint64_t LowestKeyNotBelow(double edge, ColumnType type) {
  if (type == ColumnType::kDouble) return KeyOf(edge == 0 ? 0.0 : edge);
  if (edge >= 0x1p63) return UINT64_MAX;
  if (edge < -0x1p63) return 0;
  return KeyOf(static_cast<int64_t>(std::ceil(edge)));
}

double NumberOfCell(const Cell& cell) {
  if (const double* value = std::get_if<double>(&cell)) return *value;
  return static_cast<double>(std::get<int64_t>(cell));
}

}  // namespace

void SortByKey(std::vector<RankedKey>& keys) {
  if (keys.size() < kMinRadixCount) {
    std::stable_sort(keys.begin(), keys.end(), IsKeyBefore);
  } else {
    SortDigits<6>(keys, 0);
  }
}

void SortByHash(std::vector<RankedKey>& keys) {
  constexpr size_t kLowBits = 64 - 2 * kDigitBits;
  if (keys.size() >= kMinRadixCount) SortDigits<2>(keys, kLowBits);
  for (size_t begin = 0, end = 0; begin < keys.size(); begin = end) {
    while (end < keys.size() && keys[end].key >> kLowBits == keys[begin].key >> kLowBits) ++end;
    if (keys.size() < kMinRadixCount) end = keys.size();
    if (end - begin == 1) continue;
    std::sort(keys.begin() + static_cast<std::ptrdiff_t>(begin),
              keys.begin() + static_cast<std::ptrdiff_t>(end), IsKeyBefore);
  }
}

uint64_t KeyOf(int64_t value) { return static_cast<uint64_t>(value) ^ kSignBit; }

uint64_t KeyOf(double value) {
  auto bits = std::bit_cast<uint64_t>(value);
  return (bits & kSignBit) != 0 ? ~bits : bits | kSignBit;
}

int64_t IntegerOfKey(uint64_t key) { return static_cast<int64_t>(key ^ kSignBit); }

double DoubleOfKey(uint64_t key) {
  return std::bit_cast<double>((key & kSignBit) != 0 ? key ^ kSignBit : ~key);
}

uint64_t RankedValues::KeyAtRank(int64_t rank) const {
  auto at = std::upper_bound(counts_up_to.begin(), counts_up_to.end(), rank);
  CHECK(at != counts_up_to.end());
  return keys[static_cast<size_t>(at - counts_up_to.begin())];
}

int64_t RankedValues::CountBelow(uint64_t key) const {
  auto at = static_cast<size_t>(std::lower_bound(keys.begin(), keys.end(), key) - keys.begin());
  return at == 0 ? 0 : counts_up_to[at - 1];
}

RankedValues RankValues(std::span<const RankedKey> sorted) {
  RankedValues values;
  values.keys.reserve(sorted.size());
  values.counts_up_to.reserve(sorted.size());
  int64_t total = 0;
  for (const RankedKey& entry : sorted) {
    total += entry.count;
    if (!values.keys.empty() && values.keys.back() == entry.key) {
      values.counts_up_to.back() = total;
    } else {
      values.keys.push_back(entry.key);
      values.counts_up_to.push_back(total);
    }
  }
  return values;
}

std::vector<Cell> ComputeQuantiles(const RankedValues& values, ColumnType type, const Cell& min,
                                   const Cell& max) {
  std::vector<Cell> quantiles;
  if (values.count() == 0) return quantiles;
  for (double share : kQuantileShares) {
    // The extremes of a sample are not those of the column, which are known.
    quantiles.push_back(share == 0 ? min : share == 1 ? max : Interpolate(values, type, share));
  }
  return quantiles;
}

std::optional<Histogram> ComputeHistogram(const RankedValues& values, ColumnType type,
                                          const Cell& min, const Cell& max, size_t max_bin_count) {
  if (values.count() == 0 || max_bin_count == 0) return std::nullopt;
  Range all{NumberOfCell(min), NumberOfCell(max)};
  Range bulk = BulkOf(values, type, all);
  double extent = bulk.high - bulk.low;
  double width = RoundWidthOf(extent / static_cast<double>(max_bin_count), type);
  if (!(extent > 0) || !(width > 0) || !std::isfinite(extent)) {
    // One value, or a range that overflows or drowns in rounding.
    Histogram single{.edges = {all.low, all.high}, .counts = {values.count()}};
    return single;
  }
  double first = std::floor(bulk.low / width);
  double last = std::floor(bulk.high / width) + 1;
  // Rounding outward may cost a bin or two too many; a wider bin then fits.
  while (last - first > static_cast<double>(max_bin_count)) {
    width = RoundWidthOf(width * 1.01, type);
    first = std::floor(bulk.low / width);
    last = std::floor(bulk.high / width) + 1;
  }
  Histogram histogram;
  auto bin_count = static_cast<size_t>(last - first);
  // 3 / 10 is the double that prints as 0.3, 3 * 0.1 is not.
  double inverse = width < 1 ? std::round(1 / width) : 1;
  for (size_t i = 0; i <= bin_count; ++i) {
    double number = first + static_cast<double>(i);
    histogram.edges.push_back(width < 1 && std::isfinite(inverse) ? number / inverse
                                                                  : number * width);
    if (i > 0 && !(histogram.edges[i] > histogram.edges[i - 1])) {
      return Histogram{.edges = {all.low, all.high}, .counts = {values.count()}};
    }
  }
  int64_t below = values.CountBelow(LowestKeyNotBelow(histogram.edges.front(), type));
  histogram.below_count = below;
  for (size_t i = 0; i < bin_count; ++i) {
    int64_t up_to = values.CountBelow(LowestKeyNotBelow(histogram.edges[i + 1], type));
    histogram.counts.push_back(up_to - below);
    below = up_to;
  }
  histogram.above_count = values.count() - below;
  return histogram;
}

}  // namespace sluice::data::internal
