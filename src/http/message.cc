#include "http/message.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "http/internal/text.h"

namespace sluice::http {
namespace {

struct MethodRow {
  Method method;
  std::string_view name;
};
constexpr std::array<MethodRow, 7> kMethods = {{{Method::kGet, "GET"},
                                                {Method::kHead, "HEAD"},
                                                {Method::kPost, "POST"},
                                                {Method::kPut, "PUT"},
                                                {Method::kPatch, "PATCH"},
                                                {Method::kDelete, "DELETE"},
                                                {Method::kOptions, "OPTIONS"}}};

struct ReasonRow {
  int status;
  std::string_view phrase;
};
constexpr std::array kReasons = std::to_array<ReasonRow>({
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
});

/// "value" without its quotes and backslashes, consumed from `rest`. False if the quote does not
/// end.
bool TakeQuoted(std::string_view& rest, std::string& out) {
  for (size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return true;
    }
    if (rest[i] == '\\' && ++i == rest.size()) return false;
    out += rest[i];
  }
  return false;
}

}  // namespace

std::string_view MethodName(Method method) { return kMethods[static_cast<size_t>(method)].name; }

std::optional<Method> FindMethod(std::string_view name) {
  for (const MethodRow& row : kMethods) {
    if (row.name == name) return row.method;
  }
  return std::nullopt;
}

const std::string* Headers::Find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (EqualsIgnoringCase(field.first, name)) return &field.second;
  }
  return nullptr;
}

void Headers::Set(std::string_view name, std::string value) {
  for (Field& field : fields_) {
    if (!EqualsIgnoringCase(field.first, name)) continue;
    field.second = std::move(value);
    return;
  }
  Add(std::string(name), std::move(value));
}

size_t Headers::CountOf(std::string_view name) const {
  return static_cast<size_t>(std::count_if(fields_.begin(), fields_.end(), [&](const Field& field) {
    return EqualsIgnoringCase(field.first, name);
  }));
}

const std::string& Request::PathParam(std::string_view name) const {
  for (const auto& [key, value] : path_params) {
    if (key == name) return value;
  }
  CheckFailed(__FILE__, __LINE__, "the route's pattern has this segment", name);
}

std::string_view Request::ContentType() const {
  const std::string* found = headers.Find("Content-Type");
  return found ? std::string_view(*found) : std::string_view();
}

Response Response::Text(int status, std::string body) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(body);
  return response;
}

Response Response::Json(int status, const formats::Json& value) {
  return JsonText(status, formats::PrintJson(value));
}

Response Response::JsonText(int status, std::string body) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

Response ErrorResponse(int status, std::string_view error_code, std::string_view message) {
  return Response::Json(
      status, formats::Json::MakeObject({{"error_code", error_code}, {"message", message}}));
}

Response BodyErrorResponse(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kResourceExhausted:
      return ErrorResponse(413, "REQUEST_LIMIT_EXCEEDED", error.message());
    case ErrorCode::kUnavailable: return ErrorResponse(408, "BAD_REQUEST", error.message());
    default: return ErrorResponse(400, "BAD_REQUEST", error.message());
  }
}

std::string_view ReasonPhrase(int status) {
  for (const ReasonRow& row : kReasons) {
    if (row.status == status) return row.phrase;
  }
  return "Unknown";
}

Result<MediaType> ParseMediaType(std::string_view text) {
  const auto fail = [&]() -> Error {
    return InvalidArgument("'" + std::string(text.substr(0, 200)) +
                           "' is not a media type; write it as type/subtype; name=value");
  };
  std::string_view rest = internal::TrimBlanks(text);
  const size_t end = std::min(rest.find_first_of("; \t"), rest.size());
  MediaType media{.type = ToLower(rest.substr(0, end)), .parameters = {}};
  const size_t slash = media.type.find('/');
  if (slash == std::string::npos ||
      !internal::IsToken(std::string_view(media.type).substr(0, slash)) ||
      !internal::IsToken(std::string_view(media.type).substr(slash + 1))) {
    return fail();
  }
  rest = internal::TrimBlanks(rest.substr(end));
  while (!rest.empty()) {
    if (rest.front() != ';') return fail();
    rest = internal::TrimBlanks(rest.substr(1));
    if (rest.empty() || rest.front() == ';')
      continue;  // "a/b;" and "a/b;;c=d" are seen in the wild
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos || !internal::IsToken(rest.substr(0, equals))) {
      return fail();
    }
    std::string name = ToLower(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    std::string value;
    if (!rest.empty() && rest.front() == '"') {
      if (!TakeQuoted(rest, value)) return fail();
    } else {
      const size_t value_end = std::min(rest.find_first_of("; \t"), rest.size());
      value = rest.substr(0, value_end);
      if (!internal::IsToken(value)) return fail();
      rest.remove_prefix(value_end);
    }
    media.parameters.emplace_back(std::move(name), std::move(value));
    rest = internal::TrimBlanks(rest);
  }
  return media;
}

}  // namespace sluice::http
