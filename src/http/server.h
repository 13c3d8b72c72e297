// The HTTP/1.1 server: an event loop in front, bounded pools of threads behind it.
//
// The loop holds all connections, idle ones at the price of a socket and a few hundred bytes; it
// reads and checks requests, gives each complete one to the handler pool (or runs it itself, see
// Route::inline_body_bytes_max) and writes each reply with one system call, TCP_NODELAY set.
// Requests of one connection are answered one after the other, so pipelining is safe.
//
// Bodies that are not held in memory leave the loop: a route that streams its body runs on the
// transfer pool and reads the socket itself, a Response::stream is pulled and written there, and a
// Response::file is sent by sendfile on the file pool, which waits for discs but never for a
// client. All of it works over TLS, too (then without sendfile).
//
// Refused before any handler sees it, always with the connection closed afterwards: both
// Content-Length and Transfer-Encoding; more than one of either; a transfer coding other than
// "chunked"; malformed lengths and chunk sizes; folded field lines, bare CR or LF, blanks before
// the colon, control bytes; no or several Host fields in HTTP/1.1; targets that ParseTarget refuses
// (400); a header over its limit (431), a body over its limit (413), versions other than 1.0
// and 1.1 (505), an unknown method (501), an expectation other than 100-continue (417), what comes
// too slowly (408), and a body for which buffered_body_bytes_max has no room (503). A
// Content-Encoding other than gzip and identity is answered with 415, and the connection goes on.
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

class Metrics;

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

  size_t transfer_thread_count = 32;     ///< streams under way at once; started when first needed
  size_t transfer_queue_capacity = 256;  ///< streams waiting for a thread; beyond it 503
  size_t file_thread_count = 2;
  /// Request bodies in memory, all connections together; beyond it 503 with Retry-After.
  int64_t buffered_body_bytes_max = 1 << 30;
  /// Answers of compressible types from this size on are sent in zstd or gzip if the client takes
  /// it. Negative: never.
  int64_t compression_bytes_min = 1 << 10;

  /// PEM files; both or none. With them the server speaks TLS 1.2 and 1.3 only, no plain HTTP.
  std::string tls_certificate_file;  ///< the server's own first, then the chain
  std::string tls_key_file;

  /// Called once per answered request, when its reply is written or given up, from a loop's thread;
  /// must be quick and thread-safe.
  struct Access {
    std::string_view method, path, route_name, peer, request_id;
    std::string_view host, user_agent;  ///< as the client sent them, or empty
    int status = 0;
    int minor_version = 1;      ///< of HTTP/1.
    int64_t request_bytes = 0;  ///< of the body, as far as it was read, decoded
    int64_t body_bytes = 0;     ///< of the reply's body, as far as it was written
    int64_t duration_ns = 0;    ///< from the complete request (where bodies stream: its head) on
    bool is_complete = true;    ///< false: the client did not take the whole reply
  };
  std::function<void(const Access&)> on_answered;
  /// Counts what is answered, if not null (metrics.h). One Metrics serves one Server at a time.
  std::shared_ptr<Metrics> metrics;
};

/// Runs from Start until it is destroyed. Thread-safe.
class Server {
 public:
  /// Errors: kUnavailable (address in use), kPermissionDenied, kNotFound (no such host), all naming
  /// host and port; kInvalidArgument and kNotFound for the TLS files, naming the file.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Router router);
  /// Stop(0).
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const;
  /// "http://127.0.0.1:5000", or https; brackets around IPv6 addresses.
  std::string url() const;

  /// Takes no new connection, closes idle ones, answers what is under way (with "Connection:
  /// close") for at most `drain_ms`, streams included, then closes the rest: a handler that reads
  /// a body gets an error. Returns when all is still; handlers at work are waited for, so never
  /// call it from one. Called again it does nothing.
  void Stop(int64_t drain_ms);

  struct Stats {
    int64_t connection_count = 0;     ///< open now
    int64_t request_count = 0;        ///< answered so far, refusals included
    int64_t refused_count = 0;        ///< 503 for a full queue, memory or too many connections
    int64_t handler_queue_count = 0;  ///< requests waiting for a handler thread
    int64_t transfer_count = 0;       ///< streams under way or waiting for a thread
    int64_t buffered_body_bytes = 0;  ///< request bodies in memory
  };
  Stats stats() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::http
