// The part of StepParser that reads commands (`run:`).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pipeline/internal/command_line.h"
#include "pipeline/internal/keys.h"
#include "pipeline/internal/step_parser.h"
#include "pipeline/parse.h"

namespace sluice::pipeline {

namespace {

constexpr size_t kMaxNamedCount = 1'000;  // inputs of one step, and outputs

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
