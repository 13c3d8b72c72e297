// JSON as a value: parsing with positions and limits, and printing that is stable to the byte.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace sluice::formats {

/// One JSON value. Integers that fit int64 stay integers (5 and 5.0 differ); objects keep the order
/// in which members were added. A plain value: thread-safe as an int is.
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;                            // null
  Json(std::nullptr_t) {}                      // NOLINT: implicit by design, all of these
  Json(bool value) : value_(value) {}          // NOLINT
  Json(int value) : value_(int64_t{value}) {}  // NOLINT
  Json(int64_t value) : value_(value) {}       // NOLINT
  Json(size_t value) : value_(static_cast<int64_t>(value)) {}   // NOLINT
  Json(double value) : value_(value) {}                         // NOLINT
  Json(const char* value) : value_(std::string(value)) {}       // NOLINT
  Json(std::string value) : value_(std::move(value)) {}         // NOLINT
  Json(std::string_view value) : value_(std::string(value)) {}  // NOLINT
  Json(Array value) : value_(std::move(value)) {}               // NOLINT
  Json(Object value) : value_(std::move(value)) {}              // NOLINT

  static Json MakeArray() { return Json(Array()); }
  static Json MakeObject(std::initializer_list<Member> members = {}) {
    return Json(Object(members));
  }

  bool is_null() const { return value_.index() == 0; }
  bool is_bool() const { return value_.index() == 1; }
  bool is_integer() const { return value_.index() == 2; }
  bool is_double() const { return value_.index() == 3; }
  bool is_number() const { return is_integer() || is_double(); }
  bool is_string() const { return value_.index() == 4; }
  bool is_array() const { return value_.index() == 5; }
  bool is_object() const { return value_.index() == 6; }
  /// "null", "boolean", "integer", "number", "string", "array", "object": for messages.
  std::string_view TypeName() const;

  // The value as its type; anything else is a bug (CHECK).
  bool AsBool() const;
  int64_t AsInteger() const;
  double AsDouble() const;  ///< an integer or a double
  const std::string& AsString() const;
  const Array& AsArray() const;
  Array& AsArray();
  const Object& AsObject() const;
  Object& AsObject();

  /// The member `key`, or null if this is no object or has none. The last one, if the text had it
  /// twice. O(members).
  const Json* Find(std::string_view key) const;
  Json* Find(std::string_view key);
  /// The member `key`, added as null if absent. A null value becomes an object first; other types:
  /// CHECK.
  Json& operator[](std::string_view key);
  /// The member of an object or element of an array that must be there (CHECK).
  const Json& At(std::string_view key) const;
  const Json& At(size_t index) const;
  void Append(Json value);  ///< null becomes an array first
  void Remove(std::string_view key);
  size_t size() const;  ///< elements or members; 0 for other types

  // Members with a wanted type, for reading files and requests of ours. Errors: kInvalidArgument
  // naming the key and what was found; kNotFound if it is absent.
  Result<std::string> GetString(std::string_view key) const;
  Result<int64_t> GetInteger(std::string_view key) const;
  Result<double> GetDouble(
      std::string_view key) const;  ///< takes integers, and the strings of NonFiniteAsString
  Result<bool> GetBool(std::string_view key) const;
  Result<const Json*> GetArray(std::string_view key) const;
  Result<const Json*> GetObject(std::string_view key) const;
  std::string StringOr(std::string_view key, std::string_view fallback) const;
  int64_t IntegerOr(std::string_view key, int64_t fallback) const;
  double DoubleOr(std::string_view key, double fallback) const;
  bool BoolOr(std::string_view key, bool fallback) const;

  friend bool operator==(const Json&, const Json&) = default;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

struct JsonParseOptions {
  std::string file = "json";  ///< named in errors
  int max_depth = 64;
  int64_t max_size_bytes = int64_t{1} << 30;
  bool allow_nan_and_infinity = false;  ///< NaN, Infinity, -Infinity as Python's json writes them
};

/// Errors: kInvalidArgument with file:line:column; kResourceExhausted for depth or size. Input must
/// be UTF-8.
Result<Json> ParseJson(std::string_view text, const JsonParseOptions& options = {});

struct JsonPrintOptions {
  int indent = 0;  ///< spaces a level; 0 prints one line
  /// One line with the blanks of Python's json.dumps: {"a": 1, "b": 2}.
  bool spaced = false;
  /// What a NaN or infinity becomes, since JSON has none: "NaN", "Infinity" and "-Infinity" as
  /// strings, or null.
  enum class NonFinite : uint8_t { kString, kNull, kPythonLiteral } non_finite = NonFinite::kString;
};

/// Doubles are printed as the shortest text that reads back to the same bits, always with '.', 'e'
/// or as in "1.0", so that they stay doubles. Equal values give equal bytes. Invalid UTF-8 bytes in
/// strings become U+FFFD.
std::string PrintJson(const Json& value, const JsonPrintOptions& options = {});

/// The shortest text that reads back to the same double: "0.1", "1e+300", "1.0", "NaN",
/// "-Infinity".
std::string PrintDouble(double value);

}  // namespace sluice::formats
