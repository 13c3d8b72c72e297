// Reading requests, and the connection's beginning and end; connection_reply.cc has the rest.
#include "http/internal/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/clock.h"
#include "http/target.h"

namespace sluice::http::internal {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// After a reply that ended the connection early, a client that is still sending is let go on for a
/// while, if it is quick: most read the answer only when they have sent everything.
constexpr int64_t kLingerMs = 2'000;
constexpr int64_t kLingerMsMax = 30'000;
constexpr int64_t kLingerNsPerByte = 100;
constexpr int kDiscardsPerTurn = 32;
constexpr size_t kPendingBytesKept = 16 << 10;   ///< capacity that an idle connection may keep
constexpr size_t kBodyBytesReserved = 64 << 10;  ///< on a Content-Length's word alone
constexpr int kRequestsPerTurnMax = 32;          ///< pipelined ones, before others get their turn

int64_t NowNs() { return SystemClock().MonotonicNs(); }

std::string PeerName(const asio::ip::tcp::socket& socket) {
  error_code error;
  const asio::ip::tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return "?";
  const std::string address = peer.address().to_string();
  return fmt::format("{}:{}", peer.address().is_v6() ? "[" + address + "]" : address, peer.port());
}

}  // namespace

Connection::Connection(Loop& loop, asio::ip::tcp::socket socket)
    : loop_(loop),
      server_(loop.server()),
      socket_(std::move(socket)),
      transport_(socket_.native_handle()),
      peer_(PeerName(socket_)),
      memory_(server_.buffered_body_bytes, server_.options.buffered_body_bytes_max),
      patience_(server_.options.transfer_timeout_ms, server_.options.transfer_bytes_per_s_min) {
  server_.connection_count.fetch_add(1);
}

Connection::~Connection() {
  if (is_transfer_counted_) server_.transfer_count.fetch_sub(1);
  server_.connection_count.fetch_sub(1);
}

void Connection::Begin(Loop::Connections::iterator position, bool is_one_too_many) {
  position_ = position;
  error_code error;
  socket_.non_blocking(true, error);
  if (!error) socket_.set_option(asio::ip::tcp::no_delay(true), error);
  if (error) return Close();
  if (is_one_too_many) {
    server_.refused_count.fetch_add(1);
    // Before a handshake there is no way to say so.
    return server_.tls ? Close() : Refuse({503, "too many connections; try again later"});
  }
  if (server_.tls) {
    if (!transport_.StartTls(server_.tls.get())) return Close();
    state_ = State::kHandshake;
    SetDeadline(server_.options.header_timeout_ms, 0);
    return WaitFor(IoState::kWantRead, &Connection::ContinueHandshake);
  }
  SetDeadline(server_.options.idle_timeout_ms, 0);
  WaitReadable();
}

void Connection::ContinueHandshake() {
  if (state_ != State::kHandshake) return;
  const IoOutcome outcome = transport_.Handshake();
  if (outcome.state == IoState::kWantRead || outcome.state == IoState::kWantWrite) {
    return WaitFor(outcome.state, &Connection::ContinueHandshake);
  }
  if (outcome.state != IoState::kOk) return Close();
  state_ = State::kHead;
  SetDeadline(server_.options.idle_timeout_ms, 0);
  WaitReadable();
}

// Reading.

void Connection::WaitFor(IoState wanted, void (Connection::*then)()) {
  socket_.async_wait(wanted == IoState::kWantWrite ? asio::ip::tcp::socket::wait_write
                                                   : asio::ip::tcp::socket::wait_read,
                     [self = shared_from_this(), then](const error_code& error) {
                       if (!error) (self.get()->*then)();
                     });
}

void Connection::WaitReadable() {
  if (transport_.has_buffered_input()) {
    asio::post(loop_.io(), [self = shared_from_this()] { self->OnReadable(); });
  } else {
    WaitFor(IoState::kWantRead, &Connection::OnReadable);
  }
}

void Connection::OnReadable() {
  if (state_ == State::kLinger) return DiscardInput();
  if (state_ != State::kHead && state_ != State::kBody) return;
  const std::span<char> scratch = loop_.scratch();
  const IoOutcome outcome = transport_.Read(scratch);
  if (outcome.state == IoState::kWantRead || outcome.state == IoState::kWantWrite) {
    return WaitFor(outcome.state, &Connection::OnReadable);
  }
  // The end, or a reset: what was half said stays unanswered.
  if (outcome.state != IoState::kOk) return Close();
  const std::string_view bytes(scratch.data(), outcome.byte_count);
  if (pending_.empty()) return Consume(bytes);
  pending_ += bytes;
  ContinueWithPending();
}

