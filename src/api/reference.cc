#include "api/reference.h"

#include <fmt/format.h>

#include <iterator>

#include "api/artifact_service.h"
#include "api/endpoint.h"
#include "base/check.h"
#include "http/metrics.h"

namespace sluice::api {

namespace {

constexpr std::string_view kIntroduction = R"(# The REST interface

Written by `sluice reference rest` from the table of endpoints. `sluice server` speaks MLflow's protocol, so that page of
MLflow's documentation holds for all rows under `/mlflow`; here is which there are and who may call them. The column *twin*
says where else a row is: `/ajax-api/...` in the place of `/api/...` for the web page. `--static-prefix` stands before every
path that does not begin with `/api`.

Errors are `{"error_code", "message", "sqlstate", "error_class"}` with the status that MLflow gives the code. What differs from
MLflow on purpose: a value of a wrong type is always 400 and never half a request; unknown paths are JSON, 404
`ENDPOINT_NOT_FOUND`; no fault of a request is answered with a 5xx, which clients retry for minutes.

Who may: `anybody`; `user` (whoever signs in; everybody where there are no users); `creator` (a user, not a limited token);
`administrator`; else the level that the caller needs on the experiment, registered model or workspace behind the call. Searches leave
out what the caller may not read.

## Beyond MLflow

**`POST /api/2.0/sluice/purge`** deletes for good what is deleted already, and frees names. Body: either `"all_deleted": true`,
or lists `run_ids`, `logged_model_ids`, `experiment_ids`; with `"older_than": "30d"` only what was deleted that long ago (a
named thing that was not makes the whole call 400). Answer: the three lists, as purged. Artifacts go within minutes.

**`POST /api/2.0/sluice/runs/move`** makes up to 1000 runs part of another experiment, all or none. Body: `run_ids`,
`experiment_id`. Artifacts stay where they are.

**`POST /api/2.0/sluice/runs/delete-before`** deletes (not for good) active runs of an experiment that started at or before a
time, the oldest first. Body: `experiment_id`, `started_before_ms`, `max_runs` (default 1000). Answer: `runs_deleted`.

## All rows

| method | path | twin | who may |
|---|---|---|---|
)";

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kRead: return "READ";
    case Level::kUse: return "USE";
    case Level::kEdit: return "EDIT";
    case Level::kManage: return "MANAGE";
  }
  return "";
}

std::string_view WhoMay(const Access& access) {
  switch (access.form()) {
    case Access::Form::kPublic: return "anybody";
    case Access::Form::kSignedIn: return "user";
    case Access::Form::kCreates: return "creator";
    case Access::Form::kAdmin: return "administrator";
    case Access::Form::kLevel: return LevelName(access.level());
  }
  return "";
}

}  // namespace

std::string PrintRestReference() {
  // A server with everything, over nothing: rows only look at which parts there are.
  Result<std::unique_ptr<ArtifactService>> artifacts = ArtifactService::Open({});
  CHECK_MSG(artifacts.ok(), artifacts.error().message());
  const http::Metrics metrics;
  Services services;
  services.artifacts = artifacts->get();
  services.metrics = &metrics;
  std::vector<Endpoint> rows = AllEndpoints(services);
  for (const std::vector<Endpoint>& more : {WebhookEndpoints(), AuthEndpoints()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  std::string text(kIntroduction);
  for (const Endpoint& row : rows) {
    fmt::format_to(std::back_inserter(text), "| {} | `{}` | {} | {} |\n",
                   http::MethodName(row.method), row.path, row.mount == Mount::kTwin ? "yes" : "",
                   WhoMay(row.access));
  }
  return text;
}

}  // namespace sluice::api
