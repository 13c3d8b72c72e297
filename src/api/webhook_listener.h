// Carries what happens to runs from the tracking store to the webhooks, which do not know each
// other.
#pragma once

#include "registry/webhooks.h"
#include "tracking/write_listener.h"

namespace sluice::api {

/// Thread-safe. Both stores must be of one database. `webhooks` must outlive it.
class WebhookListener final : public tracking::WriteListener {
 public:
  explicit WebhookListener(registry::Webhooks& webhooks) : webhooks_(webhooks) {}

  bool wants_run_ends() const override { return webhooks_.wants_runs(); }
  bool wants_metrics() const override { return webhooks_.wants_metrics(); }
  Status OnRunEnded(sql::Tx& tx, const tracking::RunInfo& run) override;
  Status OnMetrics(sql::Tx& tx, const tracking::RunInfo& run,
                   std::span<const tracking::Metric> metrics) override;

 private:
  registry::Webhooks& webhooks_;
};

}  // namespace sluice::api
