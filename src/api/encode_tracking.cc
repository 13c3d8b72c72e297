#include "api/encode.h"

namespace sluice::api {

namespace {

using tracking::DatasetLink;
using tracking::Param;
using tracking::Tag;

/// [{"key", "value"}], or nothing for an empty list.
template <typename Pairs>
void AppendPairs(std::string_view name, const Pairs& pairs, JsonWriter& out) {
  if (pairs.empty()) return;
  out.Key(name).BeginArray();
  for (const auto& pair : pairs) {
    out.BeginObject().Field("key", pair.key).Field("value", pair.value).EndObject();
  }
  out.EndArray();
}

void AppendDatasetLink(const DatasetLink& link, JsonWriter& out) {
  out.BeginObject();
  AppendPairs("tags", link.tags, out);
  out.Key("dataset")
      .BeginObject()
      .Field("name", link.dataset.name)
      .Field("digest", link.dataset.digest)
      .Field("source_type", link.dataset.source_type)
      .Field("source", link.dataset.source)
      .FieldIfAny("schema", link.dataset.schema)
      .FieldIfAny("profile", link.dataset.profile)
      .EndObject()
      .EndObject();
}

void AppendInputs(const tracking::Run& run, JsonWriter& out) {
  out.Key("inputs").BeginObject();
  if (!run.inputs.empty()) {
    out.Key("dataset_inputs").BeginArray();
    for (const DatasetLink& link : run.inputs) AppendDatasetLink(link, out);
    out.EndArray();
  }
  if (!run.model_inputs.empty()) {
    out.Key("model_inputs").BeginArray();
    for (const std::string& id : run.model_inputs) {
      out.BeginObject().Field("model_id", id).EndObject();
    }
    out.EndArray();
  }
  out.EndObject();
}

void AppendOutputs(const tracking::Run& run, JsonWriter& out) {
  out.Key("outputs").BeginObject();
  if (!run.model_outputs.empty()) {
    out.Key("model_outputs").BeginArray();
    for (const tracking::ModelOutput& model : run.model_outputs) {
      out.BeginObject().Field("model_id", model.model_id).Field("step", model.step).EndObject();
    }
    out.EndArray();
  }
  out.EndObject();
}

/// The fields a metric has wherever it stands; the object stays open.
JsonWriter& BeginMetric(const tracking::Metric& metric, JsonWriter& out) {
  return out.BeginObject()
      .Field("key", metric.key)
      .Field("value", metric.value)
      .Field("timestamp", metric.timestamp_ms)
      .Field("step", metric.step)
      .FieldIfAny("dataset_name", metric.dataset_name)
      .FieldIfAny("dataset_digest", metric.dataset_digest)
      .FieldIfAny("model_id", metric.model_id);
}

}  // namespace

void AppendExperiment(const tracking::Experiment& experiment, JsonWriter& out) {
  out.BeginObject()
      .Field("experiment_id", experiment.id)
      .Field("name", experiment.name)
      .Field("artifact_location", experiment.artifact_location)
      .Field("lifecycle_stage", tracking::LifecycleStageName(experiment.stage))
      .Field("last_update_time", experiment.updated_ms)
      .Field("creation_time", experiment.created_ms);
  AppendPairs("tags", experiment.tags, out);
  out.Field("workspace", "default").EndObject();
}

void AppendRunInfo(const tracking::RunInfo& info, JsonWriter& out) {
  out.BeginObject()
      .Field("run_uuid", info.run_id)
      .Field("run_id", info.run_id)
      .Field("experiment_id", info.experiment_id)
      .Field("run_name", info.name)
      .Field("user_id", info.user_id)
      .Field("status", tracking::RunStatusName(info.status))
      .Field("start_time", info.start_ms);
  if (info.end_ms) out.Field("end_time", *info.end_ms);
  out.Field("artifact_uri", info.artifact_uri)
      .Field("lifecycle_stage", tracking::LifecycleStageName(info.stage))
      .EndObject();
}

void AppendRun(const tracking::Run& run, RunParts parts, JsonWriter& out) {
  out.BeginObject().Key("info");
  AppendRunInfo(run.info, out);
  out.Key("data").BeginObject();
  if (!run.metrics.empty()) {
    out.Key("metrics").BeginArray();
    for (const tracking::Metric& metric : run.metrics) BeginMetric(metric, out).EndObject();
    out.EndArray();
  }
  AppendPairs("params", run.params, out);
  AppendPairs("tags", run.tags, out);
  out.EndObject();
  AppendInputs(run, out);
  if (parts == RunParts::kWhole) AppendOutputs(run, out);
  out.EndObject();
}

void AppendMetric(std::string_view key, const tracking::MetricPoint& point, std::string_view run_id,
                  JsonWriter& out) {
  out.BeginObject()
      .Field("key", key)
      .Field("value", point.value)
      .Field("timestamp", point.timestamp_ms)
      .Field("step", point.step)
      .FieldIfAny("run_id", run_id)
      .EndObject();
}

void AppendDatasetSummary(const tracking::DatasetSummary& summary, JsonWriter& out) {
  out.BeginObject()
      .Field("experiment_id", summary.experiment_id)
      .Field("name", summary.name)
      .Field("digest", summary.digest)
      .FieldIfAny("context", summary.context ? *summary.context : std::string_view())
      .EndObject();
}

void AppendLoggedModel(const tracking::LoggedModel& model, JsonWriter& out) {
  out.BeginObject()
      .Key("info")
      .BeginObject()
      .Field("model_id", model.model_id)
      .Field("experiment_id", model.experiment_id)
      .Field("name", model.name)
      .Field("creation_timestamp_ms", model.created_ms)
      .Field("last_updated_timestamp_ms", model.updated_ms)
      .Field("artifact_uri", model.artifact_uri)
      .Field("status", tracking::LoggedModelStatusName(model.status))
      .Field("model_type", model.model_type)
      .Field("source_run_id", model.source_run_id)
      .FieldIfAny("status_message", model.status_message);
  AppendPairs("tags", model.tags, out);
  out.EndObject().Key("data").BeginObject();
  AppendPairs("params", model.params, out);
  if (!model.metrics.empty()) {
    out.Key("metrics").BeginArray();
    for (const tracking::LoggedModelMetric& one : model.metrics) {
      BeginMetric(one.metric, out).FieldIfAny("run_id", one.run_id).EndObject();
    }
    out.EndArray();
  }
  out.EndObject().EndObject();
}

}  // namespace sluice::api
