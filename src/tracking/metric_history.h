// Histories of metrics, point by point: nothing is collected, so that a caller can print while
// rows come, and a long history costs no memory.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/db.h"

namespace sluice::tracking {

struct MetricPoint {
  double value = 0;  ///< NaN and infinities too
  int64_t timestamp_ms = 0;
  int64_t step = 0;
};

/// Borrows its texts.
struct HistoryRequest {
  std::string_view run_id;
  std::string_view key;
  std::optional<int64_t> max_count;  ///< nothing: all; else > 0
  std::string_view page_token = {};  ///< of the page before, or empty
};

struct BulkHistoryRequest {
  std::span<const std::string> run_ids;  ///< 1 to MetricHistory::kRunsPerCall
  std::string_view key;
  int64_t max_count = 25000;  ///< of all runs together; more than this default counts as it
};

struct SampledHistoryRequest {
  std::span<const std::string> run_ids;  ///< 1 to MetricHistory::kRunsPerCall
  std::string_view key;
  std::optional<int64_t> start_step;  ///< both or none; inclusive
  std::optional<int64_t> end_step;
  int64_t max_count = 2500;  ///< steps, 1 to 2500
};

/// Thread-safe. Each call reads one snapshot; visitors are called while a reader connection is
/// held, so they must not call the database. A run without the metric has no points.
///
/// Errors, all methods: kInvalidArgument for counts, tokens, too many runs; those of sql::Db.
class MetricHistory {
 public:
  static constexpr size_t kRunsPerCall = 100;
  static constexpr int64_t kBulkPointCount = 25000;
  static constexpr int64_t kSampledStepCount = 2500;

  using Visitor = std::function<void(const MetricPoint&)>;
  using RunVisitor = std::function<void(std::string_view run_id, const MetricPoint&)>;

  /// Over a migrated database, which must outlive this.
  explicit MetricHistory(sql::Db& db) : db_(db) {}

  /// The points by (timestamp, step, value), NaN after the numbers; returns the token of the next
  /// page, empty on the last. O(points) and one index scan. Errors: kNotFound for an unknown run.
  Result<std::string> ForEachPoint(const HistoryRequest& request, const Visitor& visit) const;

  /// The first `max_count` points by (run id, timestamp, step, value). Unknown runs are passed
  /// over.
  Status ForEachOfRuns(const BulkHistoryRequest& request, const RunVisitor& visit) const;

  /// The points at evenly spaced steps, in the order of `run_ids`, each run's by (step, timestamp,
  /// value): of the distinct steps of all runs within the range (from 0 if no range is given)
  /// those at `max_count` evenly spaced indices and the last, and each run's first and last step.
  /// At most 25,000 points a run. Memory: O(max_count), however long the histories are; unknown
  /// runs are passed over.
  Status ForEachSampled(const SampledHistoryRequest& request, const RunVisitor& visit) const;

 private:
  sql::Db& db_;
};

}  // namespace sluice::tracking
