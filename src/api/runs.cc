// Runs: their life, params, tags, single metrics and batches, what they read and made.
#include <fmt/format.h>

#include <array>

#include "api/encode.h"
#include "api/endpoint.h"
#include "formats/json.h"
#include "tracking/search.h"
#include "tracking/store.h"

namespace sluice::api {

namespace {

using http::Method;
using tracking::Batch;
using tracking::Metric;
using tracking::Param;
using tracking::Tag;

// What one log-batch may hold.
constexpr size_t kBatchMetricCountMax = 1000;
constexpr size_t kBatchParamCountMax = 100;
constexpr size_t kBatchTagCountMax = 100;
constexpr size_t kBatchEntityCountMax = 1000;

constexpr std::array kStatusNames = std::to_array<EnumName>(
    {{"RUNNING", 1}, {"SCHEDULED", 2}, {"FINISHED", 3}, {"FAILED", 4}, {"KILLED", 5}});

std::vector<Tag> ReadTags(const Fields& fields) {
  std::vector<Tag> tags;
  for (const Fields& tag : fields.Messages("tags")) {
    tags.push_back({tag.RequireString("key"), tag.StringOr("value")});
  }
  return tags;
}

Metric ReadMetric(const Fields& fields) {
  Metric metric;
  metric.key = fields.RequireString("key");
  metric.value = fields.RequireDouble("value");
  metric.timestamp_ms = fields.RequireInt64("timestamp");
  metric.step = fields.Int64Or("step", 0);
  metric.model_id = fields.StringOr("model_id");
  metric.dataset_name = fields.StringOr("dataset_name");
  metric.dataset_digest = fields.StringOr("dataset_digest");
  return metric;
}

Result<Answer> Create(Services& services, Call& call) {
  const Fields& fields = call.fields;
  tracking::NewRun run;
  run.experiment_id = fields.StringOr("experiment_id");
  run.start_ms = fields.Int64Or("start_time", 0);
  run.name = fields.StringOr("run_name");
  run.user_id = fields.StringOr("user_id");
  run.tags = ReadTags(fields);
  RETURN_IF_ERROR(fields.status());
  ASSIGN_OR_RETURN(const tracking::Run created, services.tracking->CreateRun(run));
  return Answer::Printed(
      PrintWrapped("run", [&](JsonWriter& out) { AppendRun(created, RunParts::kCreated, out); }));
}

Result<Answer> Get(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const tracking::Run run, services.tracking->GetRun(run_id));
  return Answer::Printed(
      PrintWrapped("run", [&](JsonWriter& out) { AppendRun(run, RunParts::kWhole, out); }));
}

Result<Answer> Update(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  tracking::RunUpdate update;
  update.end_ms = call.fields.FindInt64("end_time");
  if (const std::optional<int> status = call.fields.FindEnum("status", kStatusNames)) {
    update.status = static_cast<tracking::RunStatus>(*status);
  }
  update.name = call.fields.FindString("run_name");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const tracking::RunInfo info, services.tracking->UpdateRun(run_id, update));
  return Answer::Printed(
      PrintWrapped("run_info", [&](JsonWriter& out) { AppendRunInfo(info, out); }));
}

Result<Answer> Delete(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->DeleteRun(run_id));
  return Answer::Empty();
}

Result<Answer> Restore(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->RestoreRun(run_id));
  return Answer::Empty();
}

Result<Answer> Search(Services& services, Call& call) {
  const Fields& fields = call.fields;
  tracking::RunSearch search;
  search.experiment_ids = fields.Strings("experiment_ids");
  search.filter = fields.StringOr("filter");
  search.max_count = fields.Int64Or("max_results", search.max_count);
  if (search.max_count > int64_t{tracking::Limits::kPageSize}) fields.RefuseType("max_results");
  search.order_by = fields.Strings("order_by");
  if (const std::optional<int> view = fields.FindEnum("run_view_type", kViewTypeNames)) {
    search.view = static_cast<tracking::ViewType>(*view);
  }
  search.page_token = fields.StringOr("page_token");
  RETURN_IF_ERROR(fields.status());
  ASSIGN_OR_RETURN(search.experiment_ids,
                   OnlyReadableExperiments(call.caller, std::move(search.experiment_ids), "run"));
  ASSIGN_OR_RETURN(const tracking::RunPage page, services.search->Runs(search));
  return Answer::Printed(PrintPage(
      "runs", page.runs, page.next_token,
      [](const tracking::Run& run, JsonWriter& out) { AppendRun(run, RunParts::kWhole, out); }));
}

