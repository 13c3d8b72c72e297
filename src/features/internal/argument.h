// Reading arguments of operations and fitted values. Pure.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/json.h"

namespace sluice::features::internal {

/// Errors: kInvalidArgument unless `json` is an object whose keys are all in `known`.
Status CheckKeys(const formats::Json& json, std::initializer_list<std::string_view> known);

/// One of `choices`, or an error that lists them.
Result<std::string> Choice(const formats::Json& json, std::string_view what,
                           std::initializer_list<std::string_view> choices);

/// "1%" as 0.01, within [0%, 100%]; nothing for anything else.
std::optional<double> Percent(const formats::Json& json);

/// A finite number, or an error naming `what`.
Result<double> Number(const formats::Json& json, std::string_view what);
/// An integer within [min, max], or an error naming `what`.
Result<int64_t> Integer(const formats::Json& json, std::string_view what, int64_t min, int64_t max);
Result<bool> Boolean(const formats::Json& json, std::string_view what);

/// The member `key`: an array of exactly `count` finite numbers.
Result<std::vector<double>> Numbers(const formats::Json& json, std::string_view key, size_t count);

/// One line for messages: text in quotes, others as JSON, cut at 60 bytes.
std::string Shown(const formats::Json& json);

formats::Json NumbersToJson(const std::vector<double>& values);

/// A number as a category or label is written: whole numbers without a point, others as
/// PrintDouble.
std::string NumberText(double value);

}  // namespace sluice::features::internal
