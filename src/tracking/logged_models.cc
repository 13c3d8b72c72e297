#include "tracking/logged_models.h"

#include <fmt/format.h>

#include <map>

#include "base/id.h"
#include "tracking/internal/list_tag.h"
#include "tracking/internal/logged_model_rows.h"
#include "tracking/internal/rules.h"
#include "tracking/internal/sql_store.h"

namespace sluice::tracking {
namespace {

using internal::LoadLoggedModelData;
using internal::LoggedModelFromRow;
using internal::NoLoggedModel;
using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kInsert{
    "tracking.create_logged_model",
    "INSERT INTO logged_models (model_id, experiment_id, name, artifact_uri, status, "
    "status_message, model_type, source_run_id, stage, created_ms, updated_ms) "
    "VALUES ($1, $2, $3, $4, $5, '', $6, $7, 0, $8, $8)"};
constexpr Query kGet{
    "tracking.get_logged_model",
    "SELECT model_id, experiment_id, name, artifact_uri, status, status_message, model_type, "
    "source_run_id, stage, created_ms, updated_ms FROM logged_models "
    "WHERE model_id = $1 AND stage <= $2"};
constexpr Query kFinalize{"tracking.finalize_logged_model",
                          "UPDATE logged_models SET status = $2, status_message = $3, "
                          "updated_ms = $4 WHERE model_id = $1 AND stage = 0"};
constexpr Query kSetStage{"tracking.set_logged_model_stage",
                          "UPDATE logged_models SET stage = $2, updated_ms = $3 "
                          "WHERE model_id = $1 AND stage = $4"};
constexpr Query kSetTag{"tracking.set_logged_model_tag",
                        "INSERT INTO logged_model_tags (model_id, key, value) VALUES ($1, $2, $3) "
                        "ON CONFLICT (model_id, key) DO UPDATE SET value = excluded.value"};
constexpr Query kGetTag{"tracking.get_logged_model_tag",
                        "SELECT value FROM logged_model_tags WHERE model_id = $1 AND key = $2"};
constexpr Query kDeleteTag{"tracking.delete_logged_model_tag",
                           "DELETE FROM logged_model_tags WHERE model_id = $1 AND key = $2"};
constexpr Query kInsertParam{
    "tracking.log_logged_model_param",
    "INSERT INTO logged_model_params (model_id, key, value) VALUES ($1, $2, $3) "
    "ON CONFLICT DO NOTHING"};
constexpr Query kGetParam{"tracking.get_logged_model_param",
                          "SELECT value FROM logged_model_params WHERE model_id = $1 AND key = $2"};

constexpr std::string_view kStatusPrefix = "LOGGED_MODEL_";

LifecycleStage LastStage(bool allow_deleted) {
  return allow_deleted ? LifecycleStage::kDeleted : LifecycleStage::kActive;
}

/// Errors: kNotFound.
Result<LoggedModel> GetIn(Reader& reader, std::string_view model_id,
                          LifecycleStage last_stage = LifecycleStage::kActive) {
  ASSIGN_OR_RETURN(auto model, reader.FindOne(kGet, {model_id, last_stage}, LoggedModelFromRow));
  if (!model) return NoLoggedModel(model_id);
  return *std::move(model);
}

Result<LoggedModel> GetWithDataIn(Reader& reader, std::string_view model_id,
                                  LifecycleStage last_stage = LifecycleStage::kActive) {
  ASSIGN_OR_RETURN(LoggedModel model, GetIn(reader, model_id, last_stage));
  RETURN_IF_ERROR(LoadLoggedModelData(reader, {&model, 1}));
  return model;
}

/// As MLflow, which limits what its columns hold but no characters.
Status CheckTagOrParam(std::string_view kind, std::string_view key) {
  if (key.empty()) return InvalidArgument(fmt::format("the key of a {} is empty", kind));
  return internal::CheckLength("key", key, 255);
}

Status LogParamsIn(Tx& tx, std::string_view model_id, std::span<const Param> params) {
  for (const Param& param : params) {
    ASSIGN_OR_RETURN(int64_t inserted,
                     tx.Execute(kInsertParam, {model_id, param.key, param.value}));
    if (inserted > 0) continue;
    ASSIGN_OR_RETURN(auto old_value, tx.FindOne(kGetParam, {model_id, param.key},
                                                [](const Row& row) { return row.GetText(0); }));
    if (old_value == param.value) continue;
    return InvalidArgument(fmt::format(
        "Changing param values is not allowed. Param with key='{}' was already logged with "
        "value='{}' for logged model ID='{}'. Attempted logging new value '{}'.",
        param.key, old_value.value_or(""), model_id, param.value));
  }
  return Ok();
}

Status SetTagsIn(Tx& tx, std::string_view model_id, std::span<const Tag> tags) {
  for (const Tag& tag : tags) RETURN_IF_ERROR(tx.Post(kSetTag, {model_id, tag.key, tag.value}));
  return Ok();
}

Status CheckTags(std::span<const Tag> tags) {
  for (const Tag& tag : tags) RETURN_IF_ERROR(CheckTagOrParam("tag", tag.key));
  return Ok();
}

Status CheckParams(std::span<const Param> params) {
  for (const Param& param : params) RETURN_IF_ERROR(CheckTagOrParam("param", param.key));
  return Ok();
}

}  // namespace

std::string_view LoggedModelStatusName(LoggedModelStatus status) {
  switch (status) {
    case LoggedModelStatus::kPending: return "LOGGED_MODEL_PENDING";
    case LoggedModelStatus::kReady: return "LOGGED_MODEL_READY";
    case LoggedModelStatus::kUploadFailed: return "LOGGED_MODEL_UPLOAD_FAILED";
  }
  return "LOGGED_MODEL_STATUS_UNSPECIFIED";
}

std::optional<LoggedModelStatus> FindLoggedModelStatus(std::string_view name) {
  if (name.substr(0, kStatusPrefix.size()) == kStatusPrefix)
    name.remove_prefix(kStatusPrefix.size());
  for (LoggedModelStatus status :
       {LoggedModelStatus::kPending, LoggedModelStatus::kReady, LoggedModelStatus::kUploadFailed}) {
    if (LoggedModelStatusName(status).substr(kStatusPrefix.size()) == name) return status;
  }
  return std::nullopt;
}

LoggedModelStore::LoggedModelStore(sql::Db& db, Clock& clock) : db_(db), clock_(clock) {}

Result<LoggedModel> LoggedModelStore::Create(const NewLoggedModel& model) {
  ASSIGN_OR_RETURN(int64_t experiment_id, internal::ParseExperimentId(model.experiment_id));
  if (model.name) {
    RETURN_IF_ERROR(internal::CheckLoggedModelName(*model.name));
    RETURN_IF_ERROR(internal::CheckLength("name", *model.name, 500));
  }
  RETURN_IF_ERROR(internal::CheckLength("model_type", model.model_type, 500));
  if (!model.source_run_id.empty()) RETURN_IF_ERROR(internal::CheckRunId(model.source_run_id));
  RETURN_IF_ERROR(CheckParams(model.params));
  RETURN_IF_ERROR(CheckTags(model.tags));
  const std::string model_id = "m-" + NewRunId();
  const std::string name = model.name ? *model.name : internal::NewRunName();
  return db_.Write(
      [&](Tx& tx) -> Result<LoggedModel> {
        ASSIGN_OR_RETURN(Experiment experiment, internal::GetActiveExperimentIn(tx, experiment_id));
        std::string artifact_uri = internal::JoinUri(experiment.artifact_location,
                                                     fmt::format("models/{}/artifacts", model_id));
        RETURN_IF_ERROR(tx.Execute(
            kInsert, {model_id, experiment_id, name, artifact_uri, LoggedModelStatus::kPending,
                      model.model_type, model.source_run_id, clock_.NowMs()}));
        RETURN_IF_ERROR(LogParamsIn(tx, model_id, model.params));
        RETURN_IF_ERROR(SetTagsIn(tx, model_id, model.tags));
        return GetWithDataIn(tx, model_id);
      },
      {.scope = model_id});
}

Result<LoggedModel> LoggedModelStore::Get(std::string_view model_id, bool allow_deleted) {
  LifecycleStage last_stage = LastStage(allow_deleted);
  return db_.Read([&](Reader& reader) { return GetWithDataIn(reader, model_id, last_stage); });
}

Result<LoggedModel> LoggedModelStore::GetInfo(std::string_view model_id, bool allow_deleted) {
  LifecycleStage last_stage = LastStage(allow_deleted);
  return db_.Read([&](Reader& reader) { return GetIn(reader, model_id, last_stage); });
}

Result<LoggedModel> LoggedModelStore::Finalize(std::string_view model_id, LoggedModelStatus status,
                                               std::string_view status_message) {
  RETURN_IF_ERROR(internal::CheckLength("status_message", status_message, 1000));
  return db_.Write(
      [&](Tx& tx) -> Result<LoggedModel> {
        RETURN_IF_ERROR(tx.Execute(kFinalize, {model_id, status, status_message, clock_.NowMs()}));
        return GetWithDataIn(tx, model_id);
      },
      {.scope = model_id});
}

Status LoggedModelStore::Delete(std::string_view model_id) {
  return db_.Write(
      [&](Tx& tx) -> Status {
        ASSIGN_OR_RETURN(int64_t count,
                         tx.Execute(kSetStage, {model_id, LifecycleStage::kDeleted, clock_.NowMs(),
                                                LifecycleStage::kActive}));
        return count > 0 ? Ok() : Status(NoLoggedModel(model_id));
      },
      {.scope = model_id});
}

Status LoggedModelStore::Restore(std::string_view model_id) {
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(GetIn(tx, model_id, LifecycleStage::kDeleted));
        RETURN_IF_ERROR(tx.Execute(kSetStage, {model_id, LifecycleStage::kActive, clock_.NowMs(),
                                               LifecycleStage::kDeleted}));
        return Ok();
      },
      {.scope = model_id});
}

