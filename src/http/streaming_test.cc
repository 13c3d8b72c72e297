// Bodies that no memory holds, both ways: over sockets, with clients that do what they should not.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/guarded.h"
#include "base/random.h"
#include "http/client.h"
#include "http/ranges.h"
#include "http/server.h"

namespace sluice::http {
namespace {

std::string MakeBytes(size_t size) {
  Random random(7);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.NextU64());
  return bytes;
}

/// Gives `bytes` in pieces, then the end or an error.
class TestSource final : public BodySource {
 public:
  TestSource(std::string bytes, size_t piece_bytes, bool fails_at_end = false,
             std::atomic<int>* alive_count = nullptr)
      : bytes_(std::move(bytes)),
        piece_bytes_(piece_bytes),
        fails_at_end_(fails_at_end),
        alive_count_(alive_count) {
    if (alive_count_) alive_count_->fetch_add(1);
  }
  ~TestSource() override {
    if (alive_count_) alive_count_->fetch_sub(1);
  }
  Result<size_t> Read(std::span<char> into) override {
    const size_t count = std::min({into.size(), piece_bytes_, bytes_.size() - used_});
    if (count == 0 && fails_at_end_) return Unavailable("the other server went away");
    bytes_.copy(into.data(), count, used_);
    used_ += count;
    return count;
  }

 private:
  const std::string bytes_;
  size_t used_ = 0;
  const size_t piece_bytes_;
  const bool fails_at_end_;
  std::atomic<int>* alive_count_;
};

class StreamingTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/http_streaming_" + std::to_string(getpid()) + "_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove(path_);
  }

  /// What an upload's handler saw.
  struct Seen {
    std::string body;
    std::optional<Error> error;
    std::optional<int64_t> announced_bytes;
  };

  Router MakeRouter() {
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
    const auto upload = [this](const Request& request) {
      Seen seen;
      seen.announced_bytes = request.body_stream_bytes;
      std::vector<char> buffer(read_bytes_);
      while (true) {
        const Result<size_t> count = request.body_stream->Read(buffer);
        if (!count.ok()) seen.error = count.error();
        if (!count.ok() || *count == 0) break;
        seen.body.append(buffer.data(), *count);
      }
      Response response = seen.error ? BodyErrorResponse(*seen.error)
                                     : Response::Text(200, std::to_string(seen.body.size()));
      seen_.With([&](std::vector<Seen>& all) { all.push_back(std::move(seen)); });
      seen_count_.fetch_add(1);
      seen_count_.notify_all();
      return response;
    };
    add(Method::kPut, "/up/{path...}", upload, true);
    add(Method::kPut, "/small/{path...}", upload, true);
    rows.back().body_bytes_max = 1000;
    add(
        Method::kPut, "/refuse", [](const Request&) { return Response::Text(403, "no"); }, true);
    add(
        Method::kGet, "/file",
        [this](const Request& request) {
          Result<Response> response = FileResponse(
              request, io::Descriptor(open(path_.c_str(), O_RDONLY | O_CLOEXEC)), "text/plain");
          return response.ok() ? *std::move(response) : Response::Text(500, "");
        },
        false);
    add(
        Method::kGet, "/short-file",
        [this](const Request&) {
          Response response;
          response.file = FileBody{io::Descriptor(open(path_.c_str(), O_RDONLY)), 0, 1 << 20};
          return response;
        },
        false);
    add(
        Method::kGet, "/stream/{kind}",
        [this](const Request& request) {
          const std::string& kind = request.PathParam("kind");
          Response response;
          response.stream = std::make_unique<TestSource>(stream_bytes_, size_t{70'001},
                                                         kind == "fails", &alive_count_);
          if (kind == "known" || kind == "short") {
            response.stream_bytes =
                static_cast<int64_t>(stream_bytes_.size()) + (kind == "short" ? 1 : 0);
          }
          return response;
        },
        false);
    add(
        Method::kGet, "/get", [](const Request&) { return Response::Text(200, "got"); }, false);
    return Router(std::move(rows));
  }

  void StartServer(ServerOptions options = {}) {
    auto started = Server::Start(std::move(options), MakeRouter());
    ASSERT_TRUE(started.ok()) << started.error().message();
    server_ = std::move(started).value();
  }
  std::unique_ptr<Client> Connect() {
    return Client::Connect("127.0.0.1", server_->port(), {.timeout_ms = 10'000}).value();
  }
  void WriteFile(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }
  Seen WaitForSeen(int count = 1) {
    for (int now = seen_count_.load(); now < count; now = seen_count_.load()) {
      seen_count_.wait(now);
    }
    return seen_.With(
        [&](const std::vector<Seen>& all) { return all[static_cast<size_t>(count) - 1]; });
  }

  std::string path_;
  size_t read_bytes_ = 256 << 10;
  std::string stream_bytes_;
  std::atomic<int> alive_count_ = 0;
  Guarded<std::vector<Seen>> seen_;
  std::atomic<int> seen_count_ = 0;
  std::unique_ptr<Server> server_;
};

std::string Chunked(std::string_view bytes, size_t chunk_bytes) {
  std::string out;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, chunk_bytes);
    out += fmt::format("{:x}\r\n", part.size());
    out += part;
    out += "\r\n";
    bytes.remove_prefix(part.size());
  }
  return out + "0\r\n\r\n";
}

