// The outbound client against our own server, plain and over TLS: either checks the other.
#include "http/fetch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/guarded.h"
#include "http/client.h"
#include "http/ranges.h"
#include "http/server.h"
#include "http/testing/certificate.h"

namespace sluice::http {
namespace {

std::string MakeBytes(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& c : bytes) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

class TextSource final : public BodySource {
 public:
  explicit TextSource(std::string_view text, bool fails = false) : text_(text), fails_(fails) {}
  Result<size_t> Read(std::span<char> into) override {
    if (fails_ && text_.size() < 1000) return DataLoss("the disc is gone");
    const size_t count = std::min({into.size(), size_t{30'000}, text_.size()});
    text_.copy(into.data(), count);
    text_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view text_;
  const bool fails_;
};

/// Both schemes: a file sent by sendfile is another matter inside TLS.
class FetchTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    stem_ = fmt::format("{}/http_fetch_{}", ::testing::TempDir(), getpid());
    certificate_ = http::testing::WriteCertificate(stem_);
    std::ofstream(stem_ + ".data", std::ios::binary) << data_;
    if (GetParam()) {
      options_.tls_certificate_file = certificate_.certificate;
      options_.tls_key_file = certificate_.key;
    }
    fetcher_options_.ca_file = certificate_.certificate;
    fetcher_options_.uses_environment_proxies = false;
    StartServer();
  }
  void TearDown() override {
    server_.reset();
    for (const char* suffix : {".crt", ".key", ".data"}) std::filesystem::remove(stem_ + suffix);
  }

  void StartServer() {
    std::vector<Route> rows;
    const auto add = [&](Method method, std::string pattern, Handler handler, bool streams) {
      Route route;
      route.method = method;
      route.pattern = route.name = std::move(pattern);
      route.handler = std::move(handler);
      route.streams_body = streams;
      if (streams) route.body_bytes_max = kUnlimited;
      rows.push_back(std::move(route));
    };
    add(
        Method::kPost, "/echo",
        [](const Request& request) {
          const std::string* tag = request.headers.Find("X-Tag");
          const std::string* length = request.headers.Find("Content-Length");
          Response response =
              Response::Text(200, fmt::format("{}|{}|{}|{}", request.query, tag ? *tag : "-",
                                              length ? *length : "-", request.body));
          response.headers.Add("X-Peer", request.peer);
          return response;
        },
        false);
    add(
        Method::kPut, "/up",
        [this](const Request& request) {
          std::string body;
          std::vector<char> buffer(100'000);
          while (true) {
            const Result<size_t> count = request.body_stream->Read(buffer);
            if (!count.ok()) {
              upload_error_count_.fetch_add(1);
              upload_error_count_.notify_all();
              return BodyErrorResponse(count.error());
            }
            if (*count == 0) break;
            body.append(buffer.data(), *count);
          }
          return Response::Text(200, body == data_ ? "same" : "different");
        },
        true);
    add(
        Method::kGet, "/file",
        [this](const Request& request) {
          return FileResponse(request, io::Descriptor(open((stem_ + ".data").c_str(), O_RDONLY)),
                              "a/b")
              .value();
        },
        false);
    add(
        Method::kGet, "/stream",
        [this](const Request&) {
          Response response;
          response.stream = std::make_unique<TextSource>(data_);
          return response;
        },
        false);
    add(
        Method::kGet, "/broken",
        [this](const Request&) {
          Response response;
          response.stream = std::make_unique<TextSource>(data_, true);
          return response;
        },
        false);
    add(
        Method::kGet, "/redirect",
        [](const Request&) {
          Response response;
          response.status = 302;
          response.headers.Add("Location", "/file");
          return response;
        },
        false);
    auto started = Server::Start(options_, Router(std::move(rows)));
    ASSERT_TRUE(started.ok()) << started.error().message();
    server_ = std::move(started).value();
  }

  FetchRequest To(const std::string& target, std::string method = "GET") const {
    FetchRequest request;
    request.method = std::move(method);
    request.url = server_->url() + target;
    return request;
  }

  std::string stem_;
  const std::string data_ = MakeBytes(3'000'017);
  http::testing::CertificateFiles certificate_;
  ServerOptions options_;
  FetcherOptions fetcher_options_;
  std::atomic<int> upload_error_count_ = 0;
  std::unique_ptr<Server> server_;
};

INSTANTIATE_TEST_SUITE_P(Schemes, FetchTest, ::testing::Bool(), [](const auto& scheme) {
  return std::string(scheme.param ? "Https" : "Http");
});

TEST_P(FetchTest, SendsAndReceives) {
  Fetcher fetcher(fetcher_options_);
  FetchRequest request = To("/echo?q=%20", "POST");
  request.headers.Add("X-Tag", "t");
  request.body = "hello";
  const auto response = fetcher.Fetch(request);
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "q=%20|t|5|hello");
  EXPECT_EQ(*response->headers.Find("content-type"), "text/plain; charset=utf-8");
  // No body is a body of no bytes, and the connection is the same.
  const auto second = fetcher.Fetch(To("/echo", "POST"));
  EXPECT_EQ(second->body, "|-|0|");
  EXPECT_EQ(*second->headers.Find("X-Peer"), *response->headers.Find("X-Peer"));
  EXPECT_EQ(fetcher.Fetch(To("/nope"))->status, 404);
  const auto redirect = fetcher.Fetch(To("/redirect"));
  EXPECT_EQ(redirect->status, 302);
  EXPECT_TRUE(redirect->body.empty());
}

TEST_P(FetchTest, UploadsFromASourceInBothFramings) {
  Fetcher fetcher(fetcher_options_);
  for (bool is_announced : {true, false}) {
    TextSource source(data_);
    FetchRequest request = To("/up", "PUT");
    request.body_source = &source;
    if (is_announced) request.body_source_bytes = static_cast<int64_t>(data_.size());
    const auto response = fetcher.Fetch(request);
    ASSERT_TRUE(response.ok()) << response.error().message();
    EXPECT_EQ(response->body, "same");
  }
  // A source that fails is our error, and the server sees a broken body, not a short one.
  TextSource failing(data_, true);
  FetchRequest request = To("/up", "PUT");
  request.body_source = &failing;
  const auto response = fetcher.Fetch(request);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), ErrorCode::kDataLoss);
  upload_error_count_.wait(0);
}

TEST_P(FetchTest, StreamsAnswers) {
  Fetcher fetcher(fetcher_options_);
  for (const char* path : {"/file", "/stream"}) {
    auto stream = fetcher.Open(To(path));
    ASSERT_TRUE(stream.ok()) << stream.error().message();
    EXPECT_EQ(stream->status, 200);
    EXPECT_EQ(stream->size_bytes.has_value(), std::string_view(path) == "/file");
    std::string body;
    std::vector<char> buffer(10'000);
    while (true) {
      const Result<size_t> count = stream->body->Read(buffer);
      ASSERT_TRUE(count.ok()) << count.error().message();
      if (*count == 0) break;
      body.append(buffer.data(), *count);
    }
    EXPECT_TRUE(body == data_) << path;
  }
  auto broken = fetcher.Open(To("/broken"));
  ASSERT_TRUE(broken.ok());
  std::vector<char> buffer(10'000);
  Result<size_t> count = size_t{1};
  while (count.ok() && *count > 0) count = broken->body->Read(buffer);
  ASSERT_FALSE(count.ok());
  EXPECT_EQ(count.error().code(), ErrorCode::kUnavailable);
  // One that is dropped half read leaves nothing behind that would disturb the next.
  {
    auto half = fetcher.Open(To("/file"));
    ASSERT_TRUE(half->body->Read(buffer).ok());
  }
  EXPECT_EQ(fetcher.Fetch(To("/file"))->body.size(), data_.size());
}

TEST_P(FetchTest, RangesAndHead) {
  Fetcher fetcher(fetcher_options_);
  FetchRequest request = To("/file");
  request.headers.Add("Range", "bytes=1000000-1999999");
  const auto part = fetcher.Fetch(request);
  EXPECT_EQ(part->status, 206);
  EXPECT_TRUE(part->body == data_.substr(1'000'000, 1'000'000));
  const auto head = fetcher.Fetch(To("/file", "HEAD"));
  EXPECT_EQ(*head->headers.Find("Content-Length"), std::to_string(data_.size()));
  EXPECT_TRUE(head->body.empty());
}

TEST_P(FetchTest, LimitsAnswers) {
  Fetcher fetcher(fetcher_options_);
  FetchRequest request = To("/file");
  request.response_bytes_max = 1000;
  const auto response = fetcher.Fetch(request);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), ErrorCode::kResourceExhausted);
}

TEST_P(FetchTest, AddressesMustBeApproved) {
  Fetcher fetcher(fetcher_options_);
  ASSERT_TRUE(fetcher.Fetch(To("/file")).ok());  // leaves a connection behind
  FetchRequest request = To("/file");
  std::vector<std::string> asked;
  request.approve_address = [&](const std::string& address, uint16_t port) -> Status {
    asked.push_back(fmt::format("{}:{}", address, port));
    return PermissionDenied("private");
  };
  const int64_t before = server_->stats().request_count;
  const auto refused = fetcher.Fetch(request);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(asked.at(0), fmt::format("127.0.0.1:{}", server_->port()));
  EXPECT_EQ(server_->stats().request_count, before);
  // And without one.
  Fetcher fresh(fetcher_options_);
  asked.clear();
  EXPECT_EQ(fresh.Fetch(request).error().code(), ErrorCode::kPermissionDenied);
  EXPECT_FALSE(asked.empty());
  request.approve_address = [](const std::string&, uint16_t) { return Ok(); };
  EXPECT_TRUE(fresh.Fetch(request).ok());
}

TEST_P(FetchTest, ManyThreadsShareOneFetcher) {
  Fetcher fetcher(fetcher_options_);
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        FetchRequest request = To("/echo", "POST");
        const std::string body = fmt::format("{}:{}", t, i);
        request.body = body;
        const auto response = fetcher.Fetch(request);
        if (response.ok() && response->body.ends_with("|" + body)) good.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 160);
}

TEST_P(FetchTest, ErrorsNameTheServerAndNoSecret) {
  Fetcher fetcher(fetcher_options_);
  FetchRequest request = To("/file?token=secret");
  request.url.replace(request.url.find("://"), 3, "://user:password@");
  server_.reset();
  const auto refused = fetcher.Fetch(request);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message().find("127.0.0.1"), std::string::npos);
  EXPECT_EQ(refused.error().message().find("secret"), std::string::npos);
  EXPECT_EQ(refused.error().message().find("password"), std::string::npos);
  for (const char* url : {"", "ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1", "http://"}) {
    FetchRequest bad;
    bad.url = url;
    const auto response = fetcher.Fetch(bad);
    ASSERT_FALSE(response.ok()) << url;
    EXPECT_EQ(response.error().code(), ErrorCode::kInvalidArgument) << url;
  }
  FetchRequest split = request;
  split.headers.Add("X", "a\r\nY: b");
  EXPECT_EQ(fetcher.Fetch(split).error().code(), ErrorCode::kInvalidArgument);
}

