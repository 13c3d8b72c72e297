// The store over sql::Db. One source per resource: store_experiments.cc, store_runs.cc,
// store_logging.cc, store_links.cc (datasets and logged models that runs read and wrote),
// store_moves.cc (many runs at once).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tracking/internal/run_rows.h"
#include "tracking/store.h"

namespace sluice::tracking::internal {

/// Persisted in dataset_links and model_links.
enum class Direction : uint8_t { kInput = 0, kOutput = 1 };

class SqlStore : public Store {
 public:
  SqlStore(sql::Db& db, StoreOptions options, Clock& clock)
      : db_(db), options_(std::move(options)), clock_(clock) {}

  /// Learns what kind of database it is, makes the default experiment. Before anything else.
  Status Open();
  Status MakeDefaultExperiment();

  Result<std::string> CreateExperiment(const NewExperiment& experiment) override;
  Result<Experiment> GetExperiment(std::string_view experiment_id) override;
  Result<std::optional<Experiment>> FindExperimentByName(std::string_view name) override;
  Result<std::vector<Experiment>> ListExperiments(ViewType view) override;
  Status RenameExperiment(std::string_view experiment_id, std::string_view name) override;
  Status DeleteExperiment(std::string_view experiment_id) override;
  Status RestoreExperiment(std::string_view experiment_id) override;
  Status SetExperimentTag(std::string_view experiment_id, const Tag& tag) override;
  Status DeleteExperimentTag(std::string_view experiment_id, std::string_view key) override;

  Result<Run> CreateRun(const NewRun& run) override;
  Result<Run> GetRun(std::string_view run_id) override;
  Result<RunInfo> GetRunInfo(std::string_view run_id) override;
  Result<RunInfo> UpdateRun(std::string_view run_id, const RunUpdate& update) override;
  Status DeleteRun(std::string_view run_id) override;
  Status RestoreRun(std::string_view run_id) override;
  Result<int64_t> DeleteRunsBefore(std::string_view experiment_id, int64_t started_before_ms,
                                   int64_t max_count) override;
  Status MoveRuns(std::span<const std::string> run_ids, std::string_view experiment_id) override;
  Result<RunPage> ListRuns(const RunFilter& filter) override;

  Status LogBatch(std::string_view run_id, const Batch& batch) override;
  Status AppendToListTag(std::string_view run_id, std::string_view key, const formats::Json& item,
                         ListItemRule rule) override;
  Status DeleteTag(std::string_view run_id, std::string_view key) override;
  Status LogInputs(std::string_view run_id, std::span<const DatasetLink> inputs,
                   std::span<const std::string> model_ids) override;
  Status LogOutputs(std::string_view run_id, std::span<const DatasetLink> outputs) override;
  Status LogModelOutputs(std::string_view run_id, std::span<const ModelOutput> models) override;
  Result<std::vector<DatasetSummary>> SearchDatasets(
      std::span<const std::string> experiment_ids) override;
  Result<MetricPage> GetMetricHistory(std::string_view run_id, std::string_view key,
                                      size_t max_count, std::string_view page_token) override;

 private:
  Status SetRunStage(std::string_view run_id, LifecycleStage stage);

  sql::Db& db_;
  const StoreOptions options_;
  Clock& clock_;
  bool is_server_ = false;
};

// Shared by the sources above; all inside a transaction.

/// Errors: kNotFound.
Result<Experiment> GetExperimentIn(sql::Reader& reader, int64_t experiment_id);
/// Errors: kNotFound.
Result<RunInfo> GetRunInfoIn(sql::Reader& reader, std::string_view run_id);
/// Errors: kNotFound; kFailedPrecondition if it is deleted.
Result<RunInfo> GetActiveRunIn(sql::Reader& reader, std::string_view run_id);
/// Errors: kNotFound; kFailedPrecondition if it is deleted.
Result<Experiment> GetActiveExperimentIn(sql::Reader& reader, int64_t experiment_id);
/// The id of the dataset in the experiment, made if there is none.
Result<int64_t> FindOrCreateDatasetIn(sql::Tx& tx, int64_t experiment_id, const Dataset& dataset);
/// Is the database a server, so that statements cost a round trip each?
Result<bool> FindIsServer(sql::Reader& reader);
/// Sets tags of a run, and its name if mlflow.runName is among them; keys are checked, values are
/// cut to their limit here, the last of repeated keys wins. An empty name is passed over, as MLflow
/// does: a run keeps the name it has.
Status SetRunTagsIn(sql::Tx& tx, const RunKey& run, std::span<const Tag> tags, bool is_server);
/// The same for a run made just now, whose row holds its name.
Status InsertRunTagsIn(sql::Tx& tx, const RunKey& run, std::span<const Tag> tags, bool is_server);
/// The greatest number in a column plus one: `query` selects MAX(column).
Result<int64_t> NextNumber(sql::Reader& reader, const sql::Query& query, int64_t first);

}  // namespace sluice::tracking::internal
