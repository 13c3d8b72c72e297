// Finders for calls that touch more than the one thing they name: metrics that go to logged models
// too, versions made from somebody's files, and the workspace, which no field names.
#include <algorithm>

#include "api/endpoint.h"
#include "auth/permission.h"
#include "registry/model_version.h"
#include "tracking/logged_models.h"
#include "tracking/store.h"

namespace sluice::api {

namespace {

/// The experiment of a logged model. One that does not exist is nobody's but the administrators',
/// so that the answer does not tell which ids there are.
Result<Resource> LoggedModelResource(Services& services, const std::string& model_id,
                                     std::optional<Level> needs) {
  const Result<tracking::LoggedModel> model = services.logged_models->GetInfo(model_id);
  if (!model.ok() && model.error().code() != ErrorCode::kNotFound) return model.error();
  return Resource{.kind = ResourceKind::kExperiment,
                  .id = model.ok() ? model->experiment_id : std::string(),
                  .part = auth::kLoggedModel,
                  .needs = needs};
}

}  // namespace

Result<std::vector<Resource>> RunAndLoggedModels(Services& services, Call& call) {
  ASSIGN_OR_RETURN(std::vector<Resource> resources, ExperimentOfRun(services, call));
  std::vector<std::string> model_ids = {call.fields.StringOr("model_id")};
  for (std::string_view list : {"metrics", "models"}) {
    for (const Fields& entry : call.fields.Messages(list)) {
      model_ids.push_back(entry.StringOr("model_id"));
    }
  }
  RETURN_IF_ERROR(call.fields.status());
  std::sort(model_ids.begin(), model_ids.end());
  model_ids.erase(std::unique(model_ids.begin(), model_ids.end()), model_ids.end());
  for (const std::string& model_id : model_ids) {
    if (model_id.empty()) continue;
    ASSIGN_OR_RETURN(Resource resource, LoggedModelResource(services, model_id, std::nullopt));
    resources.push_back(std::move(resource));
  }
  return resources;
}

Result<std::vector<Resource>> RegisteredModelVersionByName(Services& services, Call& call) {
  ASSIGN_OR_RETURN(std::vector<Resource> resources, RegisteredModelByName(services, call));
  for (Resource& resource : resources) resource.part = auth::kRegisteredModelVersion;
  return resources;
}

Result<std::vector<Resource>> RegisteredModelAndVersions(Services& services, Call& call) {
  ASSIGN_OR_RETURN(std::vector<Resource> resources, RegisteredModelByName(services, call));
  ASSIGN_OR_RETURN(const std::vector<Resource> versions,
                   RegisteredModelVersionByName(services, call));
  resources.insert(resources.end(), versions.begin(), versions.end());
  return resources;
}

Result<std::vector<Resource>> NewModelVersion(Services& services, Call& call) {
  ASSIGN_OR_RETURN(std::vector<Resource> resources, RegisteredModelByName(services, call));
  const std::string source = call.fields.StringOr("source");
  const std::optional<std::string> run_id = call.fields.FindString("run_id");
  std::vector<std::string> model_ids;
  if (std::optional<std::string> id = call.fields.FindString("model_id"))
    model_ids.push_back(*std::move(id));
  RETURN_IF_ERROR(call.fields.status());
  if (const Result<registry::ModelUri> uri = registry::ParseModelUri(source); uri.ok()) {
    // A copy of another version: its registered model is the border, whatever it was made from.
    resources.push_back({.kind = ResourceKind::kRegisteredModel,
                         .id = uri->name,
                         .part = auth::kRegisteredModelVersion,
                         .needs = Level::kRead});
    return resources;
  }
  if (registry::IsModelUri(source)) model_ids.push_back(source.substr(source.rfind('/') + 1));
  // An empty id is not the same as none: whoever sends it says that the files are somebody's.
  const bool has_empty_id = (run_id && run_id->empty()) ||
                            std::find(model_ids.begin(), model_ids.end(), "") != model_ids.end();
  if (has_empty_id) {
    resources.push_back({.kind = ResourceKind::kExperiment, .id = "", .needs = Level::kRead});
  }
  if (run_id && !run_id->empty()) {
    const Result<tracking::RunInfo> run = services.tracking->GetRunInfo(*run_id);
    if (run.ok()) {
      resources.push_back({.kind = ResourceKind::kExperiment,
                           .id = run->experiment_id,
                           .part = auth::kRun,
                           .needs = Level::kRead});
    } else if (run.error().code() != ErrorCode::kNotFound) {
      return run.error();
    }
  }
  for (const std::string& model_id : model_ids) {
    if (model_id.empty()) continue;
    ASSIGN_OR_RETURN(Resource resource, LoggedModelResource(services, model_id, Level::kRead));
    resources.push_back(std::move(resource));
  }
  return resources;
}

Result<std::vector<Resource>> TheWorkspace(Services& /*services*/, Call& /*call*/) {
  return std::vector<Resource>{{.kind = ResourceKind::kWorkspace, .id = "*"}};
}

}  // namespace sluice::api
