// Which points of a long history are shown. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "tracking/metric_history.h"

namespace sluice::tracking::internal {

/// The positions, from 0 and ascending, that stand for `point_count` ordered points: all of them if
/// they are at most `max_count`; else the first of each of `max_count` parts of equal size (the
/// first parts one larger), but for the last part the last point. With max_count 1: the last.
std::vector<int64_t> SampledPositions(int64_t point_count, int64_t max_count);

/// By (step, timestamp, value); NaN counts as 0 and comes after it, as MLflow stores it.
bool ComesBeforeByStep(const MetricPoint& a, const MetricPoint& b);

}  // namespace sluice::tracking::internal
