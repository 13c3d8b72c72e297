// The dispatcher: claims rows of the outbox by lease, sends them on a few threads, and writes down
// how it went. All state that matters is in the database; what is in memory is only how many
// attempts of each webhook are under way here.
#include "registry/webhook_delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>

#include "base/check.h"
#include "base/guarded.h"
#include "base/id.h"
#include "base/log.h"
#include "base/periodic.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "base/utf8.h"
#include "registry/internal/secret_box.h"

namespace sluice::registry {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kFindDue{
    "registry.find_due_webhooks",
    "SELECT w.webhook_id FROM webhooks w WHERE w.status = 1 AND EXISTS (SELECT 1 FROM "
    "webhook_deliveries d WHERE d.webhook_id = w.webhook_id AND d.state = 0 AND d.due_ms <= $1)"};
constexpr Query kClaim{
    "registry.claim_deliveries",
    "UPDATE webhook_deliveries SET due_ms = $3, attempt_count = attempt_count + 1 WHERE "
    "delivery_id IN (SELECT delivery_id FROM webhook_deliveries WHERE webhook_id = $1 AND state = "
    "0 "
    "AND due_ms <= $2 ORDER BY due_ms LIMIT $4) RETURNING delivery_id, payload, attempt_count"};
constexpr Query kGetTarget{"registry.get_webhook_target",
                           "SELECT url, secret FROM webhooks WHERE webhook_id = $1"};
// An attempt whose lease lapsed, and that somebody else has made again, says nothing.
constexpr Query kFinish{
    "registry.finish_delivery",
    "UPDATE webhook_deliveries SET state = $3, due_ms = $4, last_status = $5, last_error = $6 "
    "WHERE delivery_id = $1 AND attempt_count = $2 AND state = 0"};
constexpr Query kForget{"registry.forget_deliveries",
                        "DELETE FROM webhook_deliveries WHERE created_ms < $1"};
constexpr Query kForgetStates{"registry.forget_metric_states",
                              "DELETE FROM webhook_metric_states WHERE updated_ms < $1"};

// Claims of all replicas, one after another: they are single statements on few rows.
constexpr std::string_view kScope = "webhook outbox";
constexpr int64_t kForgetIntervalMs = 600'000;
constexpr size_t kErrorBytesMax = 500;

struct Claimed {
  std::string webhook_id;
  std::string delivery_id;
  std::string payload;
  int64_t attempt_count = 0;
};

class Dispatcher : public WebhookDispatcher {
 public:
  Dispatcher(sql::Db& db, Webhooks& webhooks, const WebhookOptions& webhook_options,
             const DeliveryOptions& options, SendFunction send, Clock& clock)
      : db_(db),
        webhooks_(webhooks),
        secret_key_(webhook_options.secret_key),
        options_(options),
        send_(std::move(send)),
        clock_(clock) {
    CHECK(options_.lease_ms > options_.timeout_ms && options_.thread_count > 0 &&
          options_.attempts_max > 0);
  }

  ~Dispatcher() override {
    loop_.reset();  // no new polls,
    is_stopping_ = true;
    // and what is under way comes to its end. The pool stays until its threads are gone: they may
    // be about to give it more.
    if (threads_) threads_->Shutdown();
  }

  void Start() override {
    threads_ = std::make_unique<ThreadPool>(
        ThreadPool::Options{.name = "webhooks",
                            .thread_count = static_cast<size_t>(options_.thread_count),
                            .queue_capacity = 1024});
    loop_ = std::make_unique<Periodic>(
        "webhooks", std::chrono::milliseconds(options_.poll_interval_ms), [this] { Poll(); });
  }

  Result<int> Tick() override {
    RETURN_IF_ERROR(Prepare());
    int count = 0;
    while (true) {
      ASSIGN_OR_RETURN(std::vector<Claimed> claimed, Claim());
      if (claimed.empty()) return count;
      for (const Claimed& delivery : claimed) {
        Deliver(delivery);
        ++count;
      }
    }
  }

 private:
  void Poll() {
    Status prepared = Prepare();
    if (!prepared.ok()) Log(LogLevel::kWarning, "webhooks: {}", prepared.error().ToString());
    Submit();
  }

