// The grammar's fixed words and how names are made.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::pipeline {

// [a-z][a-z0-9_]*, at most kMaxNameBytes.
bool IsName(std::string_view text);
// The name that `text` probably should be ("trainModel" → "train_model"), or empty.
std::string SuggestName(std::string_view text);
std::string_view NameRule();

// Keys that every step may have, commands only, and the whole file.
const std::vector<std::string>& CommonStepKeys();
const std::vector<std::string>& CommandKeys();
const std::vector<std::string>& PipelineKeys();

// A key that a platform engineer decides about (`gpus`, `image`), and the pipeline file may not
// hold.
bool IsRuntimeKey(std::string_view key);

bool Contains(const std::vector<std::string>& names, std::string_view name);
// Into a sorted list.
void AddOnce(std::vector<std::string>& sorted_names, const std::string& name);
// The `name` of each item.
template <typename Range>
std::vector<std::string> NamesOf(const Range& range) {
  std::vector<std::string> names;
  for (const auto& item : range) names.push_back(item.name);
  return names;
}

// "a, b and c".
std::string JoinNames(std::span<const std::string> names);
// A bound in a message: 12, 0.5.
std::string BoundText(double value);

}  // namespace sluice::pipeline
