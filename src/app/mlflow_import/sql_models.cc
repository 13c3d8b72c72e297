// The second half of SqlSource: logged models, the registry, webhooks.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "app/mlflow_import/sql_source.h"

namespace sluice::app::mlflow_import {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;

constexpr int64_t kRowsPerPiece = 500;

std::string TextOf(const Row& row, int column) { return row.FindText(column).value_or(""); }

constexpr Query kReadModelTags{"import.logged_model_tags",
                               "SELECT model_id, tag_key, tag_value FROM logged_model_tags "
                               "WHERE model_id >= $1 AND model_id <= $2"};
constexpr Query kReadModelParams{"import.logged_model_params",
                                 "SELECT model_id, param_key, param_value FROM logged_model_params "
                                 "WHERE model_id >= $1 AND model_id <= $2"};
constexpr Query kReadModelMetrics{
    "import.logged_model_metrics",
    "SELECT model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, run_id, "
    "dataset_name, dataset_digest FROM logged_model_metrics "
    "WHERE model_id >= $1 AND model_id <= $2"};

/// "<version>:<name>", a position among versions.
std::pair<int64_t, std::string> SplitPosition(const std::string& position) {
  int64_t version = 0;
  const size_t colon = position.find(':');
  if (colon == std::string::npos) return {0, ""};
  std::from_chars(position.data(), position.data() + colon, version);
  return {version, position.substr(colon + 1)};
}

constexpr std::string_view kDeletedStage = "Deleted_Internal";

}  // namespace

Result<Piece<tracking::LoggedModel>> SqlSource::ReadLoggedModels(const std::string& after) {
  Piece<tracking::LoggedModel> piece{.rows = {}, .position = after, .is_last = true};
  if (!has_logged_models_) return piece;
  const std::string text = fmt::format(
      "SELECT m.model_id, m.experiment_id, m.name, m.artifact_location, m.status, "
      "m.status_message, m.model_type, m.source_run_id, m.lifecycle_stage, "
      "m.creation_timestamp_ms, m.last_updated_timestamp_ms FROM logged_models m JOIN experiments "
      "e ON e.experiment_id = m.experiment_id WHERE {} AND m.model_id > $2 ORDER BY m.model_id "
      "LIMIT $3",
      OfWorkspace("e"));
  const Status read = db_.Read([&](Reader& reader) -> Status {
    ASSIGN_OR_RETURN(piece.rows,
                     reader.FindAll(Query{"import.logged_models", text},
                                    {workspaces_.only, after, kRowsPerPiece}, [](const Row& row) {
                                      tracking::LoggedModel model;
                                      model.model_id = row.GetText(0);
                                      model.experiment_id = std::to_string(row.GetInt64(1));
                                      model.name = row.GetText(2);
                                      model.artifact_uri = TextOf(row, 3);
                                      model.status = static_cast<tracking::LoggedModelStatus>(
                                          std::clamp(row.GetInt64(4), int64_t{1}, int64_t{3}));
                                      model.status_message = TextOf(row, 5);
                                      model.model_type = TextOf(row, 6);
                                      model.source_run_id = TextOf(row, 7);
                                      model.stage = TextOf(row, 8) == "deleted"
                                                        ? tracking::LifecycleStage::kDeleted
                                                        : tracking::LifecycleStage::kActive;
                                      model.created_ms = row.GetInt64(9);
                                      model.updated_ms = row.GetInt64(10);
                                      return model;
                                    }));
    if (piece.rows.empty()) return Ok();
    std::unordered_map<std::string, tracking::LoggedModel*> by_id;
    for (tracking::LoggedModel& model : piece.rows) by_id[model.model_id] = &model;
    const std::string first = piece.rows.front().model_id;
    const std::string last = piece.rows.back().model_id;
    auto find = [&](const Row& row) -> tracking::LoggedModel* {
      auto found = by_id.find(row.GetText(0));
      return found == by_id.end() ? nullptr : found->second;
    };
    RETURN_IF_ERROR(reader.ForEach(kReadModelTags, {first, last}, [&](const Row& row) -> Status {
      if (auto* model = find(row)) model->tags.push_back({row.GetText(1), TextOf(row, 2)});
      return Ok();
    }));
    RETURN_IF_ERROR(reader.ForEach(kReadModelParams, {first, last}, [&](const Row& row) -> Status {
      if (auto* model = find(row)) model->params.push_back({row.GetText(1), TextOf(row, 2)});
      return Ok();
    }));
    return reader.ForEach(kReadModelMetrics, {first, last}, [&](const Row& row) -> Status {
      auto* model = find(row);
      if (model == nullptr) return Ok();
      model->metrics.push_back({.metric = {.key = row.GetText(1),
                                           .value = row.FindDouble(4).value_or(std::nan("")),
                                           .timestamp_ms = row.GetInt64(2),
                                           .step = row.GetInt64(3),
                                           .model_id = model->model_id,
                                           .dataset_name = TextOf(row, 6),
                                           .dataset_digest = TextOf(row, 7)},
                                .run_id = row.GetText(5)});
      return Ok();
    });
  });
  RETURN_IF_ERROR(read);
  piece.is_last = std::ssize(piece.rows) < kRowsPerPiece;
  if (!piece.rows.empty()) piece.position = piece.rows.back().model_id;
  return piece;
}

