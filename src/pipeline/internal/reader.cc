#include "pipeline/internal/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.h"
#include "formats/duration.h"
#include "pipeline/internal/keys.h"

namespace sluice::pipeline {

void Errors::Add(Error error) {
  if (!is_full()) errors_.push_back(std::move(error));
}

std::vector<Error> Errors::TakeSorted() {
  auto place = [](const Error& error) {
    return error.source() ? std::pair(error.source()->line, error.source()->column)
                          : std::pair(0, 0);
  };
  std::stable_sort(errors_.begin(), errors_.end(),
                   [&](const Error& a, const Error& b) { return place(a) < place(b); });
  return std::move(errors_);
}

std::string Suggestion(std::string_view name, std::span<const std::string> candidates) {
  constexpr size_t kMaxCompared = 1'000;
  if (candidates.size() <= kMaxCompared) return DidYouMean(name, candidates);
  std::vector<std::string> similar;
  for (const std::string& candidate : candidates) {
    size_t longer = std::max(candidate.size(), name.size());
    size_t shorter = std::min(candidate.size(), name.size());
    if ((longer - shorter) * 3 <= longer + 2 && candidate[0] == name[0])
      similar.push_back(candidate);
    if (similar.size() == kMaxCompared) break;
  }
  return DidYouMean(name, similar);
}

Source SourceInside(const YamlNode& scalar, size_t offset) {
  Source source = scalar.source();
  if (source.text.empty() || offset > scalar.text().size()) return source;
  size_t begin = static_cast<size_t>(source.column - 1);
  if (scalar.is_quoted()) ++begin;
  std::string_view line = source.text;
  std::string_view before = std::string_view(scalar.text()).substr(0, offset);
  if (begin <= line.size() && line.substr(begin).starts_with(before)) {
    source.column = static_cast<int>(begin + offset) + 1;
  }
  return source;
}

template <typename T>
std::optional<T> Reader::Take(Result<T> result, std::string_view what) {
  if (result.ok()) return *std::move(result);
  errors_.Add(std::move(result).error().With(what));
  return std::nullopt;
}

bool Reader::IsMapping(const YamlNode& node, std::string_view what) {
  if (node.is_mapping()) return true;
  errors_.Add(node, fmt::format("{} must be a mapping (lines of `key: value`), found {}", what,
                                node.KindName()));
  return false;
}

std::optional<std::string> Reader::Text(const YamlNode& node, std::string_view what) {
  return Take(node.AsString(), what);
}

std::optional<int64_t> Reader::Integer(const YamlNode& node, std::string_view what, int64_t min,
                                       int64_t max) {
  std::optional<int64_t> value = Take(node.AsInteger(), what);
  if (!value || (*value >= min && *value <= max)) return value;
  errors_.Add(node, *value < min
                        ? fmt::format("{} must be at least {}, found {}", what, min, *value)
                        : fmt::format("{} must be at most {}, found {}", what, max, *value));
  return std::nullopt;
}

std::optional<double> Reader::Number(const YamlNode& node, std::string_view what) {
  return Take(node.AsDouble(), what);
}

std::optional<bool> Reader::Bool(const YamlNode& node, std::string_view what) {
  return Take(node.AsBool(), what);
}

std::optional<int64_t> Reader::DurationMs(const YamlNode& node, std::string_view what) {
  std::optional<std::string> text = Text(node, what);
  if (!text) return std::nullopt;
  Result<int64_t> ms = formats::ParseDurationMs(*text);
  if (!ms.ok()) {
    errors_.Add(std::move(ms).error().With(what).At(node.source()));
    return std::nullopt;
  }
  return *ms;
}

bool Reader::IsGoodName(const YamlNode& key, std::string_view what) {
  if (IsName(key.text())) return true;
  std::string better = SuggestName(key.text());
  errors_.Add(
      key, fmt::format("'{}' is no name for a {}: {}{}", key.text().substr(0, 80), what, NameRule(),
                       better.empty() ? "" : fmt::format("; '{}' would do", better)));
  return false;
}

std::vector<const YamlNode*> Reader::Texts(const YamlNode& node, std::string_view what) {
  std::vector<const YamlNode*> texts;
  if (node.is_scalar()) return {&node};
  if (!node.is_sequence()) {
    errors_.Add(
        node, fmt::format("{} must be a text or a list of texts, found {}", what, node.KindName()));
    return texts;
  }
  for (const YamlNode& item : node.items()) {
    if (item.is_scalar()) {
      texts.push_back(&item);
    } else {
      errors_.Add(item,
                  fmt::format("an item of {} must be a text, found {}", what, item.KindName()));
    }
  }
  return texts;
}

void Reader::OnlyKeys(const YamlNode& mapping, std::string_view what,
                      std::span<const std::string> known) {
  for (const YamlNode::Entry& entry : mapping.entries()) {
    const std::string& key = entry.key.text();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string suggestion = Suggestion(key, known);
    if (suggestion.empty()) suggestion = fmt::format("; it takes {}", JoinNames(known));
    errors_.Add(entry.key,
                fmt::format("{} has no key '{}'{}", what, key.substr(0, 80), suggestion));
  }
}

}  // namespace sluice::pipeline
