#include "pipeline/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/suggest.h"
#include "pipeline/internal/keys.h"
#include "pipeline/internal/param_value.h"
#include "pipeline/internal/reader.h"
#include "pipeline/internal/references.h"
#include "pipeline/internal/step_parser.h"

namespace sluice::pipeline {

namespace {

using formats::Json;

constexpr int kMaxYamlDepth = 32;
constexpr size_t kMaxPipelineNameBytes = 128;
constexpr int64_t kFormatVersion = 1;

/// The top of the file; steps are StepParser's.
class PipelineParser {
 public:
  PipelineParser(const std::string& file, std::span<const StepKind> kinds)
      : file_(file), kinds_(kinds), reader_(errors_) {}

  ParseOutcome Parse(std::string_view text) {
    Result<YamlNode> root = formats::ParseYaml(text, {.file = file_,
                                                      .max_depth = kMaxYamlDepth,
                                                      .max_size_bytes = kMaxFileSizeBytes,
                                                      .max_node_count = 1'000'000});
    if (!root.ok()) {
      errors_.Add(std::move(root).error());
    } else if (root->is_null()) {
      errors_.Add(InvalidArgument("the file is empty; a pipeline has at least `name:` and `steps:`")
                      .At({.file = file_, .line = 1, .column = 1, .text = ""}));
    } else if (reader_.IsMapping(*root, "a pipeline") && AreSizesGood(*root)) {
      ParseTop(*root);
    }
    ParseOutcome outcome;
    if (errors_.empty()) {
      outcome.pipeline = std::move(pipeline_);
    } else {
      outcome.errors = errors_.TakeSorted();
    }
    return outcome;
  }

 private:
  bool AreSizesGood(const YamlNode& node) {
    auto refuse = [&](const YamlNode& at, std::string message) {
      errors_.Add(ResourceExhausted(std::move(message)).At(at.source()));
      return false;
    };
    if (node.text().size() > static_cast<size_t>(kMaxTextBytes)) {
      return refuse(node, fmt::format("a text of {} bytes is too long: at most {} are taken",
                                      node.text().size(), kMaxTextBytes));
    }
    if (node.items().size() > static_cast<size_t>(kMaxWordCount)) {
      return refuse(node, fmt::format("a list of {} items is too long: at most {} are taken",
                                      node.items().size(), kMaxWordCount));
    }
    for (const YamlNode& item : node.items()) {
      if (!AreSizesGood(item)) return false;
    }
    for (const YamlNode::Entry& entry : node.entries()) {
      if (!AreSizesGood(entry.key) || !AreSizesGood(entry.value)) return false;
    }
    return true;
  }

  void ParseTop(const YamlNode& root) {
    reader_.OnlyKeys(root, "a pipeline", PipelineKeys());
    const YamlNode* name = root.Find("name");
    if (name == nullptr) {
      errors_.Add(root, "the pipeline has no name; write `name: NAME` at the top");
    } else {
      ParseName(*name);
    }
    if (const YamlNode* version = root.Find("version")) {
      ParseVersion(*version);
    }
    if (const YamlNode* node = root.Find("description")) {
      pipeline_.description = reader_.Text(*node, "'description'").value_or("");
    }
    if (const YamlNode* seed = root.Find("seed")) {
      pipeline_.seed = reader_.Integer(*seed, "'seed'", 0, INT64_MAX).value_or(0);
    }
    if (const YamlNode* params = root.Find("params"); params != nullptr && !params->is_null())
      ParseParams(*params);
    if (const YamlNode* datasets = root.Find("datasets");
        datasets != nullptr && !datasets->is_null()) {
      ParseDatasets(*datasets);
    }
    const YamlNode* steps = root.Find("steps");
    if (steps == nullptr || steps->is_null()) {
      errors_.Add(steps == nullptr ? root : *steps,
                  "the pipeline has no steps; write them under `steps:`");
    } else if (reader_.IsMapping(*steps, "'steps'")) {
      ParseSteps(*steps);
    }
  }

