// Experiments and their tags.
#include <fmt/format.h>

#include "api/encode.h"
#include "api/endpoint.h"
#include "registry/source.h"
#include "tracking/search.h"
#include "tracking/store.h"

namespace sluice::api {

namespace {

using http::Method;
using tracking::Experiment;

/// MLflow demands the number of results; its clients send this one.
constexpr int64_t kSearchCountDefault = 1000;

Answer AnswerExperiment(const Experiment& experiment) {
  return Answer::Printed(
      PrintWrapped("experiment", [&](JsonWriter& out) { AppendExperiment(experiment, out); }));
}

Result<Answer> Create(Services& services, Call& call) {
  tracking::NewExperiment experiment;
  experiment.name = call.fields.RequireString("name");
  experiment.artifact_location = call.fields.StringOr("artifact_location");
  for (const Fields& tag : call.fields.Messages("tags")) {
    experiment.tags.push_back({tag.RequireString("key"), tag.StringOr("value")});
  }
  RETURN_IF_ERROR(call.fields.status());
  if (!experiment.artifact_location.empty()) {
    RETURN_IF_ERROR(registry::CheckHostAddressedUri(experiment.artifact_location,
                                                    "artifact_location", services.options.sources));
  }
  ASSIGN_OR_RETURN(const std::string id, services.tracking->CreateExperiment(experiment));
  RETURN_IF_ERROR(call.caller.OnCreated({ResourceKind::kExperiment, id}));
  return Answer::Printed(PrintWrapped("experiment_id", [&](JsonWriter& out) { out.String(id); }));
}

Result<Answer> Get(Services& services, Call& call) {
  const std::string id = call.fields.RequireString("experiment_id");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const Experiment experiment, services.tracking->GetExperiment(id));
  return AnswerExperiment(experiment);
}

Result<Answer> GetByName(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("experiment_name");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const std::optional<Experiment> experiment,
                   services.tracking->FindExperimentByName(name));
  if (!experiment) {
    return NotFound(fmt::format("Could not find experiment with name '{}'", name));
  }
  return AnswerExperiment(*experiment);
}

Result<Answer> Search(Services& services, Call& call) {
  const Fields& fields = call.fields;
  tracking::ExperimentSearch search;
  if (const std::optional<int> view = fields.FindEnum("view_type", kViewTypeNames)) {
    search.view = static_cast<tracking::ViewType>(*view);
  }
  search.max_count = fields.Int64Or("max_results", kSearchCountDefault);
  search.order_by = fields.Strings("order_by");
  search.filter = fields.StringOr("filter");
  search.page_token = fields.StringOr("page_token");
  RETURN_IF_ERROR(fields.status());
  ASSIGN_OR_RETURN(const bool reads_all, call.caller.MayReadAll(ResourceKind::kExperiment));
  tracking::ExperimentPage page;
  const int64_t wanted_count = search.max_count;
  // What the caller may not read is left out, and the page filled up from what follows.
  while (true) {
    ASSIGN_OR_RETURN(tracking::ExperimentPage next, services.search->Experiments(search));
    for (Experiment& experiment : next.experiments) {
      bool may = reads_all;
      if (!may) {
        ASSIGN_OR_RETURN(may,
                         call.caller.May(Level::kRead, {ResourceKind::kExperiment, experiment.id}));
      }
      if (may) page.experiments.push_back(std::move(experiment));
    }
    page.next_token = next.next_token;
    search.max_count = wanted_count - static_cast<int64_t>(page.experiments.size());
    if (page.next_token.empty() || search.max_count <= 0) break;
    search.page_token = page.next_token;
  }
  return Answer::Printed(
      PrintPage("experiments", page.experiments, page.next_token, AppendExperiment));
}

Result<Answer> Delete(Services& services, Call& call) {
  const std::string id = call.fields.RequireString("experiment_id");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->DeleteExperiment(id));
  return Answer::Empty();
}

Result<Answer> Restore(Services& services, Call& call) {
  const std::string id = call.fields.RequireString("experiment_id");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->RestoreExperiment(id));
  return Answer::Empty();
}

Result<Answer> Update(Services& services, Call& call) {
  const std::string id = call.fields.RequireString("experiment_id");
  const std::string new_name = call.fields.RequireString("new_name");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->RenameExperiment(id, new_name));
  return Answer::Empty();
}

Result<Answer> SetTag(Services& services, Call& call) {
  const std::string id = call.fields.RequireString("experiment_id");
  const tracking::Tag tag = {call.fields.RequireString("key"), call.fields.StringOr("value")};
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->SetExperimentTag(id, tag));
  return Answer::Empty();
}

Result<Answer> DeleteTag(Services& services, Call& call) {
  const std::string id = call.fields.RequireString("experiment_id");
  const std::string key = call.fields.RequireString("key");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.tracking->DeleteExperimentTag(id, key));
  return Answer::Empty();
}

}  // namespace

std::vector<Endpoint> ExperimentEndpoints() {
  const Access edits = Access::Needs(Level::kEdit, ExperimentById);
  const Access manages = Access::Needs(Level::kManage, ExperimentById);
  return {
      {Method::kPost, "/api/2.0/mlflow/experiments/create", "experiments.create", Access::Creates(),
       Create},
      {Method::kGet, "/api/2.0/mlflow/experiments/get", "experiments.get",
       Access::Needs(Level::kRead, ExperimentById), Get},
      {Method::kGet, "/api/2.0/mlflow/experiments/get-by-name", "experiments.get_by_name",
       Access::Needs(Level::kRead, ExperimentByName), GetByName},
      {Method::kPost, "/api/2.0/mlflow/experiments/search", "experiments.search",
       Access::SignedIn(), Search},
      {Method::kGet, "/api/2.0/mlflow/experiments/search", "experiments.search", Access::SignedIn(),
       Search},
      {Method::kPost, "/api/2.0/mlflow/experiments/delete", "experiments.delete", manages, Delete},
      {Method::kPost, "/api/2.0/mlflow/experiments/restore", "experiments.restore", manages,
       Restore},
      {Method::kPost, "/api/2.0/mlflow/experiments/update", "experiments.update", edits, Update},
      {Method::kPost, "/api/2.0/mlflow/experiments/set-experiment-tag", "experiments.set_tag",
       edits, SetTag},
      {Method::kPost, "/api/2.0/mlflow/experiments/delete-experiment-tag", "experiments.delete_tag",
       edits, DeleteTag},
  };
}

}  // namespace sluice::api
