// What the server does around its handlers: codings, memory, the fallback, many connections.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <thread>

#include "http/client.h"
#include "http/internal/coding.h"
#include "http/server.h"

namespace sluice::http {
namespace {

using internal::Coding;
using internal::Compress;

class LimitsTest : public testing::Test {
 protected:
  void StartServer(ServerOptions options, Fallback fallback = {}) {
    std::vector<Route> rows;
    const auto add = [&](Method method, std::string pattern, Handler handler) -> Route& {
      Route route;
      route.method = method;
      route.pattern = route.name = std::move(pattern);
      route.handler = std::move(handler);
      return rows.emplace_back(std::move(route));
    };
    add(Method::kPost, "/echo", [](const Request& request) {
      Response response = Response::JsonText(200, request.body);
      response.headers.Add("ETag", "\"tag\"");
      return response;
    });
    add(Method::kPost, "/bytes", [](const Request& request) {
      Response response;
      response.content_type = "application/octet-stream";
      response.body = request.body;
      return response;
    });
    add(Method::kPost, "/small", [](const Request& request) {
      return Response::Text(200, std::to_string(request.body.size()));
    }).body_bytes_max = 1000;
    Route& stream = add(Method::kPut, "/stream", [](const Request& request) {
      std::string body(2'000'000, '\0');
      size_t size = 0;
      while (true) {
        const Result<size_t> count = request.body_stream->Read(std::span(body).subspan(size));
        if (!count.ok()) return BodyErrorResponse(count.error());
        if (*count == 0) break;
        size += *count;
      }
      body.resize(size);
      return Response::Text(200, body);
    });
    stream.streams_body = true;
    stream.body_bytes_max = 1'000'000;
    auto started = Server::Start(std::move(options), Router(std::move(rows), std::move(fallback)));
    ASSERT_TRUE(started.ok()) << started.error().message();
    server_ = std::move(started).value();
  }
  std::unique_ptr<Client> Connect() {
    return Client::Connect("127.0.0.1", server_->port()).value();
  }
  static Client::Call Post(std::string target, std::string body, std::string name = "X",
                           std::string value = "y") {
    Client::Call call{.method = Method::kPost,
                      .target = std::move(target),
                      .headers = {},
                      .body = std::move(body)};
    call.headers.Add(std::move(name), std::move(value));
    return call;
  }