  void ParseVersion(const YamlNode& node) {
    std::optional<int64_t> version = reader_.Integer(node, "'version'", 1, INT64_MAX);
    if (!version || *version == kFormatVersion) return;
    errors_.Add(node, fmt::format("the file is of version {}, and this program reads version {}; a "
                                  "newer Sluice may read it",
                                  *version, kFormatVersion));
  }

  void ParseName(const YamlNode& node) {
    std::optional<std::string> name = reader_.Text(node, "'name'");
    if (!name) return;
    constexpr std::string_view kAllowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._- ";
    bool is_good = !name->empty() && name->size() <= kMaxPipelineNameBytes &&
                   name->find_first_not_of(kAllowed) == name->npos &&
                   name->find_first_of("._- ") != 0 && !name->ends_with(' ');
    if (!is_good) {
      errors_.Add(
          node,
          fmt::format(
              "'{}' is no name for a pipeline: it begins with a letter or digit and holds letters, "
              "digits, '.', '_', '-' and blanks, at most {}",
              name->substr(0, 80), kMaxPipelineNameBytes));
      return;
    }
    pipeline_.name = *name;
  }

  // --- params

  void ParseParams(const YamlNode& node) {
    if (!reader_.IsMapping(node, "'params'")) return;
    if (node.entries().size() > static_cast<size_t>(kMaxParamCount)) {
      errors_.Add(ResourceExhausted(fmt::format("{} params are too many: at most {} are taken",
                                                node.entries().size(), kMaxParamCount))
                      .At(node.source()));
      return;
    }
    for (const YamlNode::Entry& entry : node.entries()) {
      if (!reader_.IsGoodName(entry.key, "param")) continue;
      Param param;
      param.name = entry.key.text();
      param.source = entry.key.source();
      if (entry.value.is_mapping()) {
        ParseLongParam(entry.value, param);
      } else if (entry.value.is_scalar()) {
        param.default_value = entry.value.ToJson();
        param.type = TypeOf(*param.default_value);
      } else {
        errors_.Add(entry.value,
                    fmt::format("param '{}' must be a value, or a mapping with its type, found {}",
                                param.name, entry.value.KindName()));
      }
      pipeline_.params.push_back(std::move(param));
    }
  }

  static ParamType TypeOf(const Json& value) {
    if (value.is_bool()) return ParamType::kBool;
    if (value.is_integer()) return ParamType::kInteger;
    return value.is_double() ? ParamType::kNumber : ParamType::kString;
  }

  void ParseLongParam(const YamlNode& node, Param& param) {
    static const std::vector<std::string> kKeys = {"type", "default", "min",
                                                   "max",  "choices", "help"};
    std::string what = fmt::format("param '{}'", param.name);
    size_t error_count = errors_.count();
    reader_.OnlyKeys(node, what, kKeys);
    const YamlNode* type = node.Find("type");
    const YamlNode* default_node = node.Find("default");
    if (type != nullptr) {
      ParseParamType(*type, param);
    } else if (default_node != nullptr && default_node->is_scalar()) {
      param.type = TypeOf(default_node->ToJson());
    } else {
      errors_.Add(
          node, fmt::format("{} needs a 'type' (string, int, float or bool) or a 'default'", what));
    }
    if (errors_.count() > error_count) return;
    if (const YamlNode* help = node.Find("help"))
      param.help = reader_.Text(*help, "'help'").value_or("");
    ParseBounds(node, what, param);
    if (const YamlNode* choices = node.Find("choices")) ParseChoices(*choices, what, param);
    if (default_node == nullptr) return;
    param.default_value = ParamValue(*default_node, param);
    if (!param.default_value) return;
    Status checked = CheckParamValue(param, *param.default_value);
    if (!checked.ok()) errors_.Add(std::move(checked).error().At(default_node->source()));
  }

