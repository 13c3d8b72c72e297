#include "base/suggest.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace sluice {

namespace {
constexpr size_t kComparedBytes = 128;  // longer names are cut, so that cost stays bounded

char Lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
}  // namespace

size_t EditDistance(std::string_view a, std::string_view b) {
  a = a.substr(0, kComparedBytes);
  b = b.substr(0, kComparedBytes);
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t cost = Lower(a[i - 1]) == Lower(b[j - 1]) ? 0 : 1;
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, last[j - 1] + cost});
      bool is_swap = i > 1 && j > 1 && Lower(a[i - 1]) == Lower(b[j - 2]) &&
                     Lower(a[i - 2]) == Lower(b[j - 1]);
      if (is_swap) current[j] = std::min(current[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, current);
  }
  return last[b.size()];
}

std::optional<std::string> NearestName(std::string_view name,
                                       std::span<const std::string> candidates) {
  std::optional<std::string> nearest;
  size_t nearest_distance = 0;
  for (const std::string& candidate : candidates) {
    size_t distance = EditDistance(name, candidate);
    size_t allowed = (std::max(name.size(), candidate.size()) + 2) / 3;
    if (distance <= allowed && (!nearest || distance < nearest_distance)) {
      nearest = candidate;
      nearest_distance = distance;
    }
  }
  return nearest;
}

std::string DidYouMean(std::string_view name, std::span<const std::string> candidates) {
  std::optional<std::string> nearest = NearestName(name, candidates);
  return nearest ? "; did you mean '" + *nearest + "'?" : "";
}

}  // namespace sluice
