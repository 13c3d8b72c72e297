// What a search asks the database: which runs fulfil a condition, which of these do, what their
// values are. No planning here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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

/// The columns of a field's value, and how they make one; its table; has it a key there?
std::string ValueColumns(const RunField& field);
OrderValue ValueFrom(const sql::Row& row, int column, const RunField& field);
std::string_view TableOf(const RunField& field);
bool IsKeyed(const RunField& field);

}  // namespace sluice::tracking::internal
