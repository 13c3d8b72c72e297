// Summaries of the datasets that runs read.
#include <fmt/format.h>

#include "api/encode.h"
#include "api/endpoint.h"
#include "tracking/store.h"

namespace sluice::api {

namespace {

using http::Method;
using tracking::Limits;

Result<Answer> Search(Services& services, Call& call) {
  std::vector<std::string> ids = call.fields.Strings("experiment_ids");
  RETURN_IF_ERROR(call.fields.status());
  if (ids.empty()) {
    return InvalidArgument("SearchDatasets request must specify at least one experiment_id.");
  }
  if (ids.size() > Limits::kDatasetSearchExperimentCount) {
    return InvalidArgument(
        fmt::format("SearchDatasets request cannot specify more than {} experiment_ids. Received "
                    "{} experiment_ids.",
                    Limits::kDatasetSearchExperimentCount, ids.size()));
  }
  ASSIGN_OR_RETURN(ids, OnlyReadableExperiments(call.caller, std::move(ids)));
  if (ids.empty()) return Answer::Empty();
  ASSIGN_OR_RETURN(const std::vector<tracking::DatasetSummary> summaries,
                   services.tracking->SearchDatasets(ids));
  return Answer::Printed(PrintPage("dataset_summaries", summaries, {}, AppendDatasetSummary));
}

}  // namespace

std::vector<Endpoint> DatasetEndpoints() {
  return {
      {Method::kPost, "/ajax-api/2.0/mlflow/experiments/search-datasets", "datasets.search",
       Access::SignedIn(), Search, Mount::kAjaxOnly},
      // MLflow's protocol lacks a slash here, and so did the path that its client knew.
      {Method::kPost, "/api/2.0mlflow/experiments/search-datasets", "datasets.search",
       Access::SignedIn(), Search, Mount::kBare},
  };
}

}  // namespace sluice::api
