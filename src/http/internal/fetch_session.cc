#include "http/internal/fetch_session.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/clock.h"
#include "http/internal/text.h"
#include "http/internal/transport.h"

namespace sluice::http::internal {
namespace {

constexpr size_t kReceivedBytesMax = 1 << 20;  ///< beyond it the transfer pauses
constexpr long kCurlBufferBytes = 512 << 10;
constexpr size_t kResponseFieldCountMax = 200;
constexpr int kPollMs = 200;

int64_t NowNs() { return SystemClock().MonotonicNs(); }

std::string UrlPart(CURLU* url, CURLUPart part, unsigned int flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string out = text;
  curl_free(text);
  return out;
}

}  // namespace

Result<Origin> ParseOrigin(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  const bool is_parsed =
      url.find('\0') == std::string::npos &&
      curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_PATH_AS_IS) == CURLUE_OK;
  Origin origin;
  if (is_parsed) {
    origin = {.scheme = UrlPart(parsed.get(), CURLUPART_SCHEME, 0),
              .host = UrlPart(parsed.get(), CURLUPART_HOST, 0),
              .port = UrlPart(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  }
  if (origin.host.empty() || (origin.scheme != "http" && origin.scheme != "https")) {
    return InvalidArgument("not an http:// or https:// URL");
  }
  return origin;
}

FetchSession::FetchSession() : easy_(curl_easy_init()), multi_(curl_multi_init()) {
  CHECK(easy_ && multi_);
  // One session keeps one connection; the Fetcher keeps sessions.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 1L);
}

FetchSession::~FetchSession() {
  Finish();
  curl_easy_cleanup(easy_);
  curl_multi_cleanup(multi_);
}

void FetchSession::Finish() {
  if (!request_ && !has_head_ && !fields_) return;
  curl_multi_remove_handle(multi_, easy_);
  curl_easy_reset(easy_);
  curl_slist_free_all(fields_);
  fields_ = nullptr;
  request_ = nullptr;
  body_ = {};
  body_sent_ = 0;
  body_source_ = nullptr;
  approve_address_ = nullptr;
  moved_bytes_ = 0;
  status_ = 0;
  headers_ = Headers();
  size_bytes_.reset();
  has_head_ = is_done_ = is_paused_ = false;
  received_ = std::string();
  received_used_ = 0;
  callback_error_.reset();
  error_.reset();
}

Status FetchSession::Start(const FetchRequest& request, const FetcherOptions& options,
                           const Origin& origin, bool is_limited_to_head) {
  Finish();
  request_ = &request;
  origin_ = origin.Print();
  RETURN_IF_ERROR(SetOptions(request, options));
  RETURN_IF_ERROR(SetHeaders(request));
  SetBody(request);
  timeout_ms_ = request.timeout_ms;
  deadline_ns_ = timeout_ms_ > 0 ? NowNs() + timeout_ms_ * 1'000'000 : 0;
  stall_timeout_ns_ = std::max<int64_t>(request.stall_timeout_ms, 1) * 1'000'000;
  if (curl_multi_add_handle(multi_, easy_) != CURLM_OK)
    return Internal("libcurl takes no transfer");
  RETURN_IF_ERROR(DriveUntil([this] { return has_head_ || is_done_; }));
  request_ = nullptr;
  if (!has_head_) return DataLoss(origin_ + ": the answer has no HTTP header");
  if (is_limited_to_head) deadline_ns_ = 0;
  return Ok();
}

Status FetchSession::SetOptions(const FetchRequest& request, const FetcherOptions& options) {
  const auto set = [this](CURLoption option, auto value) {
    return curl_easy_setopt(easy_, option, value) == CURLE_OK;
  };
  bool is_good = set(CURLOPT_URL, request.url.c_str());
  is_good &= set(CURLOPT_PROTOCOLS_STR, "http,https");
  is_good &= set(CURLOPT_PATH_AS_IS, 1L);
  is_good &= set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  is_good &= set(CURLOPT_FOLLOWLOCATION, 0L);
  is_good &= set(CURLOPT_NOSIGNAL, 1L);
  is_good &= set(CURLOPT_TCP_KEEPALIVE, 1L);
  is_good &= set(CURLOPT_BUFFERSIZE, kCurlBufferBytes);
  is_good &= set(CURLOPT_UPLOAD_BUFFERSIZE, kCurlBufferBytes);
  is_good &= set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  is_good &= set(CURLOPT_USERAGENT, options.user_agent.c_str());
  is_good &= set(CURLOPT_ERRORBUFFER, reason_.data());
  is_good &= set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout_ms));
  is_good &= set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  is_good &= set(CURLOPT_SSL_VERIFYPEER, options.verifies_tls ? 1L : 0L);
  is_good &= set(CURLOPT_SSL_VERIFYHOST, options.verifies_tls ? 2L : 0L);
  if (!options.ca_file.empty()) is_good &= set(CURLOPT_CAINFO, options.ca_file.c_str());
  is_good &= set(CURLOPT_HEADERFUNCTION, &OnHeader) && set(CURLOPT_HEADERDATA, this);
  is_good &= set(CURLOPT_WRITEFUNCTION, &OnData) && set(CURLOPT_WRITEDATA, this);
  if (request.approve_address) {
    approve_address_ = request.approve_address;
    is_good &= set(CURLOPT_OPENSOCKETFUNCTION, &OnSocket) && set(CURLOPT_OPENSOCKETDATA, this);
    is_good &= set(CURLOPT_PREREQFUNCTION, &OnConnected) && set(CURLOPT_PREREQDATA, this);
  }
  // Through a proxy, the address connected to would be the proxy's.
  if (request.approve_address || !options.uses_environment_proxies) {
    is_good &= set(CURLOPT_PROXY, "");
  }
  if (!is_good) return Internal("libcurl is too old or was built without a protocol we need");
  return Ok();
}

