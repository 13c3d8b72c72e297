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
  int64_t max_count = 2500;  ///< of each run, 1 to MetricHistory::kSampledPointCount
};

/// Thread-safe. Each call reads one snapshot; visitors are called while a reader connection is
/// held, so they must not call the database. An unknown run has no points, as in MLflow.
///
/// Errors, all methods: kInvalidArgument for counts, tokens, too many runs; those of sql::Db.
class MetricHistory {
 public:
  static constexpr size_t kRunsPerCall = 100;
  static constexpr int64_t kBulkPointCount = 25000;
  static constexpr int64_t kSampledPointCount = 2500;
  /// A sample of more points than these is made in two scans; 24 bytes each while it is made.
  static constexpr size_t kSortedPointCount = 1 << 18;

  using Visitor = std::function<void(const MetricPoint&)>;
  using RunVisitor = std::function<void(std::string_view run_id, const MetricPoint&)>;

  /// Over a migrated database, which must outlive this.
  explicit MetricHistory(sql::Db& db, size_t sorted_point_count = kSortedPointCount)
      : db_(db), sorted_point_count_(sorted_point_count) {}

  /// The points by (timestamp, step, value), NaN as if it were 0; returns the token of the next
  /// page, empty on the last. O(points): one scan of a piece of an index.
  Result<std::string> ForEachPoint(const HistoryRequest& request, const Visitor& visit) const;

  /// The first `max_count` points by (run id, timestamp, step, value). Unknown runs are passed
  /// over.
  Status ForEachOfRuns(const BulkHistoryRequest& request, const RunVisitor& visit) const;

  /// At most `max_count` points of each run, evenly spaced among its points in the order (step,
  /// timestamp, value), the first and the last always there; with one point it is the last. Runs
  /// come in the order of `run_ids`. Which ones: those that begin each of `max_count` parts of
  /// equal size (the first parts one larger), but in place of the last of them the last point of
  /// all, as MLflow 3.18. Memory: O(sorted_point_count), however long the histories are. A history
  /// longer than that whose steps go back in time is sampled evenly in time instead.
  Status ForEachSampled(const SampledHistoryRequest& request, const RunVisitor& visit) const;

 private:
  sql::Db& db_;
  const size_t sorted_point_count_;
};

}  // namespace sluice::tracking
