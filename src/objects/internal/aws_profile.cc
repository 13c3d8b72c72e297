#include "objects/internal/aws_profile.h"

#include "base/ascii.h"

namespace sluice::objects::internal {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view Strip(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

/// "[profile dev]" → "dev".
std::string SectionName(std::string_view line) {
  line = Strip(line.substr(1, line.find(']') - 1));
  constexpr std::string_view kPrefix = "profile ";
  if (line.starts_with(kPrefix)) line = Strip(line.substr(kPrefix.size()));
  return std::string(line);
}

}  // namespace

AwsProfiles ParseAwsFile(std::string_view text) {
  AwsProfiles profiles;
  AwsProfile* section = nullptr;
  std::string parent;  // the key that indented lines stand below
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string_view content = Strip(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    if (content.front() == '[') {
      section = &profiles[SectionName(content)];
      parent.clear();
      continue;
    }
    const size_t equals = content.find('=');
    if (section == nullptr || equals == std::string_view::npos) continue;
    std::string key = ToLower(Strip(content.substr(0, equals)));
    std::string value(Strip(content.substr(equals + 1)));
    if (IsBlank(line.front())) {
      if (!parent.empty()) (*section)[parent + "." + key] = std::move(value);
      continue;
    }
    parent = value.empty() ? key : std::string();
    (*section)[std::move(key)] = std::move(value);
  }
  return profiles;
}

std::optional<std::string> FindSetting(const AwsProfiles& profiles, std::string_view profile,
                                       std::string_view setting) {
  const auto found = profiles.find(profile);
  if (found == profiles.end()) return std::nullopt;
  const auto value = found->second.find(setting);
  if (value == found->second.end() || value->second.empty()) return std::nullopt;
  return value->second;
}

}  // namespace sluice::objects::internal
