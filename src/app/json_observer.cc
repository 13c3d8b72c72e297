#include "app/json_observer.h"

#include <cstdio>

namespace sluice::app {

using formats::Json;

namespace {

void PrintLine(const Json& json) {
  std::string line = formats::PrintJson(json) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

Json AttemptEvent(std::string_view event, const runner::AttemptInfo& attempt) {
  return Json::MakeObject(
      {{"event", event}, {"step", attempt.step->name}, {"attempt", attempt.number}});
}

Json TextMap(const std::map<std::string, std::string>& values) {
  Json json = Json::MakeObject();
  for (const auto& [key, value] : values) json[key] = value;
  return json;
}

}  // namespace

Json StepOutcomeToJson(const runner::StepOutcome& outcome) {
  Json outputs = Json::MakeObject();
  for (const runner::StepOutput& output : outcome.outputs)
    outputs[output.name] = output.stored.id.ToString();
  Json metrics = Json::MakeObject();
  for (const auto& [key, value] : outcome.facts.metrics) metrics[key] = value;
  return Json::MakeObject({{"name", outcome.name},
                           {"result", runner::StepResultName(outcome.result)},
                           {"reason", outcome.reason},
                           {"error", outcome.error},
                           {"key", outcome.key ? Json(outcome.key->ToHex()) : Json()},
                           {"attempts", outcome.attempt_count},
                           {"start_ms", outcome.start_ms},
                           {"end_ms", outcome.end_ms},
                           {"outputs", std::move(outputs)},
                           {"metrics", std::move(metrics)},
                           {"tags", TextMap(outcome.facts.tags)}});
}

void JsonObserver::OnPlan(const std::string& run_id, const pipeline::Plan& plan) {
  PrintLine(Json::MakeObject(
      {{"event", "plan"}, {"run_id", run_id}, {"plan", pipeline::PlanToJson(plan)}}));
}

void JsonObserver::OnAttemptStarted(const runner::AttemptInfo& attempt) {
  PrintLine(AttemptEvent("started", attempt));
}

void JsonObserver::OnProgress(const runner::AttemptInfo& attempt, double done, double total,
                              std::string_view unit) {
  Json json = AttemptEvent("progress", attempt);
  json["done"] = done;
  json["total"] = total;
  json["unit"] = unit;
  PrintLine(json);
}

void JsonObserver::OnMetric(const runner::AttemptInfo& attempt, std::string_view key, double value,
                            int64_t step, int64_t timestamp_ms) {
  Json json = AttemptEvent("metric", attempt);
  json["key"] = key;
  json["value"] = value;
  json["iteration"] = step;
  json["timestamp_ms"] = timestamp_ms;
  PrintLine(json);
}

void JsonObserver::OnAttemptFinished(const runner::AttemptInfo& attempt,
                                     const runner::AttemptRecord& /*record*/,
                                     std::string_view error, int64_t retry_in_ms) {
  if (retry_in_ms < 0) return;
  Json json = AttemptEvent("retry", attempt);
  json["error"] = error;
  json["retry_in_ms"] = retry_in_ms;
  PrintLine(json);
}

void JsonObserver::OnStepFinished(const runner::StepOutcome& outcome) {
  Json json = Json::MakeObject({{"event", "step"}});
  const Json facts = StepOutcomeToJson(outcome);
  for (const auto& [key, value] : facts.AsObject()) json[key] = value;
  PrintLine(json);
}

void JsonObserver::OnRunFinished(const runner::RunSummary& summary) {
  PrintLine(Json::MakeObject({{"event", "run"},
                              {"run_id", summary.run_id},
                              {"state", runner::RunStateName(summary.state)},
                              {"start_ms", summary.start_ms},
                              {"end_ms", summary.end_ms}}));
}

}  // namespace sluice::app
