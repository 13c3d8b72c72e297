#include "app/cli/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "base/log.h"
#include "base/suggest.h"

namespace sluice::app {

namespace {

constexpr CliOption kGlobalOptions[] = {
    {"project", 'C', "DIR",
     "the project's folder; default: this folder or the nearest one above with a sluice.yaml"},
    {"json", '\0', "", "print for machines: JSON, one object a line where there are several"},
    {"quiet", 'q', "", "print only errors and what was asked for"},
    {"help", 'h', "", "show this help"},
};

const CliOption* FindOption(const Command& command, std::string_view name) {
  for (std::span<const CliOption> options :
       {std::span<const CliOption>(command.options), GlobalOptions()}) {
    for (const CliOption& option : options) {
      if (option.name == name || (name.size() == 1 && option.short_name == name[0])) return &option;
    }
  }
  return nullptr;
}

Error UnknownOption(const Command& command, std::string_view word, std::string_view name) {
  std::vector<std::string> names;
  for (std::span<const CliOption> options :
       {std::span<const CliOption>(command.options), GlobalOptions()}) {
    for (const CliOption& option : options) names.emplace_back(option.name);
  }
  std::optional<std::string> nearest = NearestName(name, names);
  return InvalidArgument(
      fmt::format("'{}' is not an option of `sluice {}`{}", word, command.name,
                  nearest ? fmt::format("; did you mean '--{}'?", *nearest) : ""));
}

/// A command's own short name comes before a global one: `server -h HOST`, as MLflow has it.
bool HasShortName(const Command& command, char short_name) {
  return std::any_of(command.options.begin(), command.options.end(),
                     [short_name](const CliOption& option) {
                       return short_name != '\0' && option.short_name == short_name;
                     });
}

std::string OptionHead(const CliOption& option) {
  std::string head = option.short_name != '\0' ? fmt::format("-{}, ", option.short_name) : "    ";
  head += fmt::format("--{}", option.name);
  if (!option.value.empty()) head += fmt::format(" {}", option.value);
  return head;
}

std::string Usage(const Command& command) {
  std::string usage = fmt::format("sluice {}", command.name);
  for (const CliPositional& positional : command.positionals) {
    std::string name = fmt::format("{}{}", positional.name, positional.is_many ? " ..." : "");
    usage += positional.is_required ? " " + name : " [" + name + "]";
  }
  return usage + " [options]";
}

std::string OptionHelp(const CliOption& option) {
  std::string help(option.help);
  if (!option.default_value.empty()) help += fmt::format(" (default: {})", option.default_value);
  if (option.is_repeatable) help += "; may be given several times";
  if (!option.variable.empty()) help += fmt::format("; variable {}", option.variable);
  return help;
}

/// The command whose words `words` begin with; the longest name wins.
const Command* FindCommand(std::span<const std::string> words) {
  const Command* found = nullptr;
  for (const Command& command : Commands()) {
    std::string two = words.size() > 1 ? words[0] + " " + words[1] : "";
    if (command.name == two) return &command;
    if (command.name == words[0]) found = &command;
  }
  return found;
}

std::string PrintOverview() {
  std::string text =
      "Sluice runs the whole life of a trained model: data, checks, training, gates, serving.\n\n"
      "usage: sluice COMMAND [arguments]\n\n";
  for (const Command& command : Commands()) {
    if (!command.is_hidden) text += fmt::format("  {:<16} {}\n", command.name, command.summary);
  }
  return text +
         "\n`sluice COMMAND --help` says more. A project is a folder with a sluice.yaml; "
         "`sluice init --template credit` writes one.\n";
}

}  // namespace

std::span<const CliOption> GlobalOptions() { return kGlobalOptions; }

bool Arguments::Has(std::string_view option) const {
  return options_.find(option) != options_.end();
}

std::optional<std::string> Arguments::Find(std::string_view option) const {
  auto [begin, end] = options_.equal_range(option);
  if (begin == end) return std::nullopt;
  return std::prev(end)->second;
}

std::string Arguments::Get(std::string_view option) const {
  if (std::optional<std::string> value = Find(option)) return *value;
  auto found = defaults_.find(option);
  return found == defaults_.end() ? "" : found->second;
}

std::vector<std::string> Arguments::GetAll(std::string_view option) const {
  std::vector<std::string> values;
  auto [begin, end] = options_.equal_range(option);
  for (auto at = begin; at != end; ++at) values.push_back(at->second);
  return values;
}

Result<int64_t> Arguments::GetInteger(std::string_view option, int64_t fallback, int64_t min,
                                      int64_t max) const {
  std::optional<std::string> text = Find(option);
  if (!text) return fallback;
  int64_t value = 0;
  std::from_chars_result parsed = std::from_chars(text->data(), text->data() + text->size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size() || value < min ||
      value > max) {
    return InvalidArgument(
        fmt::format("--{} takes a whole number from {} to {}, not '{}'", option, min, max, *text));
  }
  return value;
}

std::string Arguments::Positional(size_t index) const {
  return index < positionals_.size() ? positionals_[index] : "";
}

Status Arguments::AddVariables(const Command& command) {
  for (const CliOption& option : command.options) {
    if (option.variable.empty() || Has(option.name)) continue;
    const char* value = std::getenv(std::string(option.variable).c_str());
    if (value == nullptr || *value == '\0') continue;
    if (!option.value.empty()) {
      options_.emplace(option.name, value);
      continue;
    }
    std::string text(value);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const bool is_true = text == "true" || text == "1" || text == "yes" || text == "on";
    if (!is_true && text != "false" && text != "0" && text != "no" && text != "off") {
      return InvalidArgument(
          fmt::format("{} takes true or false, not '{}'", option.variable, value));
    }
    if (is_true) options_.emplace(option.name, "true");
  }
  return Ok();
}

Result<Arguments> ParseArguments(const Command& command, std::span<const std::string> words) {
  Arguments arguments;
  for (const CliOption& option : command.options) {
    if (!option.default_value.empty())
      arguments.defaults_.emplace(option.name, option.default_value);
  }
  bool only_positionals = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (only_positionals || word.size() < 2 || word[0] != '-') {
      arguments.positionals_.push_back(word);
      continue;
    }
    if (word == "--") {
      only_positionals = true;
      continue;
    }
    std::string name = word.substr(word.starts_with("--") ? 2 : 1);
    std::optional<std::string> value;
    if (size_t equals = name.find('='); equals != std::string::npos && word.starts_with("--")) {
      value = name.substr(equals + 1);
      name.resize(equals);
    }
    const CliOption* option = FindOption(command, name);
    bool is_short = !word.starts_with("--");
    if (option == nullptr || (is_short != (name.size() == 1)))
      return UnknownOption(command, word, name);
    if (option->value.empty()) {
      if (value)
        return InvalidArgument(fmt::format("--{} takes no value, got '{}'", option->name, *value));
      value = "true";
    } else if (!value) {
      if (++i >= words.size()) {
        return InvalidArgument(fmt::format("--{} needs a value: {}", option->name, option->value));
      }
      value = words[i];
    }
    if (!option->is_repeatable && arguments.Has(option->name)) {
      return InvalidArgument(fmt::format("--{} is given twice", option->name));
    }
    arguments.options_.emplace(option->name, *value);
  }
  if (arguments.Has("help")) return arguments;
  RETURN_IF_ERROR(arguments.AddVariables(command));
  size_t required_count = 0;
  bool takes_many = false;
  for (const CliPositional& positional : command.positionals) {
    required_count += positional.is_required ? 1 : 0;
    takes_many = takes_many || positional.is_many;
  }
  size_t count = arguments.positionals_.size();
  if (count < required_count) {
    return InvalidArgument(fmt::format("`sluice {}` needs {}: {}", command.name,
                                       command.positionals[count].name,
                                       command.positionals[count].help));
  }
  if (count > command.positionals.size() && !takes_many) {
    return InvalidArgument(fmt::format("`sluice {}` does not know what to do with '{}'",
                                       command.name,
                                       arguments.positionals_[command.positionals.size()]));
  }
  return arguments;
}

