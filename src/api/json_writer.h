// JSON printed straight into one buffer, for answers too large for a tree of formats::Json. Commas
// come by themselves:
//
//   JsonWriter out;
//   out.BeginObject().Field("name", name).Key("tags").BeginArray() ... .EndArray().EndObject();
//   return Answer::Printed(std::move(out).Take());
//
// Numbers are as MLflow's replies have them: NaN is the string "NaN", infinities are the greatest
// finite doubles.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::api {

/// One thread at a time. That begins and ends match is the caller's care.
class JsonWriter {
 public:
  explicit JsonWriter(size_t reserve_bytes = 512) { out_.reserve(reserve_bytes); }

  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  /// A name of ours: letters, digits and '_', not escaped.
  JsonWriter& Key(std::string_view name);

  JsonWriter& String(std::string_view value);  ///< bytes that are not UTF-8 become U+FFFD
  JsonWriter& Int64(int64_t value);
  JsonWriter& Double(double value);
  JsonWriter& Bool(bool value);
  /// As Double, but NaN is bare, as Python prints it and no JSON has it.
  JsonWriter& PythonDouble(double value);

  JsonWriter& Field(std::string_view name, std::string_view value) {
    return Key(name).String(value);
  }
  JsonWriter& Field(std::string_view name, const std::string& value) {
    return Key(name).String(value);
  }
  JsonWriter& Field(std::string_view name, const char* value) { return Key(name).String(value); }
  JsonWriter& Field(std::string_view name, int64_t value) { return Key(name).Int64(value); }
  JsonWriter& Field(std::string_view name, double value) { return Key(name).Double(value); }
  JsonWriter& Field(std::string_view name, bool value) { return Key(name).Bool(value); }
  /// Left out when empty, as protobuf leaves out what is not set.
  JsonWriter& FieldIfAny(std::string_view name, std::string_view value) {
    return value.empty() ? *this : Field(name, value);
  }

  size_t size_bytes() const { return out_.size(); }
  std::string Take() && { return std::move(out_); }

 private:
  JsonWriter& Open(char bracket) {
    Separate();
    out_ += bracket;
    return *this;
  }
  JsonWriter& Close(char bracket) {
    out_ += bracket;
    return *this;
  }
  /// A comma, unless this is the first thing of its object or array, or stands behind its key.
  void Separate() {
    if (!out_.empty() && out_.back() != '{' && out_.back() != '[' && out_.back() != ':') {
      out_ += ',';
    }
  }

  std::string out_;
};

}  // namespace sluice::api
