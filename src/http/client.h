// A small blocking HTTP/1.1 client over one keep-alive connection, without TLS: for tests, benches
// and loopback calls.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace sluice::http {

struct ClientOptions {
  int64_t timeout_ms = 10'000;  ///< for connecting, and for each read and write
  int64_t response_bytes_max = 256 << 20;
};

/// One thread at a time. After an error the connection is useless: connect again.
class Client {
 public:
  /// Errors: kUnavailable (nobody listens, timeout), kNotFound (no such host).
  static Result<std::unique_ptr<Client>> Connect(const std::string& host, uint16_t port,
                                                 ClientOptions options = {});
  ~Client();

  struct Call {
    Method method = Method::kGet;
    std::string target = "/";
    Headers headers;  ///< Host and Content-Length are added when absent
    std::string body;
  };
  /// Errors: kUnavailable (closed, timeout), kDataLoss (no HTTP), kResourceExhausted (too large).
  Result<Response> Send(const Call& call);
  Result<Response> Get(const std::string& target);
  Result<Response> Post(const std::string& target, std::string content_type, std::string body);

  // The pieces, for tests that send what no client should.
  Status SendBytes(std::string_view bytes);
  /// The next response; `is_head` when it answers HEAD. Interim (1xx) answers are returned as they
  /// come.
  Result<Response> ReadResponse(bool is_head = false);
  /// True once the server has closed its side and everything was read; waits for it up to the
  /// timeout.
  Result<bool> WaitForClose();
  /// Closes our sending side only.
  void FinishSending();

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::http
