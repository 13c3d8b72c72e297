// Every row of the table, and the finders that rows name in their Access.
#include <algorithm>

#include "api/endpoint.h"
#include "auth/permission.h"
#include "tracking/logged_models.h"
#include "tracking/store.h"

namespace sluice::api {

std::vector<Endpoint> AllEndpoints(const Services& services) {
  std::vector<Endpoint> all;
  const auto add = [&](std::vector<Endpoint> rows) {
    for (Endpoint& row : rows) all.push_back(std::move(row));
  };
  add(ServerEndpoints(services));
  add(ExperimentEndpoints());
  add(RunEndpoints());
  add(MetricEndpoints());
  add(DatasetEndpoints());
  add(LoggedModelEndpoints());
  add(RegisteredModelEndpoints());
  add(ModelVersionEndpoints());
  add(AdminEndpoints());
  if (services.webhooks) add(WebhookEndpoints());
  if (services.artifacts) add(ArtifactEndpoints(services));
  if (services.auth) add(AuthEndpoints());
  return all;
}

namespace {

std::vector<Resource> Experiments(std::vector<std::string> ids, std::string_view part = {}) {
  std::vector<Resource> resources;
  resources.reserve(ids.size());
  for (std::string& id : ids) {
    const Resource resource = {
        .kind = ResourceKind::kExperiment, .id = std::move(id), .part = part};
    if (std::find(resources.begin(), resources.end(), resource) == resources.end()) {
      resources.push_back(resource);
    }
  }
  return resources;
}

}  // namespace

Result<std::vector<Resource>> ExperimentById(Services& /*services*/, Call& call) {
  const std::string id = call.fields.RequireString("experiment_id");
  RETURN_IF_ERROR(call.fields.status());
  return Experiments({id});
}

Result<std::vector<Resource>> ExperimentByName(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("experiment_name");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(std::optional<tracking::Experiment> found,
                   services.tracking->FindExperimentByName(name));
  // Nothing to protect: the handler says that there is none.
  if (!found) return std::vector<Resource>();
  return Experiments({found->id});
}

Result<std::vector<Resource>> ExperimentsOfList(Services& /*services*/, Call& call) {
  std::vector<std::string> ids = call.fields.Strings("experiment_ids");
  RETURN_IF_ERROR(call.fields.status());
  return Experiments(std::move(ids));
}

Result<std::vector<Resource>> ExperimentOfRun(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(tracking::RunInfo run, services.tracking->GetRunInfo(run_id));
  return Experiments({std::move(run.experiment_id)}, auth::kRun);
}

Result<std::vector<Resource>> ExperimentsOfRuns(Services& services, Call& call) {
  std::vector<std::string> run_ids = call.fields.Strings("run_ids");
  for (std::string& id : call.fields.Strings("run_id")) run_ids.push_back(std::move(id));
  RETURN_IF_ERROR(call.fields.status());
  std::vector<std::string> ids;
  for (const std::string& run_id : run_ids) {
    Result<tracking::RunInfo> run = services.tracking->GetRunInfo(run_id);
    // Histories pass over runs that do not exist.
    if (!run.ok() && run.error().code() == ErrorCode::kNotFound) continue;
    if (!run.ok()) return std::move(run).error();
    ids.push_back(std::move(run->experiment_id));
  }
  return Experiments(std::move(ids), auth::kRun);
}

Result<std::vector<Resource>> ExperimentOfLoggedModel(Services& services, Call& call) {
  std::string model_id;
  for (const auto& [name, value] : call.request.path_params) {
    if (name == "model_id") model_id = value;
  }
  if (model_id.empty()) model_id = call.fields.RequireString("model_id");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(tracking::LoggedModel model, services.logged_models->GetInfo(model_id, true));
  return Experiments({model.experiment_id}, auth::kLoggedModel);
}

Result<std::vector<Resource>> RegisteredModelByName(Services& /*services*/, Call& call) {
  const std::string name = call.fields.RequireString("name");
  RETURN_IF_ERROR(call.fields.status());
  return std::vector<Resource>{{ResourceKind::kRegisteredModel, name}};
}

std::string RunIdOf(const Fields& fields) {
  // The client sends both; old ones only the second.
  if (!fields.Has("run_id") && fields.Has("run_uuid")) return fields.RequireString("run_uuid");
  return fields.RequireString("run_id");
}

Result<std::vector<std::string>> OnlyReadableExperiments(Caller& caller,
                                                         std::vector<std::string> experiment_ids,
                                                         std::string_view part) {
  ASSIGN_OR_RETURN(const bool reads_all, caller.MayReadAll(ResourceKind::kExperiment));
  if (reads_all) return experiment_ids;
  std::vector<std::string> readable;
  for (std::string& id : experiment_ids) {
    ASSIGN_OR_RETURN(
        const bool may,
        caller.May(Level::kRead, {.kind = ResourceKind::kExperiment, .id = id, .part = part}));
    if (may) readable.push_back(std::move(id));
  }
  return readable;
}

}  // namespace sluice::api
