#include "learn/params.h"

#include <fmt/format.h>

#include <cmath>

#include "base/suggest.h"

namespace sluice::learn {
namespace {

using formats::Json;

std::string Bound(double value) {
  return std::abs(value) < 1e15 && value == std::floor(value)
             ? fmt::format("{}", static_cast<int64_t>(value))
             : fmt::format("{}", value);
}

std::string Range(const ParamSpec& spec) {
  bool has_min = std::isfinite(spec.min), has_max = std::isfinite(spec.max);
  std::string_view over = spec.is_min_excluded ? "above" : "at least";
  if (has_min && has_max) {
    return fmt::format(" {} {} and at most {}", over, Bound(spec.min), Bound(spec.max));
  }
  if (has_min) return fmt::format(" {} {}", over, Bound(spec.min));
  if (has_max) return fmt::format(" at most {}", Bound(spec.max));
  return "";
}

std::string Wanted(const ParamSpec& spec) {
  switch (spec.type) {
    case ParamType::kInteger: return "a whole number" + Range(spec);
    case ParamType::kNumber: return "a number" + Range(spec);
    case ParamType::kBool: return "true or false";
    case ParamType::kChoice: return fmt::format("one of {}", fmt::join(spec.choices, ", "));
    case ParamType::kClassWeight:
      return "balanced, or a weight for each class as in {yes: 3, no: 1}";
    case ParamType::kMonotone: return "1, 0 or -1 for each feature named, as in {income: 1}";
  }
  return "";
}

bool IsWithin(const ParamSpec& spec, double value) {
  if (!std::isfinite(value)) return false;
  return (spec.is_min_excluded ? value > spec.min : value >= spec.min) && value <= spec.max;
}

bool IsNumberMap(const Json& value, double min, double max, bool is_whole) {
  if (!value.is_object()) return false;
  for (const auto& [key, number] : value.AsObject()) {
    if (!number.is_number() || !(number.AsDouble() >= min && number.AsDouble() <= max))
      return false;
    if (is_whole && number.AsDouble() != std::floor(number.AsDouble())) return false;
  }
  return true;
}

/// The value as it is kept: whole numbers as integers where integers are asked, integers as doubles
/// where numbers are. Nothing if it does not fit.
std::optional<Json> Accept(const ParamSpec& spec, const Json& value) {
  // A parameter whose default is null may be given as null.
  if (value.is_null())
    return spec.default_value.is_null() ? std::optional<Json>(value) : std::nullopt;
  switch (spec.type) {
    case ParamType::kInteger:
      if (!value.is_number() || !IsWithin(spec, value.AsDouble())) return std::nullopt;
      if (value.is_integer()) return value;
      if (value.AsDouble() != std::floor(value.AsDouble()) || std::abs(value.AsDouble()) > 9e15)
        return std::nullopt;
      return Json(static_cast<int64_t>(value.AsDouble()));
    case ParamType::kNumber:
      if (!value.is_number() || !IsWithin(spec, value.AsDouble())) return std::nullopt;
      return Json(value.AsDouble());
    case ParamType::kBool: return value.is_bool() ? std::optional<Json>(value) : std::nullopt;
    case ParamType::kChoice:
      if (value.is_string()) {
        for (std::string_view choice : spec.choices) {
          if (choice == value.AsString()) return value;
        }
      }
      return std::nullopt;
    case ParamType::kClassWeight:
      if (value.is_string() && value.AsString() == "balanced") return value;
      return IsNumberMap(value, 0, 1e30, false) ? std::optional<Json>(value) : std::nullopt;
    case ParamType::kMonotone:
      return IsNumberMap(value, -1, 1, true) ? std::optional<Json>(value) : std::nullopt;
  }
  return std::nullopt;
}

bool IsCalled(const ParamSpec& spec, std::string_view name) {
  if (spec.name == name) return true;
  for (std::string_view alias : spec.aliases) {
    if (alias == name) return true;
  }
  return false;
}

}  // namespace

std::string DescribeParam(const ParamSpec& spec) {
  std::string aliases =
      spec.aliases.empty() ? "" : fmt::format(" ({})", fmt::join(spec.aliases, ", "));
  return fmt::format("{}{}: {}; default {}. {}", spec.name, aliases, Wanted(spec),
                     spec.default_value.is_string() ? spec.default_value.AsString()
                     : spec.default_value.is_null() ? "none"
                                                    : formats::PrintJson(spec.default_value),
                     spec.help);
}

Result<Json> ResolveParams(std::string_view learner, const std::vector<ParamSpec>& specs,
                           const Json& given) {
  if (!given.is_null() && !given.is_object()) {
    return InvalidArgument(fmt::format("params of learner '{}' must be `name: value`, found {}",
                                       learner, given.TypeName()));
  }
  Json resolved = Json::MakeObject();
  for (const ParamSpec& spec : specs) resolved[spec.name] = spec.default_value;
  if (given.is_null()) return resolved;
  std::vector<std::string> names;
  for (const ParamSpec& spec : specs) {
    names.emplace_back(spec.name);
    names.insert(names.end(), spec.aliases.begin(), spec.aliases.end());
  }
  std::vector<std::pair<std::string_view, std::string_view>>
      seen;  // name in the table, spelling used
  for (const auto& [key, value] : given.AsObject()) {
    const ParamSpec* spec = nullptr;
    for (const ParamSpec& candidate : specs) {
      if (IsCalled(candidate, key)) spec = &candidate;
    }
    if (spec == nullptr) {
      std::string hint = DidYouMean(key, names);
      if (hint.empty()) {
        std::vector<std::string_view> all;
        for (const ParamSpec& candidate : specs) all.push_back(candidate.name);
        hint = fmt::format("; it has {}", fmt::join(all, ", "));
      }
      return InvalidArgument(
          fmt::format("learner '{}' has no parameter '{}'{}", learner, key, hint));
    }
    for (const auto& [name, spelling] : seen) {
      if (name == spec->name) {
        return InvalidArgument(
            fmt::format("parameter '{}' is given twice, as '{}' and '{}'", name, spelling, key));
      }
    }
    seen.emplace_back(spec->name, key);
    std::optional<Json> accepted = Accept(*spec, value);
    if (!accepted.has_value()) {
      return InvalidArgument(fmt::format("parameter '{}' of learner '{}' is {}; it must be {}", key,
                                         learner, formats::PrintJson(value), Wanted(*spec)));
    }
    resolved[spec->name] = *std::move(accepted);
  }
  return resolved;
}

}  // namespace sluice::learn
