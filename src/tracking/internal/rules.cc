#include "tracking/internal/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <vector>

#include "base/id.h"
#include "formats/json.h"
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

/// "tags[1].key", or "key".
std::string FieldOf(const Place& place, std::string_view field) {
  return place.list.empty() ? std::string(field)
                            : fmt::format("{}[{}].{}", place.list, place.index, field);
}

Error InvalidValue(std::string_view path, std::string_view value, std::string_view why) {
  return InvalidArgument(fmt::format("Invalid value {} for parameter '{}' supplied: {}",
                                     formats::PrintJson(CutCharacters(value, 500)), path, why));
}

/// As POSIX paths are shortened: "a//b/../c" → "a/c", "" → ".".
std::string NormalPath(std::string_view path) {
  std::string_view root = path.substr(0, 2) == "//" && path.substr(0, 3) != "///" ? "//"
                          : path.substr(0, 1) == "/"                              ? "/"
                                                                                  : "";
  std::vector<std::string_view> steps;
  for (size_t at = 0; at <= path.size();) {
    size_t end = std::min(path.find('/', at), path.size());
    std::string_view step = path.substr(at, end - at);
    at = end + 1;
    if (step.empty() || step == ".") continue;
    bool can_climb = !steps.empty() && steps.back() != "..";
    if (step != ".." || (!can_climb && root.empty())) {
      steps.push_back(step);
    } else if (can_climb) {
      steps.pop_back();
    }
  }
  std::string normal(root);
  for (size_t i = 0; i < steps.size(); ++i) {
    if (i > 0) normal += '/';
    normal += steps[i];
  }
  return normal.empty() ? "." : normal;
}

/// Is it its own NormalPath, and below where it stands?
bool IsNormalKey(std::string_view key) {
  for (size_t at = 0; at <= key.size();) {
    size_t end = std::min(key.find('/', at), key.size());
    std::string_view step = key.substr(at, end - at);
    if (step.empty() || step == "." || step == "..") return false;
    at = end + 1;
  }
  // MLflow asks what the text begins with: "..a" is refused too.
  return key.substr(0, 2) != "..";
}

Status CheckKey(const Place& place, std::string_view field, std::string_view key) {
  if (!std::all_of(key.begin(), key.end(), MayStandInKey)) {
    return InvalidValue(FieldOf(place, field), key,
                        "Names may only contain alphanumerics, underscores (_), dashes (-), "
                        "periods (.), spaces ( ), colon(:) and slashes (/).");
  }
  if (IsNormalKey(key)) return Ok();
  return InvalidValue(FieldOf(place, field), key,
                      fmt::format("Names may be treated as files in certain cases, and must not "
                                  "resolve to other names when treated as such. This name would "
                                  "resolve to '{}'",
                                  NormalPath(key)));
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

Status CheckMetric(const Place& place, const Metric& metric) {
  RETURN_IF_ERROR(CheckKey(place, "name", metric.key));
  if (metric.timestamp_ms < 0) {
    return InvalidArgument(
        fmt::format("Invalid value {} for parameter '{}' supplied: metric '{}' (value={}). "
                    "Timestamp must be a nonnegative long (64-bit integer) ",
                    metric.timestamp_ms, FieldOf(place, "timestamp"), metric.key,
                    formats::PrintDouble(metric.value)));
  }
  return CheckLength("Metric name", metric.key, Limits::kKeyLength);
}

Status CheckParam(const Place& place, const Param& param) {
  RETURN_IF_ERROR(CheckKey(place, "key", param.key));
  return CheckLength("Param key", param.key, Limits::kKeyLength);
}

Status CheckTag(const Place& place, const Tag& tag) {
  RETURN_IF_ERROR(CheckKey(place, "key", tag.key));
  if (tag.key.size() <= Limits::kKeyLength) return Ok();
  return CheckLength(FieldOf(place, "key"), tag.key, Limits::kKeyLength);
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

Status CheckPageSize(int64_t max_count) {
  if (max_count < 1) {
    return InvalidArgument(
        fmt::format("Invalid value {} for parameter 'max_results' supplied. It "
                    "must be a positive integer",
                    max_count));
  }
  if (max_count > int64_t{Limits::kPageSize}) {
    return InvalidArgument(
        fmt::format("Invalid value {} for parameter 'max_results' supplied. It "
                    "must be at most {}",
                    max_count, Limits::kPageSize));
  }
  return Ok();
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
