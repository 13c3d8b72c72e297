#include "registry/model_version.h"

#include <fmt/format.h>

#include <charconv>

#include "registry/internal/rules.h"

namespace sluice::registry {
namespace {

constexpr std::string_view kScheme = "models:/";
constexpr std::string_view kLatest = "latest";

Error BadUri(std::string_view text, std::string_view why) {
  return InvalidArgument(fmt::format(
      "'{}' names no model version: {}; use models:/NAME/VERSION, models:/NAME@ALIAS or "
      "models:/NAME/latest",
      text, why));
}

bool EqualsIgnoringCase(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    char c = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] - 'A' + 'a') : a[i];
    if (c != lower[i]) return false;
  }
  return true;
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNone: return "none";
    case Verdict::kPass: return "pass";
    case Verdict::kFail: return "fail";
    case Verdict::kInconclusive: return "inconclusive";
  }
  return "unknown";
}

std::optional<Verdict> FindVerdict(std::string_view name) {
  for (Verdict verdict : {Verdict::kNone, Verdict::kPass, Verdict::kFail, Verdict::kInconclusive}) {
    if (VerdictName(verdict) == name) return verdict;
  }
  return std::nullopt;
}

bool IsModelUri(std::string_view text) { return text.starts_with(kScheme); }

Result<ModelUri> ParseModelUri(std::string_view text) {
  if (!IsModelUri(text)) return BadUri(text, "it does not begin with 'models:/'");
  std::string_view rest = text.substr(kScheme.size());
  ModelUri uri;
  size_t at = rest.find('@');
  size_t slash = rest.find('/');
  if (at != std::string_view::npos) {
    uri.name = rest.substr(0, at);
    uri.alias = rest.substr(at + 1);
    if (!internal::IsAliasText(*uri.alias))
      return BadUri(text, fmt::format("'{}' is no alias", *uri.alias));
  } else if (slash != std::string_view::npos) {
    uri.name = rest.substr(0, slash);
    std::string_view version = rest.substr(slash + 1);
    if (!EqualsIgnoringCase(version, kLatest)) {
      int64_t number = 0;
      auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
      if (version.empty() || error != std::errc() || end != version.data() + version.size() ||
          number < 1) {
        return BadUri(text, fmt::format("'{}' is no version number", version));
      }
      uri.version = number;
    }
  } else {
    return BadUri(text, "it has neither a version nor an alias");
  }
  Status name_status = internal::CheckModelName(uri.name);
  if (!name_status.ok()) return BadUri(text, name_status.error().message());
  return uri;
}

}  // namespace sluice::registry
