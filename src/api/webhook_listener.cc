#include "api/webhook_listener.h"

namespace sluice::api {

Status WebhookListener::OnRunEnded(sql::Tx& tx, const tracking::RunInfo& run) {
  return webhooks_.OnRunFinished(tx, {.run_id = run.run_id,
                                      .run_name = run.name,
                                      .experiment_id = run.experiment_id,
                                      .status = std::string(tracking::RunStatusName(run.status)),
                                      .start_time_ms = run.start_ms,
                                      .end_time_ms = run.end_ms.value_or(0)});
}

Status WebhookListener::OnMetrics(sql::Tx& tx, const tracking::RunInfo& run,
                                  std::span<const tracking::Metric> metrics) {
  registry::MetricPoints points{
      .run_id = run.run_id, .experiment_id = run.experiment_id, .points = {}};
  points.points.reserve(metrics.size());
  for (const tracking::Metric& metric : metrics)
    points.points.push_back({metric.key, metric.value, metric.timestamp_ms, metric.step});
  return webhooks_.OnMetrics(tx, points);
}

}  // namespace sluice::api
