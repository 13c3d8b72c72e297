// FeatureGraph's assembling, printing and reading.
#include <fmt/format.h>

#include <unordered_set>

#include "features/graph.h"
#include "features/internal/graph_state.h"

namespace sluice::features {
namespace {

using formats::Json;

Result<InputColumn> ReadInput(const Json& json) {
  InputColumn input;
  ASSIGN_OR_RETURN(input.name, json.GetString("name"));
  ASSIGN_OR_RETURN(std::string type_name, json.GetString("type"));
  std::optional<ColumnType> type = table::FindColumnType(type_name);
  if (!type.has_value()) {
    return InvalidArgument(fmt::format("column '{}': unknown type '{}'", input.name, type_name));
  }
  input.type = *type;
  ASSIGN_OR_RETURN(input.is_nullable, json.GetBool("nullable"));
  return input;
}

Result<std::vector<std::string>> ReadTexts(const Json& json, std::string_view key) {
  ASSIGN_OR_RETURN(const Json* array, json.GetArray(key));
  std::vector<std::string> texts;
  for (const Json& element : array->AsArray()) {
    if (!element.is_string())
      return InvalidArgument(fmt::format("'{}' holds something that is no text", key));
    texts.push_back(element.AsString());
  }
  return texts;
}

Json TextsToJson(const std::vector<std::string>& texts) {
  Json array = Json::MakeArray();
  for (const std::string& text : texts) array.Append(text);
  return array;
}

Status CheckHeader(const Json& json) {
  if (json.StringOr("kind", "") != "features") {
    return InvalidArgument("is no feature graph: its 'kind' is not 'features'");
  }
  ASSIGN_OR_RETURN(int64_t version, json.GetInteger("version"));
  if (version == 1) return Ok();
  return InvalidArgument(fmt::format(
      "has version {}, and this program reads version 1; use a newer program", version));
}

}  // namespace

Status FeatureGraph::State::Assemble() {
  std::unordered_set<std::string> taken_inputs, taken;
  inputs.clear();
  feature_names.clear();
  feature_inputs.clear();
  for (size_t i = 0; i < chains.size(); ++i) {
    internal::Chain& chain = chains[i];
    if (!taken_inputs.insert(chain.input.name).second) {
      return InvalidArgument(fmt::format("column '{}': is there twice", chain.input.name));
    }
    inputs.push_back(chain.input);
    chain.first_feature = feature_names.size();
    if (feature_names.size() + chain.feature_names.size() > static_cast<size_t>(kMaxFeatureCount)) {
      return ResourceExhausted(fmt::format(
          "more than {} features; group rare categories (`rare`, `max_categories`), use "
          "hash with fewer buckets, or drop columns",
          kMaxFeatureCount));
    }
    for (const std::string& name : chain.feature_names) {
      std::string unique = name;
      for (int n = 2; !taken.insert(unique).second; ++n) unique = fmt::format("{}__{}", name, n);
      feature_names.push_back(std::move(unique));
      feature_inputs.push_back(static_cast<int>(i));
    }
  }
  if (feature_names.empty()) return InvalidArgument("the columns give no feature");
  return Ok();
}

Json FeatureGraph::ToJson() const {
  Json inputs_json = Json::MakeArray();
  Json chains = Json::MakeArray();
  for (const internal::Chain& chain : state_->chains) {
    inputs_json.Append(Json::MakeObject({{"name", chain.input.name},
                                         {"type", table::ColumnTypeName(chain.input.type)},
                                         {"nullable", chain.input.is_nullable}}));
    chains.Append(internal::ChainToJson(chain));
  }
  return Json::MakeObject({{"version", 1},
                           {"kind", "features"},
                           {"inputs", std::move(inputs_json)},
                           {"chains", std::move(chains)},
                           {"features", TextsToJson(state_->feature_names)},
                           {"label", state_->label.has_value() ? state_->label->ToJson() : Json()},
                           {"weight", state_->weight.empty() ? Json() : Json(state_->weight)},
                           {"warnings", TextsToJson(state_->warnings)}});
}

Result<FeatureGraph> FeatureGraph::FromJson(const Json& json) {
  RETURN_IF_ERROR(CheckHeader(json));
  std::unique_ptr<State> state = std::make_unique<State>();
  ASSIGN_OR_RETURN(const Json* inputs_json, json.GetArray("inputs"));
  ASSIGN_OR_RETURN(const Json* chains, json.GetArray("chains"));
  if (inputs_json->size() != chains->size())
    return DataLoss("'inputs' and 'chains' differ in length");
  for (size_t i = 0; i < chains->size(); ++i) {
    ASSIGN_OR_RETURN(InputColumn input, ReadInput(inputs_json->At(i)));
    ASSIGN_OR_RETURN(std::string chain_input, chains->At(i).GetString("input"));
    if (chain_input != input.name) {
      return DataLoss(fmt::format("chain {} is of '{}', but the input there is '{}'", i,
                                  chain_input, input.name));
    }
    ASSIGN_OR_RETURN(internal::Chain chain, internal::ChainFromJson(input, chains->At(i)));
    state->chains.push_back(std::move(chain));
  }
  RETURN_IF_ERROR(state->Assemble());
  ASSIGN_OR_RETURN(std::vector<std::string> names, ReadTexts(json, "features"));
  if (names != state->feature_names)
    return DataLoss("'features' are not the names that the chains give");
  if (const Json* label = json.Find("label"); label != nullptr && !label->is_null()) {
    ASSIGN_OR_RETURN(state->label, LabelEncoder::FromJson(*label));
  }
  state->weight = json.StringOr("weight", "");
  ASSIGN_OR_RETURN(state->warnings, ReadTexts(json, "warnings"));
  return FeatureGraph(std::move(state));
}

Result<FeatureGraph> FeatureGraph::FromText(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, formats::ParseJson(text, {.file = "features.json"}));
  return FromJson(json);
}

}  // namespace sluice::features
