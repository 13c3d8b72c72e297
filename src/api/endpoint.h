// The table of the REST surface: one row per endpoint. Everything a row needs besides its handler
// (the /ajax-api twin, the check of who may, decoding, errors) is done by the dispatcher, so a
// handler is three moves: read fields, call a store, encode.
//
//   Result<Answer> SetTag(Services& services, Call& call) {
//     const std::string run_id = RunIdOf(call.fields);
//     const tracking::Tag tag = {call.fields.RequireString("key"), ...};
//     RETURN_IF_ERROR(call.fields.status());
//     RETURN_IF_ERROR(services.tracking->LogBatch(run_id, {.tags = {tag}}));
//     return Answer::Empty();
//   }
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/access.h"
#include "api/fields.h"
#include "api/services.h"
#include "base/result.h"
#include "formats/json.h"
#include "http/message.h"
#include "http/router.h"

namespace sluice::api {

/// One request under way.
struct Call {
  const http::Request& request;
  Fields fields;   ///< of the JSON body; of the query for GET, HEAD and rows with BodyUse::kRaw
  Caller& caller;  ///< for Access::Public it is whoever has no name
};

/// What a handler returns: JSON with status 200, or any response.
class Answer {
 public:
  Answer(const formats::Json& json)  // NOLINT: implicit by design, both
      : response_(http::Response::Json(200, json)) {}
  Answer(http::Response response) : response_(std::move(response)) {}  // NOLINT
  static Answer Empty() { return Printed("{}"); }
  /// Already printed JSON (encode.h).
  static Answer Printed(std::string json) {
    return Answer(http::Response::JsonText(200, std::move(json)));
  }
  http::Response Take() && { return std::move(response_); }

 private:
  http::Response response_;
};

/// Thread-safe. An Error becomes what errors.h says.
using Handler = Result<Answer> (*)(Services& services, Call& call);

enum class BodyUse : uint8_t {
  kFields,  ///< a JSON object; POST and PUT must say application/json
  kRaw,     ///< whole in request.body, of any type; fields come from the query
  kStream,  ///< read by the handler as it arrives; fields come from the query
};

/// Where the path stands.
enum class Mount : uint8_t {
  kTwin,      ///< "/api/..." and "<static prefix>/ajax-api/..."
  kAjaxOnly,  ///< written "/ajax-api/...", behind the static prefix
  kPrefixed,  ///< any other path, behind the static prefix
  kBare,      ///< exactly as written; behind the static prefix too, if there is one
};

struct Endpoint {
  http::Method method;
  std::string_view path;  ///< "/api/2.0/mlflow/runs/get", with http::Route's {name} and {name...}
  std::string_view name;  ///< "runs.get": in metrics and logs
  Access access;
  Handler handler;
  Mount mount = Mount::kTwin;
  BodyUse body = BodyUse::kFields;
};

// One function per resource's file; all are listed in endpoints.cc. Rows may depend on what the
// server has (options, null pointers).
std::vector<Endpoint> ServerEndpoints(const Services& services);
std::vector<Endpoint> ExperimentEndpoints();
std::vector<Endpoint> RunEndpoints();
std::vector<Endpoint> MetricEndpoints();
std::vector<Endpoint> DatasetEndpoints();
std::vector<Endpoint> LoggedModelEndpoints();
std::vector<Endpoint> RegisteredModelEndpoints();
std::vector<Endpoint> ModelVersionEndpoints();
std::vector<Endpoint> AdminEndpoints();
std::vector<Endpoint> ArtifactEndpoints(const Services& services);  // api/artifacts.cc
std::vector<Endpoint> WebhookEndpoints();                           // api/webhooks.cc
std::vector<Endpoint> AuthEndpoints();                              // api/auth.cc

/// Every row that this server answers.
std::vector<Endpoint> AllEndpoints(const Services& services);

/// The rows as routes, twins included, and what answers all other paths: JSON, 404 or 405. Where
/// there are users, only administrators learn that a path does not exist. `services` must outlive
/// the server. A doubled row: CHECK.
http::Router BuildRouter(Services& services);

// Finders of resources (access.h) for use in rows. Each reads the call's fields under MLflow's
// names.
Result<std::vector<Resource>> ExperimentById(Services&, Call&);     ///< experiment_id
Result<std::vector<Resource>> ExperimentByName(Services&, Call&);   ///< experiment_name
Result<std::vector<Resource>> ExperimentsOfList(Services&, Call&);  ///< experiment_ids[]
Result<std::vector<Resource>> ExperimentOfRun(Services&, Call&);    ///< run_id or run_uuid
Result<std::vector<Resource>> ExperimentsOfRuns(Services&, Call&);  ///< run_ids[] or run_id[]
Result<std::vector<Resource>> ExperimentOfLoggedModel(
    Services&, Call&);  ///< {model_id} of the path, else model_id
Result<std::vector<Resource>> RegisteredModelByName(Services&, Call&);  ///< name
// The rest is in touched_resources.cc.
Result<std::vector<Resource>> RegisteredModelVersionByName(Services&, Call&);  ///< name
/// For deleting both.
Result<std::vector<Resource>> RegisteredModelAndVersions(Services&, Call&);  ///< name
/// The model by name at the row's level; what the version is made from must be readable.
Result<std::vector<Resource>> NewModelVersion(Services&, Call&);
/// The run, and every logged model that the call writes to.
Result<std::vector<Resource>> RunAndLoggedModels(Services&, Call&);
/// Users, roles and grants on everything.
Result<std::vector<Resource>> TheWorkspace(Services&, Call&);

/// run_id, else run_uuid, else "missing run_id".
std::string RunIdOf(const Fields& fields);
/// A model version's number. Errors: kInvalidArgument in MLflow's words.
Result<int64_t> ParseVersionNumber(std::string_view text);
/// `experiment_ids` without those of which the caller may not read `part` (Resource::part).
Result<std::vector<std::string>> OnlyReadableExperiments(Caller& caller,
                                                         std::vector<std::string> experiment_ids,
                                                         std::string_view part = {});

}  // namespace sluice::api
