// Answering: from a complete request, or a complete head, to the reply's last byte.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "http/internal/connection.h"
#include "http/internal/dispatch.h"
#include "http/internal/text.h"
#include "http/metrics.h"
#include "http/target.h"

namespace sluice::http::internal {
namespace {

namespace asio = boost::asio;
using Progress = ReplyWriter::Progress;

/// What a handler left of its body is skipped if it is here already and no more than this.
constexpr int64_t kSkippedBytesMax = 256 << 10;

int64_t NowNs() { return SystemClock().MonotonicNs(); }

std::string NewRequestId() {
  static std::atomic<uint64_t> count = Random(static_cast<uint64_t>(NowNs())).NextU64();
  return fmt::format("{:016x}", StableHash64("request", count.fetch_add(1)));
}

/// Handlers put outsiders' text into fields (a redirect, a file name): nothing in it may end the
/// line.
void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (char c : value) out += IsControl(c) ? ' ' : c;
  out += "\r\n";
}

bool HasNoBody(int status) { return status == 204 || status == 304 || status / 100 == 1; }

std::string_view FieldOrEmpty(const Headers& headers, std::string_view name) {
  const std::string* found = headers.Find(name);
  return found ? std::string_view(*found) : std::string_view();
}

/// Where a path with doubled slashes was meant to go, as Flask answers: same method, same body.
Response Moved(std::string_view path, std::string_view query) {
  std::string location;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    location += PercentEncode(path.substr(at, end - at));
    if (end < path.size()) location += '/';
    at = end + 1;
  }
  if (!query.empty()) location.append("?").append(query);
  Response response;
  response.status = 308;
  response.headers.Add("Location", std::move(location));
  return response;
}

}  // namespace

