// HTTP requests and responses as plain values. Thread-safe as an int is.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/json.h"
#include "io/descriptor.h"

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
  /// Replaces the first field of that name, or adds it.
  void Set(std::string_view name, std::string value);
  const std::vector<Field>& fields() const { return fields_; }
  void Reserve(size_t count) { fields_.reserve(count); }

 private:
  std::vector<Field> fields_;
};

/// Bytes pulled one piece after the other, where a whole body in memory would be too much. One
/// thread at a time.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// Blocks until there is something, writes up to into.size() > 0 bytes (CHECK) and returns how
  /// many; 0 is the end, and only the end of a complete body: one that was cut off is an error. Ask
  /// for much at once (256 KiB) where speed matters. After the end or an error it says the same
  /// again.
  virtual Result<size_t> Read(std::span<char> into) = 0;
};

/// One request. The server has already refused what is malformed (server.h says what that is).
struct Request {
  Method method = Method::kGet;
  std::string
      path;  ///< percent-decoded, begins with '/', valid UTF-8, no NUL, no "." or ".." segment
  std::string query;  ///< as sent, without the '?'; ParseQuery decodes it
  Headers headers;
  /// Complete, and without its Content-Encoding. Empty where the route streams bodies.
  std::string body;
  /// The body of a request to a route that streams bodies (Route::streams_body); never null there,
  /// null elsewhere. Belongs to the server; only during the handler's call. A client that waits
  /// for "100 Continue" is told to go on by the first Read. A handler may answer without reading
  /// on. Errors of Read: kUnavailable (the client went away or came too slowly), kInvalidArgument
  /// (malformed chunks or coding), kResourceExhausted (the route's limit): BodyErrorResponse
  /// makes an answer of them.
  BodySource* body_stream = nullptr;
  /// What Content-Length announced of the stream, coded bytes; nothing for a chunked body.
  std::optional<int64_t> body_stream_bytes;
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

/// A part of an open file.
struct FileBody {
  io::Descriptor file;
  int64_t offset = 0;
  int64_t size_bytes = 0;
};

/// The body is `file` if it has one, else `stream` if that is not null, else `body`. HEAD is
/// answered like GET, the body left out. Move-only.
struct Response {
  int status = 200;
  std::string content_type;  ///< empty: no Content-Type field
  std::string body;
  /// Further fields. The server itself adds Content-Length, Transfer-Encoding, Date, Connection,
  /// Content-Encoding and Vary where it compresses, and, on a 405, Allow.
  Headers headers;
  /// Sent by sendfile, as fast as each client takes it, on no thread of a handler's. A file that
  /// turns out too short ends the connection.
  std::optional<FileBody> file;
  /// Pulled by a transfer thread after the handler returned; destroyed there. An error, or an end
  /// before `stream_bytes`, ends the connection, so that the client sees that the rest is missing.
  std::unique_ptr<BodySource> stream;
  std::optional<int64_t> stream_bytes;  ///< nothing: chunked
  /// False: never compressed, whatever the client accepts. Files and streams never are.
  bool may_compress = true;

  static Response Text(int status, std::string body);
  static Response Json(int status, const formats::Json& value);
  /// Already printed JSON.
  static Response JsonText(int status, std::string body);
};

/// {"error_code": code, "message": message}, MLflow's shape of an error.
Response ErrorResponse(int status, std::string_view error_code, std::string_view message);
/// What a handler answers to an error of Request::body_stream: 413 for kResourceExhausted, 408 for
/// kUnavailable, else 400.
Response BodyErrorResponse(const Error& error);

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
