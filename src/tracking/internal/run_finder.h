// The planner of run searches: which runs, in which order, with as little reading as it takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tracking/internal/run_filter.h"
#include "tracking/internal/run_reads.h"
#include "tracking/run.h"

namespace sluice::tracking::internal {

struct RunQuery {
  std::vector<RunFilterNode> conditions;  ///< all of them hold
  std::vector<RunOrder> orders;           ///< the last is by run id
  ViewType view = ViewType::kActiveOnly;
  /// Values of the run behind which to begin, one for each order.
  std::optional<std::vector<OrderValue>> after;
  size_t count = 0;
};

/// The first `count` runs. `reads` must be of the view's stages (StagesOf).
Result<std::vector<int64_t>> FindRuns(RunReads& reads, const RunQuery& query);

std::vector<int64_t> StagesOf(ViewType view);

}  // namespace sluice::tracking::internal
