#include "tracking/internal/logged_model_rows.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <set>
#include <unordered_map>

#include "base/sha256.h"
#include "tracking/internal/values.h"

namespace sluice::tracking::internal {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kFindActive{"tracking.find_logged_model",
                            "SELECT 1 FROM logged_models WHERE model_id = $1 AND stage = 0"};
constexpr Query kInsertMetric{
    "tracking.log_model_metric",
    "INSERT INTO logged_model_metrics (model_id, key, timestamp_ms, step, run_id, dataset_hash, "
    "is_nan, value, dataset_name, dataset_digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
    "ON CONFLICT DO NOTHING"};

/// Stands for a dataset in the key: 128 bits of the SHA-256 of name and digest, "" without dataset.
std::string DatasetHash(const Metric& metric) {
  if (metric.dataset_name.empty() && metric.dataset_digest.empty()) return "";
  Sha256 hash;
  hash.Update(metric.dataset_name);
  hash.Update(std::string_view("\0", 1));
  hash.Update(metric.dataset_digest);
  return hash.Finish().ToHex().substr(0, 32);
}

LoggedModelMetric MetricFromRow(const Row& row) {
  bool is_nan = row.GetBool(5);
  return {{.key = row.GetText(1),
           .value = is_nan ? std::numeric_limits<double>::quiet_NaN() : row.GetDouble(6),
           .timestamp_ms = row.GetInt64(2),
           .step = row.GetInt64(3),
           .model_id = row.GetText(0),
           .dataset_name = row.GetText(7),
           .dataset_digest = row.GetText(8)},
          row.GetText(4)};
}

}  // namespace

LoggedModel LoggedModelFromRow(const Row& row) {
  LoggedModel model;
  model.model_id = row.GetText(0);
  model.experiment_id = std::to_string(row.GetInt64(1));
  model.name = row.GetText(2);
  model.artifact_uri = row.GetText(3);
  model.status = static_cast<LoggedModelStatus>(row.GetInt64(4));
  model.status_message = row.GetText(5);
  model.model_type = row.GetText(6);
  model.source_run_id = row.GetText(7);
  model.stage = row.GetInt64(8) == 0 ? LifecycleStage::kActive : LifecycleStage::kDeleted;
  model.created_ms = row.GetInt64(9);
  model.updated_ms = row.GetInt64(10);
  return model;
}

Status LoadLoggedModelData(Reader& reader, std::span<LoggedModel> models) {
  // A statement takes so many parameters only.
  constexpr size_t kModelsAtOnce = 1000;
  if (models.empty()) return Ok();
  if (models.size() > kModelsAtOnce) {
    RETURN_IF_ERROR(LoadLoggedModelData(reader, models.subspan(kModelsAtOnce)));
    models = models.first(kModelsAtOnce);
  }
  std::unordered_map<std::string_view, LoggedModel*> by_id;
  Values ids;
  std::string list;
  for (LoggedModel& model : models) {
    by_id.emplace(model.model_id, &model);
    list += (list.empty() ? "" : ", ") + ids.Bind(model.model_id);
  }
  auto model_of = [&](const Row& row) -> LoggedModel& { return *by_id.at(row.GetTextView(0)); };

  std::string text = fmt::format(
      "SELECT model_id, key, value FROM logged_model_tags WHERE model_id IN ({}) "
      "ORDER BY model_id, key",
      list);
  RETURN_IF_ERROR(reader.ForEach(Query{"tracking.list_logged_model_tags", text}, ids.params(),
                                 [&](const Row& row) {
                                   model_of(row).tags.push_back({row.GetText(1), row.GetText(2)});
                                   return Ok();
                                 }));
  text = fmt::format(
      "SELECT model_id, key, value FROM logged_model_params WHERE model_id IN ({}) "
      "ORDER BY model_id, key",
      list);
  RETURN_IF_ERROR(reader.ForEach(Query{"tracking.list_logged_model_params", text}, ids.params(),
                                 [&](const Row& row) {
                                   model_of(row).params.push_back({row.GetText(1), row.GetText(2)});
                                   return Ok();
                                 }));
  text = fmt::format(
      "SELECT model_id, key, timestamp_ms, step, run_id, is_nan, value, dataset_name, "
      "dataset_digest FROM logged_model_metrics WHERE model_id IN ({}) "
      "ORDER BY model_id, key, timestamp_ms, step, run_id, dataset_hash, is_nan, value",
      list);
  return reader.ForEach(Query{"tracking.list_logged_model_metrics", text}, ids.params(),
                        [&](const Row& row) {
                          model_of(row).metrics.push_back(MetricFromRow(row));
                          return Ok();
                        });
}

Error NoLoggedModel(std::string_view model_id) {
  return NotFound(fmt::format("Logged model with ID '{}' not found.", model_id));
}

Status LogModelMetricsIn(Tx& tx, std::string_view run_id, std::span<const Metric> metrics) {
  std::set<std::string_view> known_ids;
  for (const Metric& metric : metrics) {
    if (metric.model_id.empty()) continue;
    if (known_ids.insert(metric.model_id).second) {
      ASSIGN_OR_RETURN(auto found,
                       tx.FindOne(kFindActive, {metric.model_id}, [](const Row&) { return true; }));
      if (!found) return NoLoggedModel(metric.model_id);
    }
    RETURN_IF_ERROR(InsertModelMetricIn(tx, run_id, metric));
  }
  return Ok();
}

Status InsertModelMetricIn(Tx& tx, std::string_view run_id, const Metric& metric) {
  bool is_nan = std::isnan(metric.value);
  std::string dataset_hash = DatasetHash(metric);
  return tx.Post(kInsertMetric,
                 {metric.model_id, metric.key, metric.timestamp_ms, metric.step, run_id,
                  dataset_hash, is_nan, is_nan ? 0.0 : metric.value, metric.dataset_name,
                  metric.dataset_digest});
}

}  // namespace sluice::tracking::internal
