#include "runner/internal/facts_json.h"

#include "formats/json.h"

namespace sluice::runner {
namespace {

using formats::Json;

Json FromMap(const std::map<std::string, std::string>& map) {
  Json json = Json::MakeObject();
  for (const auto& [key, value] : map) json.AsObject().emplace_back(key, value);
  return json;
}

Json FromList(const std::vector<std::string>& list) {
  Json json = Json::MakeArray();
  for (const std::string& text : list) json.Append(text);
  return json;
}

void ReadMap(const Json& json, std::string_view key, std::map<std::string, std::string>& map) {
  const Json* found = json.Find(key);
  if (found == nullptr || !found->is_object()) return;
  for (const auto& [name, value] : found->AsObject()) {
    if (value.is_string()) map[name] = value.AsString();
  }
}

void ReadList(const Json& json, std::string_view key, std::vector<std::string>& list) {
  const Json* found = json.Find(key);
  if (found == nullptr || !found->is_array()) return;
  for (const Json& item : found->AsArray()) {
    if (item.is_string()) list.push_back(item.AsString());
  }
}

}  // namespace

std::string PrintFacts(const StepFacts& facts) {
  Json metrics = Json::MakeObject();
  for (const auto& [key, value] : facts.metrics) metrics.AsObject().emplace_back(key, value);
  return formats::PrintJson(Json::MakeObject({{"metrics", std::move(metrics)},
                                              {"params", FromMap(facts.params)},
                                              {"tags", FromMap(facts.tags)},
                                              {"summary", FromList(facts.summary)},
                                              {"warnings", FromList(facts.warnings)}}));
}

Result<StepFacts> ParseFacts(std::string_view text) {
  Result<Json> json = formats::ParseJson(text, {.file = "run_cache.facts", .max_depth = 4});
  if (!json.ok()) return DataLoss(json.error().message());
  StepFacts facts;
  if (const Json* metrics = json->Find("metrics"); metrics != nullptr && metrics->is_object()) {
    for (const auto& [key, value] : metrics->AsObject()) {
      Result<double> number = metrics->GetDouble(key);
      if (!number.ok()) return DataLoss(number.error().message());
      facts.metrics[key] = *number;
    }
  }
  ReadMap(*json, "params", facts.params);
  ReadMap(*json, "tags", facts.tags);
  ReadList(*json, "summary", facts.summary);
  ReadList(*json, "warnings", facts.warnings);
  return facts;
}

}  // namespace sluice::runner
