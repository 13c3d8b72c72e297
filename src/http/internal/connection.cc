#include "http/internal/connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <exception>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "http/internal/text.h"
#include "http/target.h"

namespace sluice::http::internal {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr int64_t kLingerMs = 2000;
constexpr int64_t kLingerBytesMax = 4 << 20;
constexpr size_t kPendingBytesKept = 16 << 10;  ///< capacity that an idle connection may keep
constexpr int kRequestsPerTurnMax = 32;         ///< pipelined ones, before others get their turn

int64_t NowNs() { return SystemClock().MonotonicNs(); }

std::string NewRequestId() {
  static std::atomic<uint64_t> count = Random(static_cast<uint64_t>(NowNs())).NextU64();
  return fmt::format("{:016x}", StableHash64("request", count.fetch_add(1)));
}

std::string_view ErrorCodeOf(int status) {
  switch (status) {
    case 404: return "ENDPOINT_NOT_FOUND";
    case 405: return "METHOD_NOT_ALLOWED";
    case 413:
    case 431: return "REQUEST_LIMIT_EXCEEDED";
    case 500: return "INTERNAL_ERROR";
    case 501: return "NOT_IMPLEMENTED";
    case 503: return "TEMPORARILY_UNAVAILABLE";
    default: return "BAD_REQUEST";
  }
}

Response Problem(int status, std::string_view message) {
  return ErrorResponse(status, ErrorCodeOf(status), message);
}

/// Handlers put outsiders' text into fields (a redirect, a file name): nothing in it may end the
/// line.
void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (char c : value) out += IsControl(c) ? ' ' : c;
  out += "\r\n";
}

std::string PeerName(const asio::ip::tcp::socket& socket) {
  error_code error;
  const asio::ip::tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return "?";
  const std::string address = peer.address().to_string();
  return fmt::format("{}:{}", peer.address().is_v6() ? "[" + address + "]" : address, peer.port());
}

bool HasNoBody(int status) { return status == 204 || status == 304 || status / 100 == 1; }

}  // namespace

Connection::Connection(Loop& loop, asio::ip::tcp::socket socket)
    : loop_(loop), server_(loop.server()), socket_(std::move(socket)), peer_(PeerName(socket_)) {
  server_.connection_count.fetch_add(1);
}

Connection::~Connection() { server_.connection_count.fetch_sub(1); }

void Connection::Begin(Loop::Connections::iterator position, bool is_one_too_many) {
  position_ = position;
  error_code error;
  socket_.non_blocking(true, error);
  if (!error) socket_.set_option(asio::ip::tcp::no_delay(true), error);
  if (error) return Close();
  if (is_one_too_many) {
    server_.refused_count.fetch_add(1);
    return Refuse({503, "too many connections; try again later"});
  }
  SetDeadline(server_.options.idle_timeout_ms, 0);
  WaitReadable();
}

// Reading.

void Connection::WaitReadable() {
  socket_.async_wait(asio::ip::tcp::socket::wait_read,
                     [self = shared_from_this()](const error_code& error) {
                       if (!error) self->OnReadable();
                     });
}

void Connection::OnReadable() {
  if (state_ != State::kHead && state_ != State::kBody && state_ != State::kLinger) return;
  error_code error;
  auto& scratch = loop_.scratch();
  const size_t count = socket_.read_some(asio::buffer(scratch), error);
  if (error == asio::error::would_block || error == asio::error::try_again) return WaitReadable();
  if (error) return Close();  // the end, or a reset: what was half said stays unanswered
  if (state_ == State::kLinger) {
    received_bytes_ += static_cast<int64_t>(count);
    return received_bytes_ > kLingerBytesMax ? Close() : WaitReadable();
  }
  const std::string_view bytes(scratch.data(), count);
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
  head_ = Head();
  head_scan_ = 0;
  phase_start_ns_ = 0;
  const std::optional<Refusal> refusal = ParseHead(bytes.substr(0, end), head_);
  bytes.remove_prefix(end);
  if (refusal) {
    Refuse(*refusal);
    return false;
  }
  if (!StartRequest()) return false;
  if (head_.expects_continue && bytes.empty()) SendContinue();
  return true;
}

