#include "pipeline/internal/step_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/suggest.h"
#include "pipeline/internal/command_line.h"
#include "pipeline/internal/keys.h"
#include "pipeline/parse.h"

namespace sluice::pipeline {

namespace {

using formats::Json;

constexpr int64_t kMaxRetryCount = 100;
constexpr size_t kMaxNamedCount = 1'000;  // inputs of one step, and outputs

template <typename Range>
std::vector<std::string> NamesOf(const Range& range) {
  std::vector<std::string> names;
  for (const auto& item : range) names.push_back(item.name);
  return names;
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void AddOnce(std::vector<std::string>& sorted_names, const std::string& name) {
  auto at = std::lower_bound(sorted_names.begin(), sorted_names.end(), name);
  if (at == sorted_names.end() || *at != name) sorted_names.insert(at, name);
}

/// Things that a platform engineer decides, and the pipeline file may not.
bool IsRuntimeKey(std::string_view key) {
  constexpr std::array<std::string_view, 14> kKeys = {
      "executor", "resources", "cpus",        "threads",   "memory", "gpu",  "gpus",
      "image",    "host",      "environment", "partition", "queue",  "node", "secrets"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

/// A program whose first argument is a script.
bool IsInterpreter(std::string_view program) {
  std::string_view name =
      program.substr(program.find_last_of('/') == program.npos ? 0 : program.find_last_of('/') + 1);
  if (name.starts_with("python")) return name.find_first_not_of("python0123456789.") == name.npos;
  constexpr std::array<std::string_view, 8> kNames = {"sh",   "bash", "Rscript", "perl",
                                                      "ruby", "node", "julia",   "php"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool IsVariableName(std::string_view name) {
  if (name.empty() || name.size() > 128 || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

StepParser::StepParser(Reader& reader, const Pipeline& pipeline, std::span<const StepKind> kinds)
    : reader_(reader), errors_(reader.errors()), pipeline_(pipeline), kinds_(kinds) {
  for (const Param& param : pipeline.params) {
    param_names_.push_back(param.name);
    if (param.default_value) defaults_[param.name] = *param.default_value;
  }
}

ParsedStep StepParser::Parse(const YamlNode::Entry& entry) {
  ParsedStep parsed;
  parsed.key = &entry.key;
  parsed.step.name = entry.key.text();
  parsed.step.source = entry.key.source();
  if (reader_.IsGoodName(entry.key, "step") &&
      (entry.key.text() == "datasets" || entry.key.text() == "params")) {
    errors_.Add(entry.key,
                fmt::format("a step cannot be called '{}': references begin with that word",
                            entry.key.text()));
  }
  const YamlNode& body = entry.value;
  const YamlNode* uses = body.Find("uses");
  const YamlNode* run = body.Find("run");
  if (!reader_.IsMapping(body, fmt::format("step '{}'", parsed.step.name.substr(0, 80)))) {
    parsed.are_outputs_known = false;
    return parsed;
  }
  ParseCommon(body, parsed);
  if (uses != nullptr && run != nullptr) {
    errors_.Add(*run,
                fmt::format("step '{}' has both `uses` and `run`; keep one", parsed.step.name));
    parsed.are_outputs_known = false;
  } else if (uses != nullptr) {
    ParseNative(*uses, body, parsed);
  } else if (run != nullptr) {
    ParseCommand(*run, body, parsed);
  } else {
    parsed.are_outputs_known = false;
    errors_.Add(entry.key,
                fmt::format("step '{}' does nothing: give it `uses: KIND` or `run: COMMAND`",
                            parsed.step.name));
  }
  return parsed;
}

void StepParser::ParseCommon(const YamlNode& body, ParsedStep& parsed) {
  Step& step = parsed.step;
  for (const YamlNode::Entry& entry : body.entries()) {
    const std::string& key = entry.key.text();
    const YamlNode& value = entry.value;
    if (key == "description") step.description = reader_.Text(value, "'description'").value_or("");
    if (key == "needs") parsed.needs = &value;
    if (key == "cache") step.is_cacheable = reader_.Bool(value, "'cache'").value_or(true);
    if (key == "seed") step.seed = reader_.Integer(value, "'seed'", 0, INT64_MAX);
    if (key == "retries") ParseRetries(value, step);
    if (key == "timeout") {
      std::optional<int64_t> ms = reader_.DurationMs(value, "'timeout'");
      if (ms && *ms == 0)
        errors_.Add(value, "'timeout' must be longer than nothing; leave it out for no limit");
      step.timeout_ms = ms.value_or(0);
    }
  }
}

void StepParser::ParseRetries(const YamlNode& node, Step& step) {
  if (node.is_scalar()) {
    step.retries.count =
        static_cast<int>(reader_.Integer(node, "'retries'", 0, kMaxRetryCount).value_or(0));
    return;
  }
  if (!reader_.IsMapping(node, "'retries'")) return;
  static const std::vector<std::string> kKeys = {"count", "backoff"};
  reader_.OnlyKeys(node, "'retries'", kKeys);
  if (const YamlNode* count = node.Find("count")) {
    step.retries.count =
        static_cast<int>(reader_.Integer(*count, "'count'", 0, kMaxRetryCount).value_or(0));
  } else {
    errors_.Add(node, "'retries' needs a 'count'");
  }
  if (const YamlNode* backoff = node.Find("backoff")) {
    std::optional<int64_t> ms = reader_.DurationMs(*backoff, "'backoff'");
    if (ms && *ms > kMaxBackoffMs) errors_.Add(*backoff, "'backoff' must be at most 10m");
    step.retries.backoff_ms = ms.value_or(step.retries.backoff_ms);
  }
}

void StepParser::ParseNative(const YamlNode& uses, const YamlNode& body, ParsedStep& parsed) {
  Step& step = parsed.step;
  parsed.are_outputs_known = false;
  std::optional<std::string> name = reader_.Text(uses, "'uses'");
  if (!name) return;
  const StepKind* kind = FindKind(kinds_, *name);
  if (kind == nullptr) {
    std::vector<std::string> kinds = NamesOf(kinds_);
    std::string suggestion = Suggestion(*name, kinds);
    if (suggestion.empty()) suggestion = fmt::format("; there are {}", JoinNames(kinds));
    errors_.Add(uses, fmt::format("there is no step kind '{}'{}", name->substr(0, 80), suggestion));
    return;
  }
  parsed.are_outputs_known = true;
  step.kind = kind;
  for (const OutputRow& row : kind->outputs) {
    step.outputs.push_back({.name = row.name,
                            .type = row.type,
                            .is_main = row.is_main,
                            .paths = {row.file_name},
                            .is_list = false,
                            .is_metrics = false,
                            .source = step.source});
  }
  for (const YamlNode::Entry& entry : body.entries()) {
    const std::string& key = entry.key.text();
    if (const SettingRow* row = kind->FindSetting(key)) {
      ParseSetting(*row, entry, step);
    } else if (kind->FindInput(key) == nullptr && !Contains(CommonStepKeys(), key)) {
      RefuseUnknownKey(entry, *kind);
    }
  }
  for (const InputRow& row : kind->inputs) {
    auto entry = std::find_if(
        body.entries().begin(), body.entries().end(),
        [&](const YamlNode::Entry& candidate) { return candidate.key.text() == row.name; });
    if (entry != body.entries().end()) {
      parsed.inputs.push_back(
          {.name = row.name, .row = &row, .key = &entry->key, .value = &entry->value});
    } else if (row.is_required) {
      errors_.Add(*parsed.key,
                  fmt::format("step '{}' needs '{}': {}", step.name, row.name, row.help));
    }
  }
  for (const SettingRow& row : kind->settings) {
    if (row.is_required && body.Find(row.name) == nullptr) {
      errors_.Add(*parsed.key,
                  fmt::format("step '{}' needs '{}': {}", step.name, row.name, row.help));
    }
  }
}

void StepParser::RefuseUnknownKey(const YamlNode::Entry& entry, const StepKind& kind) {
  const std::string& key = entry.key.text();
  std::vector<std::string> known = CommonStepKeys();
  std::erase(known, "run");
  for (const InputRow& row : kind.inputs) known.push_back(row.name);
  for (const SettingRow& row : kind.settings) known.push_back(row.name);
  std::string hint = Suggestion(key, known);
  if (IsRuntimeKey(key))
    hint = "; where and with what a step runs stands in environments/NAME.yaml";
  if (hint.empty() && Contains(CommandKeys(), key)) hint = "; it belongs to commands (`run:`)";
  if (hint.empty()) {
    std::vector<std::string> own = NamesOf(kind.inputs);
    for (const SettingRow& row : kind.settings) own.push_back(row.name);
    hint = fmt::format("; it takes {}", JoinNames(own));
  }
  errors_.Add(entry.key, fmt::format("'{}' has no key '{}'{}", kind.name, key.substr(0, 80), hint));
}

Json StepParser::SettingValue(const SettingRow& row, const YamlNode& node) const {
  bool is_text = row.type == SettingType::kString || row.type == SettingType::kColumn ||
                 row.type == SettingType::kDuration || row.type == SettingType::kSize ||
                 row.type == SettingType::kStrings || row.type == SettingType::kColumns ||
                 (row.type == SettingType::kShare && node.text().ends_with('%'));
  if (is_text && node.is_scalar()) return Json(node.text());
  if (is_text && node.is_sequence()) {
    Json texts = Json::MakeArray();
    for (const YamlNode& item : node.items())
      texts.Append(item.is_scalar() ? Json(item.text()) : item.ToJson());
    return texts;
  }
  return node.ToJson();
}

void StepParser::ParseSetting(const SettingRow& row, const YamlNode::Entry& entry, Step& step) {
  const YamlNode& node = entry.value;
  if (node.is_null()) {
    errors_.Add(
        node, fmt::format("'{}' has no value: it takes a {}", row.name, SettingTypeName(row.type)));
    return;
  }
  Setting setting{.name = row.name, .value = SettingValue(row, node), .source = node.source()};
  step.settings.push_back(setting);
  if (!CheckReferencesIn(node, step)) return;
  // With defaults, so that most mistakes show before anything is asked for; a param without one is
  // looked at later.
  Result<Json> filled = FillIn(setting.value, defaults_, pipeline_.seed);
  if (!filled.ok()) return;
  Result<Json> normalised = NormaliseSetting(row, *filled);
  if (!normalised.ok()) errors_.Add(std::move(normalised).error().At(node.source()));
}

bool StepParser::CheckReferencesIn(const YamlNode& node, Step& step) {
  if (node.is_scalar()) {
    return node.text().find("${") == std::string::npos ||
           ParseText(node, node.text(), nullptr, step).has_value();
  }
  bool is_good = true;
  for (const YamlNode& item : node.items()) is_good = CheckReferencesIn(item, step) && is_good;
  for (const YamlNode::Entry& entry : node.entries())
    is_good = CheckReferencesIn(entry.value, step) && is_good;
  return is_good;
}

std::optional<Template> StepParser::ParseText(const YamlNode& node, const std::string& text,
                                              const ParsedStep* parsed, Step& step) {
  // `text` may be a word of the node's text; positions then start where the word stands.
  size_t begin = node.text().find(text);
  if (begin == std::string::npos) begin = 0;
  std::optional<TemplateError> error;
  Template result = ParseTemplate(text, &error);
  if (error) {
    errors_.Add(InvalidArgument(error->message).At(SourceInside(node, begin + error->offset)));
    return std::nullopt;
  }
  bool is_good = true;
  for (const Piece& piece : result.pieces)
    is_good = CheckPiece(node, piece, begin + piece.offset, parsed, step) && is_good;
  if (!is_good) return std::nullopt;
  return result;
}

bool StepParser::CheckPiece(const YamlNode& node, const Piece& piece, size_t offset,
                            const ParsedStep* parsed, Step& step) {
  auto fail = [&](std::string message) {
    errors_.Add(InvalidArgument(std::move(message)).At(SourceInside(node, offset)));
    return false;
  };
  auto unknown = [&](std::string_view what, const std::vector<std::string>& known) {
    std::string hint = Suggestion(piece.text, known);
    if (hint.empty())
      hint = known.empty() ? "; there are none" : fmt::format("; there is {}", JoinNames(known));
    return fail(fmt::format("there is no {} '{}'{}", what, piece.text.substr(0, 80), hint));
  };
  switch (piece.kind) {
    case Piece::Kind::kText:
    case Piece::Kind::kSeed: return true;
    case Piece::Kind::kParam:
      if (!Contains(param_names_, piece.text)) return unknown("param", param_names_);
      AddOnce(step.params, piece.text);
      return true;
    case Piece::Kind::kInput: {
      if (parsed == nullptr) return fail("${inputs...} can only stand in `run`");
      std::vector<std::string> known = NamesOf(parsed->inputs);
      return Contains(known, piece.text) || unknown("input", known);
    }
    case Piece::Kind::kOutput: {
      if (parsed == nullptr) return fail("${outputs...} can only stand in `run`");
      std::vector<std::string> known = NamesOf(step.outputs);
      return Contains(known, piece.text) || unknown("output", known);
    }
  }
  return true;
}

void StepParser::ParseCommand(const YamlNode& run, const YamlNode& body, ParsedStep& parsed) {
  Step& step = parsed.step;
  for (const YamlNode::Entry& entry : body.entries()) {
    const std::string& key = entry.key.text();
    if (key == "inputs" && reader_.IsMapping(entry.value, "'inputs'") &&
        IsCountGood(entry.value, "inputs")) {
      for (const YamlNode::Entry& input : entry.value.entries()) {
        if (!reader_.IsGoodName(input.key, "input")) continue;
        parsed.inputs.push_back(
            {.name = input.key.text(), .row = nullptr, .key = &input.key, .value = &input.value});
      }
    }
    if (key == "outputs") ParseOutputs(entry.value, parsed);
    if (key == "code") ParseCode(entry.value, parsed);
    if (key == "env") ParseEnv(entry.value, step);
    if (key == "params") ParseParamNames(entry.value, step);
    if (Contains(CommonStepKeys(), key) || Contains(CommandKeys(), key)) continue;
    std::vector<std::string> known = CommonStepKeys();
    std::erase(known, "uses");
    known.insert(known.end(), CommandKeys().begin(), CommandKeys().end());
    std::string hint = Suggestion(key, known);
    if (IsRuntimeKey(key))
      hint = "; where and with what a step runs stands in environments/NAME.yaml";
    if (hint.empty()) hint = fmt::format("; it takes {}", JoinNames(known));
    errors_.Add(entry.key, fmt::format("a command has no key '{}'{}", key.substr(0, 80), hint));
  }
  if (const YamlNode* metrics = body.Find("metrics")) ParseMetrics(*metrics, step);
  ParseRun(run, body, step);
  // Names in the command are looked up now that inputs and outputs are known.
  for (size_t i = 0; i < step.command.written.size(); ++i) {
    const YamlNode& node = run.is_sequence() ? run.items()[i] : run;
    std::optional<Template> word = ParseText(node, step.command.written[i], &parsed, step);
    step.command.words.push_back(word.value_or(Template()));
  }
  InferCode(parsed);
}

bool StepParser::IsCountGood(const YamlNode& node, std::string_view what) {
  if (node.entries().size() <= kMaxNamedCount) return true;
  errors_.Add(
      ResourceExhausted(
          fmt::format("{} {} are too many: at most {} are taken; several files can be a list",
                      node.entries().size(), what, kMaxNamedCount))
          .At(node.source()));
  return false;
}

void StepParser::ParseRun(const YamlNode& run, const YamlNode& body, Step& step) {
  if (const YamlNode* shell = body.Find("shell"))
    step.command.is_shell = reader_.Bool(*shell, "'shell'").value_or(false);
  std::vector<std::string>& written = step.command.written;
  if (run.is_sequence()) {
    if (step.command.is_shell) {
      errors_.Add(run, "with `shell: true`, 'run' is one text that the shell reads, not a list");
      return;
    }
    for (const YamlNode& item : run.items()) {
      if (!item.is_scalar()) {
        errors_.Add(item, fmt::format("a word of 'run' must be a text, found {}", item.KindName()));
        written.clear();
        return;
      }
      written.push_back(item.text());
    }
  } else if (!run.is_scalar()) {
    errors_.Add(run, fmt::format("'run' must be a command: a line or a list of words, found {}",
                                 run.KindName()));
    return;
  } else if (step.command.is_shell) {
    written.push_back(run.text());
  } else {
    std::optional<CommandLineError> error;
    written = SplitCommandLine(run.text(), &error);
    if (error) {
      // The splitter leaves blanks at both ends out of its count.
      size_t skipped = std::min(run.text().find_first_not_of(" \n"), run.text().size());
      errors_.Add(InvalidArgument(error->message).At(SourceInside(run, skipped + error->offset)));
      return;
    }
  }
  if (written.empty() || written[0].empty()) {
    errors_.Add(run, "'run' is empty; write the program and its arguments");
    written.clear();
  } else if (written.size() > static_cast<size_t>(kMaxWordCount)) {
    errors_.Add(run, fmt::format("'run' has {} words; at most {} are taken", written.size(),
                                 kMaxWordCount));
    written.clear();
  }
}

void StepParser::ParseOutputs(const YamlNode& node, ParsedStep& parsed) {
  if (!reader_.IsMapping(node, "'outputs' of a command") || !IsCountGood(node, "outputs")) {
    parsed.are_outputs_known = false;
    return;
  }
  for (const YamlNode::Entry& entry : node.entries()) {
    Output output{.name = entry.key.text(),
                  .type = DataType::kFile,
                  .is_main = node.entries().size() == 1,
                  .paths = {},
                  .is_list = entry.value.is_sequence(),
                  .is_metrics = false,
                  .source = entry.key.source()};
    if (!reader_.IsGoodName(entry.key, "output")) {
      parsed.are_outputs_known = false;
      continue;
    }
    std::vector<const YamlNode*> texts =
        reader_.Texts(entry.value, fmt::format("output '{}'", output.name));
    if (entry.value.is_sequence() && entry.value.items().empty()) {
      errors_.Add(entry.value, fmt::format("output '{}' names no file", output.name));
    }
    for (const YamlNode* text : texts) {
      Result<std::string> path = CheckProjectPath(text->text(), false);
      if (!path.ok()) {
        errors_.Add(std::move(path).error().At(text->source()));
        continue;
      }
      output.paths.push_back(*path);
      parsed.output_nodes.push_back(text);
    }
    parsed.step.outputs.push_back(std::move(output));
  }
}

void StepParser::ParseCode(const YamlNode& node, ParsedStep& parsed) {
  for (const YamlNode* text : reader_.Texts(node, "'code'")) {
    Result<std::string> path = CheckProjectPath(text->text(), true);
    if (!path.ok()) {
      errors_.Add(std::move(path).error().At(text->source()));
    } else if (Contains(parsed.step.code, *path)) {
      errors_.Add(*text, fmt::format("'{}' is named twice", *path));
    } else {
      parsed.step.code.push_back(*path);
      parsed.code_nodes.push_back(text);
    }
  }
}

void StepParser::InferCode(ParsedStep& parsed) {
  // `python train.py` depends on train.py, whether or not somebody thought of saying so.
  const std::vector<std::string>& words = parsed.step.command.written;
  if (parsed.step.command.is_shell || words.empty()) return;
  size_t index = IsInterpreter(words[0]) ? 1 : 0;
  if (index >= words.size()) return;
  const std::string& word = words[index];
  bool is_script = index == 1 ? word.find('.') != word.npos && !word.starts_with('-')
                              : word.find('/') != word.npos;
  if (!is_script || word.find("${") != word.npos) return;
  Result<std::string> path = CheckProjectPath(word, false);
  if (!path.ok() || Contains(parsed.step.code, *path)) return;
  parsed.step.code.push_back(*path);
  parsed.code_nodes.push_back(nullptr);
}

void StepParser::ParseEnv(const YamlNode& node, Step& step) {
  if (!reader_.IsMapping(node, "'env'")) return;
  for (const YamlNode::Entry& entry : node.entries()) {
    const std::string& name = entry.key.text();
    if (!IsVariableName(name)) {
      errors_.Add(entry.key,
                  fmt::format("'{}' is no name for an environment variable: letters, digits and _",
                              name.substr(0, 80)));
      continue;
    }
    if (name.starts_with("SLUICE_") || name == "MLFLOW_RUN_ID" || name == "MLFLOW_TRACKING_URI") {
      errors_.Add(entry.key, fmt::format("Sluice itself sets '{}' for every command", name));
      continue;
    }
    if (entry.value.is_sequence() || entry.value.is_mapping()) {
      errors_.Add(entry.value,
                  fmt::format("env '{}' must be a text, found {}", name, entry.value.KindName()));
      continue;
    }
    std::optional<Template> value = ParseText(entry.value, entry.value.text(), nullptr, step);
    if (value)
      step.env.push_back({.name = name, .value = *std::move(value), .written = entry.value.text()});
  }
}

void StepParser::ParseParamNames(const YamlNode& node, Step& step) {
  for (const YamlNode* text : reader_.Texts(node, "'params' of a command")) {
    if (Contains(param_names_, text->text())) {
      AddOnce(step.params, text->text());
      continue;
    }
    std::string hint = Suggestion(text->text(), param_names_);
    errors_.Add(*text, fmt::format("there is no param '{}'{}", text->text().substr(0, 80), hint));
  }
}

void StepParser::ParseMetrics(const YamlNode& node, Step& step) {
  for (const YamlNode* text : reader_.Texts(node, "'metrics'")) {
    auto output =
        std::find_if(step.outputs.begin(), step.outputs.end(),
                     [&](const Output& candidate) { return candidate.name == text->text(); });
    if (output == step.outputs.end()) {
      std::vector<std::string> known = NamesOf(step.outputs);
      errors_.Add(*text,
                  fmt::format("'metrics' names outputs of this step, and there is no output '{}'{}",
                              text->text().substr(0, 80), Suggestion(text->text(), known)));
    } else if (output->is_list) {
      errors_.Add(*text, fmt::format("output '{}' is several files; metrics are one JSON file",
                                     text->text()));
    } else {
      output->is_metrics = true;
    }
  }
}

}  // namespace sluice::pipeline
