// Sends what the outbox of webhooks.h holds: at least once, with a delivery id that stays the same
// over attempts, restarts and replicas.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "registry/webhooks.h"
#include "sql/db.h"

namespace sluice::registry {

struct DeliveryOptions {
  /// MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS. No webhook takes more than half of them.
  int thread_count = 4;
  int64_t poll_interval_ms = 500;
  int64_t timeout_ms = 30'000;     ///< MLFLOW_WEBHOOK_REQUEST_TIMEOUT, of one attempt
  int attempts_max = 10;           ///< MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES + 1; then it is given up
  int64_t first_delay_ms = 1'000;  ///< before the second attempt; doubles, give or take a fifth
  int64_t delay_ms_max = 3'600'000;
  int64_t lease_ms = 90'000;                    ///< > timeout_ms (CHECK): how long a claim holds
  int64_t keep_ms = 7 * 86'400'000;             ///< rows older than that are forgotten
  int64_t keep_metrics_ms = 30 * 86'400'000LL;  ///< of conditions that stand still
};

/// When to try again after attempt number `attempt_count` (from 1) failed: milliseconds from then.
/// `spread` in [0, 1) chooses within the jitter. Pure.
int64_t RetryDelayMs(const DeliveryOptions& options, int64_t attempt_count, int64_t retry_after_ms,
                     double spread);

/// The request of one attempt: MLflow's headers, the signature if there is a secret. Pure.
OutgoingRequest MakeWebhookRequest(std::string_view url, std::string_view delivery_id,
                                   std::string_view payload, std::string_view secret,
                                   int64_t now_ms, int64_t timeout_ms);

/// The real sender: http::Fetcher, refusing addresses that are not public when it connects (unless
/// allowed), following no redirect, using no proxy.
SendFunction HttpSender(const WebhookOptions& options);

/// Thread-safe. Start it with Start; tests call Tick.
class WebhookDispatcher {
 public:
  virtual ~WebhookDispatcher() = default;  ///< waits for attempts under way
  virtual void Start() = 0;
  /// Claims what is due and sends it, on this thread, until nothing is due. Returns how many were
  /// tried.
  virtual Result<int> Tick() = 0;
};

/// Everything given by reference must outlive it. `webhooks` is refreshed with each poll.
std::unique_ptr<WebhookDispatcher> MakeWebhookDispatcher(sql::Db& db, Webhooks& webhooks,
                                                         const WebhookOptions& webhook_options,
                                                         const DeliveryOptions& options,
                                                         SendFunction send,
                                                         Clock& clock = SystemClock());

}  // namespace sluice::registry
