// Histories of metrics, printed point by point as they are read.
#include <fmt/format.h>

#include "api/encode.h"
#include "api/endpoint.h"
#include "tracking/metric_history.h"

namespace sluice::api {

namespace {

using http::Method;
using tracking::MetricHistory;
using tracking::MetricPoint;

constexpr size_t kPointBytes = 96;  // about what one point takes, to reserve

Result<Answer> GetHistory(Services& services, Call& call) {
  const Fields& fields = call.fields;
  const std::string run_id = RunIdOf(fields);
  const std::string key = fields.RequireString("metric_key");
  const std::string page_token = fields.StringOr("page_token");
  const std::optional<int64_t> max_results = fields.FindInt64("max_results");
  RETURN_IF_ERROR(fields.status());
  if (max_results && *max_results <= 0) {
    return InvalidArgument(fmt::format(
        "Invalid value {} for parameter 'max_results' supplied. It must be a positive integer.",
        *max_results));
  }
  JsonWriter out(64 + static_cast<size_t>(std::min<int64_t>(max_results.value_or(1000), 25'000)) *
                          kPointBytes);
  out.BeginObject();
  bool has_points = false;
  const Result<std::string> next_token = services.history->ForEachPoint(
      {.run_id = run_id, .key = key, .max_count = max_results, .page_token = page_token},
      [&](const MetricPoint& point) {
        if (!has_points) out.Key("metrics").BeginArray();
        has_points = true;
        AppendMetric(key, point, {}, out);
      });
  if (!next_token.ok()) return next_token.error();
  if (has_points) out.EndArray();
  out.FieldIfAny("next_page_token", *next_token).EndObject();
  return Answer::Printed(std::move(out).Take());
}

/// For the page only, made by hand in MLflow: compact, and a NaN is bare.
Result<Answer> GetHistoryBulk(Services& services, Call& call) {
  const std::vector<std::string> run_ids = call.fields.Strings("run_id");
  const std::optional<std::string> key = call.fields.FindString("metric_key");
  const int64_t max_results = call.fields.Int64Or("max_results", MetricHistory::kBulkPointCount);
  RETURN_IF_ERROR(call.fields.status());
  if (run_ids.empty()) {
    return InvalidArgument("GetMetricHistoryBulk request must specify at least one run_id.");
  }
  if (run_ids.size() > MetricHistory::kRunsPerCall) {
    return InvalidArgument(fmt::format(
        "GetMetricHistoryBulk request cannot specify more than {} run_ids. Received {} run_ids.",
        MetricHistory::kRunsPerCall, run_ids.size()));
  }
  if (!key) return InvalidArgument("GetMetricHistoryBulk request must specify a metric_key.");
  JsonWriter out;
  out.BeginObject().Key("metrics").BeginArray();
  RETURN_IF_ERROR(
      services.history->ForEachOfRuns({.run_ids = run_ids, .key = *key, .max_count = max_results},
                                      [&](std::string_view run_id, const MetricPoint& point) {
                                        out.BeginObject()
                                            .Field("key", *key)
                                            .Key("value")
                                            .PythonDouble(point.value)
                                            .Field("timestamp", point.timestamp_ms)
                                            .Field("step", point.step)
                                            .Field("run_id", run_id)
                                            .EndObject();
                                      }));
  out.EndArray().EndObject();
  return Answer::Printed(std::move(out).Take());
}

Result<Answer> GetHistoryBulkInterval(Services& services, Call& call) {
  const Fields& fields = call.fields;
  const std::vector<std::string> run_ids = fields.RequireStrings("run_ids");
  if (run_ids.size() > MetricHistory::kRunsPerCall) {
    return InvalidArgument(fmt::format(
        "GetMetricHistoryBulkInterval request must specify at most {} run_ids. Received {} "
        "run_ids. See the API docs for more information about request parameters.",
        MetricHistory::kRunsPerCall, run_ids.size()));
  }
  const std::string key = fields.RequireString("metric_key");
  const std::optional<int64_t> start_step = fields.FindInt64("start_step");
  const std::optional<int64_t> end_step = fields.FindInt64("end_step");
  const int64_t max_results = fields.Int64Or("max_results", MetricHistory::kSampledPointCount);
  RETURN_IF_ERROR(fields.status());
  if (max_results < 1 || max_results > MetricHistory::kSampledPointCount) {
    return InvalidArgument(
        fmt::format("max_results must be between 1 and {}. See the API docs for more information "
                    "about request parameters.",
                    MetricHistory::kSampledPointCount));
  }
  if (start_step.has_value() != end_step.has_value()) {
    return InvalidArgument(
        "If either start step or end step are specified, both must be specified.");
  }
  if (start_step && *start_step > *end_step) {
    return InvalidArgument(fmt::format(
        "end_step must be greater than start_step. Found start_step={} and end_step={}.",
        *start_step, *end_step));
  }
  JsonWriter out;
  out.BeginObject();
  bool has_points = false;
  RETURN_IF_ERROR(
      services.history->ForEachSampled({.run_ids = run_ids,
                                        .key = key,
                                        .start_step = start_step,
                                        .end_step = end_step,
                                        .max_count = max_results},
                                       [&](std::string_view run_id, const MetricPoint& point) {
                                         if (!has_points) out.Key("metrics").BeginArray();
                                         has_points = true;
                                         AppendMetric(key, point, run_id, out);
                                       }));
  if (has_points) out.EndArray();
  out.EndObject();
  return Answer::Printed(std::move(out).Take());
}

}  // namespace

std::vector<Endpoint> MetricEndpoints() {
  const Access reads = Access::Needs(Level::kRead, ExperimentsOfRuns);
  return {
      {Method::kGet, "/api/2.0/mlflow/metrics/get-history", "metrics.get_history",
       Access::Needs(Level::kRead, ExperimentOfRun), GetHistory},
      {Method::kGet, "/api/2.0/mlflow/metrics/get-history-bulk-interval",
       "metrics.get_history_bulk_interval", reads, GetHistoryBulkInterval},
      {Method::kGet, "/ajax-api/2.0/mlflow/metrics/get-history-bulk", "metrics.get_history_bulk",
       reads, GetHistoryBulk, Mount::kAjaxOnly},
  };
}

}  // namespace sluice::api
