#include "pipeline/step_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/suggest.h"
#include "formats/duration.h"
#include "formats/size.h"
#include "pipeline/internal/keys.h"
#include "pipeline/params.h"

namespace sluice::pipeline {

namespace {

using formats::Json;

Error WrongType(const SettingRow& row, const Json& value) {
  std::string found = value.is_array()    ? "a list"
                      : value.is_object() ? "a mapping"
                      : value.is_null()   ? "nothing"
                                          : "";
  if (found.empty()) found = "'" + ValueText(value).substr(0, 60) + "'";
  return InvalidArgument(
      fmt::format("'{}' takes a {}, found {}", row.name, SettingTypeName(row.type), found));
}

bool IsScalar(const Json& value) {
  return value.is_bool() || value.is_number() || value.is_string();
}

Status CheckBounds(const SettingRow& row, double value) {
  if (std::isnan(value)) return InvalidArgument(fmt::format("'{}' must not be NaN", row.name));
  if (row.min && value < *row.min) {
    return InvalidArgument(fmt::format("'{}' must be at least {}, found {}", row.name,
                                       BoundText(*row.min), BoundText(value)));
  }
  if (row.max && value > *row.max) {
    return InvalidArgument(fmt::format("'{}' must be at most {}, found {}", row.name,
                                       BoundText(*row.max), BoundText(value)));
  }
  return Ok();
}

Result<Json> NormaliseText(const SettingRow& row, const Json& value) {
  if (!IsScalar(value)) return WrongType(row, value);
  std::string text = ValueText(value);
  if (!row.choices.empty() &&
      std::find(row.choices.begin(), row.choices.end(), text) == row.choices.end()) {
    return InvalidArgument(fmt::format("'{}' is one of {}, not '{}'{}", row.name,
                                       JoinNames(row.choices), text.substr(0, 60),
                                       DidYouMean(text, row.choices)));
  }
  return Json(text);
}

Result<Json> NormaliseShare(const SettingRow& row, const Json& value) {
  double share = 0;
  if (value.is_number()) {
    share = value.AsDouble();
  } else if (value.is_string() && value.AsString().ends_with('%')) {
    std::string_view digits = value.AsString();
    digits.remove_suffix(1);
    auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), share);
    if (digits.empty() || status != std::errc() || end != digits.data() + digits.size())
      return WrongType(row, value);
    share /= 100;
  } else {
    return WrongType(row, value);
  }
  if (!(share >= 0 && share <= 1)) {
    return InvalidArgument(fmt::format("'{}' is a share from 0 to 1 or 0% to 100%, found {}",
                                       row.name, ValueText(value)));
  }
  RETURN_IF_ERROR(CheckBounds(row, share));
  return Json(share);
}

Result<Json> NormaliseTexts(const SettingRow& row, const Json& value) {
  Json texts = Json::MakeArray();
  if (IsScalar(value)) {
    texts.Append(ValueText(value));
    return texts;
  }
  if (!value.is_array()) return WrongType(row, value);
  std::set<std::string> seen;
  for (const Json& item : value.AsArray()) {
    if (item.is_null()) {
      return InvalidArgument(fmt::format(
          "an item of '{}' is nothing (null); put it in quotes if it is a text", row.name));
    }
    if (!IsScalar(item))
      return InvalidArgument(fmt::format("the items of '{}' must be plain texts", row.name));
    std::string text = ValueText(item);
    if (row.type == SettingType::kColumns && !seen.insert(text).second) {
      return InvalidArgument(
          fmt::format("'{}' names the column '{}' twice", row.name, text.substr(0, 60)));
    }
    texts.Append(std::move(text));
  }
  return texts;
}

Result<Json> NormaliseMeasure(const SettingRow& row, const Json& value) {
  if (!IsScalar(value)) return WrongType(row, value);
  std::string text = ValueText(value);
  auto named = [&row](Error error) { return std::move(error).With(fmt::format("'{}'", row.name)); };
  if (row.type == SettingType::kDuration) {
    Result<int64_t> parsed = formats::ParseDurationMs(text);
    if (!parsed.ok()) return named(std::move(parsed).error());
  } else {
    Result<int64_t> parsed = formats::ParseSizeBytes(text);
    if (!parsed.ok()) return named(std::move(parsed).error());
  }
  return Json(text);
}

Status CheckRow(const StepKind& kind, const SettingRow& row) {
  if (row.is_required && !row.default_value.is_null()) {
    return Internal(fmt::format("{}.{}: required, yet it has a default", kind.name, row.name));
  }
  if (row.default_value.is_null()) return Ok();
  Result<Json> normalised = NormaliseSetting(row, row.default_value);
  if (!normalised.ok())
    return std::move(normalised).error().With(fmt::format("default of {}", kind.name));
  if (*normalised == row.default_value) return Ok();
  return Internal(
      fmt::format("{}.{}: the default is not as it would arrive in the step", kind.name, row.name));
}

}  // namespace

