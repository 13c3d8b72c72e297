// The door for verifying an import and for exporters: all rows of the store, deleted ones too, in
// pieces of bounded size in the order of a key. What is being purged does not come.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/db.h"
#include "tracking/bulk_writer.h"

namespace sluice::tracking {

struct BulkCounts {
  int64_t experiments = 0;
  int64_t experiment_tags = 0;
  int64_t runs = 0;
  int64_t deleted_runs = 0;
  int64_t params = 0;
  int64_t tags = 0;
  int64_t latest_metrics = 0;
  int64_t points = 0;
  int64_t datasets = 0;
  int64_t dataset_links = 0;  ///< inputs
  int64_t dataset_link_tags = 0;
  int64_t dataset_outputs = 0;  ///< which MLflow does not have
  int64_t model_links = 0;
  int64_t logged_models = 0;
  int64_t logged_model_params = 0;
  int64_t logged_model_tags = 0;
  int64_t logged_model_metrics = 0;
};
/// Of these experiments and what is in them.
Result<BulkCounts> CountIn(sql::Reader& reader, std::span<const int64_t> experiment_ids);

/// Names by id.
Result<std::map<int64_t, std::string>> ListExperimentNamesIn(sql::Reader& reader);

/// Where a piece of the histories ended.
struct PointPosition {
  int64_t series_id = 0;
  int64_t timestamp_ms = 0;
  int64_t step = 0;
  int64_t is_nan = 0;
  double value = 0;
};
struct BulkPoint {
  int64_t experiment_id = 0;
  std::string run_id;
  Metric metric;
};
/// The next points; moves `position` behind them. None: there are no more.
Result<std::vector<BulkPoint>> ReadPointsIn(sql::Reader& reader, PointPosition& position,
                                            int64_t max_count);

// ---- Pieces for exporters: what comes behind a key, at most max_count rows. Empty: the end.

Result<std::vector<Experiment>> ReadExperimentsIn(sql::Reader& reader, int64_t after_id,
                                                  int64_t max_count);
struct NumberedDataset {
  int64_t number = 0;
  BulkDataset bulk;
};
Result<std::vector<NumberedDataset>> ReadDatasetsIn(sql::Reader& reader, int64_t after_number,
                                                    int64_t max_count);
struct NumberedRun {
  int64_t run_no = 0;
  BulkRun bulk;                          ///< without points
  std::vector<int64_t> dataset_numbers;  ///< of bulk.inputs, one for one
};
Result<std::vector<NumberedRun>> ReadRunsIn(sql::Reader& reader, int64_t after_run_no,
                                            int64_t max_count);
Result<std::vector<LoggedModel>> ReadLoggedModelsIn(sql::Reader& reader, std::string_view after_id,
                                                    int64_t max_count);

}  // namespace sluice::tracking
