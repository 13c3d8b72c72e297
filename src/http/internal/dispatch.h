// What happens to a request away from its socket: decoding, the handler, compression.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/internal/coding.h"
#include "http/internal/memory_claim.h"
#include "http/message.h"
#include "http/router.h"
#include "http/server.h"

namespace sluice::http::internal {

struct DispatchTask {
  const Router& router;
  const Router::Match& match;
  Request& request;
  Coding request_coding = Coding::kIdentity;
  int64_t body_bytes_max = 0;
  int64_t compression_bytes_min = -1;
  MemoryClaim& memory;
};

/// The answer of the route's handler, of the router's fallback, or DefaultAnswer. The last resort
/// of all handlers: whatever they throw becomes a 500 that tells nothing but an id. Thread-safe.
Response Answer(const DispatchTask& task);

/// An answer of the server's own, with MLflow's error code for the status.
Response Problem(int status, std::string_view message);

}  // namespace sluice::http::internal
