// Entities as MLflow's JSON: snake_case, int64 as numbers, enums by name, what is absent and empty
// lists left out. Each function appends one value to the writer.
#pragma once

#include "api/json_writer.h"
#include "registry/model_version.h"
#include "tracking/logged_models.h"
#include "tracking/metric_history.h"
#include "tracking/run.h"
#include "tracking/store.h"

namespace sluice::api {

void AppendExperiment(const tracking::Experiment& experiment, JsonWriter& out);
void AppendRunInfo(const tracking::RunInfo& info, JsonWriter& out);

/// The answer to runs/create has no `outputs`, that to all others has them, if only as {}.
enum class RunParts : uint8_t { kCreated, kWhole };
void AppendRun(const tracking::Run& run, RunParts parts, JsonWriter& out);

/// `run_id` may be empty: left out.
void AppendMetric(std::string_view key, const tracking::MetricPoint& point, std::string_view run_id,
                  JsonWriter& out);
void AppendDatasetSummary(const tracking::DatasetSummary& summary, JsonWriter& out);
void AppendLoggedModel(const tracking::LoggedModel& model, JsonWriter& out);
void AppendRegisteredModel(const registry::RegisteredModel& model, JsonWriter& out);
void AppendModelVersion(const registry::ModelVersion& version, JsonWriter& out);

/// {"<name>": <value>} around what `append` appends.
template <typename Append>
std::string PrintWrapped(std::string_view name, Append append) {
  JsonWriter out;
  out.BeginObject().Key(name);
  append(out);
  out.EndObject();
  return std::move(out).Take();
}

/// {"<name>": [...], "next_page_token": "..."}; an empty list and an empty token are left out.
template <typename Items, typename Append>
std::string PrintPage(std::string_view name, const Items& items, std::string_view next_token,
                      Append append) {
  JsonWriter out(64 + items.size() * 512);
  out.BeginObject();
  if (!items.empty()) {
    out.Key(name).BeginArray();
    for (const auto& item : items) append(item, out);
    out.EndArray();
  }
  out.FieldIfAny("next_page_token", next_token);
  out.EndObject();
  return std::move(out).Take();
}

}  // namespace sluice::api