TEST_F(StreamingTest, UploadsArriveWholeInBothFramings) {
  StartServer();
  const std::string body = MakeBytes(5'000'011);
  const auto client = Connect();
  for (size_t read_bytes : {size_t{1000}, size_t{256 << 10}, size_t{8 << 20}}) {
    read_bytes_ = read_bytes;
    const int before = seen_count_.load();
    const auto plain =
        client->Send({.method = Method::kPut, .target = "/up/a", .headers = {}, .body = body});
    ASSERT_TRUE(plain.ok()) << plain.error().message();
    EXPECT_EQ(plain->body, "5000011");
    EXPECT_TRUE(WaitForSeen(before + 1).body == body);
    EXPECT_EQ(WaitForSeen(before + 1).announced_bytes, 5'000'011);
    ASSERT_TRUE(client
                    ->SendBytes("PUT /up/b HTTP/1.1\r\nHost: x\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n" +
                                Chunked(body, 33'333))
                    .ok());
    EXPECT_EQ(client->ReadResponse()->body, "5000011");
    EXPECT_TRUE(WaitForSeen(before + 2).body == body);
    EXPECT_EQ(WaitForSeen(before + 2).announced_bytes, std::nullopt);
  }
  EXPECT_EQ(client->Get("/get")->body, "got");  // the connection is still in step
  EXPECT_EQ(server_->stats().transfer_count, 0);
}

TEST_F(StreamingTest, PipelinedUploadsStayInStep) {
  StartServer();
  const auto client = Connect();
  std::string bytes;
  for (int i = 0; i < 20; ++i) {
    bytes += "PUT /up/x HTTP/1.1\r\nHost: x\r\n";
    bytes += i % 2 == 0 ? "Content-Length: 3\r\n\r\nabc"
                        : "Transfer-Encoding: chunked\r\n\r\n" + Chunked("abc", 2);
    bytes += "GET /get HTTP/1.1\r\nHost: x\r\n\r\nPUT /up/e HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  ASSERT_TRUE(client->SendBytes(bytes).ok());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client->ReadResponse()->body, "3") << i;
    EXPECT_EQ(client->ReadResponse()->body, "got") << i;
    EXPECT_EQ(client->ReadResponse()->body, "0") << i;
  }
}

TEST_F(StreamingTest, ContinueIsSaidByTheFirstReadAlone) {
  StartServer();
  const auto client = Connect();
  const std::string fields =
      " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  ASSERT_TRUE(client->SendBytes("PUT /up/a" + fields).ok());
  EXPECT_EQ(client->ReadResponse()->status, 100);
  ASSERT_TRUE(client->SendBytes("hi").ok());
  EXPECT_EQ(client->ReadResponse()->body, "2");
  ASSERT_TRUE(client->SendBytes("PUT /refuse" + fields).ok());
  EXPECT_EQ(client->ReadResponse()->status, 403);
}

TEST_F(StreamingTest, AnUnreadBodyEndsTheConnectionButNotTheAnswer) {
  StartServer();
  const auto client = Connect();
  // Still being sent when the answer is made: sent to its end, the answer is there.
  const auto refused = client->Send({.method = Method::kPut,
                                     .target = "/refuse",
                                     .headers = {},
                                     .body = std::string(64 << 20, 'x')});
  ASSERT_TRUE(refused.ok()) << refused.error().message();
  EXPECT_EQ(refused->status, 403);
  EXPECT_EQ(*refused->headers.Find("Connection"), "close");
  EXPECT_TRUE(client->WaitForClose().value());
  // One that is already here is skipped, and the connection goes on.
  const auto other = Connect();
  ASSERT_TRUE(
      other->SendBytes("PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde").ok());
  EXPECT_EQ(other->ReadResponse()->status, 403);
  EXPECT_EQ(other->Get("/get")->body, "got");
}

TEST_F(StreamingTest, ABodyThatIsCutOffIsAnErrorOfRead) {
  StartServer();
  const std::string head = "PUT /up/a HTTP/1.1\r\nHost: x\r\n";
  const std::vector<std::pair<std::string, ErrorCode>> cases = {
      {head + "Content-Length: 10\r\n\r\nabc", ErrorCode::kUnavailable},
      {head + "Content-Length: 10\r\n\r\n", ErrorCode::kUnavailable},
      {head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", ErrorCode::kUnavailable},
      {head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", ErrorCode::kUnavailable},
      {head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX", ErrorCode::kInvalidArgument},
      {"PUT /small/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
       ErrorCode::kResourceExhausted},
  };
  int count = 0;
  for (const auto& [bytes, code] : cases) {
    const auto client = Connect();
    ASSERT_TRUE(client->SendBytes(bytes).ok());
    client->FinishSending();
    const Seen seen = WaitForSeen(++count);
    ASSERT_TRUE(seen.error) << bytes;
    EXPECT_EQ(seen.error->code(), code) << bytes << ": " << seen.error->message();
  }
  // What is announced as too large is refused before the handler.
  const auto client = Connect();
  ASSERT_TRUE(
      client->SendBytes("PUT /small/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n").ok());
  EXPECT_EQ(client->ReadResponse()->status, 413);
  EXPECT_EQ(seen_count_.load(), count);
}

TEST_F(StreamingTest, ASlowUploadIsCutOff) {
  ServerOptions options;
  options.transfer_timeout_ms = 50;
  options.transfer_bytes_per_s_min = 1 << 20;
  StartServer(options);
  const auto client = Connect();
  ASSERT_TRUE(
      client->SendBytes("PUT /up/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc").ok());
  const Seen seen = WaitForSeen();
  ASSERT_TRUE(seen.error);
  EXPECT_EQ(seen.error->code(), ErrorCode::kUnavailable);
  EXPECT_EQ(client->ReadResponse()->status, 408);
}

TEST_F(StreamingTest, SlowUploadsLeaveTheHandlersFree) {
  ServerOptions options;
  options.handler_thread_count = 1;
  options.transfer_thread_count = 2;
  options.transfer_queue_capacity = 2;
  StartServer(options);
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 4; ++i) {
    slow.push_back(Connect());
    ASSERT_TRUE(
        slow.back()->SendBytes("PUT /up/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na").ok());
    while (server_->stats().transfer_count <= i) std::this_thread::yield();
  }
  EXPECT_EQ(Connect()->Get("/get")->body, "got");
  const auto one_too_many = Connect();
  ASSERT_TRUE(
      one_too_many->SendBytes("PUT /up/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na").ok());
  const auto refused = one_too_many->ReadResponse();
  EXPECT_EQ(refused->status, 503);
  EXPECT_NE(refused->headers.Find("Retry-After"), nullptr);
  for (const auto& client : slow) {
    ASSERT_TRUE(client->SendBytes("bc").ok());
    EXPECT_EQ(client->ReadResponse()->body, "3");
  }
}

TEST_F(StreamingTest, FilesAreSentWholeAndInPart) {
  StartServer();
  const std::string bytes = MakeBytes(20'000'003);
  WriteFile(bytes);
  const auto client = Connect();
  const auto whole = client->Get("/file");
  ASSERT_TRUE(whole.ok()) << whole.error().message();
  EXPECT_TRUE(whole->body == bytes);
  EXPECT_EQ(*whole->headers.Find("Accept-Ranges"), "bytes");
  const std::string etag = *whole->headers.Find("ETag");
  const auto ask = [&](Method method, std::string name, std::string value) {
    Client::Call call{.method = method, .target = "/file", .headers = {}, .body = {}};
    call.headers.Add(std::move(name), std::move(value));
    return client->Send(call).value();
  };
  const Response part = ask(Method::kGet, "Range", "bytes=1000-1999");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, bytes.substr(1000, 1000));
  EXPECT_EQ(*part.headers.Find("Content-Range"), "bytes 1000-1999/20000003");
  EXPECT_EQ(ask(Method::kGet, "Range", "bytes=-3").body, bytes.substr(20'000'000));
  EXPECT_EQ(ask(Method::kGet, "Range", "bytes=20000003-").status, 416);
  EXPECT_EQ(ask(Method::kGet, "If-None-Match", etag).status, 304);
  const Response head = ask(Method::kHead, "X", "y");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(*head.headers.Find("Content-Length"), "20000003");
  WriteFile("");
  EXPECT_EQ(client->Get("/file")->body, "");
  EXPECT_EQ(client->Get("/get")->body, "got");
}

TEST_F(StreamingTest, AFileThatEndsTooSoonEndsTheConnection) {
  StartServer();
  WriteFile("short");
  const auto client = Connect();
  const auto response = client->Get("/short-file");
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), ErrorCode::kUnavailable);
}

TEST_F(StreamingTest, SlowDownloadersHoldNobodyUp) {
  ServerOptions options;
  options.handler_thread_count = 2;
  options.transfer_thread_count = 1;
  options.file_thread_count = 1;
  StartServer(options);
  WriteFile(MakeBytes(8'000'000));
  stream_bytes_ = MakeBytes(8'000'000);
  std::vector<std::unique_ptr<Client>> stalled;
  for (int i = 0; i < 20; ++i) {
    stalled.push_back(Connect());
    const std::string path = i % 2 == 0 ? "/file" : "/stream/chunked";
    ASSERT_TRUE(stalled.back()->SendBytes("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n").ok());
  }
  const auto client = Connect();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client->Get("/file")->body.size(), 8'000'000u);
    EXPECT_EQ(client->Get("/stream/known")->body.size(), 8'000'000u);
    EXPECT_EQ(
        client->Send({.method = Method::kPut, .target = "/up/a", .headers = {}, .body = "abc"})
            ->body,
        "3");
  }
  for (const auto& one : stalled) EXPECT_EQ(one->ReadResponse()->body.size(), 8'000'000u);
}

