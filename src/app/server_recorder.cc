#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "app/run_recorder.h"
#include "base/base64.h"
#include "formats/json.h"
#include "http/fetch.h"
#include "http/target.h"

namespace sluice::app {

namespace {

using formats::Json;

// MLflow's limits of one log-batch.
constexpr size_t kMetricsPerCall = 800;
constexpr size_t kParamsPerCall = 100;
constexpr size_t kTagsPerCall = 100;

constexpr int kTries = 4;
constexpr int64_t kFirstPauseMs = 200;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool IsWorthRepeating(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

/// The next `count` items of `items`, taken from its front.
template <typename T>
std::span<const T> TakeFront(std::span<const T>& items, size_t count) {
  const std::span<const T> taken = items.first(std::min(count, items.size()));
  items = items.subspan(taken.size());
  return taken;
}

Json TagsJson(std::span<const tracking::Tag> tags) {
  Json list = Json::MakeArray();
  for (const tracking::Tag& tag : tags) {
    list.Append(Json::MakeObject({{"key", tag.key}, {"value", tag.value}}));
  }
  return list;
}

class ServerRecorder : public RunRecorder {
 public:
  explicit ServerRecorder(TrackingServer server) : server_(std::move(server)) {}

  Result<std::string> EnsureExperiment(const std::string& name) override {
    Result<Json> found =
        Call("GET", "experiments/get-by-name?experiment_name=" + http::PercentEncode(name), {});
    if (found.ok()) {
      const Json* experiment = found->Find("experiment");
      if (experiment == nullptr) return Strange("experiments/get-by-name", "experiment");
      ASSIGN_OR_RETURN(std::string id, experiment->GetString("experiment_id"));
      if (experiment->StringOr("lifecycle_stage", "active") == "deleted") {
        Json body = Json::MakeObject({{"experiment_id", id}});
        Result<Json> restored = Call("POST", "experiments/restore", std::move(body));
        if (!restored.ok()) return restored.error();
      }
      return id;
    }
    if (found.error().code() != ErrorCode::kNotFound) return found.error();
    ASSIGN_OR_RETURN(Json made,
                     Call("POST", "experiments/create", Json::MakeObject({{"name", name}})));
    return made.GetString("experiment_id");
  }

  Result<std::string> CreateRun(const tracking::NewRun& run) override {
    std::vector<tracking::Tag> tags = run.tags;
    if (!run.parent_run_id.empty()) {
      tags.push_back({std::string(tracking::kParentRunIdTag), run.parent_run_id});
    }
    Json body = Json::MakeObject({{"experiment_id", run.experiment_id},
                                  {"run_name", run.name},
                                  {"user_id", run.user_id},
                                  {"start_time", run.start_ms},
                                  {"tags", TagsJson(tags)}});
    ASSIGN_OR_RETURN(Json made, Call("POST", "runs/create", std::move(body)));
    const Json* created = made.Find("run");
    const Json* info = created == nullptr ? nullptr : created->Find("info");
    if (info == nullptr) return Strange("runs/create", "run.info");
    return info->GetString("run_id");
  }

  Status LogBatch(const std::string& run_id, const tracking::Batch& batch) override {
    std::span<const tracking::Metric> metrics = batch.metrics;
    std::span<const tracking::Param> params = batch.params;
    std::span<const tracking::Tag> tags = batch.tags;
    while (!metrics.empty() || !params.empty() || !tags.empty()) {
      Json body = Json::MakeObject({{"run_id", run_id}});
      for (const tracking::Metric& metric : TakeFront(metrics, kMetricsPerCall)) {
        body["metrics"].Append(Json::MakeObject({{"key", metric.key},
                                                 {"value", metric.value},
                                                 {"timestamp", metric.timestamp_ms},
                                                 {"step", metric.step}}));
      }
      for (const tracking::Param& param : TakeFront(params, kParamsPerCall)) {
        body["params"].Append(Json::MakeObject({{"key", param.key}, {"value", param.value}}));
      }
      body["tags"] = TagsJson(TakeFront(tags, kTagsPerCall));
      RETURN_IF_ERROR(Post("runs/log-batch", std::move(body)));
    }
    return Ok();
  }

  Status LogInputs(const std::string& run_id,
                   std::span<const tracking::DatasetLink> inputs) override {
    Json datasets = Json::MakeArray();
    for (const tracking::DatasetLink& input : inputs) {
      Json dataset = Json::MakeObject({{"name", input.dataset.name},
                                       {"digest", input.dataset.digest},
                                       {"source_type", input.dataset.source_type},
                                       {"source", input.dataset.source}});
      datasets.Append(
          Json::MakeObject({{"tags", TagsJson(input.tags)}, {"dataset", std::move(dataset)}}));
    }
    return Post("runs/log-inputs",
                Json::MakeObject({{"run_id", run_id}, {"datasets", std::move(datasets)}}));
  }

  Status LogOutputs(const std::string& run_id,
                    std::span<const tracking::DatasetLink> outputs) override {
    tracking::Batch batch;
    for (const tracking::DatasetLink& output : outputs) {
      batch.tags.push_back({"sluice.output." + output.dataset.name, output.dataset.source});
    }
    return LogBatch(run_id, batch);
  }

  Status EndRun(const std::string& run_id, tracking::RunStatus status, int64_t end_ms) override {
    return Post("runs/update", Json::MakeObject({{"run_id", run_id},
                                                 {"status", tracking::RunStatusName(status)},
                                                 {"end_time", end_ms}}));
  }

 private:
  Error Strange(std::string_view path, std::string_view wanted) const {
    return Unavailable(fmt::format("{} answered '{}' without '{}': is it a tracking server?",
                                   server_.uri, path, wanted));
  }

  Status Post(std::string_view path, Json body) {
    Result<Json> answer = Call("POST", path, std::move(body));
    return answer.ok() ? Ok() : Status(answer.error());
  }

  /// `path` is below /api/2.0/mlflow. Repeated while the server is busy; when it cannot be reached
  /// too, except for what makes a new thing, which may have been made.
  Result<Json> Call(std::string_view method, std::string_view path, Json body) {
    http::FetchRequest request;
    request.method = method;
    request.url = fmt::format("{}/api/2.0/mlflow/{}", server_.uri, path);
    const std::string text = body.is_null() ? "" : formats::PrintJson(body);
    request.body = text;
    if (method != "GET") request.headers.Add("Content-Type", "application/json");
    if (!server_.token.empty()) {
      request.headers.Add("Authorization", "Bearer " + server_.token);
    } else if (!server_.username.empty()) {
      request.headers.Add("Authorization",
                          "Basic " + EncodeBase64(server_.username + ":" + server_.password));
    }
    const bool makes_something = path.ends_with("/create");
    for (int attempt = 1;; ++attempt) {
      Result<http::FetchResponse> response = fetcher_.Fetch(request);
      const bool may_repeat =
          response.ok() ? IsWorthRepeating(response->status)
                        : response.error().code() == ErrorCode::kUnavailable && !makes_something;
      if (may_repeat && attempt < kTries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(kFirstPauseMs << attempt));
        continue;
      }
      if (!response.ok()) {
        return Error(response.error().code(), fmt::format("tracking server {}: {}", server_.uri,
                                                          response.error().message()));
      }
      return Read(path, *response);
    }
  }

  Result<Json> Read(std::string_view path, const http::FetchResponse& response) const {
    Result<Json> answer = formats::ParseJson(response.body, {.file = "answer"});
    if (response.is_success()) {
      if (!answer.ok()) return Strange(path, "JSON");
      return answer;
    }
    const std::string message =
        answer.ok() ? answer->StringOr("message", response.body) : response.body.substr(0, 200);
    const std::string code = answer.ok() ? answer->StringOr("error_code", "") : "";
    const std::string text =
        fmt::format("tracking server {}: {}: {} {}", server_.uri, path, response.status, message);
    if (response.status == 401 || response.status == 403) {
      return PermissionDenied(text +
                              "; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
                              "MLFLOW_TRACKING_TOKEN");
    }
    if (code == "RESOURCE_DOES_NOT_EXIST") return NotFound(text);
    if (code == "RESOURCE_ALREADY_EXISTS") return AlreadyExists(text);
    return response.status >= 500 || response.status == 429 ? Unavailable(text)
                                                            : InvalidArgument(text);
  }

  const TrackingServer server_;
  http::Fetcher fetcher_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> TrackingServer::Environment() const {
  std::vector<std::pair<std::string, std::string>> variables = {{"MLFLOW_TRACKING_URI", uri}};
  if (!token.empty()) variables.emplace_back("MLFLOW_TRACKING_TOKEN", token);
  if (!username.empty()) variables.emplace_back("MLFLOW_TRACKING_USERNAME", username);
  if (!password.empty()) variables.emplace_back("MLFLOW_TRACKING_PASSWORD", password);
  return variables;
}

Result<TrackingServer> FindTrackingServer(std::string_view uri) {
  if (!uri.starts_with("http://") && !uri.starts_with("https://")) {
    return InvalidArgument(fmt::format(
        "tracking uri '{}': a server's address is http://HOST:PORT or https://HOST:PORT", uri));
  }
  while (uri.ends_with('/')) uri.remove_suffix(1);
  return TrackingServer{.uri = std::string(uri),
                        .username = Variable("MLFLOW_TRACKING_USERNAME"),
                        .password = Variable("MLFLOW_TRACKING_PASSWORD"),
                        .token = Variable("MLFLOW_TRACKING_TOKEN")};
}

std::unique_ptr<RunRecorder> MakeServerRecorder(TrackingServer server) {
  return std::make_unique<ServerRecorder>(std::move(server));
}

}  // namespace sluice::app
