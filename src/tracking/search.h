// Finding runs and experiments by MLflow's search language and its superset (formats/filter.h;
// docs/reference/search.md says what a user may write).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "sql/db.h"
#include "tracking/run.h"
#include "tracking/store.h"

namespace sluice::tracking {

struct RunSearch {
  std::vector<std::string> experiment_ids;  ///< any of them; none: nothing is found
  std::string filter;                       ///< empty: all
  ViewType view = ViewType::kActiveOnly;
  /// "metrics.`a b` DESC", "start_time". Runs without the value come last in either direction, NaN
  /// before them; ties by start time, newest first, then by run id.
  std::vector<std::string> order_by;
  int64_t max_count = 1000;  ///< 1 to Limits::kPageSize
  std::string page_token;    ///< of the page before, or empty
};

struct ExperimentSearch {
  std::string filter;
  ViewType view = ViewType::kActiveOnly;
  std::vector<std::string> order_by;  ///< none: newest first, then by id
  int64_t max_count = 1000;           ///< 1 to Limits::kPageSize
  std::string page_token;
};

struct ExperimentPage {
  std::vector<Experiment> experiments;
  std::string next_token;  ///< empty on the last page
};

/// Thread-safe. Each call reads one snapshot. A page token names the last row of its page, so that
/// pages never repeat or skip a row because others come or go meanwhile; it holds for the same
/// experiments, filter, view and order only.
///
/// Errors, both: kInvalidArgument for filters, orders, ids, counts and tokens, in MLflow's words;
/// those of sql::Db.
class Search {
 public:
  /// Over a migrated database, which must outlive this.
  explicit Search(sql::Db& db) : db_(db) {}

  /// Experiments that do not exist have no runs. Time: see
  /// docs/internals/decisions/tracking-search.md. Memory: the page, and some bits for each run of
  /// the experiments.
  Result<RunPage> Runs(const RunSearch& request) const;

  /// Reads every experiment: there are thousands, not millions.
  Result<ExperimentPage> Experiments(const ExperimentSearch& request) const;

 private:
  sql::Db& db_;
};

}  // namespace sluice::tracking
