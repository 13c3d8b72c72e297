#include "features/internal/statistics.h"

#include <cmath>

#include "base/check.h"

namespace sluice::features::internal {

std::vector<double> Present(std::span<const double> values) {
  std::vector<double> present;
  present.reserve(values.size());
  for (double value : values) {
    if (!std::isnan(value)) present.push_back(value);
  }
  return present;
}

double CompensatedSum(std::span<const double> values) {
  double sum = 0, lost = 0;
  for (double value : values) {
    double next = sum + value;
    lost += std::abs(sum) >= std::abs(value) ? (sum - next) + value : (value - next) + sum;
    sum = next;
  }
  // An overflowed or infinite sum has no meaningful correction.
  return std::isfinite(sum) ? sum + lost : sum;
}

Moments ComputeMoments(std::span<const double> values) {
  CHECK(!values.empty());
  double count = static_cast<double>(values.size());
  double mean = CompensatedSum(values) / count;
  std::vector<double> squares(values.size());
  for (size_t i = 0; i < values.size(); ++i) squares[i] = (values[i] - mean) * (values[i] - mean);
  return {.mean = mean, .variance = CompensatedSum(squares) / count};
}

double SortedQuantile(std::span<const double> sorted, double share) {
  CHECK(!sorted.empty());
  double position = share * static_cast<double>(sorted.size() - 1);
  size_t below = static_cast<size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  double fraction = position - static_cast<double>(below);
  double low = sorted[below], high = sorted[below + 1];
  // numpy's _lerp: measured from the nearer end, so that it is monotone and exact at both.
  return fraction < 0.5 ? low + (high - low) * fraction : high - (high - low) * (1 - fraction);
}

double SortedAveragedInverseCdf(std::span<const double> sorted, double share) {
  CHECK(!sorted.empty());
  double position = share * static_cast<double>(sorted.size());
  double whole = std::floor(position);
  size_t last = sorted.size() - 1;
  size_t index = static_cast<size_t>(whole);
  if (position != whole) return sorted[std::min(index, last)];
  if (index == 0) return sorted[0];
  if (index > last) return sorted[last];
  double low = sorted[index - 1], high = sorted[index];
  return high - (high - low) * 0.5;
}

double SortedMode(std::span<const double> sorted) {
  CHECK(!sorted.empty());
  double best = sorted[0];
  size_t best_count = 0;
  for (size_t start = 0; start < sorted.size();) {
    size_t end = start;
    while (end < sorted.size() && sorted[end] == sorted[start]) ++end;
    if (end - start > best_count) {
      best_count = end - start;
      best = sorted[start];
    }
    start = end;
  }
  return best;
}

}  // namespace sluice::features::internal
