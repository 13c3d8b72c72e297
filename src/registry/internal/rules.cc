#include "registry/internal/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "formats/json.h"
#include "registry/store.h"

namespace sluice::registry {
namespace internal {
namespace {

constexpr size_t kMaxNameLength = 256;
constexpr size_t kMaxAliasLength = 255;
constexpr size_t kMaxTagKeyLength = 250;
constexpr size_t kMaxTagValueLength = 100'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool AreAllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

/// Python's \w, but for taking every character beyond ASCII.
bool IsWordByte(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

Status CheckLength(std::string_view what, std::string_view text, size_t max) {
  if (text.size() <= max || CountCharacters(text) <= max) return Ok();
  return InvalidArgument(
      fmt::format("'{}' exceeds the maximum length of {} characters", what, max));
}

Error BadValue(std::string_view parameter, std::string_view value, std::string_view why) {
  return InvalidArgument(fmt::format("Invalid value {} for parameter '{}' supplied: {}",
                                     formats::PrintJson(CutUtf8(value, 500)), parameter, why));
}

/// What POSIX makes of a path: no empty parts, no ".", ".." undone.
std::string NormalPath(std::string_view path) {
  std::string_view root = path.starts_with("//") && !path.starts_with("///") ? "//"
                          : path.starts_with("/")                            ? "/"
                                                                             : "";
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    size_t slash = std::min(path.find('/'), path.size());
    std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part != ".." || (root.empty() && (parts.empty() || parts.back() == ".."))) {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string normal(root);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) normal += '/';
    normal += parts[i];
  }
  return normal.empty() ? "." : normal;
}

/// A name that could be a file's must be that file's only name.
Status CheckPath(std::string_view parameter, std::string_view name) {
  std::string normal = NormalPath(name);
  if (normal == name && normal != "." && !normal.starts_with("..") && !normal.starts_with('/'))
    return Ok();
  return BadValue(parameter, name,
                  fmt::format("Names may be treated as files in certain cases, and must not "
                              "resolve to other names when treated as such. This name would "
                              "resolve to '{}'",
                              normal));
}

}  // namespace

Status CheckModelName(std::string_view name, std::string_view parameter) {
  if (name.find_first_not_of(" \t\n\r\v\f") == std::string_view::npos) {
    return InvalidArgument(fmt::format("Missing value for required parameter '{}'.", parameter));
  }
  if (name.find_first_of("/:") != std::string_view::npos) {
    return InvalidArgument(
        fmt::format("Invalid model name '{}'. Names cannot contain '/' or ':'.", name));
  }
  RETURN_IF_ERROR(CheckPath("name", name));
  if (std::any_of(name.begin(), name.end(), IsControl)) {
    return InvalidArgument(
        fmt::format("Invalid model name {}. Names cannot contain control characters.",
                    formats::PrintJson(name)));
  }
  return CheckLength("name", name, kMaxNameLength);
}

bool IsAliasText(std::string_view alias) {
  return !alias.empty() && CountCharacters(alias) <= kMaxAliasLength &&
         std::all_of(alias.begin(), alias.end(), [](char c) { return IsWordByte(c) || c == '-'; });
}

Status CheckAliasText(std::string_view alias) {
  if (alias.empty()) return InvalidArgument("Registered model alias name cannot be empty.");
  if (IsAliasText(alias)) return Ok();
  RETURN_IF_ERROR(CheckLength("Registered model alias name", alias, kMaxAliasLength));
  return InvalidArgument(
      fmt::format("Invalid alias name: '{}'. Names may only contain alphanumerics, underscores "
                  "(_), and dashes (-).",
                  alias));
}

Status CheckAlias(std::string_view alias) {
  RETURN_IF_ERROR(CheckAliasText(alias));
  if (EqualsIgnoringCase(alias, "latest"))
    return InvalidArgument("'latest' alias name (case insensitive) is reserved.");
  if ((alias[0] == 'v' || alias[0] == 'V') && AreAllDigits(alias.substr(1)))
    return InvalidArgument(fmt::format("Version alias name '{}' is reserved.", alias));
  return Ok();
}

Status CheckTagKey(std::string_view key) {
  bool has_known_characters = std::all_of(key.begin(), key.end(), [](char c) {
    return IsWordByte(c) || c == '/' || c == '.' || c == '-' || c == ' ' || c == ':';
  });
  if (!has_known_characters) {
    return BadValue("key", key,
                    "Names may only contain alphanumerics, underscores (_), dashes (-), periods "
                    "(.), spaces ( ), colon(:) and slashes (/).");
  }
  RETURN_IF_ERROR(CheckPath("key", key));
  return CheckLength("key", key, kMaxTagKeyLength);
}

Status CheckTag(const Tag& tag) {
  RETURN_IF_ERROR(CheckTagKey(tag.key));
  return CheckLength("value", tag.value, kMaxTagValueLength);
}

Status CheckVersionTag(const Tag& tag) {
  if (tag.key == kPromptTextTag && CountCharacters(tag.value) > kMaxTagValueLength) {
    return InvalidArgument(
        fmt::format("Prompt text exceeds max length of {} characters.", kMaxTagValueLength));
  }
  return CheckTag(tag);
}

}  // namespace internal

bool HasPromptTag(const std::vector<Tag>& tags) {
  bool is_prompt = false;
  for (const Tag& tag : tags) {  // the last one of a key counts
    if (tag.key == kIsPromptTag) is_prompt = EqualsIgnoringCase(tag.value, "true");
  }
  return is_prompt;
}

Status CheckPromotion(const ModelVersion& version, const AliasChange& change) {
  if (change.force && change.reason.find_first_not_of(" \t\n") == std::string::npos) {
    return InvalidArgument("setting an alias by force needs a reason, which the audit log keeps");
  }
  if (change.alias != kChampion || version.verdict == Verdict::kPass || change.force) return Ok();
  std::string verdict = version.verdict == Verdict::kNone
                            ? "no gate has judged it"
                            : fmt::format("its verdict is '{}'", VerdictName(version.verdict));
  if (!version.verdict_digest.empty())
    verdict += fmt::format(" ({})", version.verdict_digest.substr(0, 12));
  return FailedPrecondition(
      fmt::format("version {} of model '{}' cannot become champion: {}; let a gate pass it, or "
                  "force it with a reason",
                  version.version, version.name, verdict));
}

}  // namespace sluice::registry