  void ParseParamType(const YamlNode& node, Param& param) {
    std::optional<std::string> name = reader_.Text(node, "'type'");
    if (!name) return;
    for (ParamType type :
         {ParamType::kString, ParamType::kInteger, ParamType::kNumber, ParamType::kBool}) {
      if (*name == ParamTypeName(type)) {
        param.type = type;
        return;
      }
    }
    static const std::vector<std::string> kTypes = {"string", "int", "float", "bool"};
    std::string hint = DidYouMean(*name, kTypes);
    if (*name == "double" || *name == "number") hint = "; did you mean 'float'?";
    if (*name == "integer") hint = "; did you mean 'int'?";
    if (*name == "boolean") hint = "; did you mean 'bool'?";
    if (*name == "str" || *name == "text") hint = "; did you mean 'string'?";
    errors_.Add(node,
                fmt::format("'{}' is no type of a param: there are string, int, float and bool{}",
                            name->substr(0, 80), hint));
  }

  void ParseBounds(const YamlNode& node, const std::string& what, Param& param) {
    for (const char* key : {"min", "max"}) {
      const YamlNode* bound = node.Find(key);
      if (bound == nullptr) continue;
      if (param.type != ParamType::kInteger && param.type != ParamType::kNumber) {
        errors_.Add(*bound, fmt::format("'{}' is for numbers, and {} is a {}", key, what,
                                        ParamTypeName(param.type)));
        continue;
      }
      std::optional<double> value = reader_.Number(*bound, fmt::format("'{}'", key));
      if (value && std::isnan(*value))
        errors_.Add(*bound, fmt::format("'{}' must not be NaN", key));
      (std::string_view(key) == "min" ? param.min : param.max) = value;
    }
    if (param.min && param.max && *param.min > *param.max) {
      errors_.Add(*node.Find("max"), fmt::format("'max' ({}) is below 'min' ({})",
                                                 BoundText(*param.max), BoundText(*param.min)));
    }
  }

  void ParseChoices(const YamlNode& node, const std::string& what, Param& param) {
    if (!node.is_sequence() || node.items().empty()) {
      errors_.Add(node, fmt::format("'choices' of {} must be a list of values", what));
      return;
    }
    for (const YamlNode& item : node.items()) {
      std::optional<Json> value = ParamValue(item, param);
      if (value) param.choices.push_back(*std::move(value));
    }
  }

  /// A value of the param's type.
  std::optional<Json> ParamValue(const YamlNode& node, const Param& param) {
    std::string what = fmt::format("param '{}' ({})", param.name, ParamTypeName(param.type));
    auto as_json = [](const auto& value) {
      return value ? std::optional<Json>(Json(*value)) : std::nullopt;
    };
    switch (param.type) {
      case ParamType::kString: return as_json(reader_.Text(node, what));
      case ParamType::kInteger: return as_json(reader_.Integer(node, what, INT64_MIN, INT64_MAX));
      case ParamType::kNumber: return as_json(reader_.Number(node, what));
      case ParamType::kBool: return as_json(reader_.Bool(node, what));
    }
    return std::nullopt;
  }

  // --- datasets

  void ParseDatasets(const YamlNode& node) {
    if (!reader_.IsMapping(node, "'datasets'")) return;
    for (const YamlNode::Entry& entry : node.entries()) {
      if (!reader_.IsGoodName(entry.key, "dataset")) continue;
      Dataset dataset{.name = entry.key.text(),
                      .patterns = {},
                      .options = Json::MakeObject(),
                      .source = entry.key.source()};
      const YamlNode* from = &entry.value;
      if (entry.value.is_mapping()) {
        static const std::vector<std::string> kKeys = {"from", "format", "options"};
        reader_.OnlyKeys(entry.value, fmt::format("dataset '{}'", dataset.name), kKeys);
        from = entry.value.Find("from");
        ParseDatasetOptions(entry.value, dataset);
      }
      if (from == nullptr || from->is_null()) {
        errors_.Add(entry.key,
                    fmt::format("dataset '{}' needs 'from': the files it is", dataset.name));
      } else {
        ParsePatterns(*from, dataset);
      }
      pipeline_.datasets.push_back(std::move(dataset));
    }
  }

