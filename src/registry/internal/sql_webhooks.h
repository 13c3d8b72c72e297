// Webhooks over sql::Db: webhooks.cc keeps them, webhook_runs.cc listens to runs for them.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "registry/webhooks.h"

namespace sluice::registry::internal {

class SqlWebhooks : public Webhooks {
 public:
  SqlWebhooks(sql::Db& db, WebhookOptions options, SendFunction send, Clock& clock)
      : db_(db), options_(std::move(options)), send_(std::move(send)), clock_(clock) {}

  Result<Webhook> Create(const NewWebhook& webhook) override;
  Result<Webhook> Get(std::string_view id) override;
  Result<WebhookPage> List(int64_t max_results, std::string_view page_token,
                           bool with_ours) override;
  Result<Webhook> Update(std::string_view id, const WebhookChange& change) override;
  Status Delete(std::string_view id) override;
  Result<DeliveryAttempt> Test(std::string_view id,
                               const std::optional<WebhookEvent>& event) override;
  Result<std::vector<Delivery>> ListDeliveries(std::string_view id, int64_t count_max) override;

  bool wants_runs() const override { return wants_runs_; }
  bool wants_metrics() const override { return wants_metrics_; }
  Status Refresh() override;
  Status OnRunFinished(sql::Tx& tx, const RunFinished& run) override;
  Status OnMetrics(sql::Tx& tx, const MetricPoints& points) override;

 private:
  Status CheckEvents(const std::vector<WebhookEvent>& events) const;

  sql::Db& db_;
  const WebhookOptions options_;
  const SendFunction send_;
  Clock& clock_;
  std::atomic<bool> wants_runs_ = false;
  std::atomic<bool> wants_metrics_ = false;
};

}  // namespace sluice::registry::internal
