// Sends what the outbox of webhooks.h holds: at least once, with a delivery id that stays the same
// over attempts, restarts and replicas.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "registry/webhooks.h"
#include "sql/db.h"

namespace sluice::registry {

struct DeliveryOptions {
  int thread_count = 4;
  int64_t poll_interval_ms = 500;
  int64_t timeout_ms = 30'000;     ///< MLFLOW_WEBHOOK_REQUEST_TIMEOUT, of one attempt
  int attempts_max = 10;           ///< then the row is dead
  int64_t first_delay_ms = 1'000;  ///< before the second attempt; doubles, with jitter
  int64_t delay_ms_max = 3'600'000;
  int64_t lease_ms = 60'000;              ///< > timeout_ms (CHECK)
  int64_t keep_done_ms = 7 * 86'400'000;  ///< delivered and dead rows are kept that long
};

/// The real one: http::Fetch, refusing addresses that are not public when connecting (unless
/// allowed), following no redirect.
SendFunction HttpSender(const WebhookOptions& options);

/// Thread-safe. Start threads with Start; tests call Tick.
class WebhookDispatcher {
 public:
  virtual ~WebhookDispatcher() = default;  ///< waits for attempts under way
  virtual void Start() = 0;
  /// Claims what is due and sends it, on this thread. Returns how many were tried.
  virtual Result<int> Tick() = 0;
};

/// `db` and `clock` must outlive it.
std::unique_ptr<WebhookDispatcher> MakeWebhookDispatcher(sql::Db& db,
                                                         WebhookOptions webhook_options,
                                                         DeliveryOptions options, SendFunction send,
                                                         Clock& clock = SystemClock());

/// Whether a host of a URL or an address may be talked to: public unicast only. Pure.
/// `address` is an IP address in text form, IPv4 or IPv6 (mapped IPv4 counts as IPv4).
bool IsPublicAddress(std::string_view address);

}  // namespace sluice::registry