  /// Hands what is due to the threads. Called by the loop and by threads that have become free.
  void Submit() {
    if (is_stopping_) return;
    Result<std::vector<Claimed>> claimed = Claim();
    if (!claimed.ok()) {
      Log(LogLevel::kWarning, "webhooks: {}", claimed.error().ToString());
      return;
    }
    for (Claimed& delivery : *claimed) {
      Status taken = threads_->TrySubmit([this, delivery] {
        Deliver(delivery);
        Submit();
      });
      // Its lease will lapse, and it will be claimed again.
      if (!taken.ok()) Release(delivery.webhook_id);
    }
  }

  Status Prepare() {
    RETURN_IF_ERROR(webhooks_.Refresh());
    const int64_t now_ms = clock_.NowMs();
    if (now_ms < next_forgetting_ms_) return Ok();
    next_forgetting_ms_ = now_ms + kForgetIntervalMs;
    return db_.Write(
        [&](Tx& tx) -> Status {
          RETURN_IF_ERROR(tx.Execute(kForget, {now_ms - options_.keep_ms}));
          RETURN_IF_ERROR(tx.Execute(kForgetStates, {now_ms - options_.keep_metrics_ms}));
          return Ok();
        },
        sql::WriteOptions{.scope = kScope});
  }

  int LimitOfOne() const { return std::max(1, options_.thread_count / 2); }

  /// How many attempts of the webhook may be added; they are counted at once.
  int Reserve(const std::string& webhook_id) {
    return under_way_.With([&](UnderWay& under_way) {
      int& mine = under_way.of_webhook[webhook_id];
      int free = std::min(LimitOfOne() - mine, options_.thread_count - under_way.all);
      free = std::max(free, 0);
      mine += free;
      under_way.all += free;
      if (mine == 0) under_way.of_webhook.erase(webhook_id);
      return free;
    });
  }
  void Release(const std::string& webhook_id, int count = 1) {
    under_way_.With([&](UnderWay& under_way) {
      under_way.all -= count;
      auto found = under_way.of_webhook.find(webhook_id);
      if (found != under_way.of_webhook.end() && (found->second -= count) <= 0)
        under_way.of_webhook.erase(found);
    });
  }

  Result<std::vector<Claimed>> Claim() {
    const int64_t now_ms = clock_.NowMs();
    ASSIGN_OR_RETURN(std::vector<std::string> due, db_.Read([&](Reader& reader) {
      return reader.FindAll(kFindDue, {now_ms}, [](const Row& row) { return row.GetText(0); });
    }));
    // Not always the same one first.
    if (!due.empty())
      std::rotate(due.begin(), due.begin() + static_cast<ptrdiff_t>(turn_++ % due.size()),
                  due.end());
    std::vector<Claimed> all;
    for (const std::string& webhook_id : due) {
      const int wanted = Reserve(webhook_id);
      if (wanted == 0) continue;
      Result<std::vector<Claimed>> claimed = ClaimOf(webhook_id, wanted, now_ms);
      const int got = claimed.ok() ? static_cast<int>(claimed->size()) : 0;
      if (got < wanted) Release(webhook_id, wanted - got);
      if (!claimed.ok()) return std::move(claimed).error();
      for (Claimed& delivery : *claimed) all.push_back(std::move(delivery));
    }
    return all;
  }

  Result<std::vector<Claimed>> ClaimOf(const std::string& webhook_id, int count, int64_t now_ms) {
    return db_.Write(
        [&](Tx& tx) {
          return tx.FindAll(
              kClaim, {webhook_id, now_ms, now_ms + options_.lease_ms, count}, [&](const Row& row) {
                return Claimed{webhook_id, row.GetText(0), row.GetText(1), row.GetInt64(2)};
              });
        },
        sql::WriteOptions{.scope = kScope});
  }

  /// Sends, and writes down how it went.
  void Deliver(const Claimed& delivery) {
    DeliveryAttempt attempt = Attempt(delivery);
    Status finished = Finish(delivery, attempt);
    if (!finished.ok()) {
      Log(LogLevel::kWarning, "webhooks: delivery {} will be made again: {}", delivery.delivery_id,
          finished.error().ToString());
    }
    Release(delivery.webhook_id);
  }

