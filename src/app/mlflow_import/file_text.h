// What the files of an MLflow file store say. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/yaml.h"
#include "tracking/run.h"

namespace sluice::app::mlflow_import {

/// A scalar of a mapping; "" where there is none, and for null.
std::string TextAt(const formats::YamlNode& node, std::string_view key);
std::optional<int64_t> NumberAt(const formats::YamlNode& node, std::string_view key);
/// lifecycle_stage.
tracking::LifecycleStage StageAt(const formats::YamlNode& meta);

/// A whole number and nothing else.
std::optional<int64_t> ParseNumber(std::string_view text);
/// The next word of a line, which it loses.
std::string_view TakeWord(std::string_view& line);
/// Without empty ones.
std::vector<std::string_view> Lines(std::string_view text);
/// "time value [step ...]"; the rest of the line stays. Infinities become the greatest numbers
/// there are, as MLflow's databases have them. Nothing if it is no point.
std::optional<tracking::Metric> TakePoint(std::string_view key, std::string_view& line);

}  // namespace sluice::app::mlflow_import