Result<Answer> LogMetric(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  Batch batch;
  batch.is_single = true;
  batch.metrics.push_back(ReadMetric(call.fields));
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->LogBatch(run_id, batch));
  return Answer::Empty();
}

Result<Answer> LogParam(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  Batch batch;
  batch.is_single = true;
  batch.params.push_back({call.fields.RequireString("key"), call.fields.StringOr("value")});
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->LogBatch(run_id, batch));
  return Answer::Empty();
}

Result<Answer> SetTag(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  Batch batch;
  batch.is_single = true;
  batch.tags.push_back({call.fields.RequireString("key"), call.fields.StringOr("value")});
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->LogBatch(run_id, batch));
  return Answer::Empty();
}

Result<Answer> DeleteTag(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  const std::string key = call.fields.RequireString("key");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->DeleteTag(run_id, key));
  return Answer::Empty();
}

Status CheckBatchCount(std::string_view what, size_t count, size_t count_max) {
  if (count <= count_max) return Ok();
  return InvalidArgument(
      fmt::format("A batch logging request can contain at most {} {}. Got {} {}. Please split up "
                  "{} across multiple requests and try again.",
                  count_max, what, count, what, what));
}

Result<Answer> LogBatch(Services& services, Call& call) {
  const Fields& fields = call.fields;
  const std::string run_id = RunIdOf(fields);
  Batch batch;
  const std::vector<Fields> metrics = fields.Messages("metrics");
  batch.metrics.reserve(metrics.size());
  for (const Fields& metric : metrics) batch.metrics.push_back(ReadMetric(metric));
  for (const Fields& param : fields.Messages("params")) {
    batch.params.push_back({param.RequireString("key"), param.StringOr("value")});
  }
  batch.tags = ReadTags(fields);
  RETURN_IF_ERROR(fields.status());
  RETURN_IF_ERROR(CheckBatchCount("metrics", batch.metrics.size(), kBatchMetricCountMax));
  RETURN_IF_ERROR(CheckBatchCount("params", batch.params.size(), kBatchParamCountMax));
  RETURN_IF_ERROR(CheckBatchCount("tags", batch.tags.size(), kBatchTagCountMax));
  RETURN_IF_ERROR(CheckBatchCount("metrics, params, and tags",
                                  batch.metrics.size() + batch.params.size() + batch.tags.size(),
                                  kBatchEntityCountMax));
  RETURN_IF_ERROR(services.tracking->LogBatch(run_id, batch));
  return Answer::Empty();
}

/// The part of a model's description that MLflow keeps in the run's tag.
formats::Json ModelTagEntry(const formats::Json& model) {
  formats::Json entry = formats::Json::MakeObject();
  for (const char* key : {"run_id", "artifact_path", "utc_time_created", "model_uuid"}) {
    if (const formats::Json* value = model.Find(key)) entry[key] = *value;
  }
  entry["flavors"] = formats::Json::MakeObject();
  if (!model.At("flavors").is_object()) return entry;
  for (const auto& [name, flavor] : model.At("flavors").AsObject()) {
    formats::Json kept = flavor;
    if (kept.is_object()) kept.Remove("config");
    entry["flavors"][name] = std::move(kept);
  }
  return entry;
}

