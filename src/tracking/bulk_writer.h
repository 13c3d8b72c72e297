// The door for importers: rows as they are in another store, many at a time, with their ids and
// times. Nothing is checked against the rules for what clients may write, nobody is told (no
// listener, no webhook), and what is here already stays as it is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/db.h"
#include "tracking/logged_models.h"
#include "tracking/run.h"

namespace sluice::tracking {

/// Names a dataset that AddDatasetsIn brought.
struct BulkDatasetLink {
  std::string run_id;
  int64_t experiment_id = 0;  ///< the dataset's
  std::string name;
  std::string digest;
  std::vector<Tag> tags;
};

struct BulkDataset {
  int64_t experiment_id = 0;
  Dataset dataset;
};

struct BulkRun {
  Run run;  ///< run.metrics: the latest of each key; inputs and outputs are not looked at
  std::optional<int64_t> deleted_ms;
  std::vector<BulkDatasetLink> inputs;
  std::vector<Metric> points;  ///< of the history, in any order; more may follow
};

// All of these belong into a write transaction of the caller, so that he can record in it how far
// he has come. Adding the same again changes nothing. Errors: those of sql::Tx, kInvalidArgument
// for text that no database holds (NUL).

/// Ids are kept. One whose id is here already is left alone, but for tags it does not have.
Status AddExperimentsIn(sql::Tx& tx, std::span<const Experiment> experiments);
Status AddDatasetsIn(sql::Tx& tx, std::span<const BulkDataset> datasets);
/// Their experiments and datasets are here. A run that is here already gets the params, tags,
/// points and links it does not have, in the experiment where it is now; one that has not ended
/// here, but there, gets status and end time.
Status AddRunsIn(sql::Tx& tx, std::span<const BulkRun> runs);
/// More of the history of a run that is here. Errors: kNotFound.
Status AddPointsIn(sql::Tx& tx, std::string_view run_id, std::span<const Metric> points);
/// With tags, params and metrics. A metric of a run that is not here is left out; how many were.
Result<int64_t> AddLoggedModelsIn(sql::Tx& tx, std::span<const LoggedModel> models);

// ---- How far an import has come.

struct ImportProgress {
  std::string position;  ///< what the importer wrote last
  bool is_done = false;
};
Result<ImportProgress> GetImportProgressIn(sql::Reader& reader, std::string_view source,
                                           std::string_view phase);
Status SetImportProgressIn(sql::Tx& tx, std::string_view source, std::string_view phase,
                           const ImportProgress& progress, int64_t now_ms);

}  // namespace sluice::tracking
