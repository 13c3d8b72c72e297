#include "http/internal/dispatch.h"

#include <exception>

#include "base/log.h"

namespace sluice::http::internal {
namespace {

std::string_view ErrorCodeOf(int status) {
  switch (status) {
    case 413:
    case 431: return "REQUEST_LIMIT_EXCEEDED";
    case 500: return "INTERNAL_ERROR";
    case 501: return "NOT_IMPLEMENTED";
    case 503: return "TEMPORARILY_UNAVAILABLE";
    default: return "BAD_REQUEST";
  }
}

/// Nothing if the body is plain now, else why not.
std::optional<Response> DecodeBody(const DispatchTask& task) {
  Request& request = task.request;
  // While it is decoded, both forms are in memory.
  int64_t wanted = task.memory.held_bytes();
  const Status decoded = DecodeGzip(request.body, task.body_bytes_max, [&](int64_t more) {
    return task.memory.GrowTo(wanted += more);
  });
  if (decoded.ok()) return std::nullopt;
  const Error& error = decoded.error();
  if (error.code() == ErrorCode::kUnavailable) return Problem(503, error.message());
  return BodyErrorResponse(error);
}

Response CallHandler(const DispatchTask& task) {
  if (const Route* route = task.match.route) {
    if (!route->streams_body && task.request_coding == Coding::kGzip) {
      if (std::optional<Response> refusal = DecodeBody(task)) return *std::move(refusal);
    }
    return route->handler(task.request);
  }
  const Fallback& fallback = task.router.fallback();
  return fallback ? fallback(task.request, task.match.allow)
                  : DefaultAnswer(task.request, task.match.allow);
}

}  // namespace

Response Problem(int status, std::string_view message) {
  return ErrorResponse(status, ErrorCodeOf(status), message);
}

Response Answer(const DispatchTask& task) {
  const Request& request = task.request;
  try {
    Response response = CallHandler(task);
    CompressReply(request, task.compression_bytes_min, response);
    return response;
  } catch (const std::exception& error) {
    Log(LogLevel::kError, "request {} {} {}: {}", request.id, MethodName(request.method),
        request.path, error.what());
  } catch (...) {
    Log(LogLevel::kError, "request {} {} {}: an exception of unknown type", request.id,
        MethodName(request.method), request.path);
  }
  return Problem(500, "Internal error; the log has it under request id " + request.id);
}

}  // namespace sluice::http::internal
