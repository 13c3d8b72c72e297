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

// "a, b and c".
std::string JoinNames(std::span<const std::string> names);
// A bound in a message: 12, 0.5.
std::string BoundText(double value);

}  // namespace sluice::pipeline
