// A request's body, read from the socket by the thread of the handler that wants it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http/internal/chunked.h"
#include "http/internal/transport.h"
#include "http/message.h"

namespace sluice::http::internal {

/// How much longer a client may keep us waiting: a fixed time, and more for every byte that it
/// moved. Only time spent waiting counts, so a slow handler or disc is never the client's fault.
class Patience {
 public:
  Patience(int64_t timeout_ms, int64_t bytes_per_s_min)
      : timeout_ns_(timeout_ms * 1'000'000), ns_per_byte_(1'000'000'000 / bytes_per_s_min) {}

  void CountWait(int64_t waited_ns) { waited_ns_ += waited_ns; }
  /// What is left after `byte_count` bytes; not positive: none.
  int64_t LeftNs(int64_t byte_count) const {
    return timeout_ns_ + byte_count * ns_per_byte_ - waited_ns_;
  }

 private:
  int64_t timeout_ns_;
  int64_t ns_per_byte_;
  int64_t waited_ns_ = 0;
};

/// Blocking reads over a non-blocking transport. One thread at a time; the transport must outlive
/// it and be used by nobody else meanwhile, Transport::Abort excepted.
class RequestBody final : public BodySource {
 public:
  struct Options {
    bool is_chunked = false;
    int64_t content_length = 0;  ///< if not chunked
    std::string buffered;        ///< what was already received behind the head
    bool expects_continue = false;
    int64_t bytes_max = 0;  ///< a longer chunked body is an error
    Patience patience;
  };
  RequestBody(Transport& transport, Options options);

  /// Straight into `into` where the framing allows it. Errors: see Request::body_stream.
  Result<size_t> Read(std::span<char> into) override;

  /// True once the last byte, final chunk included, was read.
  bool is_complete() const { return is_complete_; }
  /// Takes what is already there, up to `bytes_max` and without waiting: perhaps the body is
  /// complete then, and the connection may be used again.
  void SkipWhatIsThere(int64_t bytes_max);
  /// What was received behind the body, once it is complete: the next request's beginning.
  std::string TakeRest();
  int64_t read_bytes() const { return read_bytes_; }

 private:
  Result<size_t> ReadSome(std::span<char> into, bool waits);
  Result<size_t> ReadPlain(std::span<char> into, bool waits);
  Result<size_t> ReadChunked(std::span<char> into, bool waits);
  /// Receives at least one byte; 0 only where `waits` is false and nothing is there.
  Result<size_t> Receive(std::span<char> into, bool waits);
  Status SendContinue();
  Error Fail(Error error);

  Transport& transport_;
  Options options_;
  ChunkDecoder chunks_;
  std::vector<char> raw_;  ///< chunked: received, from raw_begin_ to raw_end_ not yet decoded
  size_t raw_begin_ = 0;
  size_t raw_end_ = 0;
  size_t buffered_used_ = 0;
  int64_t received_bytes_ = 0;  ///< framing included
  int64_t read_bytes_ = 0;
  bool is_complete_ = false;
  std::optional<Error> error_;
};

}  // namespace sluice::http::internal