TEST_F(StreamingTest, AStalledDownloadIsDropped) {
  ServerOptions options;
  options.transfer_timeout_ms = 50;
  options.transfer_bytes_per_s_min = 1 << 30;
  StartServer(options);
  WriteFile(MakeBytes(16'000'000));
  stream_bytes_ = MakeBytes(16'000'000);
  int64_t answered_count = 0;
  for (const char* path : {"/file", "/stream/known", "/stream/chunked"}) {
    const auto client = Connect();
    ASSERT_TRUE(
        client->SendBytes("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n").ok());
    ++answered_count;
    while (server_->stats().request_count < answered_count ||
           server_->stats().connection_count > 0) {
      std::this_thread::yield();
    }
    EXPECT_FALSE(client->ReadResponse().ok()) << path;
  }
  EXPECT_EQ(alive_count_.load(), 0);
  EXPECT_EQ(server_->stats().transfer_count, 0);
}

TEST_F(StreamingTest, SourcesOfKnownAndUnknownLength) {
  StartServer();
  const auto client = Connect();
  for (size_t size : {size_t{0}, size_t{1}, size_t{70'001}, size_t{3'000'000}}) {
    stream_bytes_ = MakeBytes(size);
    const auto known = client->Get("/stream/known");
    EXPECT_TRUE(known->body == stream_bytes_) << size;
    EXPECT_EQ(*known->headers.Find("Content-Length"), std::to_string(size));
    const auto chunked = client->Get("/stream/chunked");
    EXPECT_TRUE(chunked->body == stream_bytes_) << size;
    EXPECT_EQ(*chunked->headers.Find("Transfer-Encoding"), "chunked");
    const auto head = client->Send(
        {.method = Method::kHead, .target = "/stream/chunked", .headers = {}, .body = {}});
    EXPECT_EQ(head->status, 200);
    // HTTP/1.0 has no chunks: the body ends with the connection.
    const auto old = Connect();
    ASSERT_TRUE(
        old->SendBytes("GET /stream/chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").ok());
    EXPECT_TRUE(old->ReadResponse()->body == stream_bytes_) << size;
  }
  EXPECT_EQ(alive_count_.load(), 0);
}

TEST_F(StreamingTest, ASourceThatFailsIsSeenByTheClient) {
  StartServer();
  stream_bytes_ = MakeBytes(100'000);
  for (const char* kind : {"fails", "short"}) {
    const auto response = Connect()->Get(std::string("/stream/") + kind);
    ASSERT_FALSE(response.ok()) << kind;
    EXPECT_EQ(response.error().code(), ErrorCode::kUnavailable) << kind;
  }
  while (alive_count_.load() > 0) std::this_thread::yield();
}

TEST_F(StreamingTest, StopLetsStreamsFinishAndThenCutsThem) {
  StartServer();
  const auto client = Connect();
  ASSERT_TRUE(
      client->SendBytes("PUT /up/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na").ok());
  while (server_->stats().transfer_count == 0) std::this_thread::yield();
  std::thread stopper([&] { server_->Stop(10'000); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ASSERT_TRUE(client->SendBytes("bc").ok());
  EXPECT_EQ(client->ReadResponse()->body, "3");
  client->FinishSending();
  stopper.join();

  StartServer();
  const auto stuck = Connect();
  ASSERT_TRUE(stuck->SendBytes("PUT /up/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na").ok());
  while (server_->stats().transfer_count == 0) std::this_thread::yield();
  server_->Stop(20);
  EXPECT_EQ(WaitForSeen(2).error->code(), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace sluice::http
