#include "registry/internal/rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "registry/store.h"

namespace sluice::registry {
namespace internal {
namespace {

constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxAliasBytes = 255;
constexpr size_t kMaxTagKeyBytes = 250;
constexpr size_t kMaxTagValueBytes = 100'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool AreAllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

}  // namespace

Status CheckModelName(std::string_view name) {
  if (name.find_first_not_of(' ') == std::string_view::npos) {
    return InvalidArgument("the name of a registered model is blank");
  }
  if (name.size() > kMaxNameBytes) {
    return InvalidArgument(fmt::format("model name '{}...' is longer than {} bytes",
                                       name.substr(0, 40), kMaxNameBytes));
  }
  if (name.find_first_of("/:@") != std::string_view::npos ||
      std::any_of(name.begin(), name.end(), IsControl)) {
    return InvalidArgument(fmt::format(
        "Invalid model name '{}'. Names cannot contain '/', ':', '@' or control characters.",
        name));
  }
  if (name == "." || name == "..")
    return InvalidArgument(fmt::format("Invalid model name '{}'.", name));
  return Ok();
}

bool IsAliasText(std::string_view alias) {
  return !alias.empty() && alias.size() <= kMaxAliasBytes &&
         std::all_of(alias.begin(), alias.end(), [](char c) {
           return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                  c == '-';
         });
}

Status CheckAlias(std::string_view alias) {
  if (!IsAliasText(alias)) {
    return InvalidArgument(
        fmt::format("Invalid alias name: '{}'. Use 1 to {} letters, digits, '_' and '-'.",
                    alias.substr(0, 80), kMaxAliasBytes));
  }
  std::string lower(alias);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  bool is_version_like =
      (lower[0] == 'v' && AreAllDigits(std::string_view(lower).substr(1))) || AreAllDigits(lower);
  if (lower == "latest" || is_version_like) {
    return InvalidArgument(fmt::format(
        "Invalid alias name: '{}' is reserved: it would be taken for a version.", alias));
  }
  return Ok();
}

Status CheckTag(const Tag& tag) {
  if (tag.key.empty()) return InvalidArgument("the key of a tag is empty");
  if (tag.key.size() > kMaxTagKeyBytes) {
    return InvalidArgument(fmt::format("tag key '{}...' is longer than {} bytes",
                                       tag.key.substr(0, 40), kMaxTagKeyBytes));
  }
  if (tag.value.size() > kMaxTagValueBytes) {
    return InvalidArgument(
        fmt::format("the value of tag '{}' is longer than {} bytes", tag.key, kMaxTagValueBytes));
  }
  return Ok();
}

}  // namespace internal

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