Result<Piece<registry::RegisteredModel>> SqlSource::ReadModels(const std::string& after) {
  Piece<registry::RegisteredModel> piece{.rows = {}, .position = after, .is_last = true};
  const std::string models = fmt::format(
      "SELECT {0}, m.description, m.creation_time, m.last_updated_time FROM registered_models m "
      "WHERE {1} AND {0} > $2 ORDER BY 1 LIMIT $3",
      NameIn("m"), OfWorkspace("m"));
  const std::string tags = fmt::format(
      "SELECT {0}, m.key, m.value FROM registered_model_tags m WHERE {1} AND {0} >= $2 "
      "AND {0} <= $3",
      NameIn("m"), OfWorkspace("m"));
  const Status read = db_.Read([&](Reader& reader) -> Status {
    ASSIGN_OR_RETURN(piece.rows,
                     reader.FindAll(Query{"import.models", models},
                                    {workspaces_.only, after, kRowsPerPiece}, [](const Row& row) {
                                      registry::RegisteredModel model;
                                      model.name = row.GetText(0);
                                      model.description = TextOf(row, 1);
                                      model.created_ms = row.FindInt64(2).value_or(0);
                                      model.updated_ms = row.FindInt64(3).value_or(0);
                                      return model;
                                    }));
    if (piece.rows.empty()) return Ok();
    std::unordered_map<std::string, registry::RegisteredModel*> by_name;
    for (registry::RegisteredModel& model : piece.rows) by_name[model.name] = &model;
    return reader.ForEach(Query{"import.model_tags", tags},
                          {workspaces_.only, piece.rows.front().name, piece.rows.back().name},
                          [&](const Row& row) -> Status {
                            auto found = by_name.find(row.GetText(0));
                            if (found != by_name.end())
                              found->second->tags.push_back({row.GetText(1), TextOf(row, 2)});
                            return Ok();
                          });
  });
  RETURN_IF_ERROR(read);
  piece.is_last = std::ssize(piece.rows) < kRowsPerPiece;
  if (!piece.rows.empty()) piece.position = piece.rows.back().name;
  return piece;
}

Result<Piece<registry::ModelVersion>> SqlSource::ReadVersions(const std::string& after) {
  Piece<registry::ModelVersion> piece{.rows = {}, .position = after, .is_last = true};
  const auto [after_version, after_name] = SplitPosition(after);
  const std::string versions = fmt::format(
      "SELECT {0}, v.version, v.source, v.run_id, v.description, v.creation_time, "
      "v.last_updated_time, v.current_stage, v.status, v.status_message, v.run_link, {2}, "
      "v.user_id FROM model_versions v WHERE {1} AND ({0} > $2 OR ({0} = $2 AND v.version > $3)) "
      "ORDER BY 1, v.version LIMIT $4",
      NameIn("v"), OfWorkspace("v"), has_storage_location_ ? "v.storage_location" : "NULL");
  const std::string tags = fmt::format(
      "SELECT {0}, v.version, v.key, v.value FROM model_version_tags v WHERE {1} AND {0} >= $2 "
      "AND {0} <= $3",
      NameIn("v"), OfWorkspace("v"));
  const Status read = db_.Read([&](Reader& reader) -> Status {
    ASSIGN_OR_RETURN(
        piece.rows,
        reader.FindAll(
            Query{"import.versions", versions},
            {workspaces_.only, after_name, after_version, kRowsPerPiece}, [](const Row& row) {
              registry::ModelVersion version;
              version.name = row.GetText(0);
              version.version = row.GetInt64(1);
              version.source = TextOf(row, 2);
              version.run_id = TextOf(row, 3);
              version.description = TextOf(row, 4);
              version.created_ms = row.FindInt64(5).value_or(0);
              version.updated_ms = row.FindInt64(6).value_or(version.created_ms);
              const std::string stage = TextOf(row, 7);
              version.is_deleted = stage == kDeletedStage;
              if (Result<registry::Stage> known = registry::ParseStage(stage); known.ok())
                version.stage = *known;
              version.status = registry::FindVersionStatus(TextOf(row, 8))
                                   .value_or(registry::VersionStatus::kReady);
              version.status_message = TextOf(row, 9);
              version.run_link = TextOf(row, 10);
              version.storage_location = TextOf(row, 11);
              version.user_id = TextOf(row, 12);
              return version;
            }));
    if (piece.rows.empty()) return Ok();
    std::map<std::pair<std::string, int64_t>, registry::ModelVersion*> by_key;
    for (registry::ModelVersion& version : piece.rows)
      by_key[{version.name, version.version}] = &version;
    return reader.ForEach(Query{"import.version_tags", tags},
                          {workspaces_.only, piece.rows.front().name, piece.rows.back().name},
                          [&](const Row& row) -> Status {
                            auto found = by_key.find({row.GetText(0), row.GetInt64(1)});
                            if (found != by_key.end())
                              found->second->tags.push_back({row.GetText(2), TextOf(row, 3)});
                            return Ok();
                          });
  });
  RETURN_IF_ERROR(read);
  piece.is_last = std::ssize(piece.rows) < kRowsPerPiece;
  if (!piece.rows.empty())
    piece.position = fmt::format("{}:{}", piece.rows.back().version, piece.rows.back().name);
  return piece;
}