std::string_view SettingTypeName(SettingType type) {
  switch (type) {
    case SettingType::kString: return "text";
    case SettingType::kInteger: return "whole number";
    case SettingType::kNumber: return "number";
    case SettingType::kBool: return "true or false";
    case SettingType::kDuration: return "duration (30s, 5m, 1h30m)";
    case SettingType::kSize: return "size (512MiB, 2GB)";
    case SettingType::kShare: return "share (20% or 0.2)";
    case SettingType::kColumn: return "column's name";
    case SettingType::kColumns: return "column's name or a list of them";
    case SettingType::kStrings: return "text or a list of texts";
    case SettingType::kList: return "list";
    case SettingType::kMap: return "mapping";
    case SettingType::kAny: return "value";
  }
  return "value";
}

std::string_view DataTypeName(DataType type) {
  switch (type) {
    case DataType::kFile: return "file";
    case DataType::kTable: return "table";
    case DataType::kFeatures: return "features";
    case DataType::kModel: return "model";
    case DataType::kReport: return "report";
    case DataType::kVerdict: return "verdict";
  }
  return "file";
}

const InputRow* StepKind::FindInput(std::string_view wanted) const {
  for (const InputRow& row : inputs) {
    if (row.name == wanted) return &row;
  }
  return nullptr;
}

const SettingRow* StepKind::FindSetting(std::string_view wanted) const {
  for (const SettingRow& row : settings) {
    if (row.name == wanted) return &row;
  }
  return nullptr;
}

const StepKind* FindKind(std::span<const StepKind> kinds, std::string_view name) {
  for (const StepKind& kind : kinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

Result<Json> NormaliseSetting(const SettingRow& row, const Json& value) {
  switch (row.type) {
    case SettingType::kString:
    case SettingType::kColumn: return NormaliseText(row, value);
    case SettingType::kInteger:
      if (!value.is_integer()) return WrongType(row, value);
      RETURN_IF_ERROR(CheckBounds(row, value.AsDouble()));
      return value;
    case SettingType::kNumber:
      if (!value.is_number()) return WrongType(row, value);
      RETURN_IF_ERROR(CheckBounds(row, value.AsDouble()));
      return Json(value.AsDouble());
    case SettingType::kBool: return value.is_bool() ? Result<Json>(value) : WrongType(row, value);
    case SettingType::kDuration:
    case SettingType::kSize: return NormaliseMeasure(row, value);
    case SettingType::kShare: return NormaliseShare(row, value);
    case SettingType::kColumns:
    case SettingType::kStrings: return NormaliseTexts(row, value);
    case SettingType::kList: return value.is_array() ? Result<Json>(value) : WrongType(row, value);
    case SettingType::kMap: return value.is_object() ? Result<Json>(value) : WrongType(row, value);
    case SettingType::kAny: return value;
  }
  return value;
}

Status CheckKinds(std::span<const StepKind> kinds) {
  std::set<std::string> kind_names;
  for (const StepKind& kind : kinds) {
    if (!kind_names.insert(kind.name).second)
      return Internal(fmt::format("{}: two rows", kind.name));
    std::set<std::string> keys(CommonStepKeys().begin(), CommonStepKeys().end());
    auto add_key = [&](const std::string& key) -> Status {
      if (!IsName(key)) return Internal(fmt::format("{}.{}: not a name", kind.name, key));
      if (!keys.insert(key).second)
        return Internal(fmt::format("{}.{}: the key is taken", kind.name, key));
      return Ok();
    };
    for (const InputRow& row : kind.inputs) RETURN_IF_ERROR(add_key(row.name));
    for (const SettingRow& row : kind.settings) {
      RETURN_IF_ERROR(add_key(row.name));
      RETURN_IF_ERROR(CheckRow(kind, row));
    }
    std::set<std::string> outputs;
    int main_count = 0;
    for (const OutputRow& row : kind.outputs) {
      if (!IsName(row.name) || !outputs.insert(row.name).second || row.file_name.empty()) {
        return Internal(fmt::format("{}: output '{}' is not well formed", kind.name, row.name));
      }
      main_count += row.is_main ? 1 : 0;
    }
    if (outputs.empty() || main_count > 1)
      return Internal(fmt::format("{}: {} main outputs", kind.name, main_count));
  }
  return Ok();
}

}  // namespace sluice::pipeline
