#include "data/internal/sketch/hyper_log_log.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace sluice::data::internal {

namespace {

// The two series of Ertl's paper, equations for registers at zero and at their largest rank.
double Sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1;
  double z = x;
  for (double before = -1; z != before; y += y) {
    x *= x;
    before = z;
    z += x * y;
  }
  return z;
}

double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double z = 1 - x;
  for (double before = -1; z != before;) {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

}  // namespace

double HyperLogLog::Estimate() const {
  constexpr int kMaxRank = 64 - kIndexBits + 1;
  constexpr double kCount = kRegisterCount;
  std::array<int64_t, kMaxRank + 1> by_rank{};
  for (uint8_t rank : registers_) ++by_rank[rank];
  double z = kCount * Tau(1 - static_cast<double>(by_rank[kMaxRank]) / kCount);
  for (size_t rank = kMaxRank - 1; rank >= 1; --rank) {
    z = 0.5 * (z + static_cast<double>(by_rank[rank]));
  }
  z += kCount * Sigma(static_cast<double>(by_rank[0]) / kCount);
  return kCount * kCount / (2 * std::numbers::ln2 * z);
}

}  // namespace sluice::data::internal
