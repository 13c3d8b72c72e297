#include "pipeline/params.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/suggest.h"
#include "pipeline/internal/keys.h"
#include "pipeline/internal/param_value.h"

namespace sluice::pipeline {

namespace {

using formats::Json;

Result<Json> ReadText(const Param& param, const std::string& text) {
  auto wrong = [&]() {
    return InvalidArgument(fmt::format("param '{}' is of type {}, and '{}' is not", param.name,
                                       ParamTypeName(param.type), text));
  };
  const char* begin = text.data();
  const char* end = begin + text.size();
  switch (param.type) {
    case ParamType::kString: return Json(text);
    case ParamType::kInteger: {
      int64_t value = 0;
      auto [stop, status] = std::from_chars(begin, end, value);
      if (status != std::errc() || stop != end) return wrong();
      return Json(value);
    }
    case ParamType::kNumber: {
      double value = 0;
      auto [stop, status] = std::from_chars(begin, end, value);
      if (status != std::errc() || stop != end) return wrong();
      return Json(value);
    }
    case ParamType::kBool:
      if (text == "true") return Json(true);
      if (text == "false") return Json(false);
      return wrong();
  }
  return wrong();
}

Result<Json> ValueOf(const Piece& piece, const ParamValues& values, int64_t seed) {
  if (piece.kind == Piece::Kind::kSeed) return Json(seed);
  if (piece.kind == Piece::Kind::kParam) {
    auto found = values.find(piece.text);
    if (found != values.end()) return found->second;
    return InvalidArgument(fmt::format("there is no value for ${{params.{}}}", piece.text));
  }
  return InvalidArgument(fmt::format("${{{}.{}}} can only stand in a command",
                                     piece.kind == Piece::Kind::kInput ? "inputs" : "outputs",
                                     piece.text));
}

Result<Json> FillInText(const std::string& text, const ParamValues& values, int64_t seed) {
  if (text.find("${") == text.npos) return Json(text);
  std::optional<TemplateError> error;
  Template parsed = ParseTemplate(text, &error);
  if (error) return InvalidArgument(error->message);
  if (parsed.is_whole_reference()) return ValueOf(parsed.pieces[0], values, seed);
  std::string filled;
  for (const Piece& piece : parsed.pieces) {
    if (piece.kind == Piece::Kind::kText) {
      filled += piece.text;
      continue;
    }
    ASSIGN_OR_RETURN(Json value, ValueOf(piece, values, seed));
    filled += ValueText(value);
  }
  return Json(filled);
}

std::string ShellQuoted(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// Fills the words of one command.
class CommandFiller {
 public:
  CommandFiller(const Step& step, const ParamValues& values, int64_t seed, const NamedPaths& inputs,
                const NamedPaths& outputs)
      : step_(step), values_(values), seed_(seed), inputs_(inputs), outputs_(outputs) {}

  /// One word, or several if it is one reference to several paths.
  Result<std::vector<std::string>> Words(const Template& word) const {
    if (word.is_whole_reference()) return Texts(word.pieces[0]);
    ASSIGN_OR_RETURN(std::string text, Text(word, false));
    return std::vector<std::string>{text};
  }

  Result<std::string> Text(const Template& word, bool is_shell) const {
    std::string text;
    for (const Piece& piece : word.pieces) {
      if (piece.kind == Piece::Kind::kText) {
        text += piece.text;
        continue;
      }
      ASSIGN_OR_RETURN(std::vector<std::string> texts, Texts(piece));
      if (!is_shell && texts.size() != 1) {
        return InvalidArgument(
            fmt::format("step '{}': '{}' is {} files, and stands inside a longer word; give it a "
                        "word of its own",
                        step_.name, piece.text, texts.size()));
      }
      for (size_t i = 0; i < texts.size(); ++i) {
        text += is_shell ? (i > 0 ? " " : "") + ShellQuoted(texts[i]) : texts[i];
      }
    }
    return text;
  }

 private:
  Result<std::vector<std::string>> Texts(const Piece& piece) const {
    if (piece.kind == Piece::Kind::kParam || piece.kind == Piece::Kind::kSeed) {
      ASSIGN_OR_RETURN(Json value, ValueOf(piece, values_, seed_));
      return std::vector<std::string>{ValueText(value)};
    }
    const NamedPaths& paths = piece.kind == Piece::Kind::kInput ? inputs_ : outputs_;
    auto found = paths.find(piece.text);
    if (found != paths.end()) return found->second;
    return InvalidArgument(fmt::format("step '{}' has no path for '{}'", step_.name, piece.text));
  }

  const Step& step_;
  const ParamValues& values_;
  int64_t seed_;
  const NamedPaths& inputs_;
  const NamedPaths& outputs_;
};

}  // namespace

Status CheckParamValue(const Param& param, const Json& value) {
  if (value.is_number()) {
    double number = value.AsDouble();
    if (!(number == number))
      return InvalidArgument(fmt::format("param '{}' must not be NaN", param.name));
    if (param.min && number < *param.min) {
      return InvalidArgument(fmt::format("param '{}' must be at least {}, found {}", param.name,
                                         BoundText(*param.min), ValueText(value)));
    }
    if (param.max && number > *param.max) {
      return InvalidArgument(fmt::format("param '{}' must be at most {}, found {}", param.name,
                                         BoundText(*param.max), ValueText(value)));
    }
  }
  if (param.choices.empty()) return Ok();
  std::vector<std::string> texts;
  for (const Json& choice : param.choices) {
    if (choice == value) return Ok();
    texts.push_back(ValueText(choice));
  }
  std::string text = ValueText(value);
  return InvalidArgument(fmt::format("param '{}' is one of {}, not '{}'{}", param.name,
                                     JoinNames(texts), text, DidYouMean(text, texts)));
}

std::string ValueText(const Json& value) {
  if (value.is_string()) return value.AsString();
  return formats::PrintJson(value);
}

Result<ParamValues> ResolveParams(const Pipeline& pipeline,
                                  std::span<const std::pair<std::string, std::string>> given) {
  ParamValues values;
  for (const Param& param : pipeline.params) {
    if (param.default_value) values[param.name] = *param.default_value;
  }
  for (const auto& [name, text] : given) {
    const Param* param = pipeline.FindParam(name);
    if (param == nullptr) {
      std::vector<std::string> names;
      for (const Param& known : pipeline.params) names.push_back(known.name);
      return InvalidArgument(fmt::format("pipeline '{}' has no param '{}'{}", pipeline.name, name,
                                         DidYouMean(name, names)));
    }
    ASSIGN_OR_RETURN(Json value, ReadText(*param, text));
    RETURN_IF_ERROR(CheckParamValue(*param, value));
    values[name] = std::move(value);
  }
  for (const Param& param : pipeline.params) {
    if (values.contains(param.name)) continue;
    return InvalidArgument(fmt::format("param '{0}' has no default; give it with --param {0}=VALUE",
                                       param.name))
        .At(param.source);
  }
  return values;
}

Result<Json> FillIn(const Json& value, const ParamValues& values, int64_t seed) {
  if (value.is_string()) return FillInText(value.AsString(), values, seed);
  if (value.is_array()) {
    Json filled = Json::MakeArray();
    for (const Json& item : value.AsArray()) {
      ASSIGN_OR_RETURN(Json filled_item, FillIn(item, values, seed));
      filled.Append(std::move(filled_item));
    }
    return filled;
  }
  if (value.is_object()) {
    Json::Object filled;
    for (const auto& [key, member] : value.AsObject()) {
      ASSIGN_OR_RETURN(Json filled_member, FillIn(member, values, seed));
      filled.emplace_back(key, std::move(filled_member));
    }
    return Json(std::move(filled));
  }
  return value;
}

Result<Json> ResolveSettings(const Pipeline& pipeline, const Step& step,
                             const ParamValues& values) {
  Json resolved = Json::MakeObject();
  if (!step.is_native()) return resolved;
  for (const SettingRow& row : step.kind->settings) {
    auto written = std::find_if(step.settings.begin(), step.settings.end(),
                                [&](const Setting& setting) { return setting.name == row.name; });
    if (written == step.settings.end()) {
      if (!row.default_value.is_null()) resolved[row.name] = row.default_value;
      continue;
    }
    Result<Json> filled = FillIn(written->value, values, pipeline.SeedOf(step));
    if (!filled.ok()) return std::move(filled).error().At(written->source);
    Result<Json> normalised = NormaliseSetting(row, *filled);
    if (!normalised.ok()) return std::move(normalised).error().At(written->source);
    resolved[row.name] = *std::move(normalised);
  }
  if (step.kind->check != nullptr) {
    Status checked = step.kind->check(resolved);
    if (!checked.ok()) {
      return std::move(checked).error().With(fmt::format("step '{}'", step.name)).At(step.source);
    }
  }
  return resolved;
}

Result<StartedCommand> ExpandCommand(const Pipeline& pipeline, const Step& step,
                                     const ParamValues& values, const NamedPaths& inputs,
                                     const NamedPaths& outputs) {
  CHECK(!step.is_native());
  CommandFiller filler(step, values, pipeline.SeedOf(step), inputs, outputs);
  StartedCommand started;
  if (step.command.is_shell) {
    ASSIGN_OR_RETURN(std::string line, filler.Text(step.command.words.at(0), true));
    started.argv = {"/bin/sh", "-c", std::move(line)};
  } else {
    for (const Template& word : step.command.words) {
      ASSIGN_OR_RETURN(std::vector<std::string> texts, filler.Words(word));
      started.argv.insert(started.argv.end(), texts.begin(), texts.end());
    }
  }
  for (const EnvVariable& variable : step.env) {
    ASSIGN_OR_RETURN(std::string value, filler.Text(variable.value, false));
    started.env.emplace_back(variable.name, std::move(value));
  }
  return started;
}

}  // namespace sluice::pipeline
