// Registered models, their tags and aliases.
#include <fmt/format.h>

#include "api/encode.h"
#include "api/endpoint.h"
#include "registry/store.h"

namespace sluice::api {

namespace {

using http::Method;
using registry::ModelVersion;
using registry::RegisteredModel;

Answer AnswerModel(const RegisteredModel& model) {
  return Answer::Printed(PrintWrapped("registered_model",
                                      [&](JsonWriter& out) { AppendRegisteredModel(model, out); }));
}

Result<Answer> Create(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("name");
  std::vector<registry::Tag> tags;
  for (const Fields& tag : call.fields.Messages("tags")) {
    tags.push_back({tag.RequireString("key"), tag.StringOr("value")});
  }
  const std::string description = call.fields.StringOr("description");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const RegisteredModel model,
                   services.registry->CreateModel(name, description, tags));
  RETURN_IF_ERROR(call.caller.OnCreated({ResourceKind::kRegisteredModel, name}));
  return AnswerModel(model);
}

Result<Answer> Get(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("name");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const RegisteredModel model, services.registry->GetModel(name));
  return AnswerModel(model);
}

Result<Answer> Update(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("name");
  // None given clears what is there, as MLflow.
  const std::string description = call.fields.StringOr("description");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.registry->SetModelDescription(name, description));
  ASSIGN_OR_RETURN(const RegisteredModel model, services.registry->GetModel(name));
  return AnswerModel(model);
}

Result<Answer> Rename(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("name");
  const std::string new_name = call.fields.RequireString("new_name");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const RegisteredModel model, services.registry->RenameModel(name, new_name));
  RETURN_IF_ERROR(call.caller.OnRenamed({ResourceKind::kRegisteredModel, name}, new_name));
  return AnswerModel(model);
}

Result<Answer> Delete(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("name");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.registry->DeleteModel(name));
  RETURN_IF_ERROR(call.caller.OnDeleted({ResourceKind::kRegisteredModel, name}));
  return Answer::Empty();
}

Result<Answer> Search(Services& services, Call& call) {
  const Fields& fields = call.fields;
  registry::SearchRequest request;
  request.filter = fields.StringOr("filter");
  request.max_results = fields.Int64Or("max_results", 100);
  request.order_by = fields.Strings("order_by");
  request.page_token = fields.StringOr("page_token");
  if (request.max_results < 1 || request.max_results > registry::kSearchModelsMax) {
    fields.RefuseType("max_results");
  }
  RETURN_IF_ERROR(fields.status());
  ASSIGN_OR_RETURN(const bool reads_all, call.caller.MayReadAll(ResourceKind::kRegisteredModel));
  registry::ModelPage page;
  const size_t wanted_count = static_cast<size_t>(request.max_results);
  // What the caller may not read is left out, and the page filled up from what follows.
  while (true) {
    ASSIGN_OR_RETURN(registry::ModelPage next, services.registry->SearchModels(request));
    for (RegisteredModel& model : next.models) {
      bool may = reads_all;
      if (!may) {
        ASSIGN_OR_RETURN(
            may, call.caller.May(Level::kRead, {ResourceKind::kRegisteredModel, model.name}));
      }
      if (may) page.models.push_back(std::move(model));
    }
    page.next_page_token = next.next_page_token;
    if (page.next_page_token.empty() || page.models.size() >= wanted_count) break;
    request.page_token = page.next_page_token;
    request.max_results = static_cast<int64_t>(wanted_count - page.models.size());
  }
  return Answer::Printed(
      PrintPage("registered_models", page.models, page.next_page_token, AppendRegisteredModel));
}

Result<Answer> GetLatestVersions(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("name");
  const std::vector<std::string> names = call.fields.Strings("stages");
  RETURN_IF_ERROR(call.fields.status());
  std::vector<registry::Stage> stages;
  for (const std::string& stage_name : names) {
    ASSIGN_OR_RETURN(const registry::Stage stage, registry::ParseStage(stage_name));
    stages.push_back(stage);
  }
  ASSIGN_OR_RETURN(const std::vector<ModelVersion> versions,
                   services.registry->GetLatestVersions(name, stages));
  return Answer::Printed(PrintPage("model_versions", versions, {}, AppendModelVersion));
}

