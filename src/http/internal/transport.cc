#include "http/internal/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace sluice::http::internal {
namespace {

/// A TLS record holds no more; asking for more in one call only costs copies.
constexpr size_t kRecordBytes = 16 << 10;

IoOutcome FromErrno(IoState blocked) {
  return {errno == EAGAIN || errno == EWOULDBLOCK ? blocked : IoState::kFailed, 0};
}

}  // namespace

bool Transport::StartTls(ssl_ctx_st* context) {
  ssl_.reset(SSL_new(context));
  if (!ssl_ || SSL_set_fd(ssl_.get(), descriptor_) != 1) return false;
  SSL_set_read_ahead(ssl_.get(), 1);
  SSL_set_accept_state(ssl_.get());
  return true;
}

IoOutcome Transport::FromSsl(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return {IoState::kWantRead, 0};
    case SSL_ERROR_WANT_WRITE: return {IoState::kWantWrite, 0};
    case SSL_ERROR_ZERO_RETURN: return {IoState::kEnd, 0};
    default: ERR_clear_error(); return {IoState::kFailed, 0};
  }
}

IoOutcome Transport::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  return result == 1 ? IoOutcome{} : FromSsl(result);
}

IoOutcome Transport::Read(std::span<char> into) {
  if (ssl_) {
    ERR_clear_error();
    size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
    return result == 1 ? IoOutcome{IoState::kOk, count} : FromSsl(result);
  }
  while (true) {
    const ssize_t count = recv(descriptor_, into.data(), into.size(), 0);
    if (count > 0) return {IoState::kOk, static_cast<size_t>(count)};
    if (count == 0) return {IoState::kEnd, 0};
    if (errno != EINTR) return FromErrno(IoState::kWantRead);
  }
}

IoOutcome Transport::Write(std::string_view first, std::string_view second, bool has_more) {
  if (ssl_) {
    ERR_clear_error();
    // Two short pieces make one record; the same bytes are put together again if it must be
    // retried.
    std::array<char, kRecordBytes> record;
    std::string_view bytes = first.empty() ? second : first;
    if (!first.empty() && !second.empty() && first.size() < kRecordBytes) {
      const size_t added = std::min(second.size(), kRecordBytes - first.size());
      std::memcpy(record.data(), first.data(), first.size());
      std::memcpy(record.data() + first.size(), second.data(), added);
      bytes = {record.data(), first.size() + added};
    }
    size_t count = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
    return result == 1 ? IoOutcome{IoState::kOk, count} : FromSsl(result);
  }
  std::array<iovec, 2> pieces;
  size_t piece_count = 0;
  for (std::string_view piece : {first, second}) {
    if (!piece.empty()) pieces[piece_count++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = piece_count;
  while (true) {
    const ssize_t count = sendmsg(descriptor_, &message, MSG_NOSIGNAL | (has_more ? MSG_MORE : 0));
    if (count >= 0) return {IoState::kOk, static_cast<size_t>(count)};
    if (errno != EINTR) return FromErrno(IoState::kWantWrite);
  }
}

IoOutcome Transport::SendFile(int file, int64_t offset, size_t size_bytes) {
  if (ssl_) {
    std::array<char, kRecordBytes> bytes;
    const ssize_t count = pread(file, bytes.data(), std::min(size_bytes, bytes.size()), offset);
    if (count <= 0) return {IoState::kFileEnded, 0};
    return Write({bytes.data(), static_cast<size_t>(count)}, {});
  }
  while (true) {
    off_t from = offset;
    const ssize_t count = sendfile(descriptor_, file, &from, size_bytes);
    if (count > 0) return {IoState::kOk, static_cast<size_t>(count)};
    if (count == 0) return {IoState::kFileEnded, 0};
    if (errno == EINTR) continue;
    if (errno == EIO || errno == EINVAL || errno == EOVERFLOW) return {IoState::kFileEnded, 0};
    return FromErrno(IoState::kWantWrite);
  }
}

IoOutcome Transport::Discard(std::span<char> scratch) {
  if (ssl_) return Read(scratch);
  while (true) {
    // MSG_TRUNC on a TCP socket drops the bytes without copying them.
    const ssize_t count = recv(descriptor_, scratch.data(), scratch.size(), MSG_TRUNC);
    if (count > 0) return {IoState::kOk, static_cast<size_t>(count)};
    if (count == 0) return {IoState::kEnd, 0};
    if (errno != EINTR) return FromErrno(IoState::kWantRead);
  }
}

bool Transport::has_buffered_input() const { return ssl_ && SSL_has_pending(ssl_.get()) == 1; }

void Transport::FinishWriting() {
  if (ssl_) {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  shutdown(descriptor_, SHUT_WR);
}

void Transport::Abort() { shutdown(descriptor_, SHUT_RDWR); }

BlockSigpipe::BlockSigpipe() {
  sigset_t pipe_only;
  sigset_t before;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
  was_blocked_ = sigismember(&before, SIGPIPE) == 1;
}

BlockSigpipe::~BlockSigpipe() {
  if (was_blocked_) return;
  sigset_t pipe_only;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  // One that was raised meanwhile would be delivered by the unblocking.
  const timespec no_wait{};
  while (sigtimedwait(&pipe_only, nullptr, &no_wait) == SIGPIPE) {
  }
  pthread_sigmask(SIG_UNBLOCK, &pipe_only, nullptr);
}

bool WaitForSocket(int descriptor, IoState wanted, int64_t timeout_ms) {
  pollfd waited{.fd = descriptor,
                .events = static_cast<short>(wanted == IoState::kWantWrite ? POLLOUT : POLLIN),
                .revents = 0};
  const int timeout = static_cast<int>(std::clamp<int64_t>(timeout_ms, 0, 1 << 30));
  // An interrupted wait counts as readiness: the caller tries, and comes back with what is left.
  return poll(&waited, 1, timeout) != 0;
}

}  // namespace sluice::http::internal