Status FetchSession::SetHeaders(const FetchRequest& request) {
  if (!IsToken(request.method)) {
    return InvalidArgument("'" + request.method + "' is not an HTTP method");
  }
  const auto append = [this](const std::string& line) {
    fields_ = curl_slist_append(fields_, line.c_str());
  };
  for (const auto& [name, value] : request.headers.fields()) {
    if (!IsToken(name) || HasControl(value)) {
      return InvalidArgument("the field '" + name + "' is not fit for an HTTP header");
    }
    append(value.empty() ? name + ";" : name + ": " + value);  // curl's way to write an empty one
  }
  // No second's wait for a 100 that few servers send.
  if (!request.headers.Find("Expect")) append("Expect:");
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, fields_);
  return Ok();
}

void FetchSession::SetBody(const FetchRequest& request) {
  body_ = request.body;
  body_source_ = request.body_source;
  const bool has_body = body_source_ || !body_.empty() || request.method == "POST" ||
                        request.method == "PUT" || request.method == "PATCH";
  if (has_body) {
    curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
    const curl_off_t size = body_source_ ? request.body_source_bytes.value_or(-1)
                                         : static_cast<curl_off_t>(body_.size());
    curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, size);
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &OnSend);
    curl_easy_setopt(easy_, CURLOPT_READDATA, this);
    curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, &OnSeek);
    curl_easy_setopt(easy_, CURLOPT_SEEKDATA, this);
  } else if (request.method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  }
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

