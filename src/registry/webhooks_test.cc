#include "registry/webhooks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <thread>

#include "base/guarded.h"
#include "formats/json.h"
#include "registry/internal/secret_box.h"
#include "registry/store.h"
#include "registry/webhook_address.h"
#include "registry/webhook_delivery.h"
#include "sql/testing/test_database.h"

namespace sluice::registry {
namespace {

using formats::Json;

Result<std::vector<std::string>> FakeResolve(const std::string& host) {
  if (host == "hooks.example") return std::vector<std::string>{"93.184.216.34"};
  if (host == "inside.example") return std::vector<std::string>{"93.184.216.34", "10.0.0.7"};
  if (host == "2130706433" || host == "0x7f000001") return std::vector<std::string>{"127.0.0.1"};
  if (IsPublicAddress(host) || host.find(':') != std::string::npos ||
      host.find_first_not_of("0123456789.") == std::string::npos)
    return std::vector<std::string>{host};
  return NotFound("Name or service not known");
}

/// A registry with webhooks, whose deliveries are caught before they go out.
class WebhooksTest : public testing::TestWithParam<sql::TestEngine> {
 protected:
  void SetUp() override {
    db_ = sql::OpenTestDb(GetParam());
    if (db_ == nullptr) GTEST_SKIP() << sql::kNoPostgres;
    Result<int> migrated = sql::Migrate(*db_, Migrations(), clock_);
    ASSERT_TRUE(migrated.ok()) << migrated.error().ToString();
    store_ = OpenStore(*db_, clock_);
    options_.resolve = FakeResolve;
    options_.secret_key = "a key";
    Restart();
  }
  /// As a new process would.
  void Restart() {
    dispatcher_.reset();
    webhooks_ = OpenWebhooks(*db_, options_, Sender(), clock_);
    dispatcher_ =
        MakeWebhookDispatcher(*db_, *webhooks_, options_, delivery_options_, Sender(), clock_);
  }
  SendFunction Sender() {
    return [this](const OutgoingRequest& request) {
      sent_.push_back(request);
      return answer_;
    };
  }
  Webhook Listen(std::vector<WebhookEvent> events, std::string secret = "") {
    NewWebhook webhook{.name = "hook", .url = "https://hooks.example/x", .events = events};
    if (!secret.empty()) webhook.secret = secret;
    Result<Webhook> created = webhooks_->Create(webhook);
    EXPECT_TRUE(created.ok()) << created.error().ToString();
    return created.ok() ? *created : Webhook();
  }
  static WebhookEvent Event(WebhookEntity entity, WebhookAction action) {
    WebhookEvent event;
    event.entity = entity;
    event.action = action;
    return event;
  }
  /// Delivers what is due; "entity.action data" each.
  std::vector<std::string> Deliver() {
    sent_.clear();
    Result<int> count = dispatcher_->Tick();
    EXPECT_TRUE(count.ok()) << count.error().ToString();
    std::vector<std::string> texts;
    for (const OutgoingRequest& request : sent_) {
      Json body = formats::ParseJson(request.body).value();
      texts.push_back(body.At("entity").AsString() + "." + body.At("action").AsString() + " " +
                      formats::PrintJson(body.At("data")));
    }
    return texts;
  }
  static std::string HeaderOf(const OutgoingRequest& request, std::string_view name) {
    for (const auto& [known, value] : request.headers) {
      if (known == name) return value;
    }
    return "";
  }

