#include "http/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "base/clock.h"
#include "http/client.h"

namespace sluice::http {
namespace {

/// An echo server with one row of each kind.
class ServerTest : public testing::Test {
 protected:
  Router MakeRouter() {
    std::vector<Route> rows;
    const auto add = [&](Method method, std::string pattern, Handler handler,
                         int64_t inline_body_bytes_max = -1) {
      Route route;
      route.method = method;
      route.pattern = pattern;
      route.name = pattern;
      route.handler = std::move(handler);
      route.inline_body_bytes_max = inline_body_bytes_max;
      rows.push_back(std::move(route));
    };
    const Handler echo = [](const Request& request) {
      return Response::Text(200, request.path + "|" + request.query + "|" + request.body);
    };
    add(Method::kPost, "/echo", echo);
    add(Method::kPost, "/inline", echo, 100);
    add(Method::kGet, "/get", echo, 0);
    add(Method::kPost, "/small", echo);
    rows.back().body_bytes_max = 10;
    add(Method::kGet, "/items/{id}/{rest...}", [](const Request& request) {
      return Response::Text(200, request.PathParam("id") + "," + request.PathParam("rest"));
    });
    add(Method::kGet, "/throw",
        [](const Request&) -> Response { throw std::runtime_error("secret detail"); });
    add(
        Method::kGet, "/throw-odd", [](const Request&) -> Response { throw 7; }, 0);
    add(Method::kGet, "/split", [](const Request&) {
      Response response = Response::Text(200, "x");
      response.headers.Add("Location", "a\r\nSet-Cookie: b");
      return response;
    });
    add(Method::kGet, "/empty", [](const Request&) {
      Response response;
      response.status = 204;
      return response;
    });
    add(Method::kGet, "/big",
        [](const Request&) { return Response::Text(200, std::string(8 << 20, 'b')); });
    add(Method::kGet, "/wait", [this](const Request&) {
      entered_.fetch_add(1);
      entered_.notify_all();
      release_.wait();
      return Response::Text(200, "waited");
    });
    return Router(std::move(rows));
  }

  void StartServer(ServerOptions options = {}) {
    auto started = Server::Start(std::move(options), MakeRouter());
    ASSERT_TRUE(started.ok()) << started.error().message();
    server_ = std::move(started).value();
  }

  std::unique_ptr<Client> Connect(int64_t timeout_ms = 10'000) {
    auto client = Client::Connect("127.0.0.1", server_->port(), {.timeout_ms = timeout_ms});
    EXPECT_TRUE(client.ok()) << client.error().message();
    return std::move(client).value();
  }

  /// Sends bytes on a new connection; the status of the answer, and whether the connection then
  /// ends.
  std::pair<int, bool> Exchange(std::string_view bytes) {
    const std::unique_ptr<Client> client = Connect();
    EXPECT_TRUE(client->SendBytes(bytes).ok());
    const Result<Response> response = client->ReadResponse();
    if (!response.ok()) return {-1, true};
    const std::string* connection = response->headers.Find("Connection");
    const bool says_close = connection && *connection == "close";
    return {response->status, says_close && client->WaitForClose().value()};
  }

  void WaitUntilEntered(int count) {
    for (int now = entered_.load(); now < count; now = entered_.load()) entered_.wait(now);
  }

