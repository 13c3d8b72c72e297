#include "app/mlflow_import/file_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace sluice::app::mlflow_import {

using formats::YamlNode;
using tracking::Metric;

std::string TextAt(const YamlNode& node, std::string_view key) {
  const YamlNode* value = node.Find(key);
  if (value == nullptr || !value->is_scalar()) return {};
  return value->text() == "null" && !value->is_quoted() ? std::string() : value->text();
}

std::optional<int64_t> NumberAt(const YamlNode& node, std::string_view key) {
  const YamlNode* value = node.Find(key);
  if (value == nullptr || !value->is_scalar()) return std::nullopt;
  int64_t number = 0;
  const std::string& text = value->text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view TakeWord(std::string_view& line) {
  const size_t begin = std::min(line.find_first_not_of(' '), line.size());
  const size_t end = std::min(line.find(' ', begin), line.size());
  std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::optional<Metric> TakePoint(std::string_view key, std::string_view& line) {
  const auto timestamp_ms = ParseNumber(TakeWord(line));
  const std::string_view number = TakeWord(line);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (!timestamp_ms || end != number.data() + number.size() || number.empty()) return std::nullopt;
  if (error != std::errc() && error != std::errc::result_out_of_range) return std::nullopt;
  constexpr double kMax = std::numeric_limits<double>::max();
  if (!std::isnan(value)) value = std::clamp(value, -kMax, kMax);
  const std::string_view step = TakeWord(line);
  return Metric{.key = std::string(key),
                .value = value,
                .timestamp_ms = *timestamp_ms,
                .step = step.empty() ? 0 : ParseNumber(step).value_or(0)};
}

tracking::LifecycleStage StageAt(const YamlNode& meta) {
  return TextAt(meta, "lifecycle_stage") == "deleted" ? tracking::LifecycleStage::kDeleted
                                                      : tracking::LifecycleStage::kActive;
}

}  // namespace sluice::app::mlflow_import
