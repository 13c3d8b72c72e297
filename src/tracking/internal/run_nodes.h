// Conditions joined by AND, OR and NOT, in the three ways of run_finder.cc: listed, probed, as
// sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tracking/internal/run_filter.h"
#include "tracking/internal/run_reads.h"
#include "tracking/internal/run_set.h"

namespace sluice::tracking::internal {

/// All runs of the experiments for which it holds.
Result<RunChoice> FindChoice(RunReads& reads, const RunFilterNode& node);

/// The same as a list, perhaps with repetitions; nothing if they are more than `max_count`, or if
/// it would take all of them to know (a NOT).
Result<std::optional<std::vector<int64_t>>> FindFewRuns(RunReads& reads, const RunFilterNode& node,
                                                        size_t max_count);

/// Those of `run_nos` for which it holds, in their order.
Result<std::vector<int64_t>> FilterRuns(RunReads& reads, const RunFilterNode& node,
                                        std::span<const int64_t> run_nos);

/// What a walk expects if it goes on probing.
struct ProbesAhead {
  std::span<const double> shares;  ///< of what each condition lets pass, in the order of probing
  double rows_ahead = 0;           ///< of the walk
  double run_count = 0;            ///< about as many rows has the index of a condition
  size_t probe_budget = 0;
};
/// The condition that is better read as a set now: the one that saves most or, when all probes
/// together would exceed the budget, the strictest. Nothing: it is better to go on. Pure.
std::optional<size_t> ChooseSet(const ProbesAhead& ahead);

}  // namespace sluice::tracking::internal