Result<Answer> SetTag(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("name");
  const registry::Tag tag = {call.fields.RequireString("key"), call.fields.StringOr("value")};
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.registry->SetModelTag(name, tag));
  return Answer::Empty();
}

Result<Answer> DeleteTag(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("name");
  const std::string key = call.fields.RequireString("key");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.registry->DeleteModelTag(name, key));
  return Answer::Empty();
}

Result<Answer> SetAlias(Services& services, Call& call) {
  registry::AliasChange change;
  change.name = call.fields.RequireString("name");
  change.alias = call.fields.RequireString("alias");
  const std::string version = call.fields.RequireString("version");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(change.version, ParseVersionNumber(version));
  change.user_id = std::string(call.caller.username());
  change.gate_rule = registry::GateRule::kWhereGatesAre;
  const Result<registry::AliasMove> move = services.registry->SetAlias(change);
  if (!move.ok()) return move.error();
  return Answer::Empty();
}

Result<Answer> DeleteAlias(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("name");
  const std::string alias = call.fields.RequireString("alias");
  RETURN_IF_ERROR(call.fields.status());
  // A model that is not there is an error; an alias that is not there is gone already.
  ASSIGN_OR_RETURN(const RegisteredModel model, services.registry->GetModel(name));
  const Result<registry::AliasMove> move =
      services.registry->RemoveAlias(model.name, alias, call.caller.username(), {});
  if (!move.ok() && move.error().code() != ErrorCode::kNotFound) return move.error();
  return Answer::Empty();
}

Result<Answer> GetByAlias(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("name");
  const std::string alias = call.fields.RequireString("alias");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const ModelVersion version, services.registry->GetVersionByAlias(name, alias));
  return Answer::Printed(
      PrintWrapped("model_version", [&](JsonWriter& out) { AppendModelVersion(version, out); }));
}

}  // namespace

std::vector<Endpoint> RegisteredModelEndpoints() {
  const Access reads = Access::Needs(Level::kRead, RegisteredModelByName);
  const Access reads_versions = Access::Needs(Level::kRead, RegisteredModelVersionByName);
  const Access edits = Access::Needs(Level::kEdit, RegisteredModelByName);
  const Access manages = Access::Needs(Level::kManage, RegisteredModelByName);
  return {
      {Method::kPost, "/api/2.0/mlflow/registered-models/create", "registered_models.create",
       Access::Creates(), Create},
      {Method::kGet, "/api/2.0/mlflow/registered-models/get", "registered_models.get", reads, Get},
      {Method::kPatch, "/api/2.0/mlflow/registered-models/update", "registered_models.update",
       edits, Update},
      {Method::kPost, "/api/2.0/mlflow/registered-models/rename", "registered_models.rename", edits,
       Rename},
      {Method::kDelete, "/api/2.0/mlflow/registered-models/delete", "registered_models.delete",
       Access::Needs(Level::kManage, RegisteredModelAndVersions), Delete},
      {Method::kGet, "/api/2.0/mlflow/registered-models/search", "registered_models.search",
       Access::SignedIn(), Search},
      {Method::kPost, "/api/2.0/mlflow/registered-models/get-latest-versions",
       "registered_models.get_latest_versions", reads_versions, GetLatestVersions},
      {Method::kGet, "/api/2.0/mlflow/registered-models/get-latest-versions",
       "registered_models.get_latest_versions", reads_versions, GetLatestVersions},
      {Method::kPost, "/api/2.0/mlflow/registered-models/set-tag", "registered_models.set_tag",
       edits, SetTag},
      {Method::kDelete, "/api/2.0/mlflow/registered-models/delete-tag",
       "registered_models.delete_tag", edits, DeleteTag},
      {Method::kPost, "/api/2.0/mlflow/registered-models/alias", "registered_models.set_alias",
       edits, SetAlias},
      {Method::kDelete, "/api/2.0/mlflow/registered-models/alias", "registered_models.delete_alias",
       manages, DeleteAlias},
      {Method::kGet, "/api/2.0/mlflow/registered-models/alias", "registered_models.get_by_alias",
       reads_versions, GetByAlias},
  };
}

}  // namespace sluice::api