Status LoggedModelStore::SetTags(std::string_view model_id, std::span<const Tag> tags) {
  RETURN_IF_ERROR(CheckTags(tags));
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(GetIn(tx, model_id));
        return SetTagsIn(tx, model_id, tags);
      },
      {.scope = model_id});
}

Status LoggedModelStore::AppendToListTag(std::string_view model_id, std::string_view key,
                                         const formats::Json& item, ListItemRule rule) {
  RETURN_IF_ERROR(CheckTagOrParam("tag", key));
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(GetIn(tx, model_id));
        ASSIGN_OR_RETURN(auto value, tx.FindOne(kGetTag, {model_id, key},
                                                [](const Row& row) { return row.GetText(0); }));
        ASSIGN_OR_RETURN(const auto appended, internal::AppendedList(value, item, rule));
        if (!appended) return Ok();
        return tx.Post(kSetTag, {model_id, key, *appended});
      },
      {.scope = model_id});
}

Status LoggedModelStore::DeleteTag(std::string_view model_id, std::string_view key) {
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(GetIn(tx, model_id));
        ASSIGN_OR_RETURN(int64_t count, tx.Execute(kDeleteTag, {model_id, key}));
        if (count > 0) return Ok();
        return NotFound(
            fmt::format("No tag with key '{}' found for model with ID '{}'.", key, model_id));
      },
      {.scope = model_id});
}

Status LoggedModelStore::LogParams(std::string_view model_id, std::span<const Param> params) {
  RETURN_IF_ERROR(CheckParams(params));
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(GetIn(tx, model_id));
        return LogParamsIn(tx, model_id, params);
      },
      {.scope = model_id});
}

}  // namespace sluice::tracking