Result<Piece<SourceAlias>> SqlSource::ReadAliases(const std::string& after) {
  Piece<SourceAlias> piece{.rows = {}, .position = after, .is_last = true};
  if (!has_aliases_) return piece;
  // Few: all of them at once.
  const std::string text = fmt::format(
      "SELECT {0}, a.alias, a.version FROM registered_model_aliases a WHERE {1} ORDER BY 1, 2",
      NameIn("a"), OfWorkspace("a"));
  ASSIGN_OR_RETURN(piece.rows, db_.Read([&](Reader& reader) {
    return reader.FindAll(Query{"import.aliases", text}, {workspaces_.only}, [](const Row& row) {
      return SourceAlias{row.GetText(0), {row.GetText(1), row.GetInt64(2)}};
    });
  }));
  return piece;
}

Result<Piece<registry::Webhook>> SqlSource::ReadWebhooks(const std::string& after) {
  Piece<registry::Webhook> piece{.rows = {}, .position = after, .is_last = true};
  if (!has_webhooks_) return piece;
  const std::string text = fmt::format(
      "SELECT w.webhook_id, w.name, w.description, w.url, w.status, w.secret, "
      "w.creation_timestamp, w.last_updated_timestamp FROM webhooks w "
      "WHERE {} AND w.deleted_timestamp IS NULL ORDER BY w.webhook_id",
      OfWorkspace("w"));
  static constexpr Query kEvents{
      "import.webhook_events",
      "SELECT webhook_id, entity, action FROM webhook_events ORDER BY webhook_id, entity, action"};
  const Status read = db_.Read([&](Reader& reader) -> Status {
    ASSIGN_OR_RETURN(
        piece.rows,
        reader.FindAll(Query{"import.webhooks", text}, {workspaces_.only}, [](const Row& row) {
          registry::Webhook webhook;
          webhook.id = row.GetText(0);
          webhook.name = row.GetText(1);
          webhook.has_description = !row.IsNull(2);
          webhook.description = TextOf(row, 2);
          webhook.url = row.GetText(3);
          webhook.status = registry::FindWebhookStatus(TextOf(row, 4))
                               .value_or(registry::WebhookStatus::kDisabled);
          webhook.has_secret = !TextOf(row, 5).empty();
          webhook.created_ms = row.FindInt64(6).value_or(0);
          webhook.updated_ms = row.FindInt64(7).value_or(webhook.created_ms);
          return webhook;
        }));
    std::unordered_map<std::string, registry::Webhook*> by_id;
    for (registry::Webhook& webhook : piece.rows) by_id[webhook.id] = &webhook;
    return reader.ForEach(kEvents, {}, [&](const Row& row) -> Status {
      auto found = by_id.find(row.GetText(0));
      const auto entity = registry::FindWebhookEntity(row.GetText(1));
      const auto action = registry::FindWebhookAction(row.GetText(2));
      if (found != by_id.end() && entity && action)
        found->second->events.push_back({.entity = *entity, .action = *action});
      return Ok();
    });
  });
  RETURN_IF_ERROR(read);
  return piece;
}