/// Drives the transfer until the condition holds, it ends, or time is up.
template <typename Condition>
Status FetchSession::DriveUntil(Condition is_enough) {
  if (error_) return *error_;
  int64_t moved_bytes = moved_bytes_;
  int64_t moved_ns = NowNs();
  while (true) {
    if (Status status = Step(); !status.ok()) {
      error_ = status.error();
      return status;
    }
    if (is_enough()) return Ok();
    const int64_t now_ns = NowNs();
    if (moved_bytes != moved_bytes_) {
      moved_bytes = moved_bytes_;
      moved_ns = now_ns;
    }
    if (deadline_ns_ > 0 && now_ns >= deadline_ns_) {
      error_ = Unavailable(origin_ + ": no complete answer within " + std::to_string(timeout_ms_) +
                           " ms");
      return *error_;
    }
    if (now_ns - moved_ns >= stall_timeout_ns_) {
      error_ = Unavailable(origin_ + ": nothing came or went for " +
                           std::to_string(stall_timeout_ns_ / 1'000'000) + " ms");
      return *error_;
    }
    int64_t left_ns = stall_timeout_ns_ - (now_ns - moved_ns);
    if (deadline_ns_ > 0) left_ns = std::min(left_ns, deadline_ns_ - now_ns);
    curl_multi_poll(multi_, nullptr, 0,
                    static_cast<int>(std::min<int64_t>(left_ns / 1'000'000 + 1, kPollMs)), nullptr);
  }
}

Status FetchSession::Step() {
  // curl would do this itself, but only with signals, which are not for threads.
  const BlockSigpipe block_sigpipe;
  int running_count = 0;
  if (curl_multi_perform(multi_, &running_count) != CURLM_OK) {
    return Internal(origin_ + ": libcurl lost the transfer");
  }
  int left_count = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left_count)) {
    if (message->msg != CURLMSG_DONE) continue;
    is_done_ = true;
    if (message->data.result != CURLE_OK) return FailureOf(message->data.result);
  }
  return Ok();
}

Error FetchSession::FailureOf(CURLcode code) const {
  if (callback_error_) return Error(*callback_error_).With(origin_);
  const std::string reason = reason_[0] != '\0' ? reason_.data() : curl_easy_strerror(code);
  std::string message = origin_ + ": " + reason;
  switch (code) {
    case CURLE_URL_MALFORMAT: return InvalidArgument(std::move(message));
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_SSL_CACERT_BADFILE: return NotFound(std::move(message));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM: return PermissionDenied(std::move(message));
    case CURLE_UNSUPPORTED_PROTOCOL:  // HTTP/0.9, for one: the URL's scheme was looked at before
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return DataLoss(std::move(message));
    case CURLE_OUT_OF_MEMORY: return ResourceExhausted(std::move(message));
    default: return Unavailable(std::move(message));
  }
}

Result<size_t> FetchSession::Read(std::span<char> into) {
  CHECK(!into.empty());
  if (received_used_ == received_.size()) {
    received_.clear();
    received_used_ = 0;
    if (is_done_) {
      if (error_) return *error_;
      return size_t{0};
    }
    if (is_paused_) {
      is_paused_ = false;
      curl_easy_pause(easy_, CURLPAUSE_CONT);  // may deliver at once
    }
    if (received_.empty()) {
      const Status status = DriveUntil([this] { return is_done_ || !received_.empty(); });
      // What came before the failure is still given out.
      if (!status.ok() && received_.empty()) return status.error();
    }
  }
  const size_t count = std::min(into.size(), received_.size() - received_used_);
  std::memcpy(into.data(), received_.data() + received_used_, count);
  received_used_ += count;
  return count;
}

// What libcurl calls.

