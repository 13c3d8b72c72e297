#include "api/errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "formats/json.h"

namespace sluice::api {

namespace {

/// What MLflow's clients read beside the code since 3.17.
struct Classification {
  std::string_view error_code;
  std::string_view sqlstate;
  std::string_view error_class;
};
constexpr std::array kClassifications = std::to_array<Classification>({
    {"BAD_REQUEST", "KAM00", "INVALID_PARAMETER_VALUE"},
    {"CUSTOMER_UNAUTHORIZED", "KAM00", "PERMISSION_DENIED"},
    {"ENDPOINT_NOT_FOUND", "KAM00", "RESOURCE_NOT_FOUND"},
    {"FEATURE_DISABLED", "KAM00", "FEATURE_DISABLED"},
    {"INTERNAL_ERROR", "XXM00", "CLIENT_INTERNAL_ERROR"},
    {"INVALID_PARAMETER_VALUE", "KAM00", "INVALID_PARAMETER_VALUE"},
    {"INVALID_STATE", "XXM00", "CLIENT_INTERNAL_ERROR"},
    {"NOT_FOUND", "KAM00", "RESOURCE_NOT_FOUND"},
    {"PERMISSION_DENIED", "KAM00", "PERMISSION_DENIED"},
    {"RESOURCE_ALREADY_EXISTS", "KAM00", "RESOURCE_ALREADY_EXISTS"},
    {"RESOURCE_DOES_NOT_EXIST", "KAM00", "RESOURCE_NOT_FOUND"},
    {"TEMPORARILY_UNAVAILABLE", "XXM00", "CLIENT_INTERNAL_ERROR"},
});

struct WireCode {
  int status;
  std::string_view error_code;
};

WireCode WireCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return {400, "INVALID_PARAMETER_VALUE"};
    case ErrorCode::kNotFound: return {404, "RESOURCE_DOES_NOT_EXIST"};
    case ErrorCode::kAlreadyExists: return {400, "RESOURCE_ALREADY_EXISTS"};
    // What MLflow answers to writes on what is deleted.
    case ErrorCode::kFailedPrecondition: return {400, "INVALID_PARAMETER_VALUE"};
    case ErrorCode::kPermissionDenied: return {403, "PERMISSION_DENIED"};
    case ErrorCode::kResourceExhausted: return {429, "RESOURCE_EXHAUSTED"};
    case ErrorCode::kUnavailable: return {503, "TEMPORARILY_UNAVAILABLE"};
    case ErrorCode::kCancelled: return {499, "CANCELLED"};
    case ErrorCode::kDataLoss: return {500, "DATA_LOSS"};
    case ErrorCode::kInternal: return {500, "INTERNAL_ERROR"};
  }
  return {500, "INTERNAL_ERROR"};
}

}  // namespace

http::Response ErrorAnswer(int status, std::string_view error_code, std::string_view message) {
  formats::Json body =
      formats::Json::MakeObject({{"error_code", error_code}, {"message", message}});
  const auto* found =
      std::find_if(kClassifications.begin(), kClassifications.end(),
                   [&](const Classification& one) { return one.error_code == error_code; });
  if (found != kClassifications.end()) {
    body["sqlstate"] = found->sqlstate;
    body["error_class"] = found->error_class;
  }
  return http::Response::Json(status, body);
}

http::Response ErrorAnswer(const Error& error, const http::Request& request) {
  const WireCode wire = WireCodeOf(error.code());
  if (wire.status != 500) return ErrorAnswer(wire.status, wire.error_code, error.ToString());
  // What broke inside is for the log; a client gets the number under which it stands there.
  Log(LogLevel::kError, "request {} ({} {}): {}", request.id, http::MethodName(request.method),
      request.path, error.ToString());
  return ErrorAnswer(wire.status, wire.error_code,
                     fmt::format("The server failed to answer this request; its log has the reason "
                                 "under request id {}.",
                                 request.id));
}

http::Response NoSuchEndpoint(const http::Request& request) {
  return ErrorAnswer(
      404, "ENDPOINT_NOT_FOUND",
      fmt::format("No API found for '{} {}'", http::MethodName(request.method), request.path));
}

}  // namespace sluice::api
