// Logged models. Their id stands in the path; where MLflow's body repeats it, the path counts.
#include <array>

#include "api/encode.h"
#include "api/endpoint.h"
#include "tracking/logged_models.h"
#include "tracking/store.h"

namespace sluice::api {

namespace {

using http::Method;
using tracking::LoggedModel;
using tracking::Param;
using tracking::Tag;

/// Of the search, when it does not say; MLflow's store has the same.
constexpr int64_t kSearchCountDefault = 100;

constexpr std::array kStatusNames = std::to_array<EnumName>(
    {{"LOGGED_MODEL_PENDING", 1}, {"LOGGED_MODEL_READY", 2}, {"LOGGED_MODEL_UPLOAD_FAILED", 3}});

template <typename Pair>
std::vector<Pair> ReadPairs(const Fields& fields, std::string_view name) {
  std::vector<Pair> pairs;
  for (const Fields& pair : fields.Messages(name)) {
    pairs.push_back({pair.RequireString("key"), pair.StringOr("value")});
  }
  return pairs;
}

Answer AnswerModel(const LoggedModel& model) {
  return Answer::Printed(
      PrintWrapped("model", [&](JsonWriter& out) { AppendLoggedModel(model, out); }));
}

Result<Answer> Create(Services& services, Call& call) {
  tracking::NewLoggedModel model;
  model.experiment_id = call.fields.RequireString("experiment_id");
  // As with MLflow, an empty name asks for one.
  const std::string name = call.fields.StringOr("name");
  if (!name.empty()) model.name = name;
  model.model_type = call.fields.StringOr("model_type");
  model.source_run_id = call.fields.StringOr("source_run_id");
  model.params = ReadPairs<Param>(call.fields, "params");
  model.tags = ReadPairs<Tag>(call.fields, "tags");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const LoggedModel created, services.logged_models->Create(model));
  return AnswerModel(created);
}

Result<Answer> Get(Services& services, Call& call) {
  const bool allow_deleted = call.fields.BoolOr("allow_deleted", false);
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const LoggedModel model,
                   services.logged_models->Get(call.request.PathParam("model_id"), allow_deleted));
  return AnswerModel(model);
}

Result<Answer> Finalize(Services& services, Call& call) {
  call.fields.RequireString("model_id");
  const std::optional<int> status = call.fields.FindEnum("status", kStatusNames);
  if (!status) call.fields.RequireString("status");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const LoggedModel model, services.logged_models->Finalize(
                                                call.request.PathParam("model_id"),
                                                static_cast<tracking::LoggedModelStatus>(*status)));
  return AnswerModel(model);
}

Result<Answer> Delete(Services& services, Call& call) {
  RETURN_IF_ERROR(services.logged_models->Delete(call.request.PathParam("model_id")));
  return Answer::Empty();
}

Result<Answer> SetTags(Services& services, Call& call) {
  const std::vector<Tag> tags = ReadPairs<Tag>(call.fields, "tags");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.logged_models->SetTags(call.request.PathParam("model_id"), tags));
  return Answer::Empty();
}

Result<Answer> DeleteTag(Services& services, Call& call) {
  RETURN_IF_ERROR(services.logged_models->DeleteTag(call.request.PathParam("model_id"),
                                                    call.request.PathParam("tag_key")));
  return Answer::Empty();
}

Result<Answer> LogParams(Services& services, Call& call) {
  call.fields.RequireString("model_id");
  const std::vector<Param> params = ReadPairs<Param>(call.fields, "params");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.logged_models->LogParams(call.request.PathParam("model_id"), params));
  return Answer::Empty();
}

Result<Answer> Search(Services& services, Call& call) {
  const Fields& fields = call.fields;
  tracking::LoggedModelSearch search;
  search.experiment_ids = fields.RequireStrings("experiment_ids");
  search.filter = fields.StringOr("filter");
  for (const Fields& dataset : fields.Messages("datasets")) {
    search.datasets.push_back(
        {dataset.RequireString("dataset_name"), dataset.StringOr("dataset_digest")});
  }
  for (const Fields& order : fields.Messages("order_by")) {
    search.order_by.push_back(
        {.field_name = order.RequireString("field_name"),
         .is_ascending = order.BoolOr("ascending", true),
         .dataset = {order.StringOr("dataset_name"), order.StringOr("dataset_digest")}});
  }
  int64_t max_results = fields.Int64Or("max_results", kSearchCountDefault);
  if (max_results == 0) max_results = kSearchCountDefault;
  search.page_token = fields.StringOr("page_token");
  if (max_results < 0 || max_results > int64_t{tracking::Limits::kPageSize}) {
    fields.RefuseType("max_results");
  }
  RETURN_IF_ERROR(fields.status());
  search.max_count = static_cast<size_t>(max_results);
  ASSIGN_OR_RETURN(
      search.experiment_ids,
      OnlyReadableExperiments(call.caller, std::move(search.experiment_ids), "logged_model"));
  ASSIGN_OR_RETURN(const tracking::LoggedModelPage page, services.logged_models->Search(search));
  return Answer::Printed(PrintPage("models", page.models, page.next_token, AppendLoggedModel));
}

}  // namespace

std::vector<Endpoint> LoggedModelEndpoints() {
  const Access reads = Access::Needs(Level::kRead, ExperimentOfLoggedModel);
  const Access edits = Access::Needs(Level::kEdit, ExperimentOfLoggedModel);
  const Access manages = Access::Needs(Level::kManage, ExperimentOfLoggedModel);
  return {
      {Method::kPost, "/api/2.0/mlflow/logged-models", "logged_models.create",
       Access::Needs(Level::kEdit, ExperimentById), Create},
      {Method::kPost, "/api/2.0/mlflow/logged-models/search", "logged_models.search",
       Access::SignedIn(), Search},
      {Method::kGet, "/api/2.0/mlflow/logged-models/{model_id}", "logged_models.get", reads, Get},
      {Method::kPatch, "/api/2.0/mlflow/logged-models/{model_id}", "logged_models.finalize", edits,
       Finalize},
      {Method::kDelete, "/api/2.0/mlflow/logged-models/{model_id}", "logged_models.delete", manages,
       Delete},
      {Method::kPatch, "/api/2.0/mlflow/logged-models/{model_id}/tags", "logged_models.set_tags",
       edits, SetTags},
      {Method::kDelete, "/api/2.0/mlflow/logged-models/{model_id}/tags/{tag_key}",
       "logged_models.delete_tag", manages, DeleteTag},
      {Method::kPost, "/api/2.0/mlflow/logged-models/{model_id}/params", "logged_models.log_params",
       edits, LogParams},
  };
}

}  // namespace sluice::api
