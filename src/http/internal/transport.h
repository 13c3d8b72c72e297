// Reading from and writing to one client's socket, plain or through TLS, without ever waiting.
//
// The loop and the transfer threads use the same object in turn, never at once; each waits in its
// own way where an outcome says kWantRead or kWantWrite.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "http/internal/tls.h"

namespace sluice::http::internal {

enum class IoState : uint8_t {
  kOk,         ///< `byte_count` > 0 bytes moved (a handshake: it is complete)
  kWantRead,   ///< nothing moved; try again when the socket is readable
  kWantWrite,  ///< the same, writable
  kEnd,        ///< the client closed its side in order
  kFailed,     ///< reset, or not TLS
  kFileEnded,  ///< SendFile: the file is shorter than promised, or cannot be read
};
struct IoOutcome {
  IoState state = IoState::kOk;
  size_t byte_count = 0;
};

/// One thread at a time. Does not own the descriptor, which is non-blocking. Threads that use it
/// have SIGPIPE blocked (BlockSigpipe).
class Transport {
 public:
  explicit Transport(int descriptor) : descriptor_(descriptor) {}

  /// From here on everything goes through TLS; Handshake comes first.
  bool StartTls(ssl_ctx_st* context);
  bool is_tls() const { return ssl_ != nullptr; }
  int descriptor() const { return descriptor_; }

  IoOutcome Handshake();
  IoOutcome Read(std::span<char> into);
  /// Writes from the front of the two pieces, as if they were one. `has_more`: the kernel may wait
  /// for what is written next before it sends a short packet.
  IoOutcome Write(std::string_view first, std::string_view second, bool has_more = false);
  /// Up to `size_bytes` of `file` from `offset` on.
  IoOutcome SendFile(int file, int64_t offset, size_t size_bytes);
  /// Reads and forgets, up to scratch.size() bytes; plain ones are not even copied.
  IoOutcome Discard(std::span<char> scratch);
  /// True if bytes may be there that the socket's readiness does not tell of.
  bool has_buffered_input() const;
  /// No more will be written: TLS's goodbye, then the end of the stream.
  void FinishWriting();
  /// Makes every further read and write of any thread fail or end, at once. The one call that may
  /// come from another thread.
  void Abort();

 private:
  IoOutcome FromSsl(int result);

  int descriptor_;
  Ssl ssl_;
};

/// Blocks SIGPIPE for the calling thread and those it starts while this lives: sendfile and OpenSSL
/// have no flag against it.
class BlockSigpipe {
 public:
  BlockSigpipe();
  ~BlockSigpipe();
  BlockSigpipe(const BlockSigpipe&) = delete;
  BlockSigpipe& operator=(const BlockSigpipe&) = delete;

 private:
  bool was_blocked_ = false;
};

/// Waits until the socket is readable or writable; false when `timeout_ms` passed before.
bool WaitForSocket(int descriptor, IoState wanted, int64_t timeout_ms);

}  // namespace sluice::http::internal
