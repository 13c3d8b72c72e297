#include "formats/json.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::formats {

std::string_view Json::TypeName() const {
  static constexpr std::string_view kNames[] = {"null",   "boolean", "integer", "number",
                                                "string", "array",   "object"};
  return kNames[value_.index()];
}

bool Json::AsBool() const {
  CHECK_MSG(is_bool(), TypeName());
  return std::get<bool>(value_);
}
int64_t Json::AsInteger() const {
  CHECK_MSG(is_integer(), TypeName());
  return std::get<int64_t>(value_);
}
double Json::AsDouble() const {
  if (is_integer()) return static_cast<double>(std::get<int64_t>(value_));
  CHECK_MSG(is_double(), TypeName());
  return std::get<double>(value_);
}
const std::string& Json::AsString() const {
  CHECK_MSG(is_string(), TypeName());
  return std::get<std::string>(value_);
}
const Json::Array& Json::AsArray() const {
  CHECK_MSG(is_array(), TypeName());
  return std::get<Array>(value_);
}
Json::Array& Json::AsArray() {
  CHECK_MSG(is_array(), TypeName());
  return std::get<Array>(value_);
}
const Json::Object& Json::AsObject() const {
  CHECK_MSG(is_object(), TypeName());
  return std::get<Object>(value_);
}
Json::Object& Json::AsObject() {
  CHECK_MSG(is_object(), TypeName());
  return std::get<Object>(value_);
}

const Json* Json::Find(std::string_view key) const {
  if (!is_object()) return nullptr;
  const Object& members = std::get<Object>(value_);
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->first == key) return &member->second;
  }
  return nullptr;
}

Json* Json::Find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).Find(key)); }

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Object();
  if (Json* found = Find(key)) return *found;
  return AsObject().emplace_back(std::string(key), Json()).second;
}

const Json& Json::At(std::string_view key) const {
  const Json* found = Find(key);
  CHECK_MSG(found != nullptr, key);
  return *found;
}

const Json& Json::At(size_t index) const {
  CHECK(index < AsArray().size());
  return AsArray()[index];
}

void Json::Append(Json value) {
  if (is_null()) value_ = Array();
  AsArray().push_back(std::move(value));
}

void Json::Remove(std::string_view key) {
  std::erase_if(AsObject(), [key](const Member& member) { return member.first == key; });
}

size_t Json::size() const {
  return is_array() ? AsArray().size() : is_object() ? AsObject().size() : 0;
}

namespace {

Error WrongType(std::string_view key, std::string_view wanted, const Json& found) {
  return InvalidArgument(fmt::format("'{}' must be {}, not {}", key, wanted, found.TypeName()));
}

Error Absent(std::string_view key) { return NotFound(fmt::format("'{}' is missing", key)); }

std::optional<double> NonFiniteFromString(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

}  // namespace

Result<std::string> Json::GetString(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr) return Absent(key);
  if (!found->is_string()) return WrongType(key, "a string", *found);
  return found->AsString();
}

Result<int64_t> Json::GetInteger(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr) return Absent(key);
  if (!found->is_integer()) return WrongType(key, "an integer", *found);
  return found->AsInteger();
}

Result<double> Json::GetDouble(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr) return Absent(key);
  if (found->is_number()) return found->AsDouble();
  if (found->is_string()) {
    if (std::optional<double> value = NonFiniteFromString(found->AsString())) return *value;
  }
  return WrongType(key, "a number", *found);
}

Result<bool> Json::GetBool(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr) return Absent(key);
  if (!found->is_bool()) return WrongType(key, "true or false", *found);
  return found->AsBool();
}

Result<const Json*> Json::GetArray(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr) return Absent(key);
  if (!found->is_array()) return WrongType(key, "an array", *found);
  return found;
}

Result<const Json*> Json::GetObject(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr) return Absent(key);
  if (!found->is_object()) return WrongType(key, "an object", *found);
  return found;
}

std::string Json::StringOr(std::string_view key, std::string_view fallback) const {
  const Json* found = Find(key);
  return found != nullptr && found->is_string() ? found->AsString() : std::string(fallback);
}

int64_t Json::IntegerOr(std::string_view key, int64_t fallback) const {
  const Json* found = Find(key);
  return found != nullptr && found->is_integer() ? found->AsInteger() : fallback;
}

double Json::DoubleOr(std::string_view key, double fallback) const {
  Result<double> value = GetDouble(key);
  return value.ok() ? *value : fallback;
}

bool Json::BoolOr(std::string_view key, bool fallback) const {
  const Json* found = Find(key);
  return found != nullptr && found->is_bool() ? found->AsBool() : fallback;
}

}  // namespace sluice::formats
