// Where runs are kept: MLflow's core tracking, speaking structs. testing/store_contract.h is the
// suite every implementation passes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "formats/json.h"
#include "sql/db.h"
#include "sql/migrator.h"
#include "tracking/run.h"
#include "tracking/write_listener.h"

namespace sluice::tracking {

/// Lengths are in characters (Unicode code points).
struct Limits {
  static constexpr size_t kKeyLength = 250;           ///< of metric, param and tag keys
  static constexpr size_t kParamValueLength = 6000;   ///< what is longer is cut, as MLflow does
  static constexpr size_t kRunTagValueLength = 8000;  ///< cut too
  static constexpr size_t kListTagLength = 1 << 20;   ///< of what AppendToListTag makes
  static constexpr size_t kExperimentTagValueLength = 20000;
  static constexpr size_t kExperimentNameLength = 500;
  static constexpr size_t kArtifactLocationLength = 2048;
  static constexpr size_t kModelIdLength = 36;
  static constexpr size_t kDatasetNameLength = 500;
  static constexpr size_t kDatasetDigestLength = 36;
  static constexpr size_t kDatasetSourceLength = (1 << 16) - 1;
  static constexpr size_t kDatasetSchemaLength = (1 << 20) - 1;
  static constexpr size_t kDatasetProfileLength = (1 << 24) - 1;
  static constexpr size_t kDatasetTagKeyLength = 255;
  static constexpr size_t kDatasetTagValueLength = 500;
  static constexpr size_t kDatasetsPerCall = 1000;
  static constexpr size_t kDatasetSummaryCount = 1000;
  static constexpr size_t kDatasetSearchExperimentCount = 20;
  static constexpr size_t kPageSize = 50000;
};

struct NewExperiment {
  std::string name;
  std::string artifact_location;  ///< empty: `<artifact_root>/<id>`
  std::vector<Tag> tags;
};

struct NewRun {
  std::string experiment_id;
  std::string run_id;  ///< empty: a new one
  std::string name;    ///< empty: from tag mlflow.runName, else a friendly one ("calm-otter-417")
  std::string user_id;
  std::string artifact_uri;   ///< empty: `<experiment's location>/<run id>/artifacts`
  std::string parent_run_id;  ///< not empty: becomes tag mlflow.parentRunId
  RunStatus status = RunStatus::kRunning;
  int64_t start_ms = 0;
  std::vector<Tag> tags;
};

struct RunUpdate {
  std::optional<RunStatus> status;
  std::optional<int64_t> end_ms;
  std::optional<std::string> name;
};

struct Batch {
  std::vector<Metric> metrics;
  std::vector<Param> params;
  std::vector<Tag> tags;
  /// The request was about one metric, param or tag: messages say "key", not "tags[0].key".
  bool is_single = false;
};

/// When an item joins the list in a tag's value.
enum class ListItemRule : uint8_t {
  kAlways,
  kOnce,  ///< unless an equal one is there
};

struct RunFilter {
  std::vector<std::string> experiment_ids;  ///< any of them; empty: all
  ViewType view = ViewType::kActiveOnly;
  std::string parent_run_id;  ///< not empty: only its children
  std::vector<Tag> tags;      ///< all of them, with exactly these values
  std::optional<RunStatus> status;
  size_t max_count = 1000;  ///< 1 to Limits::kPageSize
  std::string page_token;   ///< of the page before, or empty
};

struct RunPage {
  std::vector<Run> runs;   ///< newest start first, then by run id
  std::string next_token;  ///< empty on the last page
};

/// A dataset that runs of an experiment read, once for each context.
struct DatasetSummary {
  std::string experiment_id;
  std::string name;
  std::string digest;
  std::optional<std::string> context;  ///< tag mlflow.data.context of the link
  friend bool operator==(const DatasetSummary&, const DatasetSummary&) = default;
};

struct MetricPage {
  std::vector<Metric> metrics;  ///< by timestamp, step, value; NaN as if it were 0
  std::string next_token;
};

/// Thread-safe, and safe for several processes. Every call is one transaction: it happens whole or
/// not at all. What belongs to a run that is going on survives the death of any process; that of
/// the machine only once the run has ended (UpdateRun) or another call below says "durable".
///
/// Errors, all methods: kNotFound for an experiment or run that does not exist, kInvalidArgument
/// for keys, values, ids and tokens that break the rules, kFailedPrecondition for writing to
/// something deleted, those of sql::Db. Keys of params, metrics and tags: letters, digits, "_-. :/"
/// and anything beyond ASCII, written as a normal relative path ("a/b", not "/a", "a//b" or "..").
class Store {
 public:
  virtual ~Store() = default;

