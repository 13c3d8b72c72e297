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

/// When one way of searching gives way to another (run_finder.cc). Results do not depend on it.
struct RunTuning {
  size_t few_runs = 1000;      ///< a condition that holds for no more is read whole at once
  size_t probe_budget = 8000;  ///< probes a walk may take; if it needs more, conditions become sets
  size_t listed_runs = 1000;   ///< so many candidates are listed and sorted rather than walked to
  size_t listed_late_runs = 20'000;  ///< the same, when a walk has found too few of them
  size_t tied_runs = 1000;           ///< more runs of one value are a search of their own
  size_t first_chunk = 200;          ///< of a walk
};

struct RunQuery {
  std::vector<RunFilterNode> conditions;  ///< all of them hold
  std::vector<RunOrder> orders;           ///< the last is by run id
  ViewType view = ViewType::kActiveOnly;
  /// Values of the run behind which to begin, one for each order.
  std::optional<std::vector<OrderValue>> after;
  size_t count = 0;
  RunTuning tuning = {};
};

/// The first `count` runs. `reads` must be of the view's stages (StagesOf).
Result<std::vector<int64_t>> FindRuns(RunReads& reads, const RunQuery& query);

std::vector<int64_t> StagesOf(ViewType view);

}  // namespace sluice::tracking::internal