/// From a good head to a request that waits for its body.
bool Connection::StartRequest() {
  is_keep_alive_ = head_.is_keep_alive && !server_.is_stopping.load(std::memory_order_relaxed);
  request_ = Request();
  request_.peer = peer_;
  const std::optional<Method> method = FindMethod(head_.method);
  if (!method) {
    Refuse({501, "unknown method"});
    return false;
  }
  Result<Target> target = ParseTarget(head_.target);
  if (!target.ok()) {
    Refuse({400, target.error().message()});
    return false;
  }
  request_.method = *method;
  request_.path = std::move(target->path);
  request_.query = std::move(target->query);
  request_.headers = std::move(head_.headers);
  match_ = server_.router.Find(request_.method, request_.path);
  body_bytes_max_ = match_.route && match_.route->body_bytes_max >= 0
                        ? match_.route->body_bytes_max
                        : server_.options.body_bytes_max;
  if (head_.content_length > body_bytes_max_) {
    Refuse({413, fmt::format("the body is larger than {} bytes", body_bytes_max_)});
    return false;
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
  error_code error;
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  // Nothing else is being written now, so the kernel's buffer has room for a line.
  socket_.write_some(asio::buffer(kContinue.data(), kContinue.size()), error);
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
    const size_t missing = static_cast<size_t>(head_.content_length) - request_.body.size();
    const std::string_view part = bytes.substr(0, missing);
    request_.body += part;
    bytes.remove_prefix(part.size());
    is_complete = part.size() == missing;
  }
  if (is_complete) {
    Dispatch();
    return true;
  }
  received_bytes_ += static_cast<int64_t>(before);
  SetDeadline(server_.options.transfer_timeout_ms, received_bytes_);
  return false;
}

// Answering.

void Connection::Dispatch() {
  complete_ns_ = NowNs();
  request_.id = NewRequestId();
  const Route* route = match_.route;
  if (!route) {
    if (match_.allow.empty() && request_.path != "*") {
      return ReplyNow(Problem(404, fmt::format("No such path: {}", request_.path)));
    }
    Response response = request_.method == Method::kOptions
                            ? Response{.status = 204, .content_type = {}, .body = {}, .headers = {}}
                            : Problem(405, fmt::format("{} does not answer {}", request_.path,
                                                       MethodName(request_.method)));
    if (!match_.allow.empty()) response.headers.Add("Allow", match_.allow);
    return ReplyNow(std::move(response));
  }
  request_.path_params = std::move(match_.path_params);
  if (static_cast<int64_t>(request_.body.size()) <= route->inline_body_bytes_max) {
    RunHandler();
    return Reply();
  }
  state_ = State::kHandler;
  const Status submitted = server_.handlers.TrySubmit([self = shared_from_this()] {
    self->RunHandler();
    asio::post(self->loop_.io(), [self] {
      if (self->state_ == State::kHandler) self->Reply();
    });
  });
  if (submitted.ok()) return;
  server_.refused_count.fetch_add(1);
  Response busy = Problem(503, "the server has more requests than it can queue; try again later");
  busy.headers.Add("Retry-After", std::to_string(server_.options.retry_after_s));
  ReplyNow(std::move(busy));
}

/// The last resort of all handlers: whatever they throw becomes a 500 that tells nothing but an id.
void Connection::RunHandler() {
  try {
    response_ = match_.route->handler(request_);
    return;
  } catch (const std::exception& error) {
    Log(LogLevel::kError, "request {} {} {}: {}", request_.id, MethodName(request_.method),
        request_.path, error.what());
  } catch (...) {
    Log(LogLevel::kError, "request {} {} {}: an exception of unknown type", request_.id,
        MethodName(request_.method), request_.path);
  }
  response_ = Problem(500, "Internal error; the log has it under request id " + request_.id);
}

void Connection::ReplyNow(Response response) {
  response_ = std::move(response);
  Reply();
}

/// Answers without a handler and closes; what the client still sends is not read as a request.
void Connection::Refuse(const Refusal& refusal) {
  if (request_.id.empty()) request_.id = NewRequestId();
  is_keep_alive_ = false;
  complete_ns_ = NowNs();
  match_ = Router::Match();
  Response response = Problem(refusal.status, refusal.message);
  if (refusal.status == 503) {
    response.headers.Add("Retry-After", std::to_string(server_.options.retry_after_s));
  }
  ReplyNow(std::move(response));
}

