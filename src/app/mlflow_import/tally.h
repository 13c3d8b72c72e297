// How much of what there is: for comparing a source with what came of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tracking/run.h"

namespace sluice::app::mlflow_import {

/// In the order in which they are shown.
enum class Kind : uint8_t {
  kExperiments,
  kExperimentTags,
  kRuns,
  kDeletedRuns,
  kParams,
  kTags,
  kLatestMetrics,
  kPoints,
  kDatasets,
  kDatasetLinks,
  kDatasetLinkTags,
  kModelLinks,
  kLoggedModels,
  kLoggedModelParams,
  kLoggedModelTags,
  kLoggedModelMetrics,
  kModels,
  kModelTags,
  kVersions,
  kDeletedVersions,
  kVersionTags,
  kAliases,
  kWebhooks,
  kUsers,
  kRoles,
  kGrants,
  kArtifactFiles,
  kArtifactBytes,
};
inline constexpr int kKindCount = 28;
std::string_view KindName(Kind kind);  ///< "experiment tags"

/// Of the histories of one experiment. The same points give the same sums in any order.
struct PointSums {
  int64_t point_count = 0;
  int64_t nan_count = 0;
  /// Sum, modulo 2^64, of a hash of each point's run, key, step, time and value.
  uint64_t checksum = 0;

  void Add(std::string_view run_id, const tracking::Metric& metric);
  friend bool operator==(const PointSums&, const PointSums&) = default;
};

struct Tally {
  std::map<Kind, int64_t> counts;
  std::map<int64_t, PointSums> points;  ///< by experiment
};

}  // namespace sluice::app::mlflow_import
