#include "tracking/internal/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/id.h"
#include "io/fs.h"
#include "tracking/store.h"

namespace sluice::tracking::internal {
namespace {

bool IsAsciiWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool MayStandInKey(char c) {
  return IsAsciiWord(c) || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("-. :/").find(c) != std::string_view::npos;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// "..", as it is or percent-encoded however often.
bool HidesParentStep(std::string_view query) {
  std::string text(query);
  // Each round decodes one level of the only two characters that matter, '.' and '%'.
  while (text.find("..") == std::string::npos) {
    std::string decoded;
    for (size_t i = 0; i < text.size(); ++i) {
      std::string_view escape = std::string_view(text).substr(i, 3);
      bool is_dot = escape == "%2e" || escape == "%2E";
      decoded += is_dot ? '.' : text[i];
      if (is_dot || escape == "%25") i += 2;
    }
    if (decoded == text) return false;
    text = std::move(decoded);
  }
  return true;
}

std::string_view Shown(std::string_view text) { return CutCharacters(text, 80); }

constexpr std::string_view kAdjectives[] = {
    "able",   "amber",  "bold",   "brave", "bright",  "calm",   "clear",  "clever",
    "crisp",  "eager",  "fair",   "fleet", "gentle",  "glad",   "golden", "grand",
    "happy",  "honest", "keen",   "kind",  "light",   "lively", "lucky",  "mellow",
    "merry",  "mighty", "modest", "noble", "patient", "proud",  "quick",  "quiet",
    "rapid",  "rare",   "serene", "sharp", "silent",  "smart",  "smooth", "sound",
    "steady", "still",  "sunny",  "swift", "tidy",    "upbeat", "vivid",  "wise"};
constexpr std::string_view kNouns[] = {
    "badger", "beaver",  "bison",  "brook",  "canal",  "cedar", "clover", "crane",
    "creek",  "dolphin", "eagle",  "egret",  "falcon", "fern",  "finch",  "fjord",
    "fox",    "gull",    "harbor", "hare",   "heron",  "ibis",  "island", "lake",
    "lark",   "lynx",    "maple",  "marten", "meadow", "otter", "owl",    "perch",
    "pike",   "pine",    "plover", "pond",   "quail",  "raven", "reed",   "river",
    "robin",  "salmon",  "seal",   "spring", "swan",   "trout", "willow", "wren"};

}  // namespace

Status CheckKey(std::string_view kind, std::string_view key) {
  if (key.empty()) return InvalidArgument(fmt::format("the key of a {} is empty", kind));
  if (CountCharacters(key) > Limits::kKeyLength) {
    return InvalidArgument(fmt::format("{} key '{}...' is longer than {} characters", kind,
                                       Shown(key), Limits::kKeyLength));
  }
  if (!std::all_of(key.begin(), key.end(), MayStandInKey)) {
    return InvalidArgument(
        fmt::format("Invalid {} name: '{}'. Names may only contain alphanumerics, underscores (_), "
                    "dashes (-), periods (.), spaces ( ), colons (:) and slashes (/).",
                    kind, Shown(key)));
  }
  std::optional<std::string> normal = io::NormalRelativePath(key);
  if (!normal || *normal != key || key == ".") {
    return InvalidArgument(fmt::format(
        "Invalid {} name: '{}'. Names may be treated as files in certain cases, and "
        "must not resolve to other names when treated as such{}.",
        kind, Shown(key),
        normal && *normal != "." ? fmt::format(" (this one would be '{}')", *normal) : ""));
  }
  return Ok();
}

Status CheckMetric(const Metric& metric) {
  RETURN_IF_ERROR(CheckKey("metric", metric.key));
  if (metric.timestamp_ms < 0) {
    return InvalidArgument(
        fmt::format("metric '{}' has the negative timestamp {}; it is milliseconds since 1970",
                    metric.key, metric.timestamp_ms));
  }
  return Ok();
}

Status CheckExperimentName(std::string_view name) {
  if (name.empty()) return InvalidArgument("Invalid experiment name: ''");
  return CheckLength("name", name, Limits::kExperimentNameLength);
}

Status CheckArtifactLocation(std::string_view location) {
  if (location.size() > Limits::kArtifactLocationLength &&
      CountCharacters(location) > Limits::kArtifactLocationLength) {
    return InvalidArgument(
        fmt::format("Invalid artifact path length. The length of the artifact path cannot be "
                    "greater than {} characters.",
                    Limits::kArtifactLocationLength));
  }
  if (location.substr(0, 5) == "runs:") {
    return InvalidArgument(
        fmt::format("Artifact location cannot be a runs:/ URI. Given: '{}'", Shown(location)));
  }
  size_t query_at = std::min(location.find('?'), location.size());
  std::string_view path = location.substr(0, query_at);
  std::string_view last_step = path.substr(path.rfind('/') + 1);
  if (location.find('#') != std::string_view::npos ||
      last_step.find(';') != std::string_view::npos) {
    return InvalidArgument("'artifact_location' URL can't include fragments or params.");
  }
  if (HidesParentStep(location.substr(query_at))) return InvalidArgument("Invalid query string");
  if (std::any_of(location.begin(), location.end(), IsControl))
    return InvalidArgument("'artifact_location' holds a control character");
  return Ok();
}

Status CheckLoggedModelName(std::string_view name) {
  if (!name.empty() && name.find_first_of("/:.%\"'") == std::string_view::npos) return Ok();
  return InvalidArgument(
      fmt::format("Invalid model name ('{}') provided. Model name must be a non-empty string and "
                  "cannot contain the following characters: ('/', ':', '.', '%', '\"', \"'\")",
                  Shown(name)));
}

Status CheckLength(std::string_view what, std::string_view value, size_t max_length) {
  if (value.size() <= max_length || CountCharacters(value) <= max_length) return Ok();
  return InvalidArgument(
      fmt::format("'{}' exceeds the maximum length of {} characters", what, max_length));
}

Status CheckRunId(std::string_view run_id) {
  bool is_good =
      !run_id.empty() && run_id.size() <= 256 && run_id[0] != '_' && run_id[0] != '-' &&
      std::all_of(run_id.begin(), run_id.end(), [](char c) { return IsAsciiWord(c) || c == '-'; });
  if (is_good) return Ok();
  return InvalidArgument(
      fmt::format("Invalid run ID: '{}'. It is a letter or digit, then up to 255 letters, digits, "
                  "'_' or '-'.",
                  Shown(run_id)));
}

Result<int64_t> ParseExperimentId(std::string_view experiment_id) {
  int64_t id = 0;
  const char* end = experiment_id.data() + experiment_id.size();
  auto [parsed, error] = std::from_chars(experiment_id.data(), end, id);
  if (experiment_id.empty() || error != std::errc() || parsed != end || id < 0) {
    return InvalidArgument(
        fmt::format("Invalid experiment ID '{}'. Experiment ID must be a valid integer.",
                    Shown(experiment_id)));
  }
  return id;
}

std::string JoinUri(std::string_view uri, std::string_view steps) {
  // A path may have question marks; only a URI has a query.
  bool has_scheme = uri.find(':') < uri.find('/');
  size_t path_end = has_scheme ? std::min(uri.find('?'), uri.size()) : uri.size();
  std::string_view base = uri.substr(0, path_end);
  bool ends_with_slash = !base.empty() && base.back() == '/';
  return fmt::format("{}{}{}{}", base, ends_with_slash ? "" : "/", steps, uri.substr(path_end));
}

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string_view CutCharacters(std::string_view text, size_t max_count) {
  // Every character has at least one byte.
  if (text.size() <= max_count) return text;
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & 0xc0) != 0x80 && count++ == max_count) return text.substr(0, i);
  }
  return text;
}

std::string NewRunName() {
  std::string hex = NewRandomHex(12);
  uint64_t value = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  std::string_view adjective = kAdjectives[value % std::size(kAdjectives)];
  value /= std::size(kAdjectives);
  std::string_view noun = kNouns[value % std::size(kNouns)];
  value /= std::size(kNouns);
  return fmt::format("{}-{}-{}", adjective, noun, value % 1000);
}

}  // namespace sluice::tracking::internal
