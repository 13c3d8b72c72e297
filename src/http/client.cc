#include "http/client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "http/internal/chunked.h"
#include "http/internal/head.h"
#include "http/internal/text.h"

namespace sluice::http {
namespace {

Error SystemError(std::string_view action, int number) {
  const bool is_timeout = number == EAGAIN || number == EWOULDBLOCK || number == EINPROGRESS;
  return Unavailable(std::string(action) + ": " + (is_timeout ? "timed out" : strerror(number)));
}

bool IsEmptyByRule(int status) { return status == 204 || status == 304 || status / 100 == 1; }

}  // namespace

class Client::Impl {
 public:
  Impl(int descriptor, std::string host, ClientOptions options)
      : descriptor_(descriptor), host_(std::move(host)), options_(options) {}
  ~Impl() { close(descriptor_); }

  Status SendBytes(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return SystemError("send", errno);
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return Ok();
  }

  /// Appends what comes next to buffer_; false at the end of the stream.
  Result<bool> Receive() {
    std::array<char, 64 << 10> chunk;
    while (true) {
      const ssize_t count = recv(descriptor_, chunk.data(), chunk.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return SystemError("receive", errno);
      buffer_.append(chunk.data(), static_cast<size_t>(count));
      return count > 0;
    }
  }

  Result<Response> ReadResponse(bool is_head) {
    size_t scan = 0;
    size_t head_end = 0;
    while ((head_end = internal::FindHeadEnd(buffer_, scan)) == 0) {
      if (buffer_.size() > kHeadBytesMax) return DataLoss("the response's header does not end");
      ASSIGN_OR_RETURN(const bool has_more, Receive());
      if (!has_more) {
        return Unavailable(buffer_.empty() ? "the server closed the connection"
                                           : "the connection ended inside a response's header");
      }
    }
    if (head_end == std::string::npos) return DataLoss("the response is not HTTP");
    Response response;
    RETURN_IF_ERROR(ParseHead(std::string_view(buffer_).substr(0, head_end), response));
    buffer_.erase(0, head_end);
    if (!is_head && !IsEmptyByRule(response.status)) RETURN_IF_ERROR(ReadBody(response));
    return response;
  }

  const std::string& host() const { return host_; }
  int descriptor() const { return descriptor_; }
  std::string& buffer() { return buffer_; }

 private:
  static constexpr size_t kHeadBytesMax = 256 << 10;

  static Status ParseHead(std::string_view head, Response& response) {
    const size_t line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    const auto [stop, error] =
        line.size() < 12 ? std::from_chars_result{line.data(), std::errc::invalid_argument}
                         : std::from_chars(line.data() + 9, line.data() + 12, response.status);
    if (!line.starts_with("HTTP/1.") || error != std::errc() || stop != line.data() + 12) {
      return DataLoss("the response does not begin with an HTTP status line");
    }
    const std::string_view fields = head.substr(line_end + 2, head.size() - line_end - 4);
    if (auto refusal = internal::ParseFields(fields, response.headers)) {
      return DataLoss("the response is malformed: " + refusal->message);
    }
    if (const std::string* type = response.headers.Find("Content-Type")) {
      response.content_type = *type;
    }
    return Ok();
  }

  Status ReadBody(Response& response) {
    const auto limit = static_cast<size_t>(options_.response_bytes_max);
    const auto too_large = [&] {
      return ResourceExhausted("the response is larger than " + std::to_string(limit) + " bytes");
    };
    if (const std::string* coding = response.headers.Find("Transfer-Encoding")) {
      if (!EqualsIgnoringCase(*coding, "chunked")) return DataLoss("unknown coding");
      internal::ChunkDecoder chunks;
      while (true) {
        std::string_view rest = buffer_;
        const auto state = chunks.Feed(rest, response.body, options_.response_bytes_max);
        buffer_.erase(0, buffer_.size() - rest.size());
        if (state == internal::ChunkDecoder::State::kDone) return Ok();
        if (state == internal::ChunkDecoder::State::kTooLarge) return too_large();
        if (state == internal::ChunkDecoder::State::kBad) return DataLoss("malformed chunks");
        ASSIGN_OR_RETURN(const bool has_more, Receive());
        if (!has_more) return Unavailable("the connection ended inside a response");
      }
    }
    size_t length = limit + 1;  // without a length the body ends with the connection
    const std::string* given = response.headers.Find("Content-Length");
    if (given) {
      const char* end = given->data() + given->size();
      const auto [stop, error] = std::from_chars(given->data(), end, length);
      if (error != std::errc() || stop != end) return DataLoss("malformed Content-Length");
      if (length > limit) return too_large();
    }
    while (buffer_.size() < length) {
      ASSIGN_OR_RETURN(const bool has_more, Receive());
      if (has_more) continue;
      if (given) return Unavailable("the connection ended inside a response");
      break;
    }
    if (buffer_.size() > limit) return too_large();
    length = std::min(length, buffer_.size());
    response.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return Ok();
  }

  const int descriptor_;
  const std::string host_;
  const ClientOptions options_;
  std::string buffer_;  ///< received and not yet used
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::Connect(const std::string& host, uint16_t port,
                                                ClientOptions options) {
  const std::string where = host + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found)) {
    return NotFound("connect to " + where + ": " + gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  int last_error = ECONNREFUSED;
  for (const addrinfo* address = found; address; address = address->ai_next) {
    const int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
      last_error = errno;
      continue;
    }
    const timeval timeout = {.tv_sec = options.timeout_ms / 1000,
                             .tv_usec = options.timeout_ms % 1000 * 1000};
    const int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(descriptor, address->ai_addr, address->ai_addrlen) == 0) {
      return std::unique_ptr<Client>(
          new Client(std::make_unique<Impl>(descriptor, where, options)));
    }
    last_error = errno;
    close(descriptor);
  }
  return SystemError("connect to " + where, last_error);
}

Result<Response> Client::Send(const Call& call) {
  std::string bytes = std::string(MethodName(call.method)) + " " + call.target + " HTTP/1.1\r\n";
  if (!call.headers.Find("Host")) bytes += "Host: " + impl_->host() + "\r\n";
  for (const auto& [name, value] : call.headers.fields()) bytes += name + ": " + value + "\r\n";
  const bool has_framing =
      call.headers.Find("Content-Length") || call.headers.Find("Transfer-Encoding");
  if (!has_framing && (!call.body.empty() || call.method == Method::kPost ||
                       call.method == Method::kPut || call.method == Method::kPatch)) {
    bytes += "Content-Length: " + std::to_string(call.body.size()) + "\r\n";
  }
  bytes += "\r\n" + call.body;
  RETURN_IF_ERROR(impl_->SendBytes(bytes));
  return ReadResponse(call.method == Method::kHead);
}

Result<Response> Client::Get(const std::string& target) {
  return Send({.method = Method::kGet, .target = target, .headers = {}, .body = {}});
}

Result<Response> Client::Post(const std::string& target, std::string content_type,
                              std::string body) {
  Call call{.method = Method::kPost, .target = target, .headers = {}, .body = std::move(body)};
  call.headers.Add("Content-Type", std::move(content_type));
  return Send(call);
}

Status Client::SendBytes(std::string_view bytes) { return impl_->SendBytes(bytes); }

Result<Response> Client::ReadResponse(bool is_head) { return impl_->ReadResponse(is_head); }

Result<bool> Client::WaitForClose() {
  if (!impl_->buffer().empty()) return false;
  ASSIGN_OR_RETURN(const bool has_more, impl_->Receive());
  return !has_more;
}

void Client::FinishSending() { shutdown(impl_->descriptor(), SHUT_WR); }

}  // namespace sluice::http
