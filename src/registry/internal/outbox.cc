#include "registry/internal/outbox.h"

#include "base/id.h"
#include "registry/internal/rules.h"

namespace sluice::registry::internal {
namespace {

using formats::Json;
using sql::Query;
using sql::Row;
using sql::Tx;

constexpr Query kListeners{
    "registry.list_listeners",
    "SELECT e.entity, w.webhook_id FROM webhook_events e JOIN webhooks w ON w.webhook_id = "
    "e.webhook_id WHERE e.entity IN ($1, $2) AND e.action = $3 AND w.status = 1 "
    "ORDER BY w.created_ms, w.webhook_id"};
constexpr Query kPromptTag{"registry.get_prompt_tag",
                           "SELECT value FROM registered_model_tags WHERE name = $1 AND key = $2"};
constexpr Query kEnqueue{
    "registry.enqueue_delivery",
    "INSERT INTO webhook_deliveries (delivery_id, webhook_id, entity, action, payload, created_ms, "
    "state, due_ms, attempt_count, last_status, last_error) "
    "VALUES ($1, $2, $3, $4, $5, $6, 0, $6, 0, 0, '')"};

int64_t NumberOf(std::optional<WebhookEntity> entity) {
  return entity ? static_cast<int64_t>(*entity) : -1;
}

}  // namespace

Status EmitIn(Tx& tx, std::string_view name, const RegistryEvent& event, int64_t now_ms,
              const EventData& data) {
  struct Listener {
    int64_t entity;
    std::string webhook_id;
  };
  ASSIGN_OR_RETURN(
      std::vector<Listener> listeners,
      tx.FindAll(kListeners, {NumberOf(event.of_model), NumberOf(event.of_prompt), event.action},
                 [](const Row& row) {
                   return Listener{row.GetInt64(0), row.GetText(1)};
                 }));
  if (listeners.empty()) return Ok();
  ASSIGN_OR_RETURN(
      std::optional<std::string> tag,
      tx.FindOne(kPromptTag, {name, kIsPromptTag}, [](const Row& row) { return row.GetText(0); }));
  const bool is_prompt = tag && EqualsIgnoringCase(*tag, "true");
  const std::optional<WebhookEntity> entity = is_prompt ? event.of_prompt : event.of_model;
  std::vector<std::string> webhook_ids;
  for (Listener& listener : listeners) {
    if (listener.entity == NumberOf(entity)) webhook_ids.push_back(std::move(listener.webhook_id));
  }
  if (webhook_ids.empty()) return Ok();
  return EnqueueIn(tx, webhook_ids, *entity, event.action, now_ms, data(is_prompt));
}

Status EnqueueIn(Tx& tx, const std::vector<std::string>& webhook_ids, WebhookEntity entity,
                 WebhookAction action, int64_t now_ms, const Json& data) {
  const std::string payload = PayloadText(entity, action, now_ms, data);
  for (const std::string& webhook_id : webhook_ids) {
    const std::string delivery_id = NewDeliveryId();
    RETURN_IF_ERROR(
        tx.Execute(kEnqueue, {delivery_id, webhook_id, entity, action, payload, now_ms}));
  }
  return Ok();
}

std::string PayloadText(WebhookEntity entity, WebhookAction action, int64_t now_ms,
                        const Json& data) {
  // As Python's isoformat() writes it.
  std::string time = FormatUtc(now_ms, true);
  time.replace(time.size() - 1, 1, "000+00:00");
  return formats::PrintJson(Json::MakeObject({{"entity", WebhookEntityName(entity)},
                                              {"action", WebhookActionName(action)},
                                              {"timestamp", time},
                                              {"data", data}}));
}

Json SampleData(const WebhookEvent& event, int64_t now_ms) {
  const bool is_prompt =
      event.entity >= WebhookEntity::kPrompt && event.entity <= WebhookEntity::kPromptAlias;
  const std::string kind = is_prompt ? "prompt" : "model";
  Json data = Json::MakeObject({{"name", "example_" + kind}});
  const Json tags = Json::MakeObject({{"example_key", "example_value"}});
  switch (event.entity) {
    case WebhookEntity::kRegisteredModel:
    case WebhookEntity::kPrompt:
      data["tags"] = tags;
      data["description"] = is_prompt ? "An example prompt" : "An example registered model";
      return data;
    case WebhookEntity::kModelVersion:
      data["version"] = "1";
      data["source"] = "models:/123";
      data["run_id"] = "abcd1234abcd5678";
      data["tags"] = tags;
      data["description"] = "An example model version";
      return data;
    case WebhookEntity::kPromptVersion:
      data["version"] = "1";
      data["template"] = "Hello {{name}}!";
      data["tags"] = tags;
      data["description"] = "An example prompt version";
      return data;
    case WebhookEntity::kModelVersionTag:
    case WebhookEntity::kPromptVersionTag:
    case WebhookEntity::kPromptTag:
      if (event.entity != WebhookEntity::kPromptTag) data["version"] = "1";
      data["key"] = "example_key";
      if (event.action == WebhookAction::kSet) data["value"] = "example_value";
      return data;
    case WebhookEntity::kModelVersionAlias:
    case WebhookEntity::kPromptAlias:
      data["alias"] = "example_alias";
      if (event.action == WebhookAction::kCreated) data["version"] = "1";
      return data;
    case WebhookEntity::kBudgetPolicy:
      return Json::MakeObject({{"budget_policy_id", "bp-abc123"},
                               {"budget_unit", "USD"},
                               {"budget_amount", 100.0},
                               {"current_spend", 105.5},
                               {"duration_unit", "MONTHS"},
                               {"duration_value", 1},
                               {"target_scope", "ENDPOINT"},
                               {"workspace", "default"},
                               {"target_value", "ep-abc123"},
                               {"window_start", int64_t{1'704'067'200'000}}});
    case WebhookEntity::kRun:
      return Json::MakeObject(
          {{"run_id", "abcd1234abcd5678"},
           {"run_name", "example_run"},
           {"experiment_id", event.experiment_id.empty() ? "0" : event.experiment_id},
           {"status", event.statuses.empty() ? "FINISHED" : event.statuses.front()},
           {"start_time", now_ms - 1000},
           {"end_time", now_ms}});
    case WebhookEntity::kMetric:
      return Json::MakeObject(
          {{"run_id", "abcd1234abcd5678"},
           {"experiment_id", event.experiment_id.empty() ? "0" : event.experiment_id},
           {"key", event.metric_key},
           {"value", event.threshold},
           {"step", 0},
           {"timestamp", now_ms},
           {"comparator", ComparatorText(event.comparator)},
           {"threshold", event.threshold}});
  }
  return data;
}

std::string NewDeliveryId() {
  std::string id = NewRunId();
  for (size_t at : {8, 13, 18, 23}) id.insert(at, 1, '-');
  return id;
}

}  // namespace sluice::registry::internal
