// What a search asks the database: which runs fulfil a condition, which of these do, what their
// values are, and who comes next in an order. No planning here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sql/db.h"
#include "tracking/internal/run_filter.h"
#include "tracking/internal/run_set.h"

namespace sluice::tracking::internal {

/// A run's value in an order. Ranks come in their order whatever the direction.
struct OrderValue {
  enum Rank : uint8_t { kValue = 0, kNan = 1, kMissing = 2 };
  Rank rank = kMissing;
  double number = 0;    ///< of metrics
  int64_t integer = 0;  ///< of times
  std::string text;     ///< of all else; a status by its name

  friend bool operator==(const OrderValue&, const OrderValue&) = default;
};
/// Below 0 if `a` comes first, 0 if neither does.
int Compare(const OrderValue& a, const OrderValue& b, bool is_ascending);

/// Reads of one search, in one snapshot, over a set of experiments. One thread at a time.
class RunReads {
 public:
  /// `stages` are those that the search shows (runs.stage): 0, 1 or both.
  RunReads(sql::Reader& reader, std::span<const int64_t> experiment_ids,
           std::vector<int64_t> stages)
      : reader_(reader), experiment_ids_(experiment_ids), stages_(std::move(stages)) {}

  std::span<const int64_t> experiment_ids() const { return experiment_ids_; }

  /// Runs of the experiments for which the condition holds, in no order, perhaps with repetitions;
  /// nothing if there are more than `max_count` of them.
  Result<std::optional<std::vector<int64_t>>> FindUpTo(const RunCondition& condition,
                                                       size_t max_count);
  Result<RunSet> FindAll(const RunCondition& condition);
  /// Those of `run_nos` for which it holds, in their order.
  Result<std::vector<int64_t>> Filter(const RunCondition& condition,
                                      std::span<const int64_t> run_nos);
  /// Runs of the experiments of at least this stage (runs.stage).
  Result<RunSet> FindByStage(int64_t stage_min, int64_t stage_max);

  /// About as many runs are there in all experiments, for estimates.
  Result<int64_t> EstimateRunCount();

  /// Values of the runs, [i][j] for run_nos[i] and orders[j].
  Result<std::vector<std::vector<OrderValue>>> LoadValues(std::span<const RunOrder> orders,
                                                          std::span<const int64_t> run_nos);

 private:
  friend class IndexStream;
  friend class CollectedStream;

  /// "column = $1", or a list; binds the experiments.
  struct Both {
    std::string sqlite;
    std::string postgres;
  };
  Both ExperimentTest(SqlText& sql, std::string_view column) const;
  Status Scan(const RunCondition& condition, std::optional<size_t> max_count,
              const std::function<void(int64_t)>& visit);

  sql::Reader& reader_;
  const std::span<const int64_t> experiment_ids_;
  const std::vector<int64_t> stages_;
  std::optional<int64_t> run_count_;
};

/// Runs by one field, one after the other in the field's order. Runs without a number or text there
/// do not come; runs of stages that are not shown may.
class RunStream {
 public:
  struct Item {
    int64_t run_no = 0;
    OrderValue value;
    std::string run_id;  ///< in an order by start time
  };
  virtual ~RunStream() = default;
  /// Texts come as their heads (kHeadLength), which may tie where the texts do not.
  virtual bool has_heads_only() const = 0;
  /// Equal values come by run id: the order is complete.
  virtual bool is_total() const = 0;
  /// The next ones, about `count` of them; none: it is over.
  virtual Result<std::vector<Item>> Next(size_t count) = 0;
  /// Goes on behind all runs of this value (in a stream of heads: of its head); with `run_id`, only
  /// if is_total, behind this run.
  virtual void SeekPast(const OrderValue& value, const std::string* run_id) = 0;
  /// Goes on with the first run of this value (of its head).
  virtual void SeekTo(const OrderValue& value) = 0;
};

/// `tests` are conditions on the same field, which the stream applies by itself as far as an index
/// can. An index is walked where there is one and the experiments are few; otherwise all values are
/// collected and sorted. Both must outlive the stream.
std::unique_ptr<RunStream> OpenStream(RunReads& reads, const RunOrder& order,
                                      std::span<const RunCondition* const> tests);

}  // namespace sluice::tracking::internal
