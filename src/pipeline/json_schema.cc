#include "pipeline/json_schema.h"

#include <fmt/format.h>

#include "pipeline/internal/keys.h"
#include "pipeline/params.h"

namespace sluice::pipeline {

namespace {

using formats::Json;

constexpr char kNamePattern[] = "^[a-z][a-z0-9_]{0,63}$";
constexpr char kDurationPattern[] = "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";
/// A text that is, or holds, a reference to a parameter; whatever the setting's type.
constexpr char kReferencePattern[] = "\\$\\{(params\\.[A-Za-z0-9_-]+|seed)\\}";

Json Type(std::string_view name) { return Json::MakeObject({{"type", name}}); }

Json Ref(std::string_view name) {
  return Json::MakeObject({{"$ref", fmt::format("#/$defs/{}", name)}});
}

Json AnyOf(std::initializer_list<Json> options) {
  return Json::MakeObject({{"anyOf", Json(Json::Array(options))}});
}

Json ListOf(Json item, int64_t min_count = 0) {
  Json list = Json::MakeObject(
      {{"type", "array"}, {"items", std::move(item)}, {"maxItems", kMaxWordCount}});
  if (min_count > 0) list["minItems"] = min_count;
  return list;
}

Json OneOrMore(const Json& item) { return AnyOf({item, ListOf(item, 1)}); }

Json Described(Json schema, std::string_view help) {
  if (!help.empty()) schema["description"] = help;
  return schema;
}

Json MapOf(Json value) {
  return Json::MakeObject({{"type", "object"},
                           {"propertyNames", Json::MakeObject({{"pattern", kNamePattern}})},
                           {"additionalProperties", std::move(value)}});
}

Json Closed(Json properties, std::initializer_list<Json> required = {}) {
  Json schema = Json::MakeObject(
      {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}});
  if (required.size() > 0) schema["required"] = Json(Json::Array(required));
  return schema;
}

Json WithBounds(Json schema, const SettingRow& row) {
  if (row.min) schema["minimum"] = *row.min;
  if (row.max) schema["maximum"] = *row.max;
  return schema;
}

Json SettingSchema(const SettingRow& row) {
  Json reference = Ref("reference");
  Json schema;
  switch (row.type) {
    case SettingType::kString: {
      schema = Ref("scalar");
      if (!row.choices.empty()) {
        Json choices = Json::MakeArray();
        for (const std::string& choice : row.choices) choices.Append(choice);
        schema = AnyOf({Json::MakeObject({{"enum", std::move(choices)}}), reference});
      }
      break;
    }
    case SettingType::kColumn: schema = Ref("scalar"); break;
    case SettingType::kInteger:
      schema = AnyOf({WithBounds(Type("integer"), row), reference});
      break;
    case SettingType::kNumber: schema = AnyOf({WithBounds(Type("number"), row), reference}); break;
    case SettingType::kBool: schema = AnyOf({Type("boolean"), reference}); break;
    case SettingType::kDuration: schema = AnyOf({Ref("duration"), reference}); break;
    case SettingType::kSize: schema = Ref("scalar"); break;
    case SettingType::kShare:
      schema = AnyOf({Json::MakeObject({{"type", "number"}, {"minimum", 0}, {"maximum", 1}}),
                      Json::MakeObject({{"type", "string"}, {"pattern", "^[0-9.]+(e-?[0-9]+)?%$"}}),
                      reference});
      break;
    case SettingType::kColumns:
    case SettingType::kStrings: schema = AnyOf({Ref("scalar"), ListOf(Ref("scalar"))}); break;
    case SettingType::kList: schema = AnyOf({ListOf(Json(true)), reference}); break;
    case SettingType::kMap: schema = AnyOf({Type("object"), reference}); break;
    case SettingType::kAny: schema = Json::MakeObject({{"not", Type("null")}}); break;
  }
  if (!row.default_value.is_null()) schema["default"] = row.default_value;
  return Described(std::move(schema), row.help);
}

/// Keys that both sorts of steps have, less `uses` and `run`.
Json CommonProperties() {
  Json retries =
      AnyOf({Ref("retry_count"),
             Closed(Json::MakeObject({{"count", Ref("retry_count")}, {"backoff", Ref("duration")}}),
                    {"count"})});
  return Json::MakeObject(
      {{"description", Described(Ref("scalar"), "What the step is for.")},
       {"needs", Described(OneOrMore(Ref("name")),
                           "Steps that must end well first, without data from them.")},
       {"timeout", Described(Ref("duration"), "Of one attempt.")},
       {"retries", Described(std::move(retries), "Attempts after a failed one.")},
       {"cache", Described(Type("boolean"), "false: run every time.")},
       {"seed", Described(Ref("seed"), "Its own, instead of the pipeline's.")}});
}

Json KindSchema(const StepKind& kind) {
  Json properties = Json::MakeObject({{"uses", Json::MakeObject({{"const", kind.name}})}});
  Json required = Json::MakeArray();
  required.Append("uses");
  for (const InputRow& row : kind.inputs) {
    Json schema = row.takes_list ? OneOrMore(Ref("path")) : Ref("path");
    properties[row.name] = Described(std::move(schema), row.help);
    if (row.is_required) required.Append(row.name);
  }
  for (const SettingRow& row : kind.settings) {
    properties[row.name] = SettingSchema(row);
    if (row.is_required) required.Append(row.name);
  }
  Json common = CommonProperties();
  for (auto& [key, value] : common.AsObject()) properties[key] = std::move(value);
  Json schema = Closed(std::move(properties));
  schema["required"] = std::move(required);
  return Described(std::move(schema), kind.help);
}

Json CommandSchema() {
  Json properties = Json::MakeObject(
      {{"run",
        Described(AnyOf({Json::MakeObject({{"type", "string"}, {"minLength", 1}}),
                         ListOf(Ref("scalar"), 1)}),
                  "The program and its arguments: a list, or a line that is split into words.")},
       {"shell", Described(Type("boolean"), "true: `run` is a line for /bin/sh.")},
       {"inputs", Described(MapOf(OneOrMore(Ref("path"))),
                            "Name → what another step made, datasets.NAME or a file.")},
       {"outputs", Described(MapOf(OneOrMore(Ref("path"))),
                             "Name → file or folder in the project that it writes.")},
       {"code", Described(OneOrMore(Ref("path")), "Files whose change makes it run again.")},
       {"env", Described(Json::MakeObject(
                             {{"type", "object"},
                              {"propertyNames",
                               Json::MakeObject({{"pattern", "^[A-Za-z_][A-Za-z0-9_]*$"}})},
                              {"additionalProperties", AnyOf({Ref("scalar"), Type("null")})}}),
                         "Environment variables.")},
       {"params", Described(OneOrMore(Ref("name")),
                            "Parameters that it reads in other ways than ${params.NAME}.")},
       {"metrics", Described(OneOrMore(Ref("name")), "Outputs that are JSON files of metrics.")}});
  Json common = CommonProperties();
  for (auto& [key, value] : common.AsObject()) properties[key] = std::move(value);
  return Described(Closed(std::move(properties), {"run"}), "A command.");
}

/// The schema of a step is chosen by what it uses, so that an editor completes that kind's keys.
Json StepSchema(std::span<const StepKind> kinds) {
  Json names = Json::MakeArray();
  Json rules = Json::MakeArray();
  for (const StepKind& kind : kinds) {
    names.Append(kind.name);
    Json is_kind = Json::MakeObject(
        {{"properties", Json::MakeObject({{"uses", Json::MakeObject({{"const", kind.name}})}})},
         {"required", Json(Json::Array{"uses"})}});
    rules.Append(
        Json::MakeObject({{"if", std::move(is_kind)}, {"then", Ref("step_" + kind.name)}}));
  }
  rules.Append(Json::MakeObject({{"if", Json::MakeObject({{"required", Json(Json::Array{"run"})}})},
                                 {"then", Ref("command")}}));
  return Json::MakeObject(
      {{"type", "object"},
       {"properties", Json::MakeObject({{"uses", Json::MakeObject({{"enum", std::move(names)}})}})},
       {"oneOf", Json(Json::Array{Json::MakeObject({{"required", Json(Json::Array{"uses"})}}),
                                  Json::MakeObject({{"required", Json(Json::Array{"run"})}})})},
       {"allOf", std::move(rules)}});
}

Json ParamSchema() {
  Json types = Json::MakeArray();
  for (ParamType type :
       {ParamType::kString, ParamType::kInteger, ParamType::kNumber, ParamType::kBool}) {
    types.Append(ParamTypeName(type));
  }
  Json full = Closed(Json::MakeObject({{"type", Json::MakeObject({{"enum", std::move(types)}})},
                                       {"default", Ref("scalar")},
                                       {"min", Type("number")},
                                       {"max", Type("number")},
                                       {"choices", ListOf(Ref("scalar"), 1)},
                                       {"help", Ref("scalar")}}));
  full["anyOf"] = Json(Json::Array{Json::MakeObject({{"required", Json(Json::Array{"type"})}}),
                                   Json::MakeObject({{"required", Json(Json::Array{"default"})}})});
  return AnyOf({Ref("scalar"), std::move(full)});
}

Json DatasetSchema(std::span<const StepKind> kinds) {
  Json options = Type("object");
  Json format = Ref("scalar");
  for (const StepKind& kind : kinds) {
    if (!kind.takes_dataset_options) continue;
    Json properties = Json::MakeObject();
    for (const SettingRow& row : kind.settings) properties[row.name] = SettingSchema(row);
    if (const Json* found = properties.Find("format")) format = *found;
    options = Closed(std::move(properties));
    break;
  }
  return AnyOf({OneOrMore(Ref("path")), Closed(Json::MakeObject({{"from", OneOrMore(Ref("path"))},
                                                                 {"format", std::move(format)},
                                                                 {"options", std::move(options)}}),
                                               {"from"})});
}

Json Definitions(std::span<const StepKind> kinds) {
  Json definitions = Json::MakeObject(
      {{"name", Json::MakeObject({{"type", "string"}, {"pattern", kNamePattern}})},
       {"scalar", Json::MakeObject({{"type", Json(Json::Array{"string", "number", "boolean"})}})},
       {"path",
        Json::MakeObject({{"type", "string"}, {"minLength", 1}, {"maxLength", kMaxPathBytes}})},
       {"reference", Json::MakeObject({{"type", "string"}, {"pattern", kReferencePattern}})},
       {"duration",
        Json::MakeObject({{"type", "string"}, {"minLength", 2}, {"pattern", kDurationPattern}})},
       {"seed", Json::MakeObject({{"type", "integer"}, {"minimum", 0}})},
       {"retry_count", Json::MakeObject({{"type", "integer"}, {"minimum", 0}, {"maximum", 100}})},
       {"param", ParamSchema()},
       {"dataset", DatasetSchema(kinds)},
       {"command", CommandSchema()}});
  for (const StepKind& kind : kinds) definitions["step_" + kind.name] = KindSchema(kind);
  definitions["step"] = StepSchema(kinds);
  return definitions;
}

}  // namespace

Json PipelineJsonSchema(std::span<const StepKind> kinds) {
  Json steps = MapOf(Ref("step"));
  steps["minProperties"] = 1;
  steps["maxProperties"] = kMaxStepCount;
  Json properties = Json::MakeObject(
      {{"version", Json::MakeObject({{"const", 1}})},
       {"name", Json::MakeObject({{"type", Json(Json::Array{"string", "number", "boolean"})},
                                  {"pattern", "^[A-Za-z0-9][A-Za-z0-9._ -]{0,127}$"}})},
       {"description", Ref("scalar")},
       {"seed", Described(Ref("seed"), "Decides everything that is random. Default: 0.")},
       {"params", AnyOf({Type("null"), MapOf(Ref("param"))})},
       {"datasets", AnyOf({Type("null"), MapOf(Ref("dataset"))})},
       {"steps", std::move(steps)}});
  Json schema = Closed(std::move(properties), {"name", "steps"});
  Json whole = Json::MakeObject({{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                                 {"title", "Sluice pipeline"},
                                 {"description", "sluice.yaml, version 1"}});
  for (auto& [key, value] : schema.AsObject()) whole[key] = std::move(value);
  whole["$defs"] = Definitions(kinds);
  return whole;
}

}  // namespace sluice::pipeline
