// Deliveries over real connections, and over the death of a process.
#include "registry/webhook_delivery.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <condition_variable>
#include <csignal>
#include <fstream>
#include <mutex>
#include <set>

#include "base/testing/scratch_folder.h"
#include "formats/json.h"
#include "http/server.h"
#include "registry/internal/secret_box.h"
#include "registry/store.h"
#include "sql/sqlite.h"

namespace sluice::registry {
namespace {

/// Answers with what it is told to and keeps what it was sent.
class Receiver {
 public:
  Receiver() {
    http::Router router(
        {{.method = http::Method::kPost,
          .pattern = "/{path...}",
          .handler = [this](const http::Request& request) { return Receive(request); },
          .name = "hook"}});
    Result<std::unique_ptr<http::Server>> server = http::Server::Start({}, std::move(router));
    EXPECT_TRUE(server.ok());
    server_ = std::move(server).value();
  }
  std::string url(const std::string& path = "hook") const {
    return fmt::format("http://127.0.0.1:{}/{}", server_->port(), path);
  }
  /// Statuses of the next answers; then 200.
  void AnswerWith(std::vector<int> statuses) {
    std::lock_guard lock(mutex_);
    statuses_ = std::move(statuses);
  }
  std::vector<http::Request> WaitFor(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(arrived_.wait_for(lock, std::chrono::seconds(20),
                                  [&] { return requests_.size() >= count; }))
        << requests_.size() << " of " << count << " came";
    return requests_;
  }

