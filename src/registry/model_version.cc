#include "registry/model_version.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "registry/internal/rules.h"

namespace sluice::registry {
namespace {

constexpr std::string_view kScheme = "models:/";
constexpr std::string_view kLatest = "latest";

Error BadUri(std::string_view text, std::string_view why) {
  return InvalidArgument(
      fmt::format("'{}' names no model version: {}; use models:/NAME/VERSION, models:/NAME@ALIAS, "
                  "models:/NAME/latest or models:/NAME/STAGE",
                  text, why));
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

std::string_view StageName(Stage stage) {
  switch (stage) {
    case Stage::kNone: return "None";
    case Stage::kStaging: return "Staging";
    case Stage::kProduction: return "Production";
    case Stage::kArchived: return "Archived";
  }
  return "unknown";
}

Result<Stage> ParseStage(std::string_view name) {
  if (EqualsIgnoringCase(name, "none")) return Stage::kNone;
  if (EqualsIgnoringCase(name, "staging")) return Stage::kStaging;
  if (EqualsIgnoringCase(name, "production")) return Stage::kProduction;
  if (EqualsIgnoringCase(name, "archived")) return Stage::kArchived;
  return InvalidArgument(fmt::format(
      "Invalid Model Version stage: {}. Value must be one of None, Staging, Production, Archived.",
      name));
}

std::string_view VersionStatusName(VersionStatus status) {
  switch (status) {
    case VersionStatus::kPendingRegistration: return "PENDING_REGISTRATION";
    case VersionStatus::kFailedRegistration: return "FAILED_REGISTRATION";
    case VersionStatus::kReady: return "READY";
  }
  return "unknown";
}

std::optional<VersionStatus> FindVersionStatus(std::string_view name) {
  for (VersionStatus status : {VersionStatus::kPendingRegistration,
                               VersionStatus::kFailedRegistration, VersionStatus::kReady}) {
    if (VersionStatusName(status) == name) return status;
  }
  return std::nullopt;
}

bool IsModelUri(std::string_view text) { return text.starts_with(kScheme); }

Result<ModelUri> ParseModelUri(std::string_view text) {
  if (!IsModelUri(text)) return BadUri(text, "it does not begin with 'models:/'");
  std::string_view rest = text.substr(kScheme.size());
  ModelUri uri;
  if (size_t slash = rest.find('/'); slash != std::string_view::npos) {
    uri.name = rest.substr(0, slash);
    std::string_view version = rest.substr(slash + 1);
    bool is_number = !version.empty() && std::all_of(version.begin(), version.end(),
                                                     [](char c) { return c >= '0' && c <= '9'; });
    if (is_number) {
      int64_t number = 0;
      if (std::from_chars(version.data(), version.data() + version.size(), number).ec !=
              std::errc() ||
          number < 1) {
        return BadUri(text, fmt::format("'{}' is no version number", version));
      }
      uri.version = number;
    } else if (!EqualsIgnoringCase(version, kLatest)) {
      Result<Stage> stage = ParseStage(version);
      if (!stage.ok()) return BadUri(text, fmt::format("'{}' is no version number", version));
      uri.stage = *stage;
    }
  } else if (size_t at = rest.rfind('@'); at != std::string_view::npos) {
    uri.name = rest.substr(0, at);
    uri.alias = rest.substr(at + 1);
    if (!internal::IsAliasText(*uri.alias))
      return BadUri(text, fmt::format("'{}' is no alias", *uri.alias));
  } else {
    return BadUri(text, "it has neither a version nor an alias");
  }
  Status name_status = internal::CheckModelName(uri.name);
  if (!name_status.ok()) return BadUri(text, name_status.error().message());
  return uri;
}

}  // namespace sluice::registry
