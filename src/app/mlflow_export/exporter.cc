#include "app/mlflow_export/exporter.h"

#include "app/mlflow_export/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/id.h"
#include "registry/bulk_reader.h"
#include "registry/webhook_delivery.h"
#include "registry/webhooks.h"
#include "tracking/bulk_reader.h"

namespace sluice::app::mlflow_export {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;
using tracking::LifecycleStageName;

constexpr int64_t kRowsPerPiece = 500;
constexpr int64_t kPointsPerPiece = 20'000;

constexpr Query kExperiment{
    "export.experiments",
    "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, "
    "creation_time, last_update_time) VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Query kExperimentTag{
    "export.experiment_tags",
    "INSERT INTO experiment_tags (experiment_id, key, value) VALUES ($1, $2, $3)"};
constexpr Query kDataset{
    "export.datasets",
    "INSERT INTO datasets (dataset_uuid, experiment_id, name, digest, dataset_source_type, "
    "dataset_source, dataset_schema, dataset_profile) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
constexpr Query kRun{
    "export.runs",
    "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, "
    "status, start_time, end_time, deleted_time, source_version, lifecycle_stage, artifact_uri, "
    "experiment_id) VALUES ($1, $2, 'UNKNOWN', '', '', $3, $4, $5, $6, $7, '', $8, $9, $10)"};
constexpr Query kParam{"export.params",
                       "INSERT INTO params (run_uuid, key, value) VALUES ($1, $2, $3)"};
constexpr Query kTag{"export.tags", "INSERT INTO tags (run_uuid, key, value) VALUES ($1, $2, $3)"};
constexpr Query kLatest{"export.latest_metrics",
                        "INSERT INTO latest_metrics (run_uuid, key, timestamp, step, is_nan, "
                        "value) VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Query kPoint{"export.metrics",
                       "INSERT INTO metrics (run_uuid, key, timestamp, step, is_nan, value) "
                       "VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Query kInput{
    "export.inputs",
    "INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id, "
    "step) VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Query kInputTag{"export.input_tags",
                          "INSERT INTO input_tags (input_uuid, name, value) VALUES ($1, $2, $3)"};
constexpr Query kLoggedModel{
    "export.logged_models",
    "INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, "
    "creation_timestamp_ms, last_updated_timestamp_ms, status, lifecycle_stage, model_type, "
    "source_run_id, status_message) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};
constexpr Query kLoggedModelParam{
    "export.logged_model_params",
    "INSERT INTO logged_model_params (model_id, experiment_id, param_key, param_value) "
    "VALUES ($1, $2, $3, $4)"};
constexpr Query kLoggedModelTag{
    "export.logged_model_tags",
    "INSERT INTO logged_model_tags (model_id, experiment_id, tag_key, tag_value) "
    "VALUES ($1, $2, $3, $4)"};
constexpr Query kLoggedModelMetric{
    "export.logged_model_metrics",
    "INSERT INTO logged_model_metrics (model_id, experiment_id, metric_name, metric_timestamp_ms, "
    "metric_step, metric_value, run_id, dataset_name, dataset_digest) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"};
constexpr Query kModel{"export.models",
                       "INSERT INTO registered_models (name, creation_time, last_updated_time, "
                       "description) VALUES ($1, $2, $3, $4)"};
constexpr Query kModelTag{
    "export.model_tags",
    "INSERT INTO registered_model_tags (name, key, value) VALUES ($1, $2, $3)"};
constexpr Query kVersion{
    "export.versions",
    "INSERT INTO model_versions (name, version, creation_time, last_updated_time, description, "
    "user_id, current_stage, source, run_id, status, status_message, run_link, storage_location) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};
constexpr Query kVersionTag{
    "export.version_tags",
    "INSERT INTO model_version_tags (name, version, key, value) VALUES ($1, $2, $3, $4)"};
constexpr Query kAlias{
    "export.aliases",
    "INSERT INTO registered_model_aliases (name, alias, version) VALUES ($1, $2, $3)"};
constexpr Query kWebhook{
    "export.webhooks",
    "INSERT INTO webhooks (webhook_id, name, description, url, status, creation_timestamp, "
    "last_updated_timestamp) VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr Query kWebhookEvent{
    "export.webhook_events",
    "INSERT INTO webhook_events (webhook_id, entity, action) VALUES ($1, $2, $3) "
    "ON CONFLICT DO NOTHING"};
/// As MLflow's columns have it: nothing, not an empty text.
std::optional<std::string> OrNull(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

struct MlflowValue {
  explicit MlflowValue(double given) : is_nan(std::isnan(given)) {
    constexpr double kMax = std::numeric_limits<double>::max();
    value = is_nan ? 0 : std::clamp(given, -kMax, kMax);
  }
  bool is_nan;
  double value;
};

class Exporter {
 public:
  Exporter(sql::Db& source, sql::Db& target, const OnProgress& on_progress, Notes& notes)
      : source_(source), target_(target), on_progress_(on_progress), notes_(notes) {}

  Status Run() {
    RETURN_IF_ERROR(MakeSchema(target_, ""));
    RETURN_IF_ERROR(WriteExperiments());
    RETURN_IF_ERROR(WriteDatasets());
    RETURN_IF_ERROR(WriteRuns());
    RETURN_IF_ERROR(WritePoints());
    RETURN_IF_ERROR(WriteLoggedModels());
    RETURN_IF_ERROR(WriteModels());
    RETURN_IF_ERROR(WriteVersions());
    RETURN_IF_ERROR(WriteAliases());
    RETURN_IF_ERROR(WriteWebhooks());
    RETURN_IF_ERROR(SetNextNumber(target_, "experiments", "experiment_id"));
    return CountLosses();
  }

 private:
  /// `read`: (reader) → the next rows, none at the end; `write`: (tx, row) → Status, may run twice.
  template <typename ReadRows, typename WriteRow>
  Status Copy(std::string_view what, ReadRows read, WriteRow write) {
    for (int64_t count = 0;;) {
      ASSIGN_OR_RETURN(const auto rows, source_.Read([&](Reader& reader) { return read(reader); }));
      if (rows.empty()) return Ok();
      const Status written = target_.Write(
          [&](Tx& tx) -> Status {
            for (const auto& row : rows) RETURN_IF_ERROR(write(tx, row));
            return Ok();
          },
          io::Durability::kFast);
      if (!written.ok()) return Error(written.error()).With(fmt::format("write {}", what));
      count += std::ssize(rows);
      if (on_progress_) on_progress_(what, count);
    }
  }

  Status WriteExperiments() {
    int64_t after = std::numeric_limits<int64_t>::min();
    return Copy(
        "experiments",
        [&](Reader& reader) -> Result<std::vector<tracking::Experiment>> {
          ASSIGN_OR_RETURN(auto rows, tracking::ReadExperimentsIn(reader, after, kRowsPerPiece));
          if (!rows.empty()) after = std::stoll(rows.back().id);
          return rows;
        },
        [&](Tx& tx, const tracking::Experiment& row) -> Status {
          const int64_t id = std::stoll(row.id);
          RETURN_IF_ERROR(tx.Post(
              kExperiment, {id, row.name, row.artifact_location, LifecycleStageName(row.stage),
                            row.created_ms, row.updated_ms}));
          for (const tracking::Tag& tag : row.tags)
            RETURN_IF_ERROR(tx.Post(kExperimentTag, {id, tag.key, tag.value}));
          return Ok();
        });
  }

  static std::string DatasetUuid(int64_t number) { return fmt::format("{:032x}", number); }

  Status WriteDatasets() {
    int64_t after = std::numeric_limits<int64_t>::min();
    return Copy(
        "datasets",
        [&](Reader& reader) -> Result<std::vector<tracking::NumberedDataset>> {
          ASSIGN_OR_RETURN(auto rows, tracking::ReadDatasetsIn(reader, after, 100));
          if (!rows.empty()) after = rows.back().number;
          return rows;
        },
        [](Tx& tx, const tracking::NumberedDataset& row) {
          const tracking::Dataset& dataset = row.bulk.dataset;
          return tx.Post(kDataset, {DatasetUuid(row.number), row.bulk.experiment_id, dataset.name,
                                    dataset.digest, dataset.source_type, dataset.source,
                                    OrNull(dataset.schema), OrNull(dataset.profile)});
        });
  }

  static Status WriteRun(Tx& tx, const tracking::NumberedRun& numbered) {
    const tracking::Run& run = numbered.bulk.run;
    const tracking::RunInfo& info = run.info;
    RETURN_IF_ERROR(tx.Post(
        kRun, {info.run_id, info.name, info.user_id, tracking::RunStatusName(info.status),
               info.start_ms, info.end_ms, numbered.bulk.deleted_ms, LifecycleStageName(info.stage),
               info.artifact_uri, std::stoll(info.experiment_id)}));
    for (const tracking::Param& param : run.params)
      RETURN_IF_ERROR(tx.Post(kParam, {info.run_id, param.key, param.value}));
    for (const tracking::Tag& tag : run.tags)
      RETURN_IF_ERROR(tx.Post(kTag, {info.run_id, tag.key, tag.value}));
    for (const tracking::Metric& metric : run.metrics) {
      const MlflowValue value(metric.value);
      RETURN_IF_ERROR(tx.Post(kLatest, {info.run_id, metric.key, metric.timestamp_ms, metric.step,
                                        value.is_nan, value.value}));
    }
    for (size_t i = 0; i < numbered.bulk.inputs.size(); ++i) {
      const int64_t dataset = numbered.dataset_numbers[i];
      const std::string input = fmt::format("{:016x}{:016x}", numbered.run_no, dataset);
      RETURN_IF_ERROR(
          tx.Post(kInput, {input, "DATASET", DatasetUuid(dataset), "RUN", info.run_id, 0}));
      for (const tracking::Tag& tag : numbered.bulk.inputs[i].tags)
        RETURN_IF_ERROR(tx.Post(kInputTag, {input, tag.key, tag.value}));
    }
    for (const std::string& model_id : run.model_inputs) {
      RETURN_IF_ERROR(
          tx.Post(kInput, {NewRunId(), "RUN_INPUT", info.run_id, "MODEL_INPUT", model_id, 0}));
    }
    for (const tracking::ModelOutput& output : run.model_outputs) {
      RETURN_IF_ERROR(tx.Post(kInput, {NewRunId(), "RUN_OUTPUT", info.run_id, "MODEL_OUTPUT",
                                       output.model_id, output.step}));
    }
    return Ok();
  }

  Status WriteRuns() {
    int64_t after = std::numeric_limits<int64_t>::min();
    return Copy(
        "runs",
        [&](Reader& reader) -> Result<std::vector<tracking::NumberedRun>> {
          ASSIGN_OR_RETURN(auto rows, tracking::ReadRunsIn(reader, after, kRowsPerPiece));
          if (!rows.empty()) after = rows.back().run_no;
          return rows;
        },
        [](Tx& tx, const tracking::NumberedRun& row) { return WriteRun(tx, row); });
  }

  Status WritePoints() {
    tracking::PointPosition position{.series_id = std::numeric_limits<int64_t>::min()};
    return Copy(
        "metric points",
        [&](Reader& reader) { return tracking::ReadPointsIn(reader, position, kPointsPerPiece); },
        [](Tx& tx, const tracking::BulkPoint& row) {
          const MlflowValue value(row.metric.value);
          return tx.Post(kPoint, {row.run_id, row.metric.key, row.metric.timestamp_ms,
                                  row.metric.step, value.is_nan, value.value});
        });
  }

  Status WriteLoggedModel(Tx& tx, const tracking::LoggedModel& model) {
    const int64_t experiment_id = std::stoll(model.experiment_id);
    RETURN_IF_ERROR(tx.Post(
        kLoggedModel,
        {model.model_id, experiment_id, model.name, model.artifact_uri, model.created_ms,
         model.updated_ms, model.status, LifecycleStageName(model.stage), OrNull(model.model_type),
         OrNull(model.source_run_id), OrNull(model.status_message)}));
    for (const tracking::Param& param : model.params) {
      RETURN_IF_ERROR(
          tx.Post(kLoggedModelParam, {model.model_id, experiment_id, param.key, param.value}));
    }
    for (const tracking::Tag& tag : model.tags) {
      RETURN_IF_ERROR(
          tx.Post(kLoggedModelTag, {model.model_id, experiment_id, tag.key, tag.value}));
    }
    for (const tracking::LoggedModelMetric& one : model.metrics) {
      const tracking::Metric& metric = one.metric;
      const std::optional<double> value =
          std::isnan(metric.value) ? std::nullopt : std::optional(metric.value);
      RETURN_IF_ERROR(
          tx.Post(kLoggedModelMetric,
                  {model.model_id, experiment_id, metric.key, metric.timestamp_ms, metric.step,
                   value, one.run_id, OrNull(metric.dataset_name), OrNull(metric.dataset_digest)}));
    }
    return Ok();
  }

  Status WriteLoggedModels() {
    std::string after;
    return Copy(
        "logged models",
        [&](Reader& reader) -> Result<std::vector<tracking::LoggedModel>> {
          ASSIGN_OR_RETURN(auto rows, tracking::ReadLoggedModelsIn(reader, after, kRowsPerPiece));
          if (!rows.empty()) after = rows.back().model_id;
          return rows;
        },
        [&](Tx& tx, const tracking::LoggedModel& row) { return WriteLoggedModel(tx, row); });
  }

  template <typename WriteRow>
  Status CopyModels(std::string_view what, WriteRow write) {
    std::string after;
    return Copy(
        what,
        [&](Reader& reader) -> Result<std::vector<registry::RegisteredModel>> {
          ASSIGN_OR_RETURN(auto rows, registry::ReadModelsIn(reader, after, kRowsPerPiece));
          if (!rows.empty()) after = rows.back().name;
          return rows;
        },
        write);
  }

  Status WriteModels() {
    return CopyModels(
        "registered models", [](Tx& tx, const registry::RegisteredModel& model) -> Status {
          RETURN_IF_ERROR(tx.Post(
              kModel, {model.name, model.created_ms, model.updated_ms, OrNull(model.description)}));
          for (const registry::Tag& tag : model.tags)
            RETURN_IF_ERROR(tx.Post(kModelTag, {model.name, tag.key, tag.value}));
          return Ok();
        });
  }

  Status WriteAliases() {
    return CopyModels("aliases", [](Tx& tx, const registry::RegisteredModel& model) -> Status {
      for (const registry::Alias& alias : model.aliases)
        RETURN_IF_ERROR(tx.Post(kAlias, {model.name, alias.alias, alias.version}));
      return Ok();
    });
  }

  Status WriteVersions() {
    std::string after_name;
    int64_t after_version = 0;
    return Copy(
        "model versions",
        [&](Reader& reader) -> Result<std::vector<registry::ModelVersion>> {
          ASSIGN_OR_RETURN(auto rows, registry::ReadVersionsIn(reader, after_name, after_version,
                                                               kRowsPerPiece));
          if (!rows.empty()) {
            after_name = rows.back().name;
            after_version = rows.back().version;
          }
          return rows;
        },
        [](Tx& tx, const registry::ModelVersion& version) -> Status {
          const std::string_view stage = version.is_deleted ? std::string_view("Deleted_Internal")
                                                            : registry::StageName(version.stage);
          RETURN_IF_ERROR(
              tx.Post(kVersion,
                      {version.name, version.version, version.created_ms, version.updated_ms,
                       OrNull(version.description), OrNull(version.user_id), stage, version.source,
                       OrNull(version.run_id), registry::VersionStatusName(version.status),
                       OrNull(version.status_message), OrNull(version.run_link),
                       OrNull(version.storage_location)}));
          for (const registry::Tag& tag : version.tags) {
            RETURN_IF_ERROR(
                tx.Post(kVersionTag, {version.name, version.version, tag.key, tag.value}));
          }
          return Ok();
        });
  }

  Status WriteWebhooks() {
    const auto webhooks = registry::OpenWebhooks(source_, {}, nullptr);
    std::string token;
    do {
      ASSIGN_OR_RETURN(const registry::WebhookPage page,
                       webhooks->List(registry::kWebhookPageMax, token));
      token = page.next_page_token;
      const Status written = target_.Write([&](Tx& tx) -> Status {
        for (const registry::Webhook& webhook : page.webhooks)
          RETURN_IF_ERROR(WriteWebhook(tx, webhook));
        return Ok();
      });
      RETURN_IF_ERROR(written);
      for (const registry::Webhook& webhook : page.webhooks) {
        if (webhook.has_secret)
          notes_.Add("secrets of webhooks, left out: set them again in MLflow", webhook.name);
        if (!HasMlflowEvents(webhook))
          notes_.Add("webhooks on runs and metrics, which MLflow does not have, left out",
                     webhook.name);
      }
    } while (!token.empty());
    return Ok();
  }

  static bool HasMlflowEvents(const registry::Webhook& webhook) {
    return std::any_of(
        webhook.events.begin(), webhook.events.end(),
        [](const registry::WebhookEvent& event) { return IsMlflowEntity(event.entity); });
  }

  static Status WriteWebhook(Tx& tx, const registry::Webhook& webhook) {
    if (!HasMlflowEvents(webhook)) return Ok();
    const std::optional<std::string> description =
        webhook.has_description ? std::optional(webhook.description) : std::nullopt;
    RETURN_IF_ERROR(tx.Post(kWebhook, {webhook.id, webhook.name, description, webhook.url,
                                       registry::WebhookStatusName(webhook.status),
                                       webhook.created_ms, webhook.updated_ms}));
    for (const registry::WebhookEvent& event : webhook.events) {
      if (!IsMlflowEntity(event.entity)) continue;
      RETURN_IF_ERROR(tx.Post(kWebhookEvent, {webhook.id, registry::WebhookEntityName(event.entity),
                                              registry::WebhookActionName(event.action)}));
    }
    return Ok();
  }

  Status CountLosses() {
    ASSIGN_OR_RETURN(const tracking::BulkCounts counts,
                     source_.Read([](Reader& reader) -> Result<tracking::BulkCounts> {
                       ASSIGN_OR_RETURN(const auto names, tracking::ListExperimentNamesIn(reader));
                       std::vector<int64_t> ids;
                       for (const auto& [id, name] : names) ids.push_back(id);
                       return tracking::CountIn(reader, ids);
                     }));
    if (counts.dataset_outputs > 0) {
      notes_.Add("datasets that runs wrote, which MLflow does not have, left out", "",
                 counts.dataset_outputs);
    }
    return Ok();
  }

  sql::Db& source_;
  sql::Db& target_;
  const OnProgress& on_progress_;
  Notes& notes_;
};

}  // namespace

Status Export(sql::Db& source, sql::Db& target, const OnProgress& on_progress, Notes& notes) {
  return Exporter(source, target, on_progress, notes).Run();
}

}  // namespace sluice::app::mlflow_export