 private:
  http::Response Receive(const http::Request& request) {
    std::lock_guard lock(mutex_);
    requests_.push_back(request);
    arrived_.notify_all();
    int status = 200;
    if (!statuses_.empty()) {
      status = statuses_.front();
      statuses_.erase(statuses_.begin());
    }
    http::Response response = http::Response::Json(status, formats::Json("seen"));
    if (status == 302) response.headers.Set("Location", url("elsewhere"));
    if (status == 429) response.headers.Set("Retry-After", "7");
    return response;
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<http::Request> requests_;
  std::vector<int> statuses_;
  std::unique_ptr<http::Server> server_;
};

WebhookOptions LocalOptions() {
  WebhookOptions options;
  options.allowed_schemes = {"http"};
  options.allow_private_ips = true;
  return options;
}

std::unique_ptr<sql::Db> OpenAt(const std::string& path) {
  std::unique_ptr<sql::Db> db = sql::OpenSqlite(path).value();
  CHECK(sql::Migrate(*db, Migrations()).ok());
  return db;
}

Webhook Listen(Webhooks& webhooks, const std::string& url) {
  WebhookEvent event;  // registered_model.created
  Result<Webhook> webhook =
      webhooks.Create({.name = "hook", .url = url, .events = {event}, .secret = "hidden"});
  EXPECT_TRUE(webhook.ok()) << webhook.error().ToString();
  return *webhook;
}

TEST(WebhookDelivery, ReachesAReceiverInTheBackground) {
  Receiver receiver;
  std::unique_ptr<sql::Db> db = OpenAt(":memory:");
  std::unique_ptr<Store> store = OpenStore(*db);
  SendFunction send = HttpSender(LocalOptions());
  std::unique_ptr<Webhooks> webhooks = OpenWebhooks(*db, LocalOptions(), send);
  Listen(*webhooks, receiver.url("a%20b?token=1"));
  DeliveryOptions options{.poll_interval_ms = 20, .first_delay_ms = 30};
  receiver.AnswerWith({500, 503});
  {
    auto dispatcher = MakeWebhookDispatcher(*db, *webhooks, LocalOptions(), options, send);
    dispatcher->Start();
    for (int i = 0; i < 20; ++i)
      ASSERT_TRUE(store->CreateModel(fmt::format("größe {}", i), "", {}).ok());
    receiver.WaitFor(22);
  }
  std::set<std::string> names;
  for (const http::Request& request : receiver.WaitFor(22)) {
    EXPECT_EQ(request.path, "/a b");
    EXPECT_EQ(request.query, "token=1");
    EXPECT_EQ(*request.headers.Find("Content-Type"), "application/json");
    EXPECT_EQ(*request.headers.Find("X-MLflow-Signature"),
              internal::SignDelivery("hidden", *request.headers.Find("X-MLflow-Delivery-Id"),
                                     *request.headers.Find("X-MLflow-Timestamp"), request.body));
    names.insert(formats::ParseJson(request.body).value().At("data").At("name").AsString());
  }
  EXPECT_EQ(names.size(), 20u);
}

TEST(WebhookDelivery, TellsWhatIsWorthAnotherAttempt) {
  Receiver receiver;
  SendFunction send = HttpSender(LocalOptions());
  auto attempt = [&](int status) {
    receiver.AnswerWith({status});
    return send({.url = receiver.url(), .headers = {}, .body = "{}", .timeout_ms = 5'000});
  };
  EXPECT_TRUE(attempt(200).is_success);
  EXPECT_EQ(attempt(204).http_status, 204);
  EXPECT_EQ(attempt(201).response_body, "\"seen\"");
  for (int status : {500, 502, 503, 504, 429, 408})
    EXPECT_FALSE(attempt(status).is_final) << status;
  for (int status : {400, 401, 404, 410}) EXPECT_TRUE(attempt(status).is_final) << status;
  EXPECT_EQ(attempt(429).retry_after_ms, 7'000);
  size_t before = receiver.WaitFor(0).size();
  DeliveryAttempt redirected = attempt(302);
  EXPECT_FALSE(redirected.is_success);
  EXPECT_EQ(receiver.WaitFor(0).size(), before + 1);  // not followed
  DeliveryAttempt refused =
      send({.url = "http://127.0.0.1:1/", .headers = {}, .body = "{}", .timeout_ms = 5'000});
  EXPECT_EQ(refused.http_status, 0);
  EXPECT_FALSE(refused.error.empty());
  EXPECT_FALSE(refused.is_final);
}

TEST(WebhookDelivery, NeverConnectsInsideWhateverTheNameSaid) {
  Receiver receiver;
  WebhookOptions options = LocalOptions();
  options.allow_private_ips = false;
  // The name was public when the webhook was made; now it leads inside.
  options.resolve = [](const std::string&) -> Result<std::vector<std::string>> {
    return std::vector<std::string>{"93.184.216.34"};
  };
  SendFunction send = HttpSender(options);
  std::unique_ptr<sql::Db> db = OpenAt(":memory:");
  std::unique_ptr<Webhooks> webhooks = OpenWebhooks(*db, options, send);
  std::string url = receiver.url();
  url.replace(url.find("127.0.0.1"), 9, "localhost");
  Webhook webhook = Listen(*webhooks, url);
  DeliveryAttempt attempt = webhooks->Test(webhook.id, std::nullopt).value();
  EXPECT_FALSE(attempt.is_success);
  EXPECT_NE(attempt.error.find("is not a public IP address"), std::string::npos) << attempt.error;
  EXPECT_EQ(receiver.WaitFor(0).size(), 0u);
  // Nor by another scheme than was allowed when it was made.
  EXPECT_TRUE(
      send({.url = "file:///etc/passwd", .headers = {}, .body = "", .timeout_ms = 1'000}).is_final);
}

TEST(WebhookDelivery, SurvivesTheDeathOfItsProcess) {
  constexpr int kModels = 12;
  ScratchFolder folder;
  const std::string path = folder.Join("outbox.db");
  DeliveryOptions options{
      .thread_count = 2, .poll_interval_ms = 20, .timeout_ms = 100, .lease_ms = 200};
  const std::string url_file = folder.Join("url");
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Dies in the middle of its third attempt, after the receiver may have got it.
    std::unique_ptr<sql::Db> db = OpenAt(path);
    std::unique_ptr<Store> store = OpenStore(*db);
    int attempts = 0;
    SendFunction send = [&](const OutgoingRequest& request) {
      std::ofstream(url_file, std::ios::app) << request.headers[1].second << "\n";
      if (++attempts == 3) kill(getpid(), SIGKILL);
      return DeliveryAttempt{.is_success = true, .http_status = 200};
    };
    std::unique_ptr<Webhooks> webhooks = OpenWebhooks(*db, LocalOptions(), send);
    Listen(*webhooks, "http://127.0.0.1:1/");
    for (int i = 0; i < kModels; ++i) {
      if (!store->CreateModel(fmt::format("m{}", i), "", {}).ok()) _exit(1);
    }
    auto dispatcher = MakeWebhookDispatcher(*db, *webhooks, LocalOptions(), options, send);
    Result<int> ticked = dispatcher->Tick();
    _exit(ticked.ok() ? 2 : 3);  // not reached
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  std::vector<std::string> first_ids;
  std::ifstream file(url_file);
  for (std::string line; std::getline(file, line);) first_ids.push_back(line);
  ASSERT_EQ(first_ids.size(), 3u);

  Receiver receiver;
  std::unique_ptr<sql::Db> db = OpenAt(path);
  SendFunction send = HttpSender(LocalOptions());
  std::unique_ptr<Webhooks> webhooks = OpenWebhooks(*db, LocalOptions(), send);
  Webhook webhook = webhooks->List(1, "").value().webhooks.at(0);
  ASSERT_TRUE(webhooks->Update(webhook.id, {.url = receiver.url()}).ok());
  auto dispatcher = MakeWebhookDispatcher(*db, *webhooks, LocalOptions(), options, send);
  dispatcher->Start();
  // Two were finished before; the one that was cut off comes again under its id.
  std::set<std::string> ids;
  for (const http::Request& request : receiver.WaitFor(kModels - 2))
    ids.insert(*request.headers.Find("X-MLflow-Delivery-Id"));
  EXPECT_EQ(ids.size(), size_t{kModels - 2});
  EXPECT_TRUE(ids.contains(first_ids[2]));
  EXPECT_FALSE(ids.contains(first_ids[0]) || ids.contains(first_ids[1]));
}

TEST(WebhookDelivery, OneDeadReceiverDoesNotKeepTheOthersWaiting) {
  Receiver receiver;
  std::unique_ptr<sql::Db> db = OpenAt(":memory:");
  std::unique_ptr<Store> store = OpenStore(*db);
  std::mutex mutex;
  std::condition_variable done;
  bool is_done = false;
  SendFunction http = HttpSender(LocalOptions());
  SendFunction send = [&](const OutgoingRequest& request) {
    if (request.url.find("dead") == std::string::npos) return http(request);
    std::unique_lock lock(mutex);
    done.wait_for(lock, std::chrono::seconds(20), [&] { return is_done; });
    return DeliveryAttempt{.error = "no answer"};
  };
  std::unique_ptr<Webhooks> webhooks = OpenWebhooks(*db, LocalOptions(), send);
  Listen(*webhooks, "http://127.0.0.1:1/dead");
  Listen(*webhooks, receiver.url());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(store->CreateModel(fmt::format("m{}", i), "", {}).ok());
  DeliveryOptions options{.thread_count = 2, .poll_interval_ms = 20};
  auto dispatcher = MakeWebhookDispatcher(*db, *webhooks, LocalOptions(), options, send);
  dispatcher->Start();
  EXPECT_EQ(receiver.WaitFor(10).size(), 10u);
  {
    std::lock_guard lock(mutex);
    is_done = true;
  }
  done.notify_all();
}

}  // namespace
}  // namespace sluice::registry