  void ParsePatterns(const YamlNode& node, Dataset& dataset) {
    if (node.is_sequence() && node.items().empty()) errors_.Add(node, "'from' names no file");
    for (const YamlNode* text : reader_.Texts(node, "'from'")) {
      Result<std::string> path = CheckProjectPath(text->text(), true);
      if (path.ok()) {
        dataset.patterns.push_back(*path);
      } else {
        errors_.Add(std::move(path).error().At(text->source()));
      }
    }
  }

  /// `format` and `options` are settings of the kind that reads datasets.
  void ParseDatasetOptions(const YamlNode& node, Dataset& dataset) {
    auto kind = std::find_if(kinds_.begin(), kinds_.end(),
                             [](const StepKind& row) { return row.takes_dataset_options; });
    if (kind == kinds_.end()) return;
    auto take = [&](const YamlNode::Entry& entry) {
      const SettingRow* row = kind->FindSetting(entry.key.text());
      if (row == nullptr) {
        std::vector<std::string> names;
        for (const SettingRow& setting : kind->settings) names.push_back(setting.name);
        errors_.Add(entry.key, fmt::format("'{}' has no option '{}'{}", kind->name,
                                           entry.key.text().substr(0, 80),
                                           Suggestion(entry.key.text(), names)));
        return;
      }
      Json value = entry.value.is_scalar() && row->type != SettingType::kInteger &&
                           row->type != SettingType::kBool && row->type != SettingType::kNumber
                       ? Json(entry.value.text())
                       : entry.value.ToJson();
      Result<Json> normalised = NormaliseSetting(*row, value);
      if (!normalised.ok()) {
        errors_.Add(std::move(normalised).error().At(entry.value.source()));
        return;
      }
      dataset.options[entry.key.text()] = *std::move(normalised);
    };
    for (const YamlNode::Entry& entry : node.entries()) {
      if (entry.key.text() == "format") take(entry);
      if (entry.key.text() != "options" || !reader_.IsMapping(entry.value, "'options'")) continue;
      for (const YamlNode::Entry& option : entry.value.entries()) take(option);
    }
  }

  // --- steps

  void ParseSteps(const YamlNode& node) {
    if (node.entries().empty())
      errors_.Add(node, "the pipeline has no steps; write them under `steps:`");
    if (node.entries().size() > static_cast<size_t>(kMaxStepCount)) {
      errors_.Add(ResourceExhausted(fmt::format("{} steps are too many: at most {} are taken",
                                                node.entries().size(), kMaxStepCount))
                      .At(node.source()));
      return;
    }
    StepParser step_parser(reader_, pipeline_, kinds_);
    std::vector<ParsedStep> steps;
    for (const YamlNode::Entry& entry : node.entries()) {
      if (errors_.is_full()) return;
      steps.push_back(step_parser.Parse(entry));
    }
    ReferenceResolver(reader_, pipeline_, steps).ResolveAll();
    for (ParsedStep& parsed : steps) pipeline_.steps.push_back(std::move(parsed.step));
    Status finalised = Finalise(pipeline_);
    if (!finalised.ok()) errors_.Add(std::move(finalised).error());
  }

  const std::string& file_;
  std::span<const StepKind> kinds_;
  Errors errors_;
  Reader reader_;
  Pipeline pipeline_;
};

}  // namespace

ParseOutcome ParsePipelineFully(std::string_view text, const std::string& file,
                                std::span<const StepKind> kinds) {
  return PipelineParser(file, kinds).Parse(text);
}

Result<Pipeline> ParsePipeline(std::string_view text, const std::string& file,
                               std::span<const StepKind> kinds) {
  ParseOutcome outcome = ParsePipelineFully(text, file, kinds);
  if (outcome.pipeline) return *std::move(outcome.pipeline);
  return std::move(outcome.errors.front());
}

}  // namespace sluice::pipeline