void Connection::Reply() {
  if (server_.is_stopping.load(std::memory_order_relaxed)) is_keep_alive_ = false;
  server_.request_count.fetch_add(1, std::memory_order_relaxed);
  if (server_.options.on_answered) {
    server_.options.on_answered({.method = head_.method,
                                 .path = request_.path,
                                 .route_name = match_.route ? match_.route->name : "",
                                 .peer = peer_,
                                 .request_id = request_.id,
                                 .status = response_.status,
                                 .body_bytes = static_cast<int64_t>(response_.body.size()),
                                 .duration_ns = NowNs() - complete_ns_});
  }
  WriteReplyHead();
  state_ = State::kWrite;
  written_bytes_ = 0;
  phase_start_ns_ = NowNs();
  SetDeadline(server_.options.transfer_timeout_ms, 0);
  Write();
}

void Connection::WriteReplyHead() {
  const bool has_length = !HasNoBody(response_.status);
  is_body_sent_ = has_length && request_.method != Method::kHead;
  out_head_.clear();
  fmt::format_to(std::back_inserter(out_head_), "HTTP/1.1 {} {}\r\n", response_.status,
                 ReasonPhrase(response_.status));
  out_head_ += loop_.DateField();
  if (!response_.content_type.empty()) {
    AppendField(out_head_, "Content-Type", response_.content_type);
  }
  if (has_length) {
    fmt::format_to(std::back_inserter(out_head_), "Content-Length: {}\r\n", response_.body.size());
  }
  if (!is_keep_alive_) {
    out_head_ += "Connection: close\r\n";
  } else if (head_.minor_version == 0) {
    out_head_ += "Connection: keep-alive\r\n";
  }
  for (const auto& [name, value] : response_.headers.fields()) AppendField(out_head_, name, value);
  out_head_ += "\r\n";
}

/// Head and body in one system call where the kernel takes them.
void Connection::Write() {
  if (state_ != State::kWrite) return;
  const size_t body_bytes = is_body_sent_ ? response_.body.size() : 0;
  const size_t total_bytes = out_head_.size() + body_bytes;
  while (written_bytes_ < total_bytes) {
    const size_t head_done = std::min(written_bytes_, out_head_.size());
    const size_t body_done = written_bytes_ - head_done;
    const std::array<asio::const_buffer, 2> buffers = {
        asio::buffer(out_head_.data() + head_done, out_head_.size() - head_done),
        asio::buffer(response_.body.data() + body_done, body_bytes - body_done)};
    error_code error;
    written_bytes_ += socket_.write_some(buffers, error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      SetDeadline(server_.options.transfer_timeout_ms, static_cast<int64_t>(written_bytes_));
      socket_.async_wait(asio::ip::tcp::socket::wait_write,
                         [self = shared_from_this()](const error_code& wait_error) {
                           if (!wait_error) self->Write();
                         });
      return;
    }
    if (error) return Close();
  }
  OnWritten();
}

void Connection::OnWritten() {
  response_ = Response();
  request_ = Request();
  if (!is_keep_alive_) return Linger();
  state_ = State::kHead;
  head_scan_ = 0;
  phase_start_ns_ = 0;
  SetDeadline(server_.options.idle_timeout_ms, 0);
  // Inside Consume the loop there goes on with what is left; else this is a later turn.
  if (is_consuming_) return;
  if (pending_.empty()) return WaitReadable();
  ContinueWithPending();
}

// Ending.

/// Closing while input is unread makes the kernel send a reset, which can destroy the reply before
/// the client reads it: say that we are done, then wait a while for the client to hang up.
void Connection::Linger() {
  error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  if (error) return Close();
  state_ = State::kLinger;
  received_bytes_ = 0;
  pending_.clear();
  phase_start_ns_ = NowNs();
  deadline_ns_ = phase_start_ns_ + kLingerMs * 1'000'000;
  WaitReadable();
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  error_code error;
  socket_.close(error);
  loop_.Forget(position_);
}

void Connection::SetDeadline(int64_t timeout_ms, int64_t byte_count) {
  const int64_t start_ns = phase_start_ns_ != 0 ? phase_start_ns_ : NowNs();
  deadline_ns_ = start_ns + timeout_ms * 1'000'000 +
                 byte_count * (1'000'000'000 / server_.options.transfer_bytes_per_s_min);
}

void Connection::CheckDeadline(int64_t now_ns) {
  if (now_ns < deadline_ns_ || state_ == State::kHandler) return;
  const bool is_mid_request =
      (state_ == State::kHead && !pending_.empty()) || state_ == State::kBody;
  if (!is_mid_request) return Close();
  socket_.cancel();  // the wait for more input
  Refuse({408, "the request came too slowly"});
}

}  // namespace sluice::http::internal
