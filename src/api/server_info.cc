// What a client asks about the server itself, and polite answers to what is not here: a page or a
// client that probes for a feature of MLflow's must hear "not here", never a 5xx, which it retries
// for minutes.
#include "api/endpoint.h"
#include "api/errors.h"
#include "api/json_writer.h"
#include "http/metrics.h"

namespace sluice::api {

namespace {

using http::Method;

Result<Answer> Health(Services&, Call&) { return Answer(http::Response::Text(200, "OK")); }

Result<Answer> Version(Services& services, Call&) {
  return Answer(http::Response::Text(200, services.options.mlflow_version));
}

Result<Answer> ServerInfo(Services& services, Call&) {
  // The multipart flags are binding: with them on, clients fall back to nothing else.
  JsonWriter out;
  out.BeginObject()
      .Field("store_type", "SqlStore")
      .Field("workspaces_enabled", false)
      .Field("trace_archival_enabled", false)
      .Field("multipart_uploads_enabled", services.options.offers_multipart_uploads)
      .Field("multipart_downloads_enabled", services.options.offers_multipart_downloads)
      .Field("presigned_upload_run_id_supported", true)
      .Field("presigned_upload_model_id_supported", true)
      .Key("features_enabled")
      .BeginObject()
      .Field("gateway", false)
      .EndObject()
      .EndObject();
  return Answer::Printed(std::move(out).Take());
}

Result<Answer> ServerFeatures(Services&, Call&) {
  return Answer::Printed(R"({"workspaces_enabled":false})");
}

Result<Answer> Metrics(Services& services, Call&) {
  http::Exposition exposition;
  services.metrics->Print(exposition);
  http::Response response = http::Response::Text(200, exposition.text());
  response.content_type = http::Exposition::kContentType;
  return Answer(std::move(response));
}

Result<Answer> NoTelemetry(Services&, Call&) {
  return Answer::Printed(
      R"({"disable_ui_events":[],"disable_ui_telemetry":true,"ui_rollout_percentage":0})");
}

Result<Answer> TakeNoTelemetry(Services&, Call&) {
  return Answer::Printed(R"({"status":"disabled"})");
}

Result<Answer> NoTraces(Services&, Call&) { return Answer::Empty(); }
Result<Answer> NoGatewayEndpoints(Services&, Call&) { return Answer::Empty(); }

Result<Answer> NoGatewaySecrets(Services&, Call&) {
  return Answer::Printed(R"({"secrets_available":false,"using_default_passphrase":false})");
}

Result<Answer> NoGatewayProxy(Services&, Call&) { return Answer::Printed(R"({"endpoints":[]})"); }

Result<Answer> NoPromptlab(Services&, Call&) {
  return Answer(ErrorAnswer(501, "NOT_IMPLEMENTED",
                            "Prompt engineering runs need a Python model and are not made here."));
}

}  // namespace

std::vector<Endpoint> ServerEndpoints(const Services& services) {
  std::vector<Endpoint> rows = {
      {Method::kGet, "/health", "server.health", Access::Public(), Health, Mount::kBare},
      {Method::kGet, "/version", "server.version", Access::SignedIn(), Version, Mount::kBare},
      {Method::kGet, "/api/3.0/mlflow/server-info", "server.info", Access::Public(), ServerInfo},
      {Method::kGet, "/api/3.0/mlflow/server-features", "server.features", Access::Public(),
       ServerFeatures},
      {Method::kGet, "/api/2.0/mlflow/server-features", "server.features", Access::Public(),
       ServerFeatures},
      {Method::kGet, "/ajax-api/3.0/mlflow/ui-telemetry", "server.ui_telemetry", Access::SignedIn(),
       NoTelemetry, Mount::kAjaxOnly},
      {Method::kPost, "/ajax-api/3.0/mlflow/ui-telemetry", "server.ui_telemetry",
       Access::SignedIn(), TakeNoTelemetry, Mount::kAjaxOnly},
      {Method::kPost, "/api/3.0/mlflow/traces/search", "traces.search", Access::SignedIn(),
       NoTraces},
      {Method::kGet, "/api/3.0/mlflow/gateway/endpoints/list", "gateway.endpoints",
       Access::SignedIn(), NoGatewayEndpoints},
      {Method::kGet, "/ajax-api/3.0/mlflow/gateway/secrets/config", "gateway.secrets",
       Access::SignedIn(), NoGatewaySecrets, Mount::kAjaxOnly},
      {Method::kGet, "/ajax-api/2.0/mlflow/gateway-proxy", "gateway.proxy", Access::SignedIn(),
       NoGatewayProxy, Mount::kAjaxOnly},
      {Method::kPost, "/ajax-api/2.0/mlflow/gateway-proxy", "gateway.proxy", Access::SignedIn(),
       NoGatewayProxy, Mount::kAjaxOnly},
      {Method::kPost, "/ajax-api/2.0/mlflow/runs/create-promptlab-run", "runs.create_promptlab",
       Access::SignedIn(), NoPromptlab, Mount::kAjaxOnly},
  };
  if (services.metrics) {
    rows.push_back(
        {Method::kGet, "/metrics", "server.metrics", Access::SignedIn(), Metrics, Mount::kBare});
  }
  return rows;
}

}  // namespace sluice::api
