#include "pipeline/internal/step_parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.h"
#include "pipeline/internal/keys.h"

namespace sluice::pipeline {

namespace {

using formats::Json;

constexpr int64_t kMaxRetryCount = 100;

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

}  // namespace sluice::pipeline
