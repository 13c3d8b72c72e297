// The HTTP/1.1 server: an event loop in front, a bounded pool of handlers behind it.
//
// The loop holds all connections, idle ones at the price of a socket and a few hundred bytes; it
// reads and checks requests, gives each complete one to the pool (or runs it itself, see
// Route::inline_body_bytes_max) and writes each reply with one system call, TCP_NODELAY set.
// Requests of one connection are answered one after the other, so pipelining is safe.
//
// Refused before any handler sees it, always with the connection closed afterwards: both
// Content-Length and Transfer-Encoding; more than one of either; a transfer coding other than
// "chunked"; malformed lengths and chunk sizes; folded field lines, bare CR or LF, blanks before
// the colon, control bytes; no or several Host fields in HTTP/1.1; targets that ParseTarget refuses
// (400); a header over its limit (431), a body over its limit (413), versions other than 1.0
// and 1.1 (505), an unknown method (501), an expectation other than 100-continue (417), and what
// comes too slowly (408).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/router.h"

namespace sluice::http {

struct ServerOptions {
  std::string host = "127.0.0.1";  ///< an address or a name
  uint16_t port = 0;               ///< 0: the kernel chooses
  size_t loop_thread_count = 1;    ///< event loops; connections are dealt out in turn
  size_t handler_thread_count = 4;
  size_t handler_queue_capacity =
      256;  ///< complete requests waiting; beyond it 503 with Retry-After
  size_t connection_count_max = 16'384;  ///< beyond it a new connection gets 503 and is closed
  int64_t header_bytes_max = 32 << 10;   ///< request line and fields together
  int64_t body_bytes_max = 64 << 20;     ///< see Route::body_bytes_max
  int64_t idle_timeout_ms = 75'000;      ///< between requests
  int64_t header_timeout_ms = 10'000;    ///< from a request's first byte to the end of its header
  /// A body must be read, and a reply taken by the client, within this time plus its size over
  /// transfer_bytes_per_s_min.
  int64_t transfer_timeout_ms = 30'000;
  int64_t transfer_bytes_per_s_min = 16 << 10;
  int64_t retry_after_s = 1;
  /// Called once per answered request, from the thread that made the answer; must be quick and
  /// thread-safe.
  struct Access {
    std::string_view method, path, route_name, peer, request_id;
    int status = 0;
    int64_t body_bytes = 0;
    int64_t duration_ns =
        0;  ///< from the complete request to the complete answer, without writing it
  };
  std::function<void(const Access&)> on_answered;
};

/// Runs from Start until it is destroyed. Thread-safe.
class Server {
 public:
  /// Errors: kUnavailable (address in use), kPermissionDenied, kNotFound (no such host), all naming
  /// host and port.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Router router);
  /// Stop(0).
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const;
  /// "http://127.0.0.1:5000"; brackets around IPv6 addresses.
  std::string url() const;

  /// Takes no new connection, closes idle ones, answers what is under way (with "Connection:
  /// close") for at most `drain_ms`, then closes the rest. Returns when all is still; handlers at
  /// work are waited for, so never call it from one. Called again it does nothing.
  void Stop(int64_t drain_ms);

  struct Stats {
    int64_t connection_count = 0;  ///< open now
    int64_t request_count = 0;     ///< answered so far, refusals included
    int64_t refused_count = 0;     ///< 503 for a full queue or too many connections
  };
  Stats stats() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::http
