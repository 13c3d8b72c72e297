// What happens to runs, for the webhooks that ask: ends of runs, and metrics that fulfil
// conditions.
#include <algorithm>
#include <cmath>
#include <tuple>

#include "registry/internal/outbox.h"
#include "registry/internal/sql_webhooks.h"

namespace sluice::registry::internal {
namespace {

using formats::Json;
using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kWanted{
    "registry.list_wanted_events",
    "SELECT DISTINCT e.entity FROM webhook_events e JOIN webhooks w ON w.webhook_id = e.webhook_id "
    "WHERE e.entity IN (100, 101) AND w.status = 1"};
constexpr Query kRunListeners{
    "registry.list_run_listeners",
    "SELECT w.webhook_id, e.statuses FROM webhook_events e JOIN webhooks w ON w.webhook_id = "
    "e.webhook_id WHERE e.entity = 100 AND e.action = 100 AND w.status = 1 AND "
    "(e.experiment_id = '' OR e.experiment_id = $1) ORDER BY w.webhook_id, e.position"};
constexpr Query kMetricListeners{
    "registry.list_metric_listeners",
    "SELECT w.webhook_id, e.position, e.metric_key, e.comparator, e.threshold, s.holds, s.step, "
    "s.timestamp_ms FROM webhook_events e JOIN webhooks w ON w.webhook_id = e.webhook_id "
    "LEFT JOIN webhook_metric_states s ON s.webhook_id = e.webhook_id AND s.position = e.position "
    "AND s.run_id = $2 WHERE e.entity = 101 AND e.action = 101 AND w.status = 1 AND "
    "(e.experiment_id = '' OR e.experiment_id = $1)"};
constexpr Query kSetState{
    "registry.set_metric_state",
    "INSERT INTO webhook_metric_states (webhook_id, position, run_id, holds, step, timestamp_ms, "
    "updated_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (webhook_id, position, run_id) "
    "DO UPDATE SET holds = excluded.holds, step = excluded.step, timestamp_ms = "
    "excluded.timestamp_ms, updated_ms = excluded.updated_ms"};

/// A condition of a webhook, and what it last came to for the run.
struct Condition {
  std::string webhook_id;
  int64_t position = 0;
  std::string metric_key;
  Comparator comparator = Comparator::kGreater;
  double threshold = 0;
  bool has_state = false;
  bool holds = false;
  int64_t step = 0;
  int64_t timestamp_ms = 0;
};

Condition ConditionFromRow(const Row& row) {
  Condition condition;
  condition.webhook_id = row.GetText(0);
  condition.position = row.GetInt64(1);
  condition.metric_key = row.GetText(2);
  condition.comparator = static_cast<Comparator>(row.GetInt64(3));
  condition.threshold = row.GetDouble(4);
  condition.has_state = !row.IsNull(5);
  if (condition.has_state) {
    condition.holds = row.GetBool(5);
    condition.step = row.GetInt64(6);
    condition.timestamp_ms = row.GetInt64(7);
  }
  return condition;
}

/// NaN fulfils nothing.
bool Holds(const Condition& condition, double value) {
  switch (condition.comparator) {
    case Comparator::kGreater: return value > condition.threshold;
    case Comparator::kGreaterOrEqual: return value >= condition.threshold;
    case Comparator::kLess: return value < condition.threshold;
    case Comparator::kLessOrEqual: return value <= condition.threshold;
    case Comparator::kEqual: return value == condition.threshold;
    case Comparator::kNotEqual: return !std::isnan(value) && value != condition.threshold;
  }
  return false;
}

/// Walks the points of the condition's metric, newest last. Returns the first at which it became
/// true; sets its state to what it is after the last.
const MetricPoint* Advance(Condition& condition, const std::vector<const MetricPoint*>& points) {
  const MetricPoint* fired = nullptr;
  for (const MetricPoint* point : points) {
    if (point->key != condition.metric_key) continue;
    if (condition.has_state && std::tie(point->step, point->timestamp_ms) <=
                                   std::tie(condition.step, condition.timestamp_ms)) {
      continue;
    }
    bool holds = Holds(condition, point->value);
    if (holds == condition.holds) continue;
    if (holds && fired == nullptr) fired = point;
    condition.has_state = true;
    condition.holds = holds;
    condition.step = point->step;
    condition.timestamp_ms = point->timestamp_ms;
  }
  return fired;
}

bool IsAmong(std::string_view status, std::string_view statuses) {
  return statuses.empty() ||
         ("," + std::string(statuses) + ",").find("," + std::string(status) + ",") !=
             std::string::npos;
}

Json NumberJson(double value) { return std::isfinite(value) ? Json(value) : Json(); }

}  // namespace

Status SqlWebhooks::Refresh() {
  return db_.Read([&](Reader& reader) -> Status {
    bool wants_runs = false;
    bool wants_metrics = false;
    RETURN_IF_ERROR(reader.ForEach(kWanted, {}, [&](const Row& row) -> Status {
      if (row.GetInt64(0) == static_cast<int64_t>(WebhookEntity::kRun)) wants_runs = true;
      if (row.GetInt64(0) == static_cast<int64_t>(WebhookEntity::kMetric)) wants_metrics = true;
      return Ok();
    }));
    wants_runs_ = wants_runs;
    wants_metrics_ = wants_metrics;
    return Ok();
  });
}

Status SqlWebhooks::OnRunFinished(Tx& tx, const RunFinished& run) {
  std::vector<std::string> webhook_ids;
  RETURN_IF_ERROR(tx.ForEach(kRunListeners, {run.experiment_id}, [&](const Row& row) -> Status {
    if (IsAmong(run.status, row.GetTextView(1)) &&
        (webhook_ids.empty() || webhook_ids.back() != row.GetTextView(0))) {
      webhook_ids.push_back(row.GetText(0));
    }
    return Ok();
  }));
  if (webhook_ids.empty()) return Ok();
  return EnqueueIn(tx, webhook_ids, WebhookEntity::kRun, WebhookAction::kFinished, clock_.NowMs(),
                   Json::MakeObject({{"run_id", run.run_id},
                                     {"run_name", run.run_name},
                                     {"experiment_id", run.experiment_id},
                                     {"status", run.status},
                                     {"start_time", run.start_time_ms},
                                     {"end_time", run.end_time_ms}}));
}

Status SqlWebhooks::OnMetrics(Tx& tx, const MetricPoints& given) {
  ASSIGN_OR_RETURN(
      std::vector<Condition> conditions,
      tx.FindAll(kMetricListeners, {given.experiment_id, given.run_id}, ConditionFromRow));
  if (conditions.empty()) return Ok();
  std::vector<const MetricPoint*> points;
  for (const MetricPoint& point : given.points) points.push_back(&point);
  std::stable_sort(points.begin(), points.end(), [](const MetricPoint* a, const MetricPoint* b) {
    return std::tie(a->step, a->timestamp_ms) < std::tie(b->step, b->timestamp_ms);
  });
  for (Condition& condition : conditions) {
    const Condition before = condition;
    const MetricPoint* fired = Advance(condition, points);
    if (condition.step != before.step || condition.timestamp_ms != before.timestamp_ms ||
        condition.has_state != before.has_state) {
      RETURN_IF_ERROR(tx.Execute(
          kSetState, {condition.webhook_id, condition.position, given.run_id, condition.holds,
                      condition.step, condition.timestamp_ms, clock_.NowMs()}));
    }
    if (fired == nullptr) continue;
    RETURN_IF_ERROR(EnqueueIn(
        tx, {condition.webhook_id}, WebhookEntity::kMetric, WebhookAction::kReached, clock_.NowMs(),
        Json::MakeObject({{"run_id", given.run_id},
                          {"experiment_id", given.experiment_id},
                          {"key", fired->key},
                          {"value", NumberJson(fired->value)},
                          {"step", fired->step},
                          {"timestamp", fired->timestamp_ms},
                          {"comparator", ComparatorText(condition.comparator)},
                          {"threshold", condition.threshold}})));
  }
  return Ok();
}

}  // namespace sluice::registry::internal