/// A listener that accepts by its backlog alone and never answers.
class SilentServer {
 public:
  SilentServer() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(descriptor_.get(), generic, size), 0);
    EXPECT_EQ(listen(descriptor_.get(), 8), 0);
    EXPECT_EQ(getsockname(descriptor_.get(), generic, &size), 0);
    url_ = fmt::format("http://127.0.0.1:{}/", ntohs(address.sin_port));
  }
  const std::string& url() const { return url_; }

 private:
  io::Descriptor descriptor_;
  std::string url_;
};

TEST(FetchTimeoutTest, EndsWhatNeverAnswers) {
  const SilentServer server;
  Fetcher fetcher({.uses_environment_proxies = false});
  FetchRequest request;
  request.url = server.url();
  request.timeout_ms = 60;
  const auto timed_out = fetcher.Fetch(request);
  ASSERT_FALSE(timed_out.ok());
  EXPECT_EQ(timed_out.error().code(), ErrorCode::kUnavailable);
  EXPECT_FALSE(fetcher.Open(request).ok());
  request.timeout_ms = 0;
  request.stall_timeout_ms = 60;
  const auto stalled = fetcher.Fetch(request);
  ASSERT_FALSE(stalled.ok());
  EXPECT_NE(stalled.error().message().find("60 ms"), std::string::npos);
}

