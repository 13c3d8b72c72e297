#include "runner/attempt_command.h"

#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <map>

namespace sluice::runner {
namespace {

constexpr std::string_view kHeader = "sluice-attempt 1\n";

void AddField(std::string& text, std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(text), "{} {}\n", name, value.size());
  text.append(value);
  text.push_back('\n');
}

template <typename Integer>
bool ParseInteger(std::string_view text, Integer& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// Integer fields by name, for both directions.
template <typename Command>
auto IntegerFields(Command& command) {
  using Pointer = decltype(&command.timeout_ms);
  return std::map<std::string_view, Pointer>{
      {"timeout_ms", &command.timeout_ms},
      {"grace_ms", &command.grace_ms},
      {"max_log_bytes", &command.max_log_bytes},
      {"address_space_bytes", &command.limits.address_space_bytes},
      {"cpu_s", &command.limits.cpu_s},
      {"open_file_count", &command.limits.open_file_count},
  };
}

}  // namespace

std::string EncodeCommand(const AttemptCommand& command) {
  std::string text(kHeader);
  AddField(text, "cwd", command.cwd);
  AddField(text, "cookie", command.cookie);
  for (const std::string& word : command.argv) AddField(text, "argv", word);
  for (const auto& [name, value] : command.env) AddField(text, "env", name + "=" + value);
  for (const std::string& name : command.secret_names) AddField(text, "secret", name);
  for (const auto& [name, value] : IntegerFields(command)) {
    AddField(text, name, fmt::to_string(*value));
  }
  text.append("end 0\n\n");
  return text;
}

Result<AttemptCommand> DecodeCommand(std::string_view text) {
  if (!text.starts_with(kHeader)) {
    return DataLoss("the attempt's command file is not one that this program understands");
  }
  text.remove_prefix(kHeader.size());
  AttemptCommand command;
  auto integers = IntegerFields(command);
  for (;;) {
    size_t line_end = text.find('\n');
    size_t blank = text.find(' ');
    size_t size = 0;
    if (line_end == std::string_view::npos || blank > line_end ||
        !ParseInteger(text.substr(blank + 1, line_end - blank - 1), size) ||
        text.size() - line_end - 1 <= size || text[line_end + 1 + size] != '\n') {
      return DataLoss("the attempt's command file is cut off or damaged");
    }
    std::string_view name = text.substr(0, blank);
    std::string_view value = text.substr(line_end + 1, size);
    text.remove_prefix(line_end + 1 + size + 1);
    if (name == "end") return command;
    if (name == "cwd") {
      command.cwd = value;
    } else if (name == "cookie") {
      command.cookie = value;
    } else if (name == "argv") {
      command.argv.emplace_back(value);
    } else if (name == "secret") {
      command.secret_names.emplace_back(value);
    } else if (name == "env" && value.find('=') != std::string_view::npos) {
      size_t equals = value.find('=');
      command.env.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    } else if (auto found = integers.find(name);
               found == integers.end() || !ParseInteger(value, *found->second)) {
      return DataLoss(fmt::format("the attempt's command file has a bad field '{}'", name));
    }
  }
}

std::string EncodeIdentity(const SupervisorIdentity& identity) {
  return fmt::format("{} {} {} {}\n", identity.pid, identity.start_ticks, identity.boot_id,
                     identity.cookie);
}

Result<SupervisorIdentity> DecodeIdentity(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    size_t end = text.find_first_of(" \n");
    if (end == std::string_view::npos) break;
    words.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  SupervisorIdentity identity;
  if (words.size() != 4 || !ParseInteger(words[0], identity.pid) ||
      !ParseInteger(words[1], identity.start_ticks) || identity.pid <= 1) {
    return DataLoss("the attempt's supervisor file is damaged");
  }
  identity.boot_id = words[2];
  identity.cookie = words[3];
  return identity;
}

}  // namespace sluice::runner
