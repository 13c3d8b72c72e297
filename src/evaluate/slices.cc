// Grouping rows by the values of a column.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "evaluate/report.h"

namespace sluice::evaluate {

namespace {

constexpr std::string_view kMissing = "(missing)";
constexpr std::string_view kOther = "(other)";

/// 37, 37.5, 2000000: no exponent while the number has under 16 digits.
std::string PrintForPeople(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    return fmt::format("{:.0f}", value == 0 ? 0.0 : value);
  }
  return fmt::format("{}", value);
}

double RoundToDigits(double value, int digits) {
  if (value == 0 || !std::isfinite(value)) return value;
  return std::stod(fmt::format("{:.{}e}", value, digits - 1));
}

/// Bin of a value: how many edges are at or below it.
size_t BinOf(const std::vector<double>& edges, double value) {
  return static_cast<size_t>(std::upper_bound(edges.begin(), edges.end(), value) - edges.begin());
}

bool HasEmptyBin(const std::vector<double>& edges, std::span<const double> sorted) {
  size_t before = 0;
  for (double edge : edges) {
    size_t upto =
        static_cast<size_t>(std::lower_bound(sorted.begin(), sorted.end(), edge) - sorted.begin());
    if (upto == before) return true;
    before = upto;
  }
  return before == sorted.size();
}

/// Quantile edges without repeats, rounded to as few digits (at least two) as leave no bin empty.
std::vector<double> ChooseEdges(std::span<const double> sorted, int64_t bin_count) {
  std::vector<double> exact;
  for (int64_t i = 1; i < bin_count; ++i) {
    size_t place = sorted.size() * static_cast<size_t>(i) / static_cast<size_t>(bin_count);
    double edge = sorted[place];
    if (edge > sorted.front() && (exact.empty() || edge > exact.back())) exact.push_back(edge);
  }
  for (int digits = 2; digits < 17; ++digits) {
    std::vector<double> rounded;
    for (double edge : exact) rounded.push_back(RoundToDigits(edge, digits));
    if (std::adjacent_find(rounded.begin(), rounded.end(), std::greater_equal<>()) ==
            rounded.end() &&
        !HasEmptyBin(rounded, sorted)) {
      return rounded;
    }
  }
  return exact;
}

}  // namespace

SliceColumn MakeSlice(std::string name, std::span<const std::optional<std::string>> values,
                      size_t group_limit) {
  std::unordered_map<std::string_view, int64_t> counts;
  for (const std::optional<std::string>& value : values) {
    ++counts[value ? std::string_view(*value) : kMissing];
  }
  std::vector<std::pair<std::string_view, int64_t>> ordered(counts.begin(), counts.end());
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  SliceColumn slice{.name = std::move(name), .groups = {}, .codes = {}, .is_sensitive = false};
  group_limit = std::max<size_t>(group_limit, 1);
  bool has_other = ordered.size() > group_limit;
  size_t named_count = has_other ? group_limit - 1 : ordered.size();
  std::unordered_map<std::string_view, int32_t> codes;
  for (size_t i = 0; i < named_count; ++i) {
    codes.emplace(ordered[i].first, static_cast<int32_t>(i));
    slice.groups.emplace_back(ordered[i].first);
  }
  int32_t other = static_cast<int32_t>(named_count);
  if (has_other) slice.groups.emplace_back(kOther);
  slice.codes.reserve(values.size());
  for (const std::optional<std::string>& value : values) {
    auto found = codes.find(value ? std::string_view(*value) : kMissing);
    slice.codes.push_back(found == codes.end() ? other : found->second);
  }
  return slice;
}

SliceColumn MakeNumericSlice(std::string name, std::span<const double> values, int64_t bin_count) {
  SliceColumn slice{.name = std::move(name), .groups = {}, .codes = {}, .is_sensitive = false};
  std::vector<double> sorted;
  for (double value : values) {
    if (!std::isnan(value)) sorted.push_back(value);
  }
  std::sort(sorted.begin(), sorted.end());
  bin_count = std::max<int64_t>(bin_count, 1);

  std::vector<double> distinct;  // at most one more than the bins
  for (double value : sorted) {
    if (distinct.empty() || value != distinct.back()) distinct.push_back(value);
    if (distinct.size() > static_cast<size_t>(bin_count)) break;
  }
  std::vector<double> edges;
  if (distinct.size() <= static_cast<size_t>(bin_count)) {
    for (double value : distinct) slice.groups.push_back(PrintForPeople(value));
    if (!distinct.empty()) edges.assign(distinct.begin() + 1, distinct.end());
  } else {
    edges = ChooseEdges(sorted, bin_count);
    for (size_t bin = 0; bin <= edges.size(); ++bin) {
      if (edges.empty()) {
        slice.groups.emplace_back("all");
      } else if (bin == 0) {
        slice.groups.push_back("< " + PrintForPeople(edges[0]));
      } else if (bin == edges.size()) {
        slice.groups.push_back(">= " + PrintForPeople(edges.back()));
      } else {
        slice.groups.push_back(
            fmt::format("{} to < {}", PrintForPeople(edges[bin - 1]), PrintForPeople(edges[bin])));
      }
    }
  }
  int32_t missing = static_cast<int32_t>(slice.groups.size());
  bool has_missing = sorted.size() < values.size();
  if (has_missing) slice.groups.emplace_back(kMissing);
  slice.codes.reserve(values.size());
  for (double value : values) {
    slice.codes.push_back(std::isnan(value) ? missing : static_cast<int32_t>(BinOf(edges, value)));
  }
  return slice;
}

}  // namespace sluice::evaluate