void Connection::ContinueWithPending() {
  const std::string taken = std::move(pending_);
  pending_.clear();
  Consume(taken);
}

void Connection::Consume(std::string_view bytes) {
  is_consuming_ = true;
  int request_count = 0;
  bool goes_on = true;
  while (goes_on && (state_ == State::kHead || state_ == State::kBody)) {
    if (state_ == State::kHead && ++request_count > kRequestsPerTurnMax) break;
    goes_on = state_ == State::kHead ? ConsumeHead(bytes) : ConsumeBody(bytes);
  }
  is_consuming_ = false;
  if (state_ == State::kClosed || state_ == State::kLinger) return;
  pending_.assign(bytes);
  if (pending_.empty() && pending_.capacity() > kPendingBytesKept) pending_.shrink_to_fit();
  if (!goes_on && (state_ == State::kHead || state_ == State::kBody)) return WaitReadable();
  if (goes_on && state_ == State::kHead) {  // the turn is over, not the input
    asio::post(loop_.io(), [self = shared_from_this()] {
      if (self->state_ == State::kHead) self->ContinueWithPending();
    });
  }
}

/// True if it moved on and more may be done with what is left of `bytes`.
bool Connection::ConsumeHead(std::string_view& bytes) {
  // RFC 9112, 2.2: an empty line before the request line is skipped.
  while (head_scan_ == 0 && bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  if (bytes.empty()) return false;
  if (phase_start_ns_ == 0) {
    head_ = Head();
    phase_start_ns_ = NowNs();
    SetDeadline(server_.options.header_timeout_ms, 0);
  }
  if (bytes == "\r") return false;  // perhaps the first half of such a line
  const size_t end = FindHeadEnd(bytes, head_scan_);
  const auto limit = static_cast<size_t>(server_.options.header_bytes_max);
  if (end == std::string_view::npos) {
    Refuse({400, "a line of the header does not end in CR LF"});
    return false;
  }
  if (end > limit || (end == 0 && bytes.size() > limit)) {
    Refuse({431, fmt::format("the header is larger than {} bytes", limit)});
    return false;
  }
  if (end == 0) return false;
  head_scan_ = 0;
  phase_start_ns_ = 0;
  const std::optional<Refusal> refusal = ParseHead(bytes.substr(0, end), head_);
  bytes.remove_prefix(end);
  if (refusal) {
    Refuse(*refusal);
    return false;
  }
  if (!StartRequest()) return false;
  if (match_.route && match_.route->streams_body) {
    StartStreaming(bytes);
    return false;
  }
  if (head_.expects_continue && bytes.empty()) SendContinue();
  return true;
}

/// From a good head to a request that waits for its body.
bool Connection::StartRequest() {
  is_keep_alive_ = head_.is_keep_alive && !server_.is_stopping.load(std::memory_order_relaxed);
  request_ = Request();
  request_.peer = peer_;
  const auto refuse = [&](int status, std::string message, std::string error_code = {}) {
    Refuse({status, std::move(message), std::move(error_code)});
    return false;
  };
  const std::optional<Method> method = FindMethod(head_.method);
  if (!method) return refuse(501, "unknown method");
  request_.method = *method;
  Result<Target> target = ParseTarget(head_.target);
  request_.headers = std::move(head_.headers);
  if (!target.ok()) {
    return refuse(400, "Invalid path: " + target.error().message(), "INVALID_PARAMETER_VALUE");
  }
  request_.path = std::move(target->path);
  // "//runs/get" is what clients make of a base URL that ends in a slash; Flask reads it so, too.
  if (request_.path.starts_with("//")) {
    const size_t first = std::min(request_.path.find_first_not_of('/'), request_.path.size());
    request_.path.erase(0, first - 1);
  }
  request_.query = std::move(target->query);
  match_ = server_.router.Find(request_.method, request_.path);
  body_bytes_max_ = match_.route && match_.route->body_bytes_max >= 0
                        ? match_.route->body_bytes_max
                        : server_.options.body_bytes_max;
  if (head_.content_length > body_bytes_max_) {
    return refuse(413, fmt::format("the body is larger than {} bytes", body_bytes_max_));
  }
  request_coding_ = Coding::kIdentity;
  if (const std::string* coding = request_.headers.Find("Content-Encoding")) {
    const std::optional<Coding> found = FindRequestCoding(*coding);
    if (!found || request_.headers.CountOf("Content-Encoding") > 1) {
      return refuse(415, "the Content-Encoding is not one of: gzip, identity");
    }
    request_coding_ = *found;
  }
  state_ = State::kBody;
  chunks_ = ChunkDecoder();
  received_bytes_ = 0;
  phase_start_ns_ = NowNs();
  SetDeadline(server_.options.transfer_timeout_ms, 0);
  return true;
}

void Connection::SendContinue() {
  if (!head_.is_chunked && head_.content_length == 0) return;
  // Nothing else is being written now, so the kernel's buffer has room for a line.
  transport_.Write("HTTP/1.1 100 Continue\r\n\r\n", {});
}

bool Connection::ConsumeBody(std::string_view& bytes) {
  const size_t before = bytes.size();
  bool is_complete = false;
  if (head_.is_chunked) {
    const ChunkDecoder::State state = chunks_.Feed(bytes, request_.body, body_bytes_max_);
    if (state == ChunkDecoder::State::kBad) {
      Refuse({400, "the chunked body is malformed"});
      return false;
    }
    if (state == ChunkDecoder::State::kTooLarge) {
      Refuse({413, fmt::format("the body is larger than {} bytes", body_bytes_max_)});
      return false;
    }
    is_complete = state == ChunkDecoder::State::kDone;
  } else {
    const auto length = static_cast<size_t>(head_.content_length);
    if (request_.body.empty() && !bytes.empty())
      request_.body.reserve(std::min(length, kBodyBytesReserved));
    const std::string_view part = bytes.substr(0, length - request_.body.size());
    request_.body += part;
    bytes.remove_prefix(part.size());
    is_complete = request_.body.size() == length;
  }
  // What is promised costs nothing yet, what has come does.
  if (!memory_.GrowTo(static_cast<int64_t>(request_.body.capacity())).ok()) {
    server_.refused_count.fetch_add(1);
    Refuse({503, "too many request bodies are in memory now; try again later"});
    return false;
  }
  if (is_complete) {
    Dispatch();
    return true;
  }
  received_bytes_ += static_cast<int64_t>(before);
  SetDeadline(server_.options.transfer_timeout_ms, received_bytes_);
  return false;
}

// Ending.

/// Closing while input is unread makes the kernel send a reset, which can destroy the reply before
/// the client reads it: say that we are done, then wait a while for the client to hang up.
void Connection::Linger() {
  transport_.FinishWriting();
  state_ = State::kLinger;
  received_bytes_ = 0;
  pending_.clear();
  phase_start_ns_ = NowNs();
  deadline_ns_ = phase_start_ns_ + kLingerMs * 1'000'000;
  WaitReadable();
}

void Connection::DiscardInput() {
  for (int i = 0; i < kDiscardsPerTurn; ++i) {
    const IoOutcome outcome = transport_.Discard(loop_.scratch());
    if (outcome.state == IoState::kWantRead) {
      return WaitFor(IoState::kWantRead, &Connection::OnReadable);
    }
    if (outcome.state != IoState::kOk) return Close();
    received_bytes_ += static_cast<int64_t>(outcome.byte_count);
    const int64_t allowed_ns = std::min(kLingerMs * 1'000'000 + received_bytes_ * kLingerNsPerByte,
                                        kLingerMsMax * 1'000'000);
    deadline_ns_ = phase_start_ns_ + allowed_ns;
  }
  asio::post(loop_.io(), [self = shared_from_this()] { self->OnReadable(); });
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  const bool is_shared = state_ == State::kTransfer;
  // A pool's thread at work has the request; then there is nothing to be told about either.
  if (!is_shared && state_ != State::kHandler) EndReply(false);
  state_ = State::kClosed;
  if (is_shared) {
    // The pool's thread still has the descriptor; it is closed with this object, after that.
    transport_.Abort();
  } else {
    error_code error;
    socket_.close(error);
  }
  loop_.Forget(position_);
}

void Connection::SetDeadline(int64_t timeout_ms, int64_t byte_count) {
  const int64_t start_ns = phase_start_ns_ != 0 ? phase_start_ns_ : NowNs();
  deadline_ns_ = start_ns + timeout_ms * 1'000'000 +
                 byte_count * (1'000'000'000 / server_.options.transfer_bytes_per_s_min);
}

void Connection::CheckDeadline(int64_t now_ns) {
  if (now_ns < deadline_ns_ || state_ == State::kHandler || state_ == State::kTransfer) return;
  const bool is_mid_request =
      (state_ == State::kHead && !pending_.empty()) || state_ == State::kBody;
  if (!is_mid_request) return Close();
  socket_.cancel();  // the wait for more input
  Refuse({408, "the request came too slowly"});
}

}  // namespace sluice::http::internal