std::string PrintHelp(const Command& command) {
  std::string text = fmt::format("{}\n\nusage: {}\n", command.summary, Usage(command));
  if (!command.details.empty()) text += fmt::format("\n{}\n", command.details);
  if (!command.positionals.empty()) text += "\narguments:\n";
  for (const CliPositional& positional : command.positionals) {
    text += fmt::format("  {:<24} {}\n", positional.name, positional.help);
  }
  text += "\noptions:\n";
  for (const CliOption& option : command.options) {
    text += fmt::format("  {:<24} {}\n", OptionHead(option), OptionHelp(option));
  }
  for (CliOption option : GlobalOptions()) {
    if (HasShortName(command, option.short_name)) option.short_name = '\0';
    text += fmt::format("  {:<24} {}\n", OptionHead(option), OptionHelp(option));
  }
  return text;
}

std::string PrintCliReference() {
  std::string text =
      "# The command line\n\n"
      "Written by `sluice reference cli` from the table of commands. Exit codes: 0 well, 1 the "
      "work failed, 2 a wrong\n"
      "command line, 130 interrupted.\n\n"
      "Every command takes:\n\n| option | meaning |\n|---|---|\n";
  for (const CliOption& option : GlobalOptions()) {
    text += fmt::format("| `--{}{}{}` | {} |\n", option.name, option.value.empty() ? "" : " ",
                        option.value, option.help);
  }
  for (const Command& command : Commands()) {
    if (command.is_hidden) continue;
    text += fmt::format("\n## sluice {}\n\n{}\n\n```\n{}\n```\n", command.name, command.summary,
                        Usage(command));
    if (!command.details.empty()) text += fmt::format("\n{}\n", command.details);
    if (!command.positionals.empty() || !command.options.empty())
      text += "\n| argument | meaning |\n|---|---|\n";
    for (const CliPositional& positional : command.positionals) {
      text += fmt::format("| `{}` | {} |\n", positional.name, positional.help);
    }
    for (const CliOption& option : command.options) {
      text += fmt::format("| `--{}{}{}` | {} |\n", option.name, option.value.empty() ? "" : " ",
                          option.value, OptionHelp(option));
    }
  }
  return text;
}

