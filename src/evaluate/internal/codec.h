// Reading and writing the JSON artefacts of this module.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "evaluate/report.h"
#include "formats/json.h"

namespace sluice::evaluate::internal {

formats::Json NumbersToJson(std::span<const double> values);
/// Errors: kInvalidArgument unless `json` has an array of numbers (or NaN as a string) at `key`.
Result<std::vector<double>> NumbersFromJson(const formats::Json& json, std::string_view key);

/// Errors: kInvalidArgument unless "version" is 1 and "kind" is `kind`.
Status CheckKind(const formats::Json& json, std::string_view kind);

/// {"value": x, "low": x, "high": x}; low and high only with an interval.
formats::Json ValueToJson(double value, const std::optional<Interval>& interval);
Result<std::optional<Interval>> IntervalFromJson(const formats::Json& json);

}  // namespace sluice::evaluate::internal
