// The outbound HTTP/1.1 client: object stores and webhooks. Over libcurl, TLS included.
//
// Redirects are answers here, never followed: a server that redirects must not choose where our
// credentials or a webhook's payload go.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace sluice::http {

struct FetchRequest {
  std::string method = "GET";  ///< a token; sent as it stands
  std::string url;             ///< http:// or https://, already percent-encoded; sent as it stands
  Headers headers;             ///< Host, Content-Length and framing are curl's; no Expect is sent
  std::string_view body;       ///< must outlive the call; for Open, the stream
  /// Instead of `body`, if not null: pulled while it is sent, from the calling thread. With
  /// `body_source_bytes` the length is announced (S3 insists on it); without, chunked.
  BodySource* body_source = nullptr;
  std::optional<int64_t> body_source_bytes;

  int64_t connect_timeout_ms = 5'000;  ///< name lookup, connection and TLS handshake
  /// Until the answer is complete; for Open: until its head is there. 0: none.
  int64_t timeout_ms = 60'000;
  /// No byte moved either way for this long is an error.
  int64_t stall_timeout_ms = 30'000;
  /// For Fetch: a larger answer is an error. Open has no limit.
  int64_t response_bytes_max = 16 << 20;

  /// Asked with every address ("10.0.0.1", "::1") that is about to be connected to, after the name
  /// was resolved, and again for a kept connection before it is used: what is refused here is
  /// never sent a byte, whatever a name resolves to the second time. Its error is the call's
  /// error. If set, proxies of the environment are not used.
  std::function<Status(const std::string& address, uint16_t port)> approve_address;
};

struct FetchResponse {
  int status = 0;  ///< final; interim 1xx answers are skipped
  Headers headers;
  std::string body;  ///< bytes as sent: Content-Encoding is not undone

  bool is_success() const { return status >= 200 && status < 300; }
};

/// An answer whose body is read as it comes. Destroying it early drops the connection.
struct FetchStream {
  int status = 0;
  Headers headers;
  std::optional<int64_t> size_bytes;  ///< of the body, when the server says so
  std::unique_ptr<BodySource> body;   ///< one thread at a time; never null
};

struct FetcherOptions {
  std::string user_agent = "sluice";
  /// PEM file of the authorities to trust, in place of the system's. Certificates are always
  /// verified, unless `verifies_tls` is false.
  std::string ca_file;
  bool verifies_tls = true;
  size_t kept_connection_count_max = 32;  ///< idle ones, over all hosts
  bool uses_environment_proxies = true;   ///< http_proxy, https_proxy, no_proxy
};

/// Keeps connections between calls. Thread-safe: calls run in parallel, each on its caller's
/// thread. Streams may outlive the Fetcher.
class Fetcher {
 public:
  explicit Fetcher(FetcherOptions options = {});
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  /// Sends the request and reads the whole answer. An answer with any status is a success here.
  ///
  /// Errors: kInvalidArgument (a bad URL, or not http or https), kNotFound (the name does not
  /// resolve), kUnavailable (refused, timed out, broken off), kPermissionDenied (the certificate
  /// is not trusted), kResourceExhausted (response_bytes_max), kDataLoss (no HTTP), and what
  /// approve_address or body_source said. Messages name scheme, host and port, never the query
  /// or user information, which may be secrets.
  Result<FetchResponse> Fetch(const FetchRequest& request);

  /// Sends the request and returns once the answer's head is there. Same errors; those of the body
  /// come from FetchStream::body, which never ends like a complete one when it was cut off.
  Result<FetchStream> Open(const FetchRequest& request);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::http