  ManualClock clock_{1'700'000'000'123};
  std::shared_ptr<sql::Db> db_;
  std::unique_ptr<Store> store_;
  WebhookOptions options_;
  DeliveryOptions delivery_options_;
  DeliveryAttempt answer_{.is_success = true, .http_status = 200};
  std::vector<OutgoingRequest> sent_;
  std::unique_ptr<Webhooks> webhooks_;
  std::unique_ptr<WebhookDispatcher> dispatcher_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, WebhooksTest, testing::Values(sql::TestEngine::kSqliteMemory));
INSTANTIATE_TEST_SUITE_P(Postgres, WebhooksTest, testing::Values(sql::TestEngine::kPostgres));

TEST_P(WebhooksTest, AreKeptListedChangedAndDeleted) {
  NewWebhook wanted{.name = "my.hook-1",
                    .url = "https://hooks.example/x?token=1",
                    .events = {Event(WebhookEntity::kModelVersion, WebhookAction::kCreated),
                               Event(WebhookEntity::kModelVersionTag, WebhookAction::kSet)},
                    .description = "tells",
                    .secret = "hidden"};
  Webhook first = webhooks_->Create(wanted).value();
  EXPECT_EQ(first.id.size(), 36u);
  EXPECT_EQ(first.events, wanted.events);
  EXPECT_EQ(first.description, "tells");
  EXPECT_TRUE(first.has_secret);
  EXPECT_EQ(first.created_ms, clock_.NowMs());
  clock_.AdvanceMs(5);
  Webhook second = Listen({Event(WebhookEntity::kPrompt, WebhookAction::kCreated)});
  EXPECT_FALSE(second.has_description || second.has_secret);
  WebhookPage page = webhooks_->List(1, "").value();
  ASSERT_EQ(page.webhooks.size(), 1u);
  EXPECT_EQ(page.webhooks[0].id, second.id);
  page = webhooks_->List(1, page.next_page_token).value();
  EXPECT_EQ(page.webhooks.at(0).id, first.id);
  EXPECT_EQ(page.next_page_token, "");

  clock_.AdvanceMs(5);
  Webhook changed =
      webhooks_
          ->Update(first.id,
                   {.name = "other",
                    .events = {{Event(WebhookEntity::kModelVersionAlias, WebhookAction::kDeleted)}},
                    .status = WebhookStatus::kDisabled})
          .value();
  EXPECT_EQ(changed.name, "other");
  EXPECT_EQ(changed.url, wanted.url);
  EXPECT_EQ(changed.events.size(), 1u);
  EXPECT_EQ(changed.status, WebhookStatus::kDisabled);
  EXPECT_TRUE(changed.has_secret);
  EXPECT_EQ(changed.updated_ms, clock_.NowMs());
  EXPECT_FALSE(webhooks_->Update(first.id, {.secret = ""}).value().has_secret);
  ASSERT_TRUE(webhooks_->Delete(first.id).ok());
  Result<Webhook> gone = webhooks_->Get(first.id);
  EXPECT_EQ(gone.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(gone.error().message(), "Webhook with ID " + first.id + " not found.");
  EXPECT_FALSE(webhooks_->Delete(first.id).ok());
  EXPECT_EQ(webhooks_->Update(first.id, {.name = "-"}).error().code(), ErrorCode::kNotFound);
  for (int64_t wrong : {0, -1, 1001}) {
    EXPECT_EQ(webhooks_->List(wrong, "").error().message(),
              "max_results must be between 1 and 1000.");
  }
}

TEST_P(WebhooksTest, RefuseWhatMlflowRefuses) {
  NewWebhook good{.name = "n",
                  .url = "https://hooks.example",
                  .events = {Event(WebhookEntity::kPrompt, WebhookAction::kCreated)}};
  auto why = [&](const NewWebhook& webhook) {
    Result<Webhook> created = webhooks_->Create(webhook);
    if (created.ok()) return std::string("it is taken");
    EXPECT_EQ(created.error().code(), ErrorCode::kInvalidArgument);
    return created.error().message();
  };
  for (std::string name : {"", "-a", "a-", "a b", "ä", std::string(64, 'a').c_str(), "a\n"}) {
    NewWebhook webhook = good;
    webhook.name = name;
    EXPECT_NE(why(webhook).find("is invalid. It must start and end with"), std::string::npos);
  }
  auto url = [&](const std::string& text) {
    NewWebhook webhook = good;
    webhook.url = text;
    return why(webhook);
  };
  EXPECT_EQ(url("http://hooks.example"),
            "Invalid webhook URL scheme: 'http'. Allowed schemes are: https.");
  EXPECT_EQ(url(" "), "Webhook URL cannot be empty or just whitespace: ' '");
  EXPECT_EQ(url("https:///x"), "Webhook URL must include a hostname: 'https:///x'");
  EXPECT_EQ(url("https://[::1/x"),
            "Invalid webhook URL 'https://[::1/x': '[::1' is no host and port.");
  EXPECT_EQ(url("https://127.0.0.1/x"),
            "Webhook URL must not resolve to a non-public IP address. '127.0.0.1' resolves to "
            "127.0.0.1.");
  EXPECT_EQ(url("https://u:p@inside.example/x"),
            "Webhook URL must not resolve to a non-public IP address. 'inside.example' resolves to "
            "10.0.0.7.");
  for (const char* inside :
       {"https://2130706433/", "https://0x7f000001/", "https://[::1]/",
        "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0:1/", "https://100.64.0.1"}) {
    EXPECT_NE(url(inside).find("non-public IP address"), std::string::npos) << inside;
  }
  EXPECT_NE(url("https://nowhere.example").find("Cannot resolve Webhook URL hostname"),
            std::string::npos);
  EXPECT_NE(url("https://hooks.example\\@10.0.0.1/"), "it is taken");
  EXPECT_NE(url("https://hooks.example/\r\nX: y"), "it is taken");
  EXPECT_NE(url("https://hooks.example:99999/"), "it is taken");
  NewWebhook webhook = good;
  webhook.events.clear();
  EXPECT_EQ(why(webhook), "Webhook events must be a non-empty list of WebhookEvent objects: [].");
  webhook.events = {Event(WebhookEntity::kRegisteredModel, WebhookAction::kDeleted)};
  EXPECT_EQ(why(webhook),
            "Invalid action 'deleted' for entity 'registered_model'. Valid actions are: "
            "['created']");
  webhook.events = {good.events[0], good.events[0]};
  EXPECT_NE(why(webhook), "it is taken");
  webhook.events = {Event(WebhookEntity::kMetric, WebhookAction::kReached)};
  EXPECT_NE(why(webhook).find("metric_key"), std::string::npos);
  webhook.events = {Event(WebhookEntity::kRun, WebhookAction::kFinished)};
  webhook.events[0].statuses = {"RUNNING"};
  EXPECT_NE(why(webhook).find("RUNNING"), std::string::npos);
}

TEST_P(WebhooksTest, AreToldOfEveryChangeInMlflowsWords) {
  using Entity = WebhookEntity;
  using Action = WebhookAction;
  Listen({Event(Entity::kRegisteredModel, Action::kCreated),
          Event(Entity::kModelVersion, Action::kCreated),
          Event(Entity::kModelVersionTag, Action::kSet),
          Event(Entity::kModelVersionTag, Action::kDeleted),
          Event(Entity::kModelVersionAlias, Action::kCreated),
          Event(Entity::kModelVersionAlias, Action::kDeleted)});
  ASSERT_TRUE(store_->CreateModel("m", "", {{"k", "v"}}).ok());
  ASSERT_TRUE(store_->SetModelTag("m", {"not", "told"}).ok());
  ASSERT_TRUE(store_->CreateVersion({.name = "m", .source = "s3://b/x", .run_id = "r"}).ok());
  ASSERT_TRUE(store_->SetVersionTag("m", 1, {"a", "b"}).ok());
  ASSERT_TRUE(store_->DeleteVersionTag("m", 1, "a").ok());
  ASSERT_TRUE(store_->DeleteVersionTag("m", 1, "absent").ok());
  ASSERT_TRUE(store_->SetAlias({.name = "m", .alias = "live", .version = 1}).ok());
  ASSERT_TRUE(store_->RemoveAlias("m", "live", "", "").ok());
  ASSERT_TRUE(store_->CreateModel("p", "d", {{std::string(kIsPromptTag), "true"}}).ok());
  std::vector<std::string> told = Deliver();
  std::sort(told.begin(), told.end());
  EXPECT_EQ(
      told,
      (std::vector<std::string>{
          R"(model_version.created {"name":"m","version":"1","source":"s3://b/x","run_id":"r",)"
          R"("tags":{},"description":null})",
          R"(model_version_alias.created {"name":"m","alias":"live","version":"1"})",
          R"(model_version_alias.deleted {"name":"m","alias":"live"})",
          R"(model_version_tag.deleted {"name":"m","version":"1","key":"a"})",
          R"(model_version_tag.set {"name":"m","version":"1","key":"a","value":"b"})",
          R"(registered_model.created {"name":"m","tags":{"k":"v"},"description":""})"}));
  Json body = formats::ParseJson(sent_.at(0).body).value();
  EXPECT_EQ(body.At("timestamp").AsString(), "2023-11-14T22:13:20.123000+00:00");
  EXPECT_TRUE(Deliver().empty());
}

TEST_P(WebhooksTest, AreToldOfPromptsApart) {
  using Entity = WebhookEntity;
  using Action = WebhookAction;
  Listen({Event(Entity::kPrompt, Action::kCreated), Event(Entity::kPromptVersion, Action::kCreated),
          Event(Entity::kPromptTag, Action::kSet), Event(Entity::kPromptTag, Action::kDeleted),
          Event(Entity::kPromptAlias, Action::kCreated),
          Event(Entity::kModelVersion, Action::kCreated)});
  const Tag is_prompt{std::string(kIsPromptTag), "true"};
  ASSERT_TRUE(store_->CreateModel("p", "d", {is_prompt, {"k", "v"}}).ok());
  ASSERT_TRUE(store_
                  ->CreateVersion({.name = "p",
                                   .source = "dummy-source",
                                   .tags = {is_prompt,
                                            {"mlflow.prompt.text", "Hi {{x}}"},
                                            {"_mlflow_prompt_type", "text"},
                                            {"k", "v"}}})
                  .ok());
  ASSERT_TRUE(store_->SetModelTag("p", {"t", "1"}).ok());
  ASSERT_TRUE(store_->DeleteModelTag("p", "t").ok());
  ASSERT_TRUE(store_->SetAlias({.name = "p", .alias = "live", .version = 1}).ok());
  std::vector<std::string> told = Deliver();
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told, (std::vector<std::string>{
                      R"(prompt.created {"name":"p","tags":{"k":"v"},"description":"d"})",
                      R"(prompt_alias.created {"name":"p","alias":"live","version":"1"})",
                      R"(prompt_tag.deleted {"name":"p","key":"t"})",
                      R"(prompt_tag.set {"name":"p","key":"t","value":"1"})",
                      R"(prompt_version.created {"name":"p","version":"1","template":"Hi {{x}}",)"
                      R"("tags":{"k":"v"},"description":null})"}));
}

TEST_P(WebhooksTest, AreSignedAndNamedOverAllAttempts) {
  Webhook webhook =
      Listen({Event(WebhookEntity::kRegisteredModel, WebhookAction::kCreated)}, "hidden");
  ASSERT_TRUE(store_->CreateModel("m", "", {}).ok());
  answer_ = {.is_success = false, .http_status = 503, .error = "the receiver answered 503"};
  Deliver();
  ASSERT_EQ(sent_.size(), 1u);
  const OutgoingRequest first = sent_[0];
  EXPECT_EQ(HeaderOf(first, "Content-Type"), "application/json");
  EXPECT_EQ(HeaderOf(first, "X-MLflow-Timestamp"), "1700000000");
  const std::string id = HeaderOf(first, "X-MLflow-Delivery-Id");
  EXPECT_EQ(HeaderOf(first, "X-MLflow-Signature"),
            internal::SignDelivery("hidden", id, "1700000000", first.body));
  EXPECT_TRUE(Deliver().empty());  // not due yet
  clock_.AdvanceMs(2'000);
  Restart();
  answer_ = {.is_success = true, .http_status = 200};
  Deliver();
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(HeaderOf(sent_[0], "X-MLflow-Delivery-Id"), id);
  EXPECT_EQ(sent_[0].body, first.body);
  EXPECT_EQ(HeaderOf(sent_[0], "X-MLflow-Timestamp"), "1700000002");
  EXPECT_NE(HeaderOf(sent_[0], "X-MLflow-Signature"), HeaderOf(first, "X-MLflow-Signature"));
  Delivery kept = webhooks_->ListDeliveries(webhook.id, 10).value().at(0);
  EXPECT_EQ(kept.id, id);
  EXPECT_EQ(kept.state, DeliveryState::kDelivered);
  EXPECT_EQ(kept.attempt_count, 2);
  EXPECT_EQ(kept.last_http_status, 200);

  // Another key cannot read the secret; nothing goes out unsigned.
  ASSERT_TRUE(store_->CreateModel("n", "", {}).ok());
  options_.secret_key = "another key";
  Restart();
  EXPECT_TRUE(Deliver().empty());
  EXPECT_NE(webhooks_->ListDeliveries(webhook.id, 1)
                .value()
                .at(0)
                .last_error.find("MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"),
            std::string::npos);
}

TEST_P(WebhooksTest, AttemptsGrowRarerAndEnd) {
  delivery_options_.attempts_max = 4;
  Restart();
  Webhook webhook = Listen({Event(WebhookEntity::kRegisteredModel, WebhookAction::kCreated)});
  ASSERT_TRUE(store_->CreateModel("m", "", {}).ok());
  answer_ = {.is_success = false, .http_status = 500, .error = "no"};
  int attempts = 0;
  for (int second = 0; second < 60; ++second) {
    attempts += static_cast<int>(Deliver().size());
    clock_.AdvanceMs(1'000);
  }
  EXPECT_EQ(attempts, 4);
  EXPECT_EQ(webhooks_->ListDeliveries(webhook.id, 1).value().at(0).state, DeliveryState::kGivenUp);
  // What no further attempt can mend is not tried again.
  ASSERT_TRUE(store_->CreateModel("n", "", {}).ok());
  answer_ = {.is_success = false, .http_status = 404, .error = "no", .is_final = true};
  EXPECT_EQ(Deliver().size(), 1u);
  clock_.AdvanceMs(3'600'000);
  EXPECT_TRUE(Deliver().empty());
  // And all is forgotten in the end.
  clock_.AdvanceMs(delivery_options_.keep_ms);
  Deliver();
  EXPECT_TRUE(webhooks_->ListDeliveries(webhook.id, 10).value().empty());

  EXPECT_EQ(RetryDelayMs({}, 1, 0, 0.5), 1'000);
  EXPECT_EQ(RetryDelayMs({}, 4, 0, 0.5), 8'000);
  EXPECT_EQ(RetryDelayMs({}, 60, 0, 0.5), 3'600'000);
  EXPECT_EQ(RetryDelayMs({}, 1, 60'000, 0.5), 60'000);
  EXPECT_LT(RetryDelayMs({}, 4, 0, 0), RetryDelayMs({}, 4, 0, 0.99));
}

TEST_P(WebhooksTest, AnAttemptThatNeverEndedIsMadeAgain) {
  Listen({Event(WebhookEntity::kRegisteredModel, WebhookAction::kCreated)});
  ASSERT_TRUE(store_->CreateModel("m", "", {}).ok());
  // One process claims and dies before it sends: what it says afterwards does not count, since its
  // lease has lapsed and another process has delivered.
  DeliveryOptions options;
  std::vector<OutgoingRequest> seen;
  auto slow = MakeWebhookDispatcher(
      *db_, *webhooks_, options_, options,
      [&](const OutgoingRequest& request) {
        seen.push_back(request);
        EXPECT_TRUE(Deliver().empty());  // leased
        clock_.AdvanceMs(options.lease_ms);
        EXPECT_EQ(Deliver().size(), 1u);
        return DeliveryAttempt{.error = "cut off"};
      },
      clock_);
  EXPECT_EQ(slow->Tick().value(), 1);
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(HeaderOf(sent_[0], "X-MLflow-Delivery-Id"),
            HeaderOf(seen.at(0), "X-MLflow-Delivery-Id"));
  clock_.AdvanceMs(3'600'000);
  EXPECT_TRUE(Deliver().empty());
}

TEST_P(WebhooksTest, SeveralReplicasShareOneOutbox) {
  constexpr size_t kModels = 60;
  Listen({Event(WebhookEntity::kRegisteredModel, WebhookAction::kCreated)});
  for (size_t i = 0; i < kModels; ++i)
    ASSERT_TRUE(store_->CreateModel("m" + std::to_string(i), "", {}).ok());
  Guarded<std::multiset<std::string>> ids;
  SendFunction send = [&](const OutgoingRequest& request) {
    ids.With([&](std::multiset<std::string>& all) {
      all.insert(HeaderOf(request, "X-MLflow-Delivery-Id"));
    });
    return DeliveryAttempt{.is_success = true, .http_status = 200};
  };
  std::vector<std::thread> replicas;
  for (int i = 0; i < 3; ++i) {
    replicas.emplace_back([&] {
      auto dispatcher =
          MakeWebhookDispatcher(*db_, *webhooks_, options_, delivery_options_, send, clock_);
      EXPECT_TRUE(dispatcher->Tick().ok());
    });
  }
  for (std::thread& replica : replicas) replica.join();
  ids.With([&](std::multiset<std::string>& all) {
    EXPECT_EQ(all.size(), kModels);
    EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), kModels);
  });
}

TEST_P(WebhooksTest, DisabledOnesHearNothingAndChangesThatFailAreNotTold) {
  Webhook webhook = Listen({Event(WebhookEntity::kRegisteredModel, WebhookAction::kCreated)});
  ASSERT_TRUE(store_->CreateModel("m", "", {}).ok());
  EXPECT_FALSE(store_->CreateModel("m", "", {}).ok());
  ASSERT_TRUE(webhooks_->Update(webhook.id, {.status = WebhookStatus::kDisabled}).ok());
  ASSERT_TRUE(store_->CreateModel("n", "", {}).ok());
  EXPECT_TRUE(Deliver().empty());
  ASSERT_TRUE(webhooks_->Update(webhook.id, {.status = WebhookStatus::kActive}).ok());
  EXPECT_EQ(Deliver().size(), 1u);  // what was written before it was disabled
  ASSERT_TRUE(store_->CreateModel("o", "", {}).ok());
  ASSERT_TRUE(webhooks_->Delete(webhook.id).ok());
  EXPECT_TRUE(Deliver().empty());
}

TEST_P(WebhooksTest, EndsOfRuns) {
  EXPECT_FALSE(webhooks_->wants_runs());
  WebhookEvent any = Event(WebhookEntity::kRun, WebhookAction::kFinished);
  WebhookEvent failed = any;
  failed.statuses = {"FAILED", "KILLED"};
  failed.experiment_id = "7";
  Listen({any});
  Webhook of_failed = Listen({failed});
  EXPECT_EQ(webhooks_->Get(of_failed.id).value().events.at(0), failed);
  EXPECT_EQ(webhooks_->List(100, "").value().webhooks.size(), 2u);
  EXPECT_TRUE(webhooks_->List(100, "", false).value().webhooks.empty());
  EXPECT_TRUE(webhooks_->wants_runs());
  EXPECT_FALSE(webhooks_->wants_metrics());
  auto finish = [&](const std::string& experiment_id, const std::string& status) {
    EXPECT_TRUE(db_->Write([&](sql::Tx& tx) {
                     return webhooks_->OnRunFinished(tx, {.run_id = "r",
                                                          .run_name = "n",
                                                          .experiment_id = experiment_id,
                                                          .status = status,
                                                          .start_time_ms = 1,
                                                          .end_time_ms = 2});
                   })
                    .ok());
    return Deliver().size();
  };
  EXPECT_EQ(finish("7", "FAILED"), 2u);
  EXPECT_EQ(finish("7", "FINISHED"), 1u);
  EXPECT_EQ(finish("8", "KILLED"), 1u);
  Json body = formats::ParseJson(sent_.at(0).body).value();
  EXPECT_EQ(formats::PrintJson(body.At("data")),
            R"({"run_id":"r","run_name":"n","experiment_id":"8","status":"KILLED",)"
            R"("start_time":1,"end_time":2})");
  options_.has_run_events = false;
  Restart();
  EXPECT_FALSE(
      webhooks_->Create({.name = "x", .url = "https://hooks.example", .events = {any}}).ok());
}

TEST_P(WebhooksTest, MetricsThatFulfilACondition) {
  WebhookEvent event = Event(WebhookEntity::kMetric, WebhookAction::kReached);
  event.metric_key = "loss";
  event.comparator = Comparator::kLess;
  event.threshold = 0.5;
  Listen({event});
  EXPECT_TRUE(webhooks_->wants_metrics());
  auto log = [&](std::vector<MetricPoint> points, const std::string& run_id = "r") {
    EXPECT_TRUE(db_->Write([&](sql::Tx& tx) {
                     return webhooks_->OnMetrics(
                         tx, {.run_id = run_id, .experiment_id = "1", .points = points});
                   })
                    .ok());
    return Deliver();
  };
  auto point = [](double value, int64_t step) {
    return MetricPoint{.key = "loss", .value = value, .timestamp_ms = 5, .step = step};
  };
  EXPECT_TRUE(log({point(0.9, 0), {.key = "other", .value = 0.1}}).empty());
  EXPECT_EQ(log({point(0.8, 1), point(0.4, 2), point(0.3, 3)}),
            (std::vector<std::string>{
                R"(metric.reached {"run_id":"r","experiment_id":"1","key":"loss","value":0.4,)"
                R"("step":2,"timestamp":5,"comparator":"<","threshold":0.5})"}));
  EXPECT_TRUE(log({point(0.2, 4)}).empty());                  // still so
  EXPECT_TRUE(log({point(0.8, 1), point(0.4, 2)}).empty());   // sent again
  EXPECT_TRUE(log({point(std::nan(""), 5)}).empty());         // no longer
  EXPECT_EQ(log({point(0.1, 7), point(0.9, 6)}).size(), 1u);  // again, in any order
  EXPECT_EQ(log({point(0.1, 0)}, "other run").size(), 1u);
}

TEST_P(WebhooksTest, CanBeTested) {
  Webhook webhook = Listen({Event(WebhookEntity::kModelVersionTag, WebhookAction::kDeleted)}, "s");
  answer_ = {.is_success = true, .http_status = 201, .response_body = "thanks"};
  DeliveryAttempt attempt = webhooks_->Test(webhook.id, std::nullopt).value();
  EXPECT_EQ(attempt.http_status, 201);
  EXPECT_EQ(attempt.response_body, "thanks");
  Json body = formats::ParseJson(sent_.at(0).body).value();
  EXPECT_EQ(formats::PrintJson(body.At("data")),
            R"({"name":"example_model","version":"1","key":"example_key"})");
  EXPECT_NE(HeaderOf(sent_.at(0), "X-MLflow-Signature"), "");
  WebhookEvent other = Event(WebhookEntity::kRegisteredModel, WebhookAction::kCreated);
  ASSERT_TRUE(webhooks_->Test(webhook.id, other).ok());
  EXPECT_NE(sent_.at(1).body.find("An example registered model"), std::string::npos);
  EXPECT_EQ(webhooks_->Test("absent", std::nullopt).error().code(), ErrorCode::kNotFound);
}

TEST(WebhookSecrets, AreSealedForTheirOwner) {
  const std::string sealed = internal::SealSecret("hidden", "w1", "key");
  EXPECT_EQ(sealed.find("hidden"), std::string::npos);
  EXPECT_NE(sealed, internal::SealSecret("hidden", "w1", "key"));
  EXPECT_EQ(internal::OpenSecret(sealed, "w1", "key").value(), "hidden");
  EXPECT_FALSE(internal::OpenSecret(sealed, "w2", "key").ok());
  EXPECT_FALSE(internal::OpenSecret(sealed, "w1", "other").ok());
  EXPECT_FALSE(internal::OpenSecret(sealed, "w1", "").ok());
  EXPECT_FALSE(internal::OpenSecret(sealed.substr(0, sealed.size() - 8), "w1", "key").ok());
  EXPECT_EQ(internal::OpenSecret(internal::SealSecret("x", "w", ""), "w", "").value(), "x");
  EXPECT_EQ(internal::SealSecret("", "w", "key"), "");
  // By `printf 'id.1700000000.{}' | openssl dgst -sha256 -hmac secret -binary | base64`.
  EXPECT_EQ(internal::SignDelivery("secret", "id", "1700000000", "{}"),
            "v1,GBemBzTgbKoVEGKycqyY3615LbdJbhFLE1oQk+zZ+lo=");
}

TEST(WebhookAddresses, OnlyPublicOnesMayBeTalkedTo) {
  for (const char* address :
       {"8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1",
        "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
    EXPECT_TRUE(IsPublicAddress(address)) << address;
  }
  for (const char* address : {"0.0.0.0",
                              "10.1.2.3",
                              "100.64.0.1",
                              "127.0.0.1",
                              "127.255.255.255",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "224.0.0.1",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:127.0.0.1",
                              "::ffff:7f00:1",
                              "::127.0.0.1",
                              "64:ff9b::a00:1",
                              "2002:7f00:1::1",
                              "fe80::1",
                              "fe80::1%eth0",
                              "fc00::1",
                              "fd00:ec2::254",
                              "ff02::1",
                              "2001:db8::1",
                              "2001::1",
                              "100::1",
                              "",
                              "localhost",
                              "127.1",
                              "2130706433"}) {
    EXPECT_FALSE(IsPublicAddress(address)) << address;
  }
}

}  // namespace
}  // namespace sluice::registry
