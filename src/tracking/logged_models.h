// Logged models: what `log_model` makes since MLflow 3. A model belongs to an experiment, usually
// comes from a run, and has artifacts, params, tags and metrics of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "formats/json.h"
#include "sql/db.h"
#include "tracking/run.h"
#include "tracking/store.h"

namespace sluice::tracking {

/// MLflow's numbers. Persisted: never renumber.
enum class LoggedModelStatus : uint8_t { kPending = 1, kReady = 2, kUploadFailed = 3 };
/// "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED".
std::string_view LoggedModelStatusName(LoggedModelStatus status);
/// The names above, also without "LOGGED_MODEL_".
std::optional<LoggedModelStatus> FindLoggedModelStatus(std::string_view name);

/// A metric and the run that logged it; metric.model_id is always set.
struct LoggedModelMetric {
  Metric metric;
  std::string run_id;
};

struct LoggedModel {
  std::string model_id;  ///< "m-" and 32 hexadecimal digits
  std::string experiment_id;
  std::string name;
  std::string artifact_uri;
  LoggedModelStatus status = LoggedModelStatus::kPending;
  std::string status_message;  ///< or empty
  std::string model_type;      ///< or empty
  std::string source_run_id;   ///< or empty
  LifecycleStage stage = LifecycleStage::kActive;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  std::vector<Tag> tags;                   ///< sorted by key
  std::vector<Param> params;               ///< sorted by key
  std::vector<LoggedModelMetric> metrics;  ///< every point, by key, timestamp, step, run, dataset
};

struct NewLoggedModel {
  std::string experiment_id;
  std::optional<std::string> name;  ///< nothing: a friendly one; none of / : . % " '
  std::string model_type;
  std::string source_run_id;
  std::vector<Param> params;
  std::vector<Tag> tags;
};

/// Metrics on this dataset.
struct DatasetFilter {
  std::string dataset_name;
  std::string dataset_digest;  ///< empty: any
};

struct LoggedModelOrder {
  std::string field_name;  ///< an attribute or "metrics.<key>"
  bool is_ascending = true;
  DatasetFilter dataset;  ///< of a metric; an empty name: any
};

struct LoggedModelSearch {
  std::vector<std::string> experiment_ids;  ///< any of them; empty finds nothing
  std::string filter;                       ///< formats/filter.h; empty: all
  std::vector<DatasetFilter> datasets;      ///< only metrics on one of these count; empty: all do
  std::vector<LoggedModelOrder> order_by;   ///< then newest first, then by id
  size_t max_count = 100;                   ///< 1 to Limits::kPageSize
  std::string page_token;                   ///< of the page before, or empty
};

struct LoggedModelPage {
  std::vector<LoggedModel> models;
  std::string next_token;  ///< empty on the last page
};

/// Thread-safe, and safe for several processes. Every call is one durable transaction. A deleted
/// model is kNotFound ("Logged model with ID 'm-…' not found.") for all but Restore and Get when
/// told so, and is never found by Search. Metrics come from Store::LogBatch.
///
/// Attributes in filters and orders: name, model_id, model_type, status, source_run_id,
/// experiment_id, creation_timestamp (creation_time), last_updated_timestamp (last_updated_time).
///
/// Errors, all methods: kNotFound, kInvalidArgument for keys, values, names, filters, orders and
/// tokens that break the rules, those of sql::Db.
class LoggedModelStore {
 public:
  /// Over a migrated database; all must outlive the store.
  explicit LoggedModelStore(sql::Db& db, Clock& clock = SystemClock());

  /// Its artifacts are at `<experiment's location>/models/<id>/artifacts`. Errors:
  /// kFailedPrecondition in a deleted experiment.
  Result<LoggedModel> Create(const NewLoggedModel& model);
  /// `allow_deleted`: deleted ones too.
  Result<LoggedModel> Get(std::string_view model_id, bool allow_deleted = false);
  /// Get, with tags, params and metrics left empty: one indexed row, for the model's experiment or
  /// where its artifacts are.
  Result<LoggedModel> GetInfo(std::string_view model_id, bool allow_deleted = false);
  Result<LoggedModel> Finalize(std::string_view model_id, LoggedModelStatus status,
                               std::string_view status_message = {});
  Status Delete(std::string_view model_id);
  Status Restore(std::string_view model_id);  ///< may be repeated

  Status SetTags(std::string_view model_id, std::span<const Tag> tags);
  /// As Store::AppendToListTag.
  Status AppendToListTag(std::string_view model_id, std::string_view key, const formats::Json& item,
                         ListItemRule rule = ListItemRule::kAlways);
  Status DeleteTag(std::string_view model_id, std::string_view key);
  /// A param logged again with the same value is fine, with another one it is kInvalidArgument.
  Status LogParams(std::string_view model_id, std::span<const Param> params);

  /// A page token is refused (kInvalidArgument) when anything but max_count differs from the
  /// search it came from.
  Result<LoggedModelPage> Search(const LoggedModelSearch& search);

 private:
  sql::Db& db_;
  Clock& clock_;
};

}  // namespace sluice::tracking