/// The call of clients before 3.0: the model joins the list in tag mlflow.log-model.history.
Result<Answer> LogModel(Services& services, Call& call) {
  constexpr std::string_view kHistoryTag = "mlflow.log-model.history";
  const std::string run_id = RunIdOf(call.fields);
  const std::string text = call.fields.RequireString("model_json");
  RETURN_IF_ERROR(call.fields.status());
  const Result<formats::Json> model = formats::ParseJson(text);
  if (!model.ok() || !model->is_object()) {
    return InvalidArgument(
        fmt::format("Malformed model info. \n {} \n is not a valid JSON.", text));
  }
  std::string missing;
  for (const char* key : {"artifact_path", "flavors", "run_id", "utc_time_created"}) {
    if (!model->Find(key)) missing += fmt::format("{}'{}'", missing.empty() ? "" : ", ", key);
  }
  if (!missing.empty()) {
    return InvalidArgument(fmt::format("Model json is missing mandatory fields: {{{}}}", missing));
  }
  RETURN_IF_ERROR(services.tracking->AppendToListTag(run_id, kHistoryTag, ModelTagEntry(*model)));
  return Answer::Empty();
}

tracking::DatasetLink ReadDatasetLink(const Fields& input) {
  tracking::DatasetLink link;
  link.tags = ReadTags(input);
  if (const std::optional<Fields> dataset = input.FindMessage("dataset")) {
    link.dataset = {.name = dataset->StringOr("name"),
                    .digest = dataset->StringOr("digest"),
                    .source_type = dataset->StringOr("source_type"),
                    .source = dataset->StringOr("source"),
                    .schema = dataset->StringOr("schema"),
                    .profile = dataset->StringOr("profile")};
  }
  return link;
}

Result<Answer> LogInputs(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  std::vector<tracking::DatasetLink> inputs;
  for (const Fields& input : call.fields.Messages("datasets")) {
    inputs.push_back(ReadDatasetLink(input));
  }
  std::vector<std::string> model_ids;
  for (const Fields& model : call.fields.Messages("models")) {
    model_ids.push_back(model.RequireString("model_id"));
  }
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->LogInputs(run_id, inputs, model_ids));
  return Answer::Empty();
}

Result<Answer> LogOutputs(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  std::vector<tracking::ModelOutput> models;
  for (const Fields& model : call.fields.RequireMessages("models")) {
    models.push_back({model.RequireString("model_id"), model.Int64Or("step", 0)});
  }
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->LogModelOutputs(run_id, models));
  return Answer::Empty();
}

}  // namespace

std::vector<Endpoint> RunEndpoints() {
  const Access reads = Access::Needs(Level::kRead, ExperimentOfRun);
  const Access edits = Access::Needs(Level::kEdit, ExperimentOfRun);
  const Access manages = Access::Needs(Level::kManage, ExperimentOfRun);
  const Access edits_models = Access::Needs(Level::kEdit, RunAndLoggedModels);
  return {
      {Method::kPost, "/api/2.0/mlflow/runs/create", "runs.create",
       Access::Needs(Level::kEdit, ExperimentById), Create},
      {Method::kGet, "/api/2.0/mlflow/runs/get", "runs.get", reads, Get},
      {Method::kPost, "/api/2.0/mlflow/runs/search", "runs.search", Access::SignedIn(), Search},
      {Method::kPost, "/api/2.0/mlflow/runs/update", "runs.update", edits, Update},
      {Method::kPost, "/api/2.0/mlflow/runs/delete", "runs.delete", manages, Delete},
      {Method::kPost, "/api/2.0/mlflow/runs/restore", "runs.restore", manages, Restore},
      {Method::kPost, "/api/2.0/mlflow/runs/log-metric", "runs.log_metric", edits_models,
       LogMetric},
      {Method::kPost, "/api/2.0/mlflow/runs/log-parameter", "runs.log_parameter", edits, LogParam},
      {Method::kPost, "/api/2.0/mlflow/runs/set-tag", "runs.set_tag", edits, SetTag},
      {Method::kPost, "/api/2.0/mlflow/runs/delete-tag", "runs.delete_tag", edits, DeleteTag},
      {Method::kPost, "/api/2.0/mlflow/runs/log-batch", "runs.log_batch", edits_models, LogBatch},
      {Method::kPost, "/api/2.0/mlflow/runs/log-model", "runs.log_model", edits, LogModel},
      {Method::kPost, "/api/2.0/mlflow/runs/log-inputs", "runs.log_inputs", edits_models,
       LogInputs},
      {Method::kPost, "/api/2.0/mlflow/runs/outputs", "runs.outputs", edits_models, LogOutputs},
  };
}

}  // namespace sluice::api