  DeliveryAttempt Attempt(const Claimed& delivery) {
    struct Target {
      std::string url;
      std::string sealed_secret;
    };
    DeliveryAttempt attempt;
    Result<std::optional<Target>> target = db_.Read([&](Reader& reader) {
      return reader.FindOne(kGetTarget, {delivery.webhook_id}, [](const Row& row) {
        return Target{row.GetText(0), row.GetText(1)};
      });
    });
    if (!target.ok() || !*target) {
      attempt.error = target.ok() ? "the webhook was deleted" : target.error().ToString();
      return attempt;
    }
    Result<std::string> secret =
        internal::OpenSecret((*target)->sealed_secret, delivery.webhook_id, secret_key_);
    if (!secret.ok()) {
      // Unsigned it would be refused, or worse, believed. The key may come back.
      attempt.error = secret.error().message();
      return attempt;
    }
    return send_(MakeWebhookRequest((*target)->url, delivery.delivery_id, delivery.payload, *secret,
                                    clock_.NowMs(), options_.timeout_ms));
  }

  Status Finish(const Claimed& delivery, const DeliveryAttempt& attempt) {
    const bool gives_up = !attempt.is_success &&
                          (attempt.is_final || delivery.attempt_count >= options_.attempts_max);
    const DeliveryState state = attempt.is_success ? DeliveryState::kDelivered
                                : gives_up         ? DeliveryState::kGivenUp
                                                   : DeliveryState::kWaiting;
    const int64_t due_ms = clock_.NowMs() + RetryDelayMs(options_, delivery.attempt_count,
                                                         attempt.retry_after_ms, Spread());
    const std::string error(CutUtf8(attempt.error, kErrorBytesMax));
    if (gives_up) {
      Log(LogLevel::kWarning, "webhooks: webhook {}: delivery {} given up after {} attempts: {}",
          delivery.webhook_id, delivery.delivery_id, delivery.attempt_count, error);
    }
    return db_.Write(
        [&](Tx& tx) -> Status {
          RETURN_IF_ERROR(tx.Execute(kFinish, {delivery.delivery_id, delivery.attempt_count, state,
                                               due_ms, attempt.http_status, error}));
          return Ok();
        },
        sql::WriteOptions{.scope = kScope});
  }

  double Spread() {
    return spread_.With([](Random& random) { return random.NextDouble(); });
  }

  struct UnderWay {
    int all = 0;
    std::map<std::string, int, std::less<>> of_webhook;
  };

  sql::Db& db_;
  Webhooks& webhooks_;
  const std::string secret_key_;
  const DeliveryOptions options_;
  const SendFunction send_;
  Clock& clock_;
  Guarded<UnderWay> under_way_;
  // Of each process its own, so that replicas do not try together.
  Guarded<Random> spread_{StableHash64(NewRunId())};
  std::atomic<int64_t> next_forgetting_ms_ = 0;
  std::atomic<size_t> turn_ = 0;
  std::atomic<bool> is_stopping_ = false;
  std::unique_ptr<ThreadPool> threads_;
  std::unique_ptr<Periodic> loop_;
};

}  // namespace

int64_t RetryDelayMs(const DeliveryOptions& options, int64_t attempt_count, int64_t retry_after_ms,
                     double spread) {
  int64_t delay_ms = options.first_delay_ms;
  for (int64_t i = 1; i < attempt_count && delay_ms < options.delay_ms_max; ++i) delay_ms *= 2;
  delay_ms = std::min(delay_ms, options.delay_ms_max);
  delay_ms += static_cast<int64_t>(static_cast<double>(delay_ms) * 0.4 * (spread - 0.5));
  return std::max(delay_ms, std::min(retry_after_ms, options.delay_ms_max));
}

OutgoingRequest MakeWebhookRequest(std::string_view url, std::string_view delivery_id,
                                   std::string_view payload, std::string_view secret,
                                   int64_t now_ms, int64_t timeout_ms) {
  const std::string timestamp = std::to_string(now_ms / 1000);
  OutgoingRequest request{.url = std::string(url),
                          .headers = {{"Content-Type", "application/json"},
                                      {"X-MLflow-Delivery-Id", std::string(delivery_id)},
                                      {"X-MLflow-Timestamp", timestamp}},
                          .body = std::string(payload),
                          .timeout_ms = timeout_ms};
  if (!secret.empty()) {
    request.headers.emplace_back("X-MLflow-Signature",
                                 internal::SignDelivery(secret, delivery_id, timestamp, payload));
  }
  return request;
}

std::unique_ptr<WebhookDispatcher> MakeWebhookDispatcher(sql::Db& db, Webhooks& webhooks,
                                                         const WebhookOptions& webhook_options,
                                                         const DeliveryOptions& options,
                                                         SendFunction send, Clock& clock) {
  return std::make_unique<Dispatcher>(db, webhooks, webhook_options, options, std::move(send),
                                      clock);
}

}  // namespace sluice::registry
