// From the table to the router: what happens to every request before and after its handler.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "api/endpoint.h"
#include "api/errors.h"
#include "api/security.h"
#include "base/check.h"

namespace sluice::api {

namespace {

using http::Method;
using http::Request;
using http::Response;

/// Whoever calls a public row of a server with users: a name is not asked for, nothing is allowed.
class NobodyCaller final : public Caller {
 public:
  std::string_view username() const override { return {}; }
  bool is_admin() const override { return false; }
  Result<bool> May(Level, const Resource&) override { return false; }
  Result<bool> MayReadAll(ResourceKind) override { return false; }
  Status OnCreated(const Resource&) override { return Ok(); }
  Status OnRenamed(const Resource&, std::string_view) override { return Ok(); }
  Status OnDeleted(const Resource&) override { return Ok(); }
};

Authorization::Identity Identify(Services& services, bool is_public, const Request& request) {
  if (!services.authorization) return {std::make_unique<OpenCaller>(), std::nullopt};
  if (is_public) return {std::make_unique<NobodyCaller>(), std::nullopt};
  return services.authorization->Identify(request);
}

/// MLflow's rule: POST and PUT must say that they send JSON; PATCH and DELETE are not asked.
Status CheckContentType(const Request& request) {
  if (request.method != Method::kPost && request.method != Method::kPut) return Ok();
  if (request.ContentType().empty()) {
    return InvalidArgument("Bad Request. Content-Type header is missing.");
  }
  const Result<http::MediaType> media = http::ParseMediaType(request.ContentType());
  if (media.ok() && media->type == "application/json") return Ok();
  return InvalidArgument("Bad Request. Content-Type must be one of ['application/json'].");
}

Status ReadFields(const Services& services, const Endpoint& row, const Request& request,
                  RequestFields& fields) {
  const bool is_get = request.method == Method::kGet || request.method == Method::kHead;
  // A GET without a query may have its fields in a body.
  if (row.body != BodyUse::kFields ||
      (is_get && (!request.query.empty() || request.body.empty()))) {
    return fields.ParseQueryString(request.query);
  }
  RETURN_IF_ERROR(CheckContentType(request));
  return fields.ParseBody(request.body, services.options.json_depth_max);
}

/// A client with a workspace set must not write into the only one there is without knowing.
std::optional<Response> RefuseWorkspace(const Request& request) {
  const std::string* workspace = request.headers.Find("X-MLFLOW-WORKSPACE");
  if (!workspace || workspace->empty()) return std::nullopt;
  return ErrorAnswer(400, "FEATURE_DISABLED",
                     "Workspace APIs are not available: workspaces are not enabled on this server. "
                     "Unset the client's workspace (MLFLOW_WORKSPACE).");
}

/// What a server that serves artifacts only still answers.
bool IsServedWithoutTracking(const Endpoint& row) {
  return row.path.starts_with("/api/2.0/mlflow-artifacts/") || row.name.starts_with("server.");
}

/// MLflow's words and status, with the pattern of the path as it writes patterns.
Response RefuseTracking(std::string_view path) {
  std::string rule(path);
  std::replace(rule.begin(), rule.end(), '{', '<');
  std::replace(rule.begin(), rule.end(), '}', '>');
  return Response::Text(
      503, fmt::format("Endpoint: {} disabled due to the mlflow server running in "
                       "`--artifacts-only` mode. To enable tracking server functionality, run "
                       "`mlflow server` without `--artifacts-only`",
                       rule));
}

Response Dispatch(Services& services, const Endpoint& row, const Request& request) {
  if (services.options.artifacts_only && !IsServedWithoutTracking(row)) {
    return RefuseTracking(row.path);
  }
  const bool is_public = row.access.form() == Access::Form::kPublic;
  Authorization::Identity identity = Identify(services, is_public, request);
  if (!identity.caller) return std::move(*identity.refusal);
  if (!is_public) {
    if (std::optional<Response> refusal = RefuseWorkspace(request)) return *std::move(refusal);
  }

  RequestFields fields;
  const Status read = ReadFields(services, row, request, fields);
  if (!read.ok()) return ErrorAnswer(read.error(), request);
  Call call = {request, fields.fields(), *identity.caller};
  if (services.authorization && !is_public) {
    std::optional<Response> refusal = services.authorization->Check(services, row.access, call);
    if (refusal) return *std::move(refusal);
  }
  Result<Answer> answer = row.handler(services, call);
  if (!answer.ok()) return ErrorAnswer(answer.error(), request);
  return std::move(answer).value().Take();
}

/// What every answer passes, whoever made it: the rules about hosts and origins before, their
/// fields after.
template <typename F>
Response Guarded(const Services& services, const Request& request, F&& answer) {
  if (!services.security) return answer();
  std::optional<Response> kept = services.security->Answer(request);
  Response response = kept ? *std::move(kept) : answer();
  services.security->Decorate(request, response);
  return response;
}

/// "/api/2.0/x" → "/team/ajax-api/2.0/x".
std::string AjaxTwin(std::string_view path, std::string_view prefix) {
  constexpr std::string_view kApi = "/api/";
  CHECK_MSG(path.starts_with(kApi), std::string(path));
  return fmt::format("{}/ajax-api/{}", prefix, path.substr(kApi.size()));
}

std::vector<std::string> PathsOf(const Endpoint& row, std::string_view prefix) {
  const std::string path(row.path);
  const std::string prefixed = fmt::format("{}{}", prefix, path);
  switch (row.mount) {
    case Mount::kTwin: return {path, AjaxTwin(path, prefix)};
    case Mount::kAjaxOnly: CHECK_MSG(path.starts_with("/ajax-api/"), path); return {prefixed};
    case Mount::kPrefixed: return {prefixed};
    case Mount::kBare:
      if (prefix.empty()) return {path};
      return {path, prefixed};
  }
  return {};
}

/// What no row answers. Closed by default: where there are users, one must be signed in to learn
/// even that a path does not exist, and an administrator to be told so.
Response Fallback(Services& services, const Request& request, std::string_view allow) {
  if (services.authorization && request.method != Method::kOptions) {
    Authorization::Identity identity = services.authorization->Identify(request);
    if (!identity.caller) return std::move(*identity.refusal);
    RequestFields fields;
    Call call = {request, fields.fields(), *identity.caller};
    std::optional<Response> refusal =
        services.authorization->Check(services, Access::Admin(), call);
    if (refusal) return *std::move(refusal);
  }
  if (allow.empty()) return NoSuchEndpoint(request);
  return http::DefaultAnswer(request, allow);
}

}  // namespace

http::Router BuildRouter(Services& services) {
  std::vector<http::Route> routes;
  for (const Endpoint& row : AllEndpoints(services)) {
    for (const std::string& path : PathsOf(row, services.options.static_prefix)) {
      http::Route route;
      route.method = row.method;
      route.pattern = path;
      route.name = std::string(row.name);
      route.streams_body = row.body == BodyUse::kStream;
      if (row.body == BodyUse::kStream) {
        route.body_bytes_max = http::kUnlimited;
      } else if (row.body == BodyUse::kFields) {
        route.body_bytes_max = services.options.json_body_bytes_max;
      }
      route.handler = [&services, row](const Request& request) {
        return Guarded(services, request, [&] { return Dispatch(services, row, request); });
      };
      routes.push_back(std::move(route));
    }
  }
  return http::Router(
      std::move(routes), [&services](const Request& request, std::string_view allow) {
        return Guarded(services, request, [&] { return Fallback(services, request, allow); });
      });
}

}  // namespace sluice::api