Result<Tally> SqlSource::Count() {
  Tally tally;
  // Rows of no run and no experiment are nobody's: MLflow does not show them, so they do not count.
  static constexpr std::string_view kRuns =
      "runs r JOIN experiments e ON e.experiment_id = r.experiment_id";
  auto of_runs = [](std::string_view table) {
    return fmt::format(
        "{} x JOIN runs r ON r.run_uuid = x.run_uuid JOIN experiments e "
        "ON e.experiment_id = r.experiment_id",
        table);
  };
  auto of_models = [](std::string_view table) {
    return fmt::format(
        "{} x JOIN logged_models m ON m.model_id = x.model_id JOIN experiments e "
        "ON e.experiment_id = m.experiment_id",
        table);
  };
  struct CountRow {
    Kind kind;
    std::string from;
    std::string_view owner;
    std::string_view condition;
    bool is_there;
  };
  const std::string inputs =
      "inputs i JOIN datasets d ON d.dataset_uuid = i.source_id JOIN runs r ON r.run_uuid = "
      "i.destination_id JOIN experiments e ON e.experiment_id = r.experiment_id";
  static constexpr std::string_view kIsInput =
      " AND i.source_type = 'DATASET' AND i.destination_type = 'RUN'";
  // An alias of a deleted version dangles: MLflow before 3.17 leaves it behind.
  const std::string same_workspace = has_workspaces_ ? "v.workspace = m.workspace AND " : "";
  const std::string is_of_live = fmt::format(
      " AND EXISTS (SELECT 1 FROM model_versions v WHERE {}v.name = m.name "
      "AND v.version = m.version AND v.current_stage <> 'Deleted_Internal')",
      same_workspace);
  const std::vector<CountRow> rows = {
      {Kind::kExperiments, "experiments e", "e", "", true},
      {Kind::kExperimentTags,
       "experiment_tags x JOIN experiments e ON e.experiment_id = x.experiment_id", "e", "", true},
      {Kind::kRuns, std::string(kRuns), "e", "", true},
      {Kind::kDeletedRuns, std::string(kRuns), "e", " AND r.lifecycle_stage = 'deleted'", true},
      {Kind::kParams, of_runs("params"), "e", "", true},
      {Kind::kTags, of_runs("tags"), "e", "", true},
      {Kind::kLatestMetrics, of_runs("latest_metrics"), "e", "", true},
      {Kind::kPoints, of_runs("metrics"), "e", "", true},
      {Kind::kDatasets, "datasets d JOIN experiments e ON e.experiment_id = d.experiment_id", "e",
       "", has_datasets_},
      {Kind::kDatasetLinks, inputs, "e", kIsInput, has_datasets_},
      {Kind::kDatasetLinkTags, inputs + " JOIN input_tags t ON t.input_uuid = i.input_uuid", "e",
       kIsInput, has_datasets_},
      {Kind::kModelLinks,
       "inputs i JOIN runs r ON r.run_uuid = i.source_id JOIN experiments e "
       "ON e.experiment_id = r.experiment_id",
       "e", " AND i.source_type IN ('RUN_INPUT', 'RUN_OUTPUT')", has_input_step_},
      {Kind::kLoggedModels,
       "logged_models m JOIN experiments e ON e.experiment_id = "
       "m.experiment_id",
       "e", "", has_logged_models_},
      {Kind::kLoggedModelParams, of_models("logged_model_params"), "e", "", has_logged_models_},
      {Kind::kLoggedModelTags, of_models("logged_model_tags"), "e", "", has_logged_models_},
      {Kind::kLoggedModelMetrics,
       of_models("logged_model_metrics") + " JOIN runs r ON r.run_uuid = x.run_id", "e", "",
       has_logged_models_},
      {Kind::kModels, "registered_models m", "m", "", true},
      {Kind::kModelTags, "registered_model_tags m", "m", "", true},
      {Kind::kVersions, "model_versions m", "m", "", true},
      {Kind::kDeletedVersions, "model_versions m", "m", " AND m.current_stage = 'Deleted_Internal'",
       true},
      {Kind::kVersionTags, "model_version_tags m", "m", "", true},
      {Kind::kAliases, "registered_model_aliases m", "m", is_of_live, has_aliases_},
      {Kind::kWebhooks, "webhooks m", "m", " AND m.deleted_timestamp IS NULL", has_webhooks_},
  };
  return db_.Read([&](Reader& reader) -> Result<Tally> {
    for (const CountRow& row : rows) {
      if (!row.is_there) {
        tally.counts[row.kind] = 0;
        continue;
      }
      const std::string text = fmt::format("SELECT COUNT(*) FROM {} WHERE {}{}", row.from,
                                           OfWorkspace(row.owner), row.condition);
      ASSIGN_OR_RETURN(auto count, reader.FindOne(Query{"import.count", text}, {workspaces_.only},
                                                  [](const Row& r) { return r.GetInt64(0); }));
      tally.counts[row.kind] = count.value_or(0);
    }
    return tally;
  });
}

}  // namespace sluice::app::mlflow_import
