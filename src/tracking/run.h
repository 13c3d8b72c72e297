// The words of tracking, as MLflow has them. Plain values: thread-safe as an int is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::tracking {

/// MLflow's numbers. Persisted: never renumber.
enum class RunStatus : uint8_t {
  kRunning = 1,
  kScheduled = 2,
  kFinished = 3,
  kFailed = 4,
  kKilled = 5
};
/// "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED".
std::string_view RunStatusName(RunStatus status);
std::optional<RunStatus> FindRunStatus(std::string_view name);
/// FINISHED, FAILED or KILLED.
bool IsEnded(RunStatus status);

/// Persisted as 0 and 1.
enum class LifecycleStage : uint8_t { kActive = 0, kDeleted = 1 };
/// "active", "deleted".
std::string_view LifecycleStageName(LifecycleStage stage);

/// Which stages a list shows.
enum class ViewType : uint8_t { kActiveOnly = 1, kDeletedOnly = 2, kAll = 3 };

struct Tag {
  std::string key;
  std::string value;
  friend bool operator==(const Tag&, const Tag&) = default;
};

struct Param {
  std::string key;
  std::string value;
  friend bool operator==(const Param&, const Param&) = default;
};

/// One point of a metric's history. NaN and both infinities are values like others. One with a
/// model id is a metric of that logged model too (logged_models.h); the run's history knows nothing
/// of model and dataset.
struct Metric {
  std::string key;
  double value = 0;
  int64_t timestamp_ms = 0;         ///< since epoch UTC, >= 0
  int64_t step = 0;                 ///< any, also negative
  std::string model_id = {};        ///< or empty
  std::string dataset_name = {};    ///< or empty
  std::string dataset_digest = {};  ///< or empty
};

/// MLflow's rule for the latest value: the greater (step, timestamp, value), NaN below every
/// number.
bool IsLater(const Metric& candidate, const Metric& current);

struct Dataset {
  std::string name;
  std::string digest;
  std::string source_type;
  std::string source;
  std::string schema;   ///< JSON, may be empty
  std::string profile;  ///< JSON, may be empty
  friend bool operator==(const Dataset&, const Dataset&) = default;
};

/// A dataset (or any other object named by digest) that a run read or wrote; "mlflow.data.context"
/// is a usual tag.
struct DatasetLink {
  Dataset dataset;
  std::vector<Tag> tags;
  friend bool operator==(const DatasetLink&, const DatasetLink&) = default;
};

/// A logged model that a run made; where a run read one, only its id is kept.
struct ModelOutput {
  std::string model_id;
  int64_t step = 0;
  friend bool operator==(const ModelOutput&, const ModelOutput&) = default;
};

struct Experiment {
  std::string id;  ///< a decimal number
  std::string name;
  std::string artifact_location;
  LifecycleStage stage = LifecycleStage::kActive;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  std::vector<Tag> tags;  ///< sorted by key
};

struct RunInfo {
  std::string run_id;  ///< 32 hexadecimal digits, or as given by who created it
  std::string experiment_id;
  std::string name;
  std::string user_id;
  RunStatus status = RunStatus::kRunning;
  int64_t start_ms = 0;
  std::optional<int64_t> end_ms;
  std::string artifact_uri;
  LifecycleStage stage = LifecycleStage::kActive;
};

/// Everything but the metrics' history. Lists are sorted by key.
struct Run {
  RunInfo info;
  std::vector<Param> params;
  std::vector<Metric> metrics;  ///< the latest of each key
  std::vector<Tag> tags;
  std::vector<DatasetLink> inputs;  ///< sorted by name, then digest
  std::vector<DatasetLink> outputs;
  std::vector<std::string> model_inputs;   ///< ids of logged models, sorted
  std::vector<ModelOutput> model_outputs;  ///< sorted by model id

  /// The tag's value, or nothing. O(tags).
  std::optional<std::string> FindTag(std::string_view key) const;
};

// Tags with a meaning.
inline constexpr std::string_view kRunNameTag = "mlflow.runName";  ///< one thing with RunInfo::name
inline constexpr std::string_view kDatasetContextTag = "mlflow.data.context";  ///< of a DatasetLink
inline constexpr std::string_view kParentRunIdTag = "mlflow.parentRunId";
inline constexpr std::string_view kUserTag = "mlflow.user";
inline constexpr std::string_view kSourceNameTag = "mlflow.source.name";
inline constexpr std::string_view kSourceTypeTag = "mlflow.source.type";
inline constexpr std::string_view kGitCommitTag = "mlflow.source.git.commit";
inline constexpr std::string_view kGitBranchTag = "mlflow.source.git.branch";
inline constexpr std::string_view kGitDirtyTag = "sluice.git.dirty";  ///< "true" or "false"

}  // namespace sluice::tracking
