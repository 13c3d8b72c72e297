// HTTP requests and responses as plain values. Thread-safe as an int is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/json.h"

namespace sluice::http {

enum class Method : uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };

/// "GET", "POST", ...
std::string_view MethodName(Method method);
/// Nothing for a method this server does not speak (answered with 501). Names are case-sensitive.
std::optional<Method> FindMethod(std::string_view name);

/// Field names compare without case; the order of arrival is kept.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  /// The first field of that name, or null. O(fields).
  const std::string* Find(std::string_view name) const;
  size_t CountOf(std::string_view name) const;
  void Add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

/// One request, body complete. The server has already refused what is malformed (server.h says what
/// that is).
struct Request {
  Method method = Method::kGet;
  std::string
      path;  ///< percent-decoded, begins with '/', valid UTF-8, no NUL, no "." or ".." segment
  std::string query;  ///< as sent, without the '?'; ParseQuery decodes it
  Headers headers;
  std::string body;
  std::vector<std::pair<std::string, std::string>>
      path_params;  ///< what the pattern's {name} segments matched
  std::string
      id;  ///< 16 hexadecimal digits, unique in this process: named in logs and in 500 answers
  std::string peer;  ///< "127.0.0.1:50312"

  /// The value of {name} in the route's pattern, which must have it (CHECK).
  const std::string& PathParam(std::string_view name) const;
  /// The Content-Type field, or empty.
  std::string_view ContentType() const;
};

struct Response {
  int status = 200;
  std::string content_type;  ///< empty: no Content-Type field
  std::string body;
  /// Further fields. The server itself adds Content-Length, Date, Connection and, on a 405, Allow.
  Headers headers;

  static Response Text(int status, std::string body);
  static Response Json(int status, const formats::Json& value);
  /// Already printed JSON.
  static Response JsonText(int status, std::string body);
};

/// {"error_code": code, "message": message}, MLflow's shape of an error.
Response ErrorResponse(int status, std::string_view error_code, std::string_view message);

/// "OK", "Not Found", ...; "Unknown" for what RFC 9110 does not name.
std::string_view ReasonPhrase(int status);

/// "text/csv; charset=UTF-8": the type in lower case and its parameters, names in lower case,
/// quotes removed.
struct MediaType {
  std::string type;
  std::vector<std::pair<std::string, std::string>> parameters;
};
/// Pure. Errors: kInvalidArgument when it is no "type/subtype" followed by "; name=value" (RFC
/// 9110, 8.3.1).
Result<MediaType> ParseMediaType(std::string_view text);

}  // namespace sluice::http
