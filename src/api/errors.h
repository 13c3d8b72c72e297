// Errors on the wire: {"error_code", "message", "sqlstate", "error_class"}. The one place that maps
// our codes to MLflow's names and to statuses. All functions here are pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace sluice::api {

/// The answer for an error of a store or of a request's fields. kInternal and kDataLoss say nothing
/// of what happened but the request id, under which the log has it.
http::Response ErrorAnswer(const Error& error, const http::Request& request);

/// For what has no code of ours: ("NOT_IMPLEMENTED", 501), ("ENDPOINT_NOT_FOUND", 404), ...
http::Response ErrorAnswer(int status, std::string_view error_code, std::string_view message);

/// 404: {"error_code": "ENDPOINT_NOT_FOUND", "message": "No API found for 'GET /x'"}.
http::Response NoSuchEndpoint(const http::Request& request);

}  // namespace sluice::api
