#include "pipeline/internal/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "formats/json.h"
#include "pipeline/graph.h"

namespace sluice::pipeline {

bool IsName(std::string_view text) {
  if (text.empty() || text.size() > static_cast<size_t>(kMaxNameBytes)) return false;
  if (text[0] < 'a' || text[0] > 'z') return false;
  for (char c : text) {
    bool is_allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (!is_allowed) return false;
  }
  return true;
}

std::string SuggestName(std::string_view text) {
  std::string name;
  bool was_lower = false;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') {
      if (was_lower) name += '_';
      name += static_cast<char>(c - 'A' + 'a');
      was_lower = false;
      continue;
    }
    bool is_kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (is_kept) name += c;
    if (!is_kept && !name.empty() && name.back() != '_') name += '_';
    was_lower = is_kept;
  }
  while (name.ends_with('_')) name.pop_back();
  return IsName(name) && name != text ? name : std::string();
}

std::string_view NameRule() {
  return "names begin with a small letter and hold small letters, digits and _, at most 64";
}

const std::vector<std::string>& CommonStepKeys() {
  static const std::vector<std::string> keys = {"uses",    "run",     "description", "needs",
                                                "timeout", "retries", "cache",       "seed"};
  return keys;
}

const std::vector<std::string>& CommandKeys() {
  static const std::vector<std::string> keys = {"shell", "inputs", "outputs", "code",
                                                "env",   "params", "metrics"};
  return keys;
}

const std::vector<std::string>& PipelineKeys() {
  static const std::vector<std::string> keys = {"version", "name",     "description", "seed",
                                                "params",  "datasets", "steps"};
  return keys;
}

bool IsRuntimeKey(std::string_view key) {
  constexpr std::array<std::string_view, 14> kKeys = {
      "executor", "resources", "cpus",        "threads",   "memory", "gpu",  "gpus",
      "image",    "host",      "environment", "partition", "queue",  "node", "secrets"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void AddOnce(std::vector<std::string>& sorted_names, const std::string& name) {
  auto at = std::lower_bound(sorted_names.begin(), sorted_names.end(), name);
  if (at == sorted_names.end() || *at != name) sorted_names.insert(at, name);
}

std::string JoinNames(std::span<const std::string> names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

std::string BoundText(double value) {
  if (std::abs(value) < 1e15 && value == std::floor(value)) return fmt::format("{:.0f}", value);
  return formats::PrintDouble(value);
}

}  // namespace sluice::pipeline