int RunCommandLine(std::span<const std::string> words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    std::fputs(PrintOverview().c_str(), stdout);
    return words.empty() ? 2 : 0;
  }
  std::string first = words[0] == "--version" ? "version" : words[0];
  std::vector<std::string> rest(words.begin(), words.end());
  rest[0] = first;
  const Command* command = FindCommand(rest);
  if (command == nullptr) {
    std::vector<std::string> names;
    for (const Command& known : Commands()) names.emplace_back(known.name);
    std::string asked = rest.size() > 1 && rest[0] == "data" ? rest[0] + " " + rest[1] : rest[0];
    fmt::print(stderr, "sluice: '{}' is not a command{}\n`sluice --help` lists them.\n", asked,
               DidYouMean(asked, names));
    return 2;
  }
  size_t name_words =
      static_cast<size_t>(std::count(command->name.begin(), command->name.end(), ' ')) + 1;
  Result<Arguments> arguments = ParseArguments(*command, std::span(rest).subspan(name_words));
  if (!arguments.ok()) {
    fmt::print(stderr, "sluice: {}\n`sluice {} --help` says more.\n", arguments.error().ToString(),
               command->name);
    return 2;
  }
  if (arguments->Has("help")) {
    std::fputs(PrintHelp(*command).c_str(), stdout);
    return 0;
  }
  Result<int> code = command->run(*arguments);
  if (!code.ok()) {
    fmt::print(stderr, "error: {}\n", code.error().ToString());
    return code.error().code() == ErrorCode::kCancelled ? 130 : 1;
  }
  return *code;
}

}  // namespace sluice::app