  std::unique_ptr<Server> server_;
};

TEST_F(LimitsTest, RepliesAreCompressedWhereThatHelps) {
  StartServer({});
  const auto client = Connect();
  const std::string text(5000, 'a');
  const auto gzip = client->Send(Post("/echo", text, "Accept-Encoding", "gzip, deflate"));
  EXPECT_EQ(*gzip->headers.Find("Content-Encoding"), "gzip");
  EXPECT_EQ(*gzip->headers.Find("Vary"), "Accept-Encoding");
  EXPECT_EQ(*gzip->headers.Find("ETag"), "W/\"tag\"");
  std::string body = gzip->body;
  ASSERT_TRUE(internal::DecodeGzip(body, 1 << 20, [](int64_t) { return Ok(); }).ok());
  EXPECT_EQ(body, text);
  const auto zstd = client->Send(Post("/echo", text, "Accept-Encoding", "gzip, zstd"));
  EXPECT_EQ(*zstd->headers.Find("Content-Encoding"), "zstd");
  const auto plain = client->Send(Post("/echo", text));
  EXPECT_EQ(plain->headers.Find("Content-Encoding"), nullptr);
  EXPECT_EQ(*plain->headers.Find("Vary"), "Accept-Encoding");
  EXPECT_EQ(*plain->headers.Find("ETag"), "\"tag\"");
  for (const auto& call : {Post("/echo", "short", "Accept-Encoding", "gzip"),
                           Post("/bytes", text, "Accept-Encoding", "gzip")}) {
    const auto response = client->Send(call);
    EXPECT_EQ(response->headers.Find("Content-Encoding"), nullptr);
    EXPECT_EQ(response->body, call.body);
  }
}

TEST_F(LimitsTest, RequestsMayBeGzip) {
  StartServer({});
  const auto client = Connect();
  const std::string text(900'000, 'a');
  const std::string coded = Compress(Coding::kGzip, text).value();
  EXPECT_EQ(client->Send(Post("/echo", coded, "Content-Encoding", "gzip"))->body, text);
  EXPECT_EQ(client->Send(Post("/echo", text, "Content-Encoding", "identity"))->body, text);
  Client::Call upload = Post("/stream", coded, "Content-Encoding", "GZip");
  upload.method = Method::kPut;
  EXPECT_EQ(client->Send(upload)->body, text);
  // The limit is for what comes out, the 400 for what is no gzip; the connection goes on.
  const std::string small = Compress(Coding::kGzip, std::string(1'001, 'a')).value();
  EXPECT_EQ(client->Send(Post("/small", small, "Content-Encoding", "gzip"))->status, 413);
  EXPECT_EQ(client->Send(Post("/small", "no gzip", "Content-Encoding", "gzip"))->status, 400);
  upload.body = Compress(Coding::kGzip, std::string(1'000'001, 'a')).value();
  EXPECT_EQ(client->Send(upload)->status, 413);
  const auto unknown = Connect()->Send(Post("/echo", "x", "Content-Encoding", "br"));
  EXPECT_EQ(unknown->status, 415);
  EXPECT_EQ(*unknown->headers.Find("Accept-Encoding"), "gzip, identity");
}

TEST_F(LimitsTest, BodiesInMemoryHaveATotal) {
  ServerOptions options;
  options.buffered_body_bytes_max = 1'500'000;
  StartServer(options);
  // Announced is not yet in memory; what came is.
  const auto idle = Connect();
  ASSERT_TRUE(
      idle->SendBytes("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n").ok());
  const auto big = Connect();
  ASSERT_TRUE(big->SendBytes("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" +
                             std::string(999'999, 'a'))
                  .ok());
  while (server_->stats().buffered_body_bytes < 1'000'000) std::this_thread::yield();
  const auto refused = Connect()->Send(Post("/bytes", std::string(1'000'000, 'b')));
  ASSERT_TRUE(refused.ok()) << refused.error().message();
  EXPECT_EQ(refused->status, 503);
  EXPECT_NE(refused->headers.Find("Retry-After"), nullptr);
  EXPECT_EQ(Connect()->Send(Post("/bytes", "small ones always fit"))->status, 200);
  ASSERT_TRUE(big->SendBytes("a").ok());
  EXPECT_EQ(big->ReadResponse()->status, 200);
  EXPECT_EQ(Connect()->Send(Post("/bytes", std::string(1'000'000, 'b')))->status, 200);
  EXPECT_EQ(server_->stats().buffered_body_bytes, 0);
}

TEST_F(LimitsTest, TheFallbackAnswersWhatNoRowDoes) {
  StartServer({}, [](const Request& request, std::string_view allow) {
    if (request.path.starts_with("/static/")) return Response::Text(200, "static");
    return DefaultAnswer(request, allow);
  });
  const auto client = Connect();
  EXPECT_EQ(client->Get("/static/x")->body, "static");
  EXPECT_EQ(client->Send(Post("/nope", "body"))->body,
            R"({"error_code":"ENDPOINT_NOT_FOUND","message":"No API found for 'POST /nope'"})");
  const auto wrong = client->Get("/echo");
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(*wrong->headers.Find("Allow"), "OPTIONS, POST");
}

TEST_F(LimitsTest, BadPathsAreJsonErrors) {
  StartServer({});
  for (const char* path : {"/a/../b", "/a/%2e%2e/b", "/a/%2fb", "/a%00", "/a%5cb", "/%zz"}) {
    const auto response = Connect()->Get(path);
    EXPECT_EQ(response->status, 400) << path;
    EXPECT_TRUE(response->body.starts_with(
        R"({"error_code":"INVALID_PARAMETER_VALUE","message":"Invalid path)"))
        << response->body;
  }
}

int64_t ResidentKib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
  }
  return 0;
}

TEST_F(LimitsTest, FiveThousandIdleConnectionsAreCheap) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  constexpr size_t kCount = 5'000;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 2 * kCount + 200);
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 2 * kCount + 200) {
    GTEST_SKIP() << "only " << limit.rlim_cur << " descriptors; both ends need " << 2 * kCount;
  }
  StartServer({});
  const int64_t before_kib = ResidentKib();
  std::vector<std::unique_ptr<Client>> clients;
  for (size_t i = 0; i < kCount; ++i) {
    clients.push_back(Connect());
    ASSERT_EQ(clients.back()->Send(Post("/echo", "x"))->status, 200) << i;
  }
  EXPECT_EQ(server_->stats().connection_count, static_cast<int64_t>(kCount));
  // Both ends of each, in this one process.
  EXPECT_LT((ResidentKib() - before_kib) / static_cast<int64_t>(kCount), 8);
  for (size_t i = 0; i < kCount; i += 500) {
    ASSERT_EQ(clients[i]->Send(Post("/echo", "x"))->status, 200) << i;
  }
}

}  // namespace
}  // namespace sluice::http
