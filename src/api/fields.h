// The fields of a request, read as protobuf's JSON mapping would: from a JSON body or a query
// string, by name, with the type the handler wants.
//
//   int64   a JSON integer or a string of one ("12"); a double without fraction (3.0)
//   double  a number, a string of one, "NaN", "Infinity", "-Infinity"; true is 1
//   bool    true or false; in a query the words "true" and "false"
//   string  a string (ids too: 5 is no experiment id, "5" is)
//   enum    its name or its number
//   list    an array; in a query the key repeated
//
// null is "missing". A field may be written in snake_case or camelCase, but not both (400). Unknown
// fields are ignored.
//
// Errors stick: each getter returns a value of its type at once (empty or zero when the field is
// missing or wrong) and the first error waits in status(), also for nested Fields. A handler reads
// all it wants, then says RETURN_IF_ERROR(fields.status()). Messages name the nested place
// ("metrics[0].value").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/json.h"

namespace sluice::api {

/// The names an enum field takes, with their numbers on the wire.
struct EnumName {
  std::string_view name;
  int number;
};

/// Which lifecycle stages a search shows: MLflow's ViewType.
inline constexpr EnumName kViewTypeNames[] = {{"ACTIVE_ONLY", 1}, {"DELETED_ONLY", 2}, {"ALL", 3}};

/// One message: the request itself or one nested in it. Cheap to copy. Borrows from the
/// RequestFields it came from. One thread at a time.
class Fields {
 public:
  bool Has(std::string_view name) const;  ///< present and not null

  // Optional fields.
  std::optional<std::string> FindString(std::string_view name) const;
  std::optional<int64_t> FindInt64(std::string_view name) const;
  std::optional<double> FindDouble(std::string_view name) const;
  std::optional<bool> FindBool(std::string_view name) const;
  std::optional<int> FindEnum(std::string_view name, std::span<const EnumName> names) const;
  std::string StringOr(std::string_view name, std::string_view fallback = {}) const;
  int64_t Int64Or(std::string_view name, int64_t fallback) const;
  bool BoolOr(std::string_view name, bool fallback) const;

  // Required: a missing or empty one is "Missing value for required parameter 'X'. ...".
  std::string RequireString(std::string_view name) const;
  /// As RequireString, but "" will do.
  std::string RequirePresentString(std::string_view name) const;
  int64_t RequireInt64(std::string_view name) const;
  double RequireDouble(std::string_view name) const;

  // Lists; empty when missing.
  std::vector<std::string> Strings(std::string_view name) const;
  std::vector<Fields> Messages(std::string_view name) const;
  std::vector<std::string> RequireStrings(std::string_view name) const;  ///< [] will do
  std::vector<Fields> RequireMessages(std::string_view name) const;      ///< [] will do
  std::optional<Fields> FindMessage(std::string_view name) const;

  /// The value as it was sent, or null.
  const formats::Json* Raw(std::string_view name) const;

  /// Records an error of the handler's own about a field that is there: `Invalid value 5 for
  /// parameter 'metrics[0].key' supplied: <why>`. The first error is kept.
  void Refuse(std::string_view name, std::string_view why) const;
  /// Records MLflow's answer to a value out of range: `Invalid value 50001 for parameter
  /// 'max_results' supplied:  Hint: Value was of type 'int'. ...`.
  void RefuseType(std::string_view name) const;
  /// The first error met in this request, in this message or any other.
  Status status() const;

 private:
  friend class RequestFields;
  struct State {
    bool is_query = false;
    std::optional<Error> error;
  };
  Fields(State* state, const formats::Json* object, std::string place)
      : state_(state), object_(object), place_(std::move(place)) {}
  const formats::Json* Find(std::string_view name) const;
  std::string PlaceOf(std::string_view name) const;
  void Fail(Error error) const;
  void FailMissing(std::string_view name) const;
  void FailType(std::string_view name, const formats::Json& value) const;
  std::optional<std::string> ReadString(std::string_view name, const formats::Json& value) const;

  State* state_;
  const formats::Json* object_;  ///< null: nothing was sent
  std::string place_;            ///< "metrics[0]", or empty for the request itself
};

/// Owns what the Fields of one request borrow; neither copied nor moved.
class RequestFields {
 public:
  RequestFields() = default;
  RequestFields(const RequestFields&) = delete;
  RequestFields& operator=(const RequestFields&) = delete;

  /// A JSON object, or a JSON string that holds one (as old R clients send); nothing at all is an
  /// empty request. Errors: kInvalidArgument for what is no JSON object, with its place;
  /// kResourceExhausted for depth.
  Status ParseBody(std::string_view body, int depth_max);
  /// "a=1&b=2&b=3". Errors: those of http::ParseQuery.
  Status ParseQueryString(std::string_view query);

  Fields fields() { return Fields(&state_, &object_, {}); }

 private:
  Fields::State state_;
  formats::Json object_;
};

}  // namespace sluice::api
