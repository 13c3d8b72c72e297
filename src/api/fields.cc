#include "api/fields.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "http/target.h"

namespace sluice::api {

namespace {

using formats::Json;

constexpr std::string_view kSeeDocs =
    " See the API docs for more information about request parameters.";
constexpr size_t kEchoBytesMax = 500;

/// "run_view_type" → "runViewType".
std::string CamelCase(std::string_view name) {
  std::string camel;
  bool is_upper = false;
  for (char c : name) {
    if (c == '_') {
      is_upper = true;
      continue;
    }
    camel += is_upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    is_upper = false;
  }
  return camel;
}

/// As Python names the types of json.loads: messages of MLflow have these words.
std::string_view PythonTypeName(const Json& value) {
  if (value.is_bool()) return "bool";
  if (value.is_integer()) return "int";
  if (value.is_double()) return "float";
  if (value.is_string()) return "str";
  if (value.is_array()) return "list";
  if (value.is_object()) return "dict";
  return "NoneType";
}

/// The value as it goes into a message, cut where it is long.
std::string Echo(const Json& value) {
  std::string text = formats::PrintJson(value);
  if (text.size() <= kEchoBytesMax) return text;
  size_t end = kEchoBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

std::optional<int64_t> ReadInt64(const Json& value) {
  if (value.is_integer()) return value.AsInteger();
  if (value.is_double()) {
    // The bounds are exact doubles; 2^63 itself is out of range.
    const double number = value.AsDouble();
    if (number != std::trunc(number) || number < -0x1p63 || number >= 0x1p63) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (!value.is_string()) return std::nullopt;
  std::string_view text = value.AsString();
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::optional<double> ReadDouble(const Json& value) {
  if (value.is_number()) return value.AsDouble();
  if (value.is_bool()) return value.AsBool() ? 1.0 : 0.0;
  if (!value.is_string()) return std::nullopt;
  std::string_view text = value.AsString();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity" || text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity" || text == "-inf") return -std::numeric_limits<double>::infinity();
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
    return std::nullopt;
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

const Json* Fields::Find(std::string_view name) const {
  if (!object_) return nullptr;
  const Json* found = object_->Find(name);
  if (name.find('_') != std::string_view::npos) {
    const std::string camel = CamelCase(name);
    if (const Json* other = object_->Find(camel)) {
      if (found) {
        Fail(InvalidArgument(fmt::format(
            "Request specifies both '{}' and '{}'; provide only one of them.", name, camel)));
        return nullptr;
      }
      found = other;
    }
  }
  return found && !found->is_null() ? found : nullptr;
}

std::string Fields::PlaceOf(std::string_view name) const {
  return place_.empty() ? std::string(name) : fmt::format("{}.{}", place_, name);
}

void Fields::Fail(Error error) const {
  if (!state_->error) state_->error = std::move(error);
}

void Fields::FailMissing(std::string_view name) const {
  if (state_->error) return;
  Fail(InvalidArgument(
      fmt::format("Missing value for required parameter '{}'.{}", PlaceOf(name), kSeeDocs)));
}

void Fields::FailType(std::string_view name, const Json& value) const {
  if (state_->error) return;
  Fail(InvalidArgument(
      fmt::format("Invalid value {} for parameter '{}' supplied:  Hint: Value was of type '{}'.{}",
                  Echo(value), PlaceOf(name), PythonTypeName(value), kSeeDocs)));
}

void Fields::Refuse(std::string_view name, std::string_view why) const {
  if (state_->error) return;
  const Json* value = Find(name);
  Fail(InvalidArgument(fmt::format("Invalid value {} for parameter '{}' supplied: {}",
                                   value ? Echo(*value) : "null", PlaceOf(name), why)));
}

void Fields::RefuseType(std::string_view name) const {
  const Json* value = Find(name);
  FailType(name, value ? *value : Json());
}

Status Fields::status() const { return state_->error ? Status(*state_->error) : Ok(); }

bool Fields::Has(std::string_view name) const { return Find(name) != nullptr; }
const Json* Fields::Raw(std::string_view name) const { return Find(name); }

namespace {

/// Too deep is the request's fault: to come again later would not help.
Result<Json> ReadJson(std::string_view text, const formats::JsonParseOptions& options) {
  Result<Json> value = formats::ParseJson(text, options);
  if (!value.ok() && value.error().code() == ErrorCode::kResourceExhausted) {
    return InvalidArgument(value.error().ToString());
  }
  return value;
}

/// What a scalar getter looks at: of a key repeated in a query, its first value.
const Json& ScalarOf(const Json& value, bool is_query) {
  return is_query && value.is_array() ? value.At(size_t{0}) : value;
}

}  // namespace

std::optional<std::string> Fields::ReadString(std::string_view name, const Json& value) const {
  if (!value.is_string()) {
    FailType(name, value);
    return std::nullopt;
  }
  if (value.AsString().find('\0') != std::string::npos) {
    Fail(InvalidArgument(fmt::format(
        "Invalid value {} for parameter '{}' supplied: it must not hold a NUL character.{}",
        Echo(value), PlaceOf(name), kSeeDocs)));
    return std::nullopt;
  }
  return value.AsString();
}

std::optional<std::string> Fields::FindString(std::string_view name) const {
  const Json* value = Find(name);
  if (!value) return std::nullopt;
  return ReadString(name, ScalarOf(*value, state_->is_query));
}

std::optional<int64_t> Fields::FindInt64(std::string_view name) const {
  const Json* value = Find(name);
  if (!value) return std::nullopt;
  const Json& scalar = ScalarOf(*value, state_->is_query);
  std::optional<int64_t> number = ReadInt64(scalar);
  if (!number) FailType(name, scalar);
  return number;
}

std::optional<double> Fields::FindDouble(std::string_view name) const {
  const Json* value = Find(name);
  if (!value) return std::nullopt;
  const Json& scalar = ScalarOf(*value, state_->is_query);
  std::optional<double> number = ReadDouble(scalar);
  if (!number) FailType(name, scalar);
  return number;
}

std::optional<bool> Fields::FindBool(std::string_view name) const {
  const Json* value = Find(name);
  if (!value) return std::nullopt;
  const Json& scalar = ScalarOf(*value, state_->is_query);
  if (scalar.is_bool()) return scalar.AsBool();
  if (!state_->is_query) {
    FailType(name, scalar);
    return std::nullopt;
  }
  std::string text = scalar.AsString();
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (text == "true" || text == "false") return text == "true";
  Fail(InvalidArgument(
      fmt::format("Invalid boolean value: {}, must be 'true' or 'false'.", scalar.AsString())));
  return std::nullopt;
}

std::optional<int> Fields::FindEnum(std::string_view name, std::span<const EnumName> names) const {
  const Json* value = Find(name);
  if (!value) return std::nullopt;
  const Json& scalar = ScalarOf(*value, state_->is_query);
  const std::optional<int64_t> number = ReadInt64(scalar);
  for (const EnumName& one : names) {
    if (number ? *number == one.number : scalar.is_string() && scalar.AsString() == one.name) {
      return one.number;
    }
  }
  std::string known;
  for (const EnumName& one : names) fmt::format_to(std::back_inserter(known), ", {}", one.name);
  Fail(
      InvalidArgument(fmt::format("Invalid value {} for parameter '{}' supplied: it must be one of "
                                  "{}.{}",
                                  Echo(scalar), PlaceOf(name), known.substr(2), kSeeDocs)));
  return std::nullopt;
}

std::string Fields::StringOr(std::string_view name, std::string_view fallback) const {
  std::optional<std::string> value = FindString(name);
  return value ? *std::move(value) : std::string(fallback);
}

int64_t Fields::Int64Or(std::string_view name, int64_t fallback) const {
  return FindInt64(name).value_or(fallback);
}

bool Fields::BoolOr(std::string_view name, bool fallback) const {
  return FindBool(name).value_or(fallback);
}

std::string Fields::RequireString(std::string_view name) const {
  std::string value = RequirePresentString(name);
  if (value.empty()) FailMissing(name);
  return value;
}

std::string Fields::RequirePresentString(std::string_view name) const {
  const Json* value = Find(name);
  if (!value) {
    FailMissing(name);
    return {};
  }
  return ReadString(name, ScalarOf(*value, state_->is_query)).value_or("");
}

int64_t Fields::RequireInt64(std::string_view name) const {
  const Json* value = Find(name);
  if (!value || (value->is_string() && value->AsString().empty())) {
    FailMissing(name);
    return 0;
  }
  return FindInt64(name).value_or(0);
}

double Fields::RequireDouble(std::string_view name) const {
  const Json* value = Find(name);
  if (!value || (value->is_string() && value->AsString().empty())) {
    FailMissing(name);
    return 0;
  }
  return FindDouble(name).value_or(0);
}

std::vector<std::string> Fields::Strings(std::string_view name) const {
  std::vector<std::string> values;
  const Json* value = Find(name);
  if (!value) return values;
  if (state_->is_query && value->is_string()) {
    if (std::optional<std::string> text = ReadString(name, *value)) values.push_back(*text);
    return values;
  }
  if (!value->is_array()) {
    FailType(name, *value);
    return values;
  }
  values.reserve(value->size());
  for (const Json& item : value->AsArray()) {
    if (!item.is_string()) {
      FailType(name, *value);
      return {};
    }
    if (std::optional<std::string> text = ReadString(name, item))
      values.push_back(*std::move(text));
  }
  return values;
}

std::vector<Fields> Fields::Messages(std::string_view name) const {
  std::vector<Fields> messages;
  const Json* value = Find(name);
  if (!value) return messages;
  if (!value->is_array()) {
    FailType(name, *value);
    return messages;
  }
  messages.reserve(value->size());
  for (size_t i = 0; i < value->size(); ++i) {
    const Json& item = value->AsArray()[i];
    const std::string place = fmt::format("{}[{}]", name, i);
    if (!item.is_object()) {
      FailType(place, item);
      return {};
    }
    messages.push_back(Fields(state_, &item, PlaceOf(place)));
  }
  return messages;
}

std::vector<std::string> Fields::RequireStrings(std::string_view name) const {
  if (!Has(name)) FailMissing(name);
  return Strings(name);
}

std::vector<Fields> Fields::RequireMessages(std::string_view name) const {
  if (!Has(name)) FailMissing(name);
  return Messages(name);
}

std::optional<Fields> Fields::FindMessage(std::string_view name) const {
  const Json* value = Find(name);
  if (!value) return std::nullopt;
  if (!value->is_object()) {
    FailType(name, *value);
    return std::nullopt;
  }
  return Fields(state_, value, PlaceOf(name));
}

Status RequestFields::ParseBody(std::string_view body, int depth_max) {
  state_.is_query = false;
  object_ = Json();
  if (body.empty()) return Ok();
  formats::JsonParseOptions options;
  options.file = "request body";
  options.max_depth = depth_max;
  ASSIGN_OR_RETURN(object_, ReadJson(body, options));
  if (object_.is_string()) {
    const std::string inner = object_.AsString();
    ASSIGN_OR_RETURN(object_, ReadJson(inner, options));
  }
  if (!object_.is_object() && !object_.is_null()) {
    return InvalidArgument(fmt::format(
        "The request body must be a JSON object, it is of type '{}'.", PythonTypeName(object_)));
  }
  return Ok();
}

Status RequestFields::ParseQueryString(std::string_view query) {
  state_.is_query = true;
  object_ = Json::MakeObject();
  ASSIGN_OR_RETURN(auto pairs, http::ParseQuery(query));
  for (auto& [name, value] : pairs) {
    Json* known = object_.Find(name);
    if (!known) {
      object_[name] = Json(std::move(value));
    } else if (known->is_array()) {
      known->Append(Json(std::move(value)));
    } else {
      Json first = std::move(*known);
      *known = Json(Json::Array{std::move(first), Json(std::move(value))});
    }
  }
  return Ok();
}

}  // namespace sluice::api