size_t FetchSession::OnHeader(char* data, size_t size, size_t count, void* self_pointer) {
  auto& self = *static_cast<FetchSession*>(self_pointer);
  std::string_view line(data, size * count);
  self.moved_bytes_ += static_cast<int64_t>(line.size());
  if (self.has_head_) return line.size();  // trailer fields of a chunked body
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    const size_t blank = std::min(line.find(' '), line.size());
    const std::string_view code = line.substr(std::min(blank + 1, line.size()), 3);
    std::from_chars(code.data(), code.data() + code.size(), self.status_);
    self.headers_ = Headers();
  } else if (line.empty()) {
    if (self.status_ >= 200) {
      self.has_head_ = true;
      if (const std::string* length = self.headers_.Find("Content-Length")) {
        int64_t value = 0;
        const auto [end, error] =
            std::from_chars(length->data(), length->data() + length->size(), value);
        if (error == std::errc() && end == length->data() + length->size() && value >= 0) {
          self.size_bytes_ = value;
        }
      }
    }
  } else if (const size_t colon = line.find(':'); colon != std::string_view::npos) {
    if (self.headers_.fields().size() >= kResponseFieldCountMax) {
      self.callback_error_ = ResourceExhausted("the answer has too many header fields");
      return 0;
    }
    self.headers_.Add(std::string(line.substr(0, colon)),
                      std::string(TrimBlanks(line.substr(colon + 1))));
  }
  return size * count;
}

size_t FetchSession::OnData(char* data, size_t size, size_t count, void* self_pointer) {
  auto& self = *static_cast<FetchSession*>(self_pointer);
  const size_t byte_count = size * count;
  if (self.received_.size() >= kReceivedBytesMax) {
    self.is_paused_ = true;  // the same bytes come again
    return CURL_WRITEFUNC_PAUSE;
  }
  self.received_.append(data, byte_count);
  self.moved_bytes_ += static_cast<int64_t>(byte_count);
  return byte_count;
}

size_t FetchSession::OnSend(char* into, size_t size, size_t count, void* self_pointer) {
  auto& self = *static_cast<FetchSession*>(self_pointer);
  size_t byte_count = 0;
  if (self.body_source_) {
    const Result<size_t> read = self.body_source_->Read({into, size * count});
    if (!read.ok()) {
      self.callback_error_ = read.error();
      return CURL_READFUNC_ABORT;
    }
    byte_count = *read;
  } else {
    byte_count = self.body_.copy(into, size * count, self.body_sent_);
  }
  self.body_sent_ += byte_count;
  self.moved_bytes_ += static_cast<int64_t>(byte_count);
  return byte_count;
}

/// A kept connection that turns out to be dead: the body is sent once more, from its start.
int FetchSession::OnSeek(void* self_pointer, curl_off_t offset, int whence) {
  auto& self = *static_cast<FetchSession*>(self_pointer);
  if (whence != SEEK_SET || (self.body_source_ && self.body_sent_ > 0)) return CURL_SEEKFUNC_FAIL;
  self.body_sent_ = static_cast<size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

Status FetchSession::Approve(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  uint16_t port = 0;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    port = ntohs(v4.sin_port);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    port = ntohs(v6.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size());
    } else {
      inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    }
  } else {
    return PermissionDenied("an address of an unknown family");
  }
  return approve_address_(text.data(), port);
}

curl_socket_t FetchSession::OnSocket(void* self_pointer, curlsocktype /*purpose*/,
                                     curl_sockaddr* address) {
  auto& self = *static_cast<FetchSession*>(self_pointer);
  if (Status approved = self.Approve(&address->addr); !approved.ok()) {
    self.callback_error_ = approved.error();
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Asked for kept connections as well, which no socket was opened for this time.
int FetchSession::OnConnected(void* self_pointer, char* address, char* /*local_address*/, int port,
                              int /*local_port*/) {
  auto& self = *static_cast<FetchSession*>(self_pointer);
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  const sockaddr* parsed = nullptr;
  if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<uint16_t>(port));
    parsed = reinterpret_cast<const sockaddr*>(&v4);
  } else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<uint16_t>(port));
    parsed = reinterpret_cast<const sockaddr*>(&v6);
  }
  const Status approved =
      parsed ? self.Approve(parsed) : PermissionDenied("an address of an unknown family");
  if (approved.ok()) {
    // Another address of the name may have been refused before this one was taken.
    self.callback_error_.reset();
    return CURL_PREREQFUNC_OK;
  }
  self.callback_error_ = approved.error();
  return CURL_PREREQFUNC_ABORT;
}

}  // namespace sluice::http::internal