TEST(FetchTlsTest, CertificatesAreVerified) {
  const std::string stem = fmt::format("{}/http_fetch_tls_{}", ::testing::TempDir(), getpid());
  const auto ours = http::testing::WriteCertificate(stem);
  const auto other = http::testing::WriteCertificate(stem + "_other");
  ServerOptions options;
  options.tls_certificate_file = ours.certificate;
  options.tls_key_file = ours.key;
  const auto server = Server::Start(options, Router({})).value();
  FetchRequest request;
  request.url = server->url() + "/";
  EXPECT_TRUE(request.url.starts_with("https://"));
  Fetcher distrustful({.ca_file = other.certificate, .uses_environment_proxies = false});
  EXPECT_EQ(distrustful.Fetch(request).error().code(), ErrorCode::kPermissionDenied);
  Fetcher trusting({.ca_file = ours.certificate, .uses_environment_proxies = false});
  EXPECT_EQ(trusting.Fetch(request)->status, 404);
  // Plain HTTP on a TLS port gets nothing, and does no harm.
  const auto plain = Client::Connect("127.0.0.1", server->port()).value();
  EXPECT_FALSE(plain->Get("/").ok());
  EXPECT_EQ(trusting.Fetch(request)->status, 404);

  options.tls_key_file = other.key;
  const auto mixed = Server::Start(options, Router({}));
  ASSERT_FALSE(mixed.ok());
  EXPECT_NE(mixed.error().message().find(other.key), std::string::npos);
  options.tls_key_file = stem + ".absent";
  const auto absent = Server::Start(options, Router({}));
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(absent.error().message().find(options.tls_key_file), std::string::npos);
  options.tls_key_file = ours.certificate;
  EXPECT_EQ(Server::Start(options, Router({})).error().code(), ErrorCode::kInvalidArgument);
  options.tls_key_file.clear();
  EXPECT_EQ(Server::Start(options, Router({})).error().code(), ErrorCode::kInvalidArgument);
  for (const auto& files : {ours, other}) {
    std::filesystem::remove(files.certificate);
    std::filesystem::remove(files.key);
  }
}

}  // namespace
}  // namespace sluice::http