  /// Durable. Errors: kAlreadyExists, also when the experiment of that name is deleted.
  virtual Result<std::string> CreateExperiment(const NewExperiment& experiment) = 0;
  virtual Result<Experiment> GetExperiment(
      std::string_view experiment_id) = 0;  ///< deleted ones too
  virtual Result<std::optional<Experiment>> FindExperimentByName(std::string_view name) = 0;
  /// Newest first.
  virtual Result<std::vector<Experiment>> ListExperiments(ViewType view) = 0;
  virtual Status RenameExperiment(std::string_view experiment_id, std::string_view name) = 0;
  /// Durable. Deletes its runs too; restoring brings all of them back, as MLflow does. kNotFound if
  /// it is deleted (or active) already.
  virtual Status DeleteExperiment(std::string_view experiment_id) = 0;
  virtual Status RestoreExperiment(std::string_view experiment_id) = 0;
  virtual Status SetExperimentTag(std::string_view experiment_id, const Tag& tag) = 0;
  virtual Status DeleteExperimentTag(std::string_view experiment_id, std::string_view key) = 0;

  /// Errors: kAlreadyExists if the run id is taken; kFailedPrecondition in a deleted experiment.
  virtual Result<Run> CreateRun(const NewRun& run) = 0;
  virtual Result<Run> GetRun(std::string_view run_id) = 0;  ///< deleted ones too
  /// One indexed row, whatever the run has logged: for its experiment or where its artifacts are.
  virtual Result<RunInfo> GetRunInfo(std::string_view run_id) = 0;  ///< deleted ones too
  /// Durable. A new name sets tag mlflow.runName, and the reverse.
  virtual Result<RunInfo> UpdateRun(std::string_view run_id, const RunUpdate& update) = 0;
  /// Durable; both may be repeated.
  virtual Status DeleteRun(std::string_view run_id) = 0;
  virtual Status RestoreRun(std::string_view run_id) = 0;
  /// Durable. Deletes (not for good: see purge.h) active runs of the experiment that were created
  /// at or before `started_before_ms`, the oldest first, at most `max_count`; returns how many.
  virtual Result<int64_t> DeleteRunsBefore(std::string_view experiment_id,
                                           int64_t started_before_ms, int64_t max_count) = 0;
  /// Durable. Makes the runs, active ones, part of another active experiment, with their datasets.
  /// Artifacts stay where they are. All or none.
  virtual Status MoveRuns(std::span<const std::string> run_ids, std::string_view experiment_id) = 0;

  /// Points already there are ignored. A param logged again with the same value is fine, with
  /// another one it is kInvalidArgument, as is a key twice in `params`. The last of repeated tags
  /// wins.
  virtual Status LogBatch(std::string_view run_id, const Batch& batch) = 0;
  /// Appends to the JSON list that is the tag's value; of several at once none is lost. A tag that
  /// is absent or holds no list begins a new one, which is not cut but refused (kInvalidArgument)
  /// beyond Limits::kListTagLength.
  virtual Status AppendToListTag(std::string_view run_id, std::string_view key,
                                 const formats::Json& item,
                                 ListItemRule rule = ListItemRule::kAlways) = 0;
  virtual Status DeleteTag(std::string_view run_id, std::string_view key) = 0;
  /// Logging a dataset again adds its tags. `model_ids` are those of logged models the run reads;
  /// they need not exist.
  virtual Status LogInputs(std::string_view run_id, std::span<const DatasetLink> inputs,
                           std::span<const std::string> model_ids = {}) = 0;
  virtual Status LogOutputs(std::string_view run_id, std::span<const DatasetLink> outputs) = 0;
  /// Logged models the run made; the last step of a model wins.
  virtual Status LogModelOutputs(std::string_view run_id, std::span<const ModelOutput> models) = 0;
  /// At most Limits::kDatasetSummaryCount, by experiment, name, digest, context. Errors:
  /// kInvalidArgument for none or more than Limits::kDatasetSearchExperimentCount ids.
  virtual Result<std::vector<DatasetSummary>> SearchDatasets(
      std::span<const std::string> experiment_ids) = 0;

  /// The small form of metric_history.h. None for an unknown run, as MLflow.
  virtual Result<MetricPage> GetMetricHistory(std::string_view run_id, std::string_view key,
                                              size_t max_count = Limits::kPageSize,
                                              std::string_view page_token = {}) = 0;
  virtual Result<RunPage> ListRuns(const RunFilter& filter) = 0;
};

/// What this module's tables need; pass it with those of the other modules to sql::Migrate.
std::vector<sql::Migration> Migrations();

struct StoreOptions {
  /// Location of experiments that name none: `<artifact_root>/<experiment id>`.
  std::string artifact_root;
  /// Told of writes; must outlive the store. Null: nobody.
  WriteListener* listener = nullptr;
};

/// Over a migrated database. `db` and `clock` must outlive the store. Makes experiment "0", named
/// "Default", if there is no experiment at all.
Result<std::unique_ptr<Store>> OpenStore(sql::Db& db, const StoreOptions& options,
                                         Clock& clock = SystemClock());

}  // namespace sluice::tracking
