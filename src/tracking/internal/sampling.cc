#include "tracking/internal/sampling.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/check.h"

namespace sluice::tracking::internal {

std::vector<int64_t> SampledPositions(int64_t point_count, int64_t max_count) {
  CHECK(max_count >= 1);
  std::vector<int64_t> positions;
  if (point_count <= 0) return positions;
  int64_t part_count = std::min(point_count, max_count);
  int64_t part_size = point_count / part_count;
  int64_t larger_count = point_count % part_count;
  positions.reserve(static_cast<size_t>(part_count));
  for (int64_t part = 0; part + 1 < part_count; ++part)
    positions.push_back(part * part_size + std::min(part, larger_count));
  positions.push_back(point_count - 1);
  return positions;
}

bool ComesBeforeByStep(const MetricPoint& a, const MetricPoint& b) {
  auto key = [](const MetricPoint& point) {
    bool is_nan = std::isnan(point.value);
    return std::tuple(point.step, point.timestamp_ms, is_nan ? 0.0 : point.value, is_nan);
  };
  return key(a) < key(b);
}

}  // namespace sluice::tracking::internal