void Connection::Dispatch() {
  complete_ns_ = NowNs();
  request_.id = NewRequestId();
  const Route* route = match_.route;
  if (!route && match_.allow.empty() && request_.path.find("//") != std::string::npos) {
    std::string merged = MergeSlashes(request_.path);
    if (server_.router.Find(request_.method, merged).route) {
      return ReplyNow(Moved(merged, request_.query));
    }
  }
  if (!route && !server_.router.fallback()) {
    return ReplyNow(DefaultAnswer(request_, match_.allow));
  }
  request_.path_params = std::move(match_.path_params);
  if (route && request_coding_ == Coding::kIdentity &&
      static_cast<int64_t>(request_.body.size()) <= route->inline_body_bytes_max) {
    RunHandler(false);
    return Reply();
  }
  state_ = State::kHandler;
  const Status submitted = server_.handlers.TrySubmit([self = shared_from_this()] {
    self->RunHandler(true);
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

/// `may_compress`: not on the loop, where others wait.
void Connection::RunHandler(bool may_compress) {
  response_ =
      Answer({.router = server_.router,
              .match = match_,
              .request = request_,
              .request_coding = request_coding_,
              .body_bytes_max = body_bytes_max_,
              .compression_bytes_min = may_compress ? server_.options.compression_bytes_min : -1,
              .memory = memory_});
}

/// The head is complete; `bytes` begin the body. The rest is up to a transfer thread.
void Connection::StartStreaming(std::string_view& bytes) {
  const ServerOptions& options = server_.options;
  const size_t count_max = options.transfer_thread_count + options.transfer_queue_capacity;
  if (server_.transfer_count.load() >= static_cast<int64_t>(count_max)) {
    server_.refused_count.fetch_add(1);
    return Refuse({503, "the server has more transfers than it can queue; try again later"});
  }
  complete_ns_ = NowNs();
  request_.id = NewRequestId();
  request_.path_params = std::move(match_.path_params);
  if (!head_.is_chunked) request_.body_stream_bytes = head_.content_length;
  body_ = std::make_unique<RequestBody>(
      transport_, RequestBody::Options{.is_chunked = head_.is_chunked,
                                       .content_length = head_.content_length,
                                       .buffered = std::string(bytes),
                                       .expects_continue = head_.expects_continue,
                                       .bytes_max = body_bytes_max_,
                                       .patience = Patience(options.transfer_timeout_ms,
                                                            options.transfer_bytes_per_s_min)});
  bytes = {};
  is_transfer_counted_ = true;
  server_.transfer_count.fetch_add(1);
  state_ = State::kTransfer;
  const Status submitted = server_.transfers.TrySubmit([self = shared_from_this()] {
    self->RunStreamingHandler();
    asio::post(self->loop_.io(), [self] {
      if (self->state_ != State::kTransfer) return;
      self->state_ = State::kHandler;
      RequestBody& body = *self->body_;
      if (body.is_complete()) {
        self->pending_ = body.TakeRest();
      } else {
        self->is_keep_alive_ = false;
      }
      self->request_bytes_ = body.read_bytes();
      self->body_.reset();
      self->Reply();
    });
  });
  if (!submitted.ok()) Close();  // only while the server stops
}

void Connection::RunStreamingHandler() {
  std::unique_ptr<BodySource> decoder;
  if (request_coding_ == Coding::kGzip) decoder = MakeGzipSource(*body_, body_bytes_max_);
  request_.body_stream = decoder ? decoder.get() : body_.get();
  RunHandler(true);
  request_.body_stream = nullptr;
  body_->SkipWhatIsThere(kSkippedBytesMax);
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
  Response response = refusal.error_code.empty()
                          ? Problem(refusal.status, refusal.message)
                          : ErrorResponse(refusal.status, refusal.error_code, refusal.message);
  if (refusal.status == 503) {
    response.headers.Add("Retry-After", std::to_string(server_.options.retry_after_s));
  }
  if (refusal.status == 415) response.headers.Add("Accept-Encoding", "gzip, identity");
  ReplyNow(std::move(response));
}

void Connection::Reply() {
  if (server_.is_stopping.load(std::memory_order_relaxed)) is_keep_alive_ = false;
  server_.request_count.fetch_add(1, std::memory_order_relaxed);
  if (request_bytes_ == 0) request_bytes_ = static_cast<int64_t>(request_.body.size());
  request_.body = std::string();
  memory_.Release();
  is_reply_open_ = true;
  WriteReplyHead();
  if (writer_.place() == ReplyWriter::Place::kTransfer && !is_transfer_counted_) {
    is_transfer_counted_ = true;
    server_.transfer_count.fetch_add(1);
  }
  patience_ =
      Patience(server_.options.transfer_timeout_ms, server_.options.transfer_bytes_per_s_min);
  state_ = State::kWrite;
  Write();
}

void Connection::WriteReplyHead() {
  const bool is_announced = !HasNoBody(response_.status);
  const bool is_unbounded = response_.stream && !response_.stream_bytes && !response_.file;
  if (is_unbounded && head_.minor_version == 0) is_keep_alive_ = false;
  std::string& head = writer_.NewHead();
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", response_.status,
                 ReasonPhrase(response_.status));
  head += loop_.DateField();
  if (!response_.content_type.empty()) AppendField(head, "Content-Type", response_.content_type);
  if (!is_keep_alive_) {
    head += "Connection: close\r\n";
  } else if (head_.minor_version == 0) {
    head += "Connection: keep-alive\r\n";
  }
  for (const auto& [name, value] : response_.headers.fields()) AppendField(head, name, value);
  writer_.Begin(std::move(response_), {.is_announced = is_announced,
                                       .is_sent = request_.method != Method::kHead,
                                       .minor_version = head_.minor_version});
  response_ = Response();
}

// Writing.

void Connection::Write() {
  switch (writer_.place()) {
    case ReplyWriter::Place::kFile: return WriteOnPool(server_.files);
    case ReplyWriter::Place::kTransfer: return WriteOnPool(server_.transfers);
    case ReplyWriter::Place::kLoop: break;
  }
  AfterStep(writer_.Step(transport_));
}

/// One step on a thread that may wait for a disc or a source, but never for the client: that is the
/// loop's part, so slow clients hold no thread.
void Connection::WriteOnPool(ThreadPool& pool) {
  state_ = State::kTransfer;
  const Status submitted = pool.TrySubmit([self = shared_from_this()] {
    const Progress progress = self->StepReply();
    asio::post(self->loop_.io(), [self, progress] {
      if (self->state_ != State::kTransfer) return;
      self->state_ = State::kWrite;
      self->AfterStep(progress);
    });
  });
  if (!submitted.ok()) Close();  // only while the server stops
}

/// Sources are handlers' code: the same last resort as for handlers.
Progress Connection::StepReply() {
  Progress progress = Progress::kFailed;
  std::string why;
  try {
    progress = writer_.Step(transport_);
    why = writer_.failure();
  } catch (const std::exception& error) {
    why = error.what();
  } catch (...) {
    why = "an exception of unknown type";
  }
  if (progress == Progress::kFailed && !why.empty()) {
    Log(LogLevel::kError, "request {} {} {}: {}", request_.id, MethodName(request_.method),
        request_.path, why);
  }
  // The end of a reply may take long, too: the source's destructor.
  if (progress == Progress::kDone || progress == Progress::kFailed) writer_.End();
  return progress;
}

void Connection::AfterStep(Progress progress) {
  switch (progress) {
    case Progress::kDone: return OnWritten();
    case Progress::kAgain: return Write();
    case Progress::kFailed: return Close();
    case Progress::kWantRead:
    case Progress::kWantWrite: break;
  }
  wait_start_ns_ = NowNs();
  deadline_ns_ = wait_start_ns_ + patience_.LeftNs(writer_.written_bytes());
  WaitFor(progress == Progress::kWantRead ? IoState::kWantRead : IoState::kWantWrite,
          &Connection::OnWritable);
}

void Connection::OnWritable() {
  if (state_ != State::kWrite) return;
  patience_.CountWait(NowNs() - wait_start_ns_);
  Write();
}

void Connection::OnWritten() {
  EndReply(true);
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

/// Tells the log and the metrics, and forgets request and reply.
void Connection::EndReply(bool is_complete) {
  if (is_transfer_counted_) server_.transfer_count.fetch_sub(1);
  is_transfer_counted_ = false;
  const ServerOptions& options = server_.options;
  if (is_reply_open_ && (options.on_answered || options.metrics)) {
    const ServerOptions::Access access = {
        .method = head_.method,
        .path = request_.path,
        .route_name = match_.route ? std::string_view(match_.route->name) : std::string_view(),
        .peer = peer_,
        .request_id = request_.id,
        .host = FieldOrEmpty(request_.headers, "Host"),
        .user_agent = FieldOrEmpty(request_.headers, "User-Agent"),
        .status = writer_.status(),
        .minor_version = head_.minor_version,
        .request_bytes = request_bytes_,
        .body_bytes = writer_.body_bytes(),
        .duration_ns = NowNs() - complete_ns_,
        .is_complete = is_complete};
    if (options.on_answered) options.on_answered(access);
    if (options.metrics) {
      const int64_t row = match_.route ? match_.route - server_.router.routes().data() : -1;
      options.metrics->Count(loop_.index(), row, access);
    }
  }
  is_reply_open_ = false;
  request_bytes_ = 0;
  writer_.End();
  request_ = Request();
  memory_.Release();
}

}  // namespace sluice::http::internal
