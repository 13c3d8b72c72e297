#include "features/internal/argument.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/suggest.h"
#include "base/utf8.h"

namespace sluice::features::internal {

using formats::Json;

Status CheckKeys(const Json& json, std::initializer_list<std::string_view> known) {
  std::vector<std::string> names(known.begin(), known.end());
  if (!json.is_object()) {
    return InvalidArgument(
        fmt::format("expected options ({}), found {}", fmt::join(names, ", "), Shown(json)));
  }
  for (const auto& [key, value] : json.AsObject()) {
    bool is_known = false;
    for (const std::string& name : names) is_known |= name == key;
    if (!is_known) {
      return InvalidArgument(fmt::format("unknown option '{}'{}; options are {}", key,
                                         DidYouMean(key, names), fmt::join(names, ", ")));
    }
  }
  return Ok();
}

Result<std::string> Choice(const Json& json, std::string_view what,
                           std::initializer_list<std::string_view> choices) {
  std::vector<std::string> names(choices.begin(), choices.end());
  if (json.is_string()) {
    for (const std::string& name : names) {
      if (name == json.AsString()) return name;
    }
  }
  return InvalidArgument(fmt::format("{} is {}; it must be one of {}{}", what, Shown(json),
                                     fmt::join(names, ", "),
                                     json.is_string() ? DidYouMean(json.AsString(), names) : ""));
}

std::optional<double> Percent(const Json& json) {
  if (!json.is_string()) return std::nullopt;
  std::string_view text = json.AsString();
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(value >= 0 && value <= 100)) return std::nullopt;
  return value / 100;
}

Result<double> Number(const Json& json, std::string_view what) {
  if (!json.is_number() || !std::isfinite(json.AsDouble())) {
    return InvalidArgument(fmt::format("{} is {}; it must be a finite number", what, Shown(json)));
  }
  return json.AsDouble();
}

Result<int64_t> Integer(const Json& json, std::string_view what, int64_t min, int64_t max) {
  if (!json.is_integer() || json.AsInteger() < min || json.AsInteger() > max) {
    return InvalidArgument(fmt::format("{} is {}; it must be a whole number from {} to {}", what,
                                       Shown(json), min, max));
  }
  return json.AsInteger();
}

Result<bool> Boolean(const Json& json, std::string_view what) {
  if (!json.is_bool())
    return InvalidArgument(fmt::format("{} is {}; it must be true or false", what, Shown(json)));
  return json.AsBool();
}

Result<std::vector<double>> Numbers(const Json& json, std::string_view key, size_t count) {
  ASSIGN_OR_RETURN(const Json* array, json.GetArray(key));
  if (array->size() != count) {
    return InvalidArgument(
        fmt::format("'{}' has {} values; {} are needed", key, array->size(), count));
  }
  std::vector<double> values;
  values.reserve(count);
  for (const Json& element : array->AsArray()) {
    ASSIGN_OR_RETURN(double value, Number(element, key));
    values.push_back(value);
  }
  return values;
}

std::string Shown(const Json& json) {
  std::string text =
      json.is_string() ? fmt::format("'{}'", json.AsString()) : formats::PrintJson(json);
  if (text.size() > 60) text = std::string(CutUtf8(text, 57)) + "...";
  return text;
}

Json NumbersToJson(const std::vector<double>& values) {
  Json::Array array;
  array.reserve(values.size());
  for (double value : values) array.emplace_back(value);
  return Json(std::move(array));
}

std::string NumberText(double value) {
  if (value == std::floor(value) && std::abs(value) < 9.2e18)
    return std::to_string(static_cast<int64_t>(value));
  return formats::PrintDouble(value);
}

}  // namespace sluice::features::internal
