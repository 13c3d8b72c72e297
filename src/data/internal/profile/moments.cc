#include "data/internal/profile/moments.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

// Lanes are passed between functions of this file only.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace sluice::data::internal {

namespace {

// Eight sums side by side. The compiler splits them over whatever registers the machine has; the
// result is the same, for each lane keeps its own values.
using Lanes = double __attribute__((vector_size(64)));
constexpr size_t kLaneCount = 8;

Lanes LoadLanes(const double* values) {
  Lanes lanes;
  std::memcpy(&lanes, values, sizeof lanes);
  return lanes;
}

double SumLanes(const Lanes& lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

/// Sum of body(i), where body gives lanes for index i and a number for one index.
template <typename Body, typename Tail>
double SumOver(size_t count, Body&& body, Tail&& tail) {
  Lanes sum{};
  size_t i = 0;
  for (; i + kLaneCount <= count; i += kLaneCount) sum += body(i);
  double rest = 0;
  for (; i < count; ++i) rest += tail(i);
  return SumLanes(sum) + rest;
}

double Dot(const double* x, const double* y, size_t count) {
  return SumOver(
      count, [&](size_t i) { return LoadLanes(x + i) * LoadLanes(y + i); },
      [&](size_t i) { return x[i] * y[i]; });
}

double Dot(const double* x, const double* y, const double* z, size_t count) {
  return SumOver(
      count, [&](size_t i) { return LoadLanes(x + i) * LoadLanes(y + i) * LoadLanes(z + i); },
      [&](size_t i) { return x[i] * y[i] * z[i]; });
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void Moments::Merge(const Moments& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  auto n_a = static_cast<double>(count);
  auto n_b = static_cast<double>(other.count);
  double n = n_a + n_b;
  double delta = other.mean - mean;
  double step = delta / n;
  double square = delta * step * n_a * n_b;
  m4 += other.m4 + square * step * step * (n_a * n_a - n_a * n_b + n_b * n_b) +
        6 * step * step * (n_a * n_a * other.m2 + n_b * n_b * m2) +
        4 * step * (n_a * other.m3 - n_b * m3);
  m3 += other.m3 + square * step * (n_a - n_b) + 3 * step * (n_a * other.m2 - n_b * m2);
  m2 += other.m2 + square;
  mean += step * n_b;
  sum += other.sum;
  count += other.count;
}

double Moments::Variance() const {
  if (count < 2) return kNan;
  return m2 / static_cast<double>(count - 1);
}

double Moments::Skewness() const {
  if (count < 3) return kNan;
  if (m2 == 0) return 0;
  auto n = static_cast<double>(count);
  return n * std::sqrt(n - 1) / (n - 2) * (m3 / std::pow(m2, 1.5));
}

double Moments::Kurtosis() const {
  if (count < 4) return kNan;
  if (m2 == 0) return 0;
  auto n = static_cast<double>(count);
  double scaled = n * (n + 1) * (n - 1) / ((n - 2) * (n - 3)) * (m4 / (m2 * m2));
  return scaled - 3 * (n - 1) * (n - 1) / ((n - 2) * (n - 3));
}

Moments ComputeMoments(std::span<const double> values) {
  Moments moments;
  if (values.empty()) return moments;
  const double* x = values.data();
  size_t count = values.size();
  moments.count = static_cast<int64_t>(count);
  auto n = static_cast<double>(count);
  moments.sum = SumOver(
      count, [&](size_t i) { return LoadLanes(x + i); }, [&](size_t i) { return x[i]; });
  double mean = moments.sum / n;
  // A sum beyond the largest double: the mean of the halves is still one.
  if (!std::isfinite(mean)) {
    mean = 0;
    for (double value : values) mean += value / n;
  }
  Lanes first{};
  Lanes second{};
  Lanes third{};
  Lanes fourth{};
  size_t i = 0;
  for (; i + kLaneCount <= count; i += kLaneCount) {
    Lanes deviation = LoadLanes(x + i) - mean;
    Lanes square = deviation * deviation;
    first += deviation;
    second += square;
    third += square * deviation;
    fourth += square * square;
  }
  double deviation_sum = SumLanes(first);
  moments.m2 = SumLanes(second);
  moments.m3 = SumLanes(third);
  moments.m4 = SumLanes(fourth);
  for (; i < count; ++i) {
    double deviation = x[i] - mean;
    double square = deviation * deviation;
    deviation_sum += deviation;
    moments.m2 += square;
    moments.m3 += square * deviation;
    moments.m4 += square * square;
  }
  // The mean was rounded; what the deviations still sum to corrects it and, to first order, the
  // square sum.
  double correction = deviation_sum / n;
  if (std::isfinite(correction)) {
    moments.m2 = std::max(0.0, moments.m2 - deviation_sum * correction);
    moments.mean = mean + correction;
  } else {
    moments.mean = mean;
  }
  return moments;
}

void PairMoments::Merge(const PairMoments& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  auto n_a = static_cast<double>(count);
  auto n_b = static_cast<double>(other.count);
  double n = n_a + n_b;
  double delta_x = other.mean_x - mean_x;
  double delta_y = other.mean_y - mean_y;
  double weight = n_a * n_b / n;
  m2_x += other.m2_x + delta_x * delta_x * weight;
  m2_y += other.m2_y + delta_y * delta_y * weight;
  product += other.product + delta_x * delta_y * weight;
  mean_x += delta_x * n_b / n;
  mean_y += delta_y * n_b / n;
  count += other.count;
}

double PairMoments::Correlation() const {
  if (count < 2 || !(m2_x > 0) || !(m2_y > 0)) return kNan;
  double value = product / (std::sqrt(m2_x) * std::sqrt(m2_y));
  return std::isnan(value) ? kNan : std::min(1.0, std::max(-1.0, value));
}

PairMoments ComputePairMoments(const CentredSlice& x, const CentredSlice& y, int64_t row_count) {
  auto count = static_cast<size_t>(row_count);
  PairMoments pair;
  pair.product = Dot(x.deviations, y.deviations, count);
  // Where the other column lacks values, a column's mean over the common rows is not its mean over
  // the slice.
  double shift_x = 0;
  double shift_y = 0;
  pair.count = row_count;
  pair.m2_x = x.moments.m2;
  pair.m2_y = y.moments.m2;
  if (x.mask != nullptr && y.mask != nullptr) {
    pair.count = static_cast<int64_t>(Dot(x.mask, y.mask, count));
  } else if (x.mask != nullptr) {
    pair.count = x.moments.count;
  } else if (y.mask != nullptr) {
    pair.count = y.moments.count;
  }
  if (pair.count == 0) return {};
  auto n = static_cast<double>(pair.count);
  if (y.mask != nullptr) {
    shift_x = Dot(x.deviations, y.mask, count) / n;
    pair.m2_x = Dot(x.deviations, x.deviations, y.mask, count) - n * shift_x * shift_x;
  }
  if (x.mask != nullptr) {
    shift_y = Dot(y.deviations, x.mask, count) / n;
    pair.m2_y = Dot(y.deviations, y.deviations, x.mask, count) - n * shift_y * shift_y;
  }
  pair.product -= n * shift_x * shift_y;
  pair.mean_x = x.moments.mean + shift_x;
  pair.mean_y = y.moments.mean + shift_y;
  return pair;
}

}  // namespace sluice::data::internal