  std::atomic<int> entered_ = 0;
  std::latch release_{1};
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersOnOneConnectionAgainAndAgain) {
  StartServer();
  const auto client = Connect();
  for (int i = 0; i < 200; ++i) {
    const std::string body(static_cast<size_t>(i * 7), 'x');
    const char* path = i % 2 == 0 ? "/echo" : "/inline";
    const auto response = client->Post(std::string(path) + "?n=" + std::to_string(i), "a/b", body);
    ASSERT_TRUE(response.ok()) << response.error().message();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, std::string(path) + "|n=" + std::to_string(i) + "|" + body);
    EXPECT_EQ(response->content_type, "text/plain; charset=utf-8");
    EXPECT_NE(response->headers.Find("Date"), nullptr);
  }
  EXPECT_EQ(server_->stats().connection_count, 1);
  EXPECT_EQ(server_->stats().request_count, 200);
}

TEST_F(ServerTest, RoutesAndTheirErrors) {
  StartServer();
  const auto client = Connect();
  EXPECT_EQ(client->Get("/items/7/a/b%20c")->body, "7,a/b c");
  const auto missing = client->Get("/nope");
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ(missing->body,
            R"({"error_code":"ENDPOINT_NOT_FOUND","message":"No API found for 'GET /nope'"})");
  EXPECT_EQ(client->Get("//items/7/a/b%20c")->body, "7,a/b c");
  const auto moved = client->Get("/items//7/a/b%20c?x=%2F");
  EXPECT_EQ(moved->status, 308);
  EXPECT_EQ(*moved->headers.Find("Location"), "/items/7/a/b%20c?x=%2F");
  EXPECT_EQ(client->Get("//nope.example/x")->status, 404);
  const auto wrong = client->Post("/get", "a/b", "x");
  EXPECT_EQ(wrong->status, 405);
  EXPECT_EQ(*wrong->headers.Find("Allow"), "GET, HEAD, OPTIONS");
  Client::Call options{.method = Method::kOptions, .target = "/echo", .headers = {}, .body = {}};
  const auto allowed = client->Send(options);
  EXPECT_EQ(allowed->status, 204);
  EXPECT_EQ(*allowed->headers.Find("Allow"), "OPTIONS, POST");
  options.target = "*";
  EXPECT_EQ(client->Send(options)->status, 204);
  const auto head =
      client->Send({.method = Method::kHead, .target = "/get", .headers = {}, .body = {}});
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(*head->headers.Find("Content-Length"), "6");
  EXPECT_TRUE(head->body.empty());
  const auto empty = client->Get("/empty");
  EXPECT_EQ(empty->status, 204);
  EXPECT_EQ(empty->headers.Find("Content-Length"), nullptr);
  EXPECT_EQ(client->Get("/get")->status, 200);  // the connection is still in step
}

TEST_F(ServerTest, AThrowingHandlerTellsOnlyAnId) {
  StartServer();
  const auto client = Connect();
  for (const char* path : {"/throw", "/throw-odd"}) {
    const auto response = client->Get(path);
    EXPECT_EQ(response->status, 500);
    EXPECT_NE(response->body.find("request id"), std::string::npos);
    EXPECT_EQ(response->body.find("secret"), std::string::npos);
  }
  EXPECT_EQ(client->Get("/get")->status, 200);
}

TEST_F(ServerTest, FieldsCannotSplitAResponse) {
  StartServer();
  const auto response = Connect()->Get("/split");
  EXPECT_EQ(*response->headers.Find("Location"), "a  Set-Cookie: b");
  EXPECT_EQ(response->headers.Find("Set-Cookie"), nullptr);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  StartServer();
  const auto client = Connect();
  std::string bytes;
  constexpr int kCount = 300;
  for (int i = 0; i < kCount; ++i) {
    // Inline and pooled rows, both framings, and stray empty lines between requests.
    const std::string path = i % 3 == 0 ? "/echo" : "/inline";
    bytes += "POST " + path + "?" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n";
    bytes += i % 2 == 0 ? "Content-Length: 2\r\n\r\nok"
                        : "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    if (i % 5 == 0) bytes += "\r\n";
  }
  // In pieces of odd sizes, from another thread since answers come meanwhile.
  std::thread sender([&] {
    std::string_view rest = bytes;
    size_t size = 1;
    while (!rest.empty()) {
      ASSERT_TRUE(client->SendBytes(rest.substr(0, size)).ok());
      rest.remove_prefix(std::min(size, rest.size()));
      size = size * 5 % 997 + 1;
    }
  });
  for (int i = 0; i < kCount; ++i) {
    const auto response = client->ReadResponse();
    ASSERT_TRUE(response.ok()) << i << ": " << response.error().message();
    EXPECT_NE(response->body.find("|" + std::to_string(i) + "|ok"), std::string::npos) << i;
  }
  sender.join();
}

TEST_F(ServerTest, ReadsAChunkedBody) {
  StartServer();
  const auto client = Connect();
  ASSERT_TRUE(client
                  ->SendBytes("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX: y\r\n\r\n")
                  .ok());
  EXPECT_EQ(client->ReadResponse()->body, "/echo||hello world");
}

TEST_F(ServerTest, Expect100ContinueIsAnsweredBeforeTheBody) {
  StartServer();
  const auto client = Connect();
  ASSERT_TRUE(client
                  ->SendBytes("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                              "Content-Length: 2\r\n\r\n")
                  .ok());
  EXPECT_EQ(client->ReadResponse()->status, 100);
  ASSERT_TRUE(client->SendBytes("hi").ok());
  EXPECT_EQ(client->ReadResponse()->body, "/echo||hi");
  // A body that would be refused is refused before it is sent.
  ASSERT_TRUE(client
                  ->SendBytes("POST /small HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                              "Content-Length: 11\r\n\r\n")
                  .ok());
  EXPECT_EQ(client->ReadResponse()->status, 413);
}

TEST_F(ServerTest, RefusalsCloseTheConnection) {
  ServerOptions options;
  options.header_bytes_max = 1000;
  options.body_bytes_max = 100;
  StartServer(options);
  const std::string post = "POST /echo HTTP/1.1\r\nHost: x\r\n";
  const std::vector<std::pair<std::string, int>> cases = {
      {"GARBAGE\r\n\r\n", 400},
      {"GET /get HTTP/1.1\nHost: x\n\n", 400},
      {post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
      {post + "Transfer-Encoding: gzip\r\n\r\n", 501},
      {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n65\r\n", 413},
      {post + "X: a\r\n b\r\n\r\n", 400},
      {post + "Content-Length: 101\r\n\r\n", 413},
      {post + "Content-Length: 101\r\n\r\n" + std::string(101, 'x'), 413},
      {post + "X: " + std::string(1000, 'y') + "\r\n\r\n", 431},
      {post + "X: " + std::string(3000, 'y'), 431},
      {"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", 413},
      {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"CONNECT h:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"GET /get HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"GET /get HTTP/1.1\r\n\r\n", 400},
      {"GET /a/../get HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {post + "Expect: tea\r\n\r\n", 417},
  };
  for (const auto& [bytes, status] : cases) {
    const auto [got, is_closed] = Exchange(bytes);
    EXPECT_EQ(got, status) << bytes.substr(0, 120);
    EXPECT_TRUE(is_closed) << bytes.substr(0, 120);
  }
}

// What follows a refused request on the same connection is never read as a request.
TEST_F(ServerTest, NothingIsSmuggledBehindARefusal) {
  StartServer();
  const auto client = Connect();
  ASSERT_TRUE(client
                  ->SendBytes("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                              "GET /get HTTP/1.1\r\nHost: x\r\n\r\n")
                  .ok());
  EXPECT_EQ(client->ReadResponse()->status, 400);
  EXPECT_TRUE(client->WaitForClose().value());
  EXPECT_EQ(server_->stats().request_count, 1);
}

TEST_F(ServerTest, ALargeRefusedBodyDoesNotLoseTheAnswer) {
  ServerOptions options;
  options.body_bytes_max = 1000;
  StartServer(options);
  const auto client = Connect();
  const auto response = client->Post("/echo", "a/b", std::string(2 << 20, 'x'));
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->status, 413);
}

TEST_F(ServerTest, HttpOneZeroClosesUnlessAsked) {
  StartServer();
  EXPECT_EQ(Exchange("GET /get HTTP/1.0\r\n\r\n"), std::make_pair(200, true));
  const auto client = Connect();
  ASSERT_TRUE(client->SendBytes("GET /get HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").ok());
  EXPECT_EQ(*client->ReadResponse()->headers.Find("Connection"), "keep-alive");
  EXPECT_EQ(client->Get("/get")->status, 200);
}

TEST_F(ServerTest, AClientThatClosesItsSendingSideStillGetsItsAnswer) {
  StartServer();
  const auto client = Connect();
  ASSERT_TRUE(
      client->SendBytes("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi").ok());
  client->FinishSending();
  EXPECT_EQ(client->ReadResponse()->body, "/echo||hi");
  EXPECT_TRUE(client->WaitForClose().value());
}

TEST_F(ServerTest, SlowLorisIsCutOff) {
  ServerOptions options;
  options.header_timeout_ms = 60;
  options.transfer_timeout_ms = 60;
  options.idle_timeout_ms = 60'000;
  StartServer(options);
  // Half a header, half a body: 408. Bytes that trickle in do not buy more time than their rate.
  EXPECT_EQ(Exchange("GET /get HTTP/1.1\r\nHost:").first, 408);
  EXPECT_EQ(Exchange("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab").first, 408);
  EXPECT_EQ(
      Exchange("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n").first,
      408);
  const auto client = Connect();
  const int64_t start_ns = SystemClock().MonotonicNs();
  Status sent = client->SendBytes("GET /get HTTP/1.1\r\nHost: x\r\nX: ");
  while (sent.ok() && SystemClock().MonotonicNs() - start_ns < 5'000'000'000) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    sent = client->SendBytes("a");
  }
  EXPECT_FALSE(sent.ok()) << "a trickling client was served for five seconds";
}

TEST_F(ServerTest, IdleConnectionsAreClosed) {
  ServerOptions options;
  options.idle_timeout_ms = 40;
  StartServer(options);
  const auto client = Connect();
  EXPECT_EQ(client->Get("/get")->status, 200);
  EXPECT_TRUE(client->WaitForClose().value());
}

TEST_F(ServerTest, AReaderThatStallsIsDropped) {
  ServerOptions options;
  options.transfer_timeout_ms = 50;
  options.transfer_bytes_per_s_min = 1 << 30;
  StartServer(options);
  const auto client = Connect();
  ASSERT_EQ(client->Get("/get")->status, 200);
  ASSERT_TRUE(client->SendBytes("GET /big HTTP/1.1\r\nHost: x\r\n\r\n").ok());
  while (server_->stats().connection_count > 0) std::this_thread::yield();
  EXPECT_FALSE(client->ReadResponse().ok());
}

TEST_F(ServerTest, LargeBodiesGoBothWays) {
  StartServer();
  const auto client = Connect();
  std::string body(5 << 20, 'q');
  for (size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + i % 23);
  const auto response = client->Post("/echo", "a/b", body);
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->body, "/echo||" + body);
  EXPECT_EQ(client->Get("/big")->body.size(), size_t{8} << 20);
}

TEST_F(ServerTest, AFullQueueAnswers503) {
  ServerOptions options;
  options.handler_thread_count = 1;
  options.handler_queue_capacity = 1;
  options.retry_after_s = 3;
  StartServer(options);
  const std::string wait = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto first = Connect();
  ASSERT_TRUE(first->SendBytes(wait).ok());
  WaitUntilEntered(1);
  const auto second = Connect();
  ASSERT_TRUE(second->SendBytes(wait).ok());  // waits in the queue
  std::vector<std::unique_ptr<Client>> more;
  const auto third = Connect();
  // The second's request may still be on its way: ask until the queue is seen full.
  Result<Response> busy = third->Get("/get");
  EXPECT_EQ(busy->status, 200);  // inline rows are answered all the while
  for (int i = 0; i < 1000; ++i) {
    more.push_back(Connect(100));
    ASSERT_TRUE(more.back()->SendBytes(wait).ok());
    busy = more.back()->ReadResponse();
    if (busy.ok()) break;
  }
  ASSERT_TRUE(busy.ok());
  EXPECT_EQ(busy->status, 503);
  EXPECT_EQ(*busy->headers.Find("Retry-After"), "3");
  EXPECT_GE(server_->stats().refused_count, 1);
  release_.count_down();
  EXPECT_EQ(first->ReadResponse()->body, "waited");
  EXPECT_EQ(second->ReadResponse()->body, "waited");
}

TEST_F(ServerTest, OneConnectionTooManyGets503) {
  ServerOptions options;
  options.connection_count_max = 2;
  StartServer(options);
  const auto first = Connect();
  const auto second = Connect();
  EXPECT_EQ(first->Get("/get")->status, 200);
  EXPECT_EQ(second->Get("/get")->status, 200);
  const auto third = Connect();
  const auto response = third->ReadResponse();
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->status, 503);
  EXPECT_TRUE(third->WaitForClose().value());
}

TEST_F(ServerTest, ManyIdleConnectionsNeedNoThreads) {
  ServerOptions options;
  options.loop_thread_count = 2;
  StartServer(options);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 300; ++i) {
    clients.push_back(Connect());
    ASSERT_EQ(clients.back()->Get("/get")->status, 200);
  }
  EXPECT_EQ(server_->stats().connection_count, 300);
  for (auto& client : clients) ASSERT_EQ(client->Post("/echo", "a/b", "x")->status, 200);
}

TEST_F(ServerTest, StopAnswersWhatIsUnderWay) {
  StartServer();
  const auto idle = Connect();
  EXPECT_EQ(idle->Get("/get")->status, 200);
  const auto busy = Connect();
  ASSERT_TRUE(busy->SendBytes("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").ok());
  WaitUntilEntered(1);
  const uint16_t port = server_->port();
  std::thread stopper([&] { server_->Stop(10'000); });
  EXPECT_TRUE(idle->WaitForClose().value());
  release_.count_down();
  const auto response = busy->ReadResponse();
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->body, "waited");
  EXPECT_EQ(*response->headers.Find("Connection"), "close");
  EXPECT_TRUE(busy->WaitForClose().value());
  busy->FinishSending();
  stopper.join();
  EXPECT_FALSE(Client::Connect("127.0.0.1", port).ok());
}

TEST_F(ServerTest, StopGivesUpAfterTheDrainTime) {
  StartServer();
  const auto half = Connect();
  ASSERT_TRUE(half->SendBytes("GET /ge").ok());
  EXPECT_EQ(Connect()->Get("/get")->status, 200);
  server_->Stop(20);
  EXPECT_EQ(server_->stats().connection_count, 0);
}

TEST_F(ServerTest, ManyClientsAtOnce) {
  ServerOptions options;
  options.loop_thread_count = 2;
  std::atomic<int64_t> logged = 0;
  options.on_answered = [&](const ServerOptions::Access& access) {
    logged.fetch_add(access.status == 200 && access.route_name.starts_with("/") ? 1 : 0);
  };
  StartServer(options);
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const auto client = Connect();
      for (int i = 0; i < 100; ++i) {
        const std::string body = std::to_string(t) + ":" + std::to_string(i);
        const auto response = client->Post(i % 2 == 0 ? "/inline" : "/echo", "a/b", body);
        if (response.ok() && response->body.ends_with("||" + body)) good.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 800);
  server_->Stop(1000);
  EXPECT_EQ(logged.load(), 800);
}

TEST_F(ServerTest, ATakenPortIsAnErrorThatNamesIt) {
  StartServer();
  ServerOptions options;
  options.port = server_->port();
  const auto second = Server::Start(options, MakeRouter());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
  EXPECT_NE(second.error().message().find(std::to_string(server_->port())), std::string::npos);
  options.host = "no such host";
  EXPECT_FALSE(Server::Start(options, MakeRouter()).ok());
}

TEST_F(ServerTest, PrintsItsUrl) {
  StartServer();
  EXPECT_EQ(server_->url(), "http://127.0.0.1:" + std::to_string(server_->port()));
}

}  // namespace
}  // namespace sluice::http
