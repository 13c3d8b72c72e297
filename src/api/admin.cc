// What MLflow has no endpoints for: deleting for good, and moving runs (docs/reference/rest.md).
#include <fmt/format.h>

#include "api/encode.h"
#include "api/endpoint.h"
#include "formats/duration.h"
#include "tracking/purge.h"
#include "tracking/store.h"

namespace sluice::api {

namespace {

using http::Method;
using tracking::PurgeRequest;

constexpr size_t kMoveRunCountMax = 1000;

void AppendIds(std::string_view name, const std::vector<std::string>& ids, JsonWriter& out) {
  out.Key(name).BeginArray();
  for (const std::string& id : ids) out.String(id);
  out.EndArray();
}

/// One kind of thing to purge: what is named, or with `all` everything deleted long enough ago.
using PurgeFunction = Result<std::vector<std::string>> (tracking::Purger::*)(const PurgeRequest&);
Result<std::vector<std::string>> Purge(tracking::Purger& purger, PurgeFunction function,
                                       PurgeRequest request, bool all) {
  if (request.ids.empty() && !all) return std::vector<std::string>();
  return (purger.*function)(request);
}

Result<Answer> PurgeDeleted(Services& services, Call& call) {
  const Fields& fields = call.fields;
  const bool all = fields.BoolOr("all_deleted", false);
  std::vector<std::string> run_ids = fields.Strings("run_ids");
  std::vector<std::string> model_ids = fields.Strings("logged_model_ids");
  std::vector<std::string> experiment_ids = fields.Strings("experiment_ids");
  const std::string older_than = fields.StringOr("older_than");
  RETURN_IF_ERROR(fields.status());
  const bool names_any = !run_ids.empty() || !model_ids.empty() || !experiment_ids.empty();
  if (all == names_any) {
    return InvalidArgument(
        "Say what to purge: either all_deleted = true, or run_ids, logged_model_ids and "
        "experiment_ids of what is deleted.");
  }
  std::optional<int64_t> deleted_before_ms;
  if (!older_than.empty()) {
    ASSIGN_OR_RETURN(const int64_t age_ms, formats::ParseDurationMs(older_than));
    deleted_before_ms = services.clock->NowMs() - age_ms;
  }

  tracking::Purger& purger = *services.purger;
  ASSIGN_OR_RETURN(run_ids, Purge(purger, &tracking::Purger::PurgeRuns,
                                  {std::move(run_ids), deleted_before_ms}, all));
  ASSIGN_OR_RETURN(model_ids, Purge(purger, &tracking::Purger::PurgeLoggedModels,
                                    {std::move(model_ids), deleted_before_ms}, all));
  ASSIGN_OR_RETURN(experiment_ids, Purge(purger, &tracking::Purger::PurgeExperiments,
                                         {std::move(experiment_ids), deleted_before_ms}, all));
  for (const std::string& id : experiment_ids) {
    RETURN_IF_ERROR(call.caller.OnDeleted({ResourceKind::kExperiment, id}));
  }
  JsonWriter out;
  out.BeginObject();
  AppendIds("run_ids", run_ids, out);
  AppendIds("logged_model_ids", model_ids, out);
  AppendIds("experiment_ids", experiment_ids, out);
  out.EndObject();
  return Answer::Printed(std::move(out).Take());
}

Result<std::vector<Resource>> BothSidesOfMove(Services& services, Call& call) {
  ASSIGN_OR_RETURN(std::vector<Resource> resources, ExperimentsOfRuns(services, call));
  ASSIGN_OR_RETURN(std::vector<Resource> target, ExperimentById(services, call));
  resources.insert(resources.end(), target.begin(), target.end());
  return resources;
}

Result<Answer> MoveRuns(Services& services, Call& call) {
  const std::vector<std::string> run_ids = call.fields.RequireStrings("run_ids");
  const std::string experiment_id = call.fields.RequireString("experiment_id");
  RETURN_IF_ERROR(call.fields.status());
  if (run_ids.empty() || run_ids.size() > kMoveRunCountMax) {
    return InvalidArgument(fmt::format("run_ids must name 1 to {} runs, it names {}.",
                                       kMoveRunCountMax, run_ids.size()));
  }
  RETURN_IF_ERROR(services.tracking->MoveRuns(run_ids, experiment_id));
  return Answer::Empty();
}

Result<Answer> DeleteRunsBefore(Services& services, Call& call) {
  const std::string experiment_id = call.fields.RequireString("experiment_id");
  const int64_t started_before_ms = call.fields.RequireInt64("started_before_ms");
  const int64_t max_runs = call.fields.Int64Or("max_runs", kMoveRunCountMax);
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const int64_t count,
                   services.tracking->DeleteRunsBefore(experiment_id, started_before_ms, max_runs));
  return Answer::Printed(PrintWrapped("runs_deleted", [&](JsonWriter& out) { out.Int64(count); }));
}

}  // namespace

std::vector<Endpoint> AdminEndpoints() {
  return {
      {Method::kPost, "/api/2.0/sluice/purge", "admin.purge", Access::Admin(), PurgeDeleted},
      {Method::kPost, "/api/2.0/sluice/runs/move", "admin.move_runs",
       Access::Needs(Level::kManage, BothSidesOfMove), MoveRuns},
      {Method::kPost, "/api/2.0/sluice/runs/delete-before", "admin.delete_runs_before",
       Access::Needs(Level::kManage, ExperimentById), DeleteRunsBefore},
  };
}

}  // namespace sluice::api
