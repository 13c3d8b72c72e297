#include "registry/webhooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/log.h"
#include "registry/internal/outbox.h"
#include "registry/internal/page_token.h"
#include "registry/internal/rules.h"
#include "registry/internal/secret_box.h"
#include "registry/internal/sql_webhooks.h"
#include "registry/internal/version_rows.h"
#include "registry/webhook_address.h"
#include "registry/webhook_delivery.h"

namespace sluice::registry {
namespace internal {
namespace {

using formats::Json;
using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

#define SLUICE_WEBHOOK_COLUMNS                                                     \
  "w.webhook_id, w.name, w.description, w.url, w.status, w.secret, w.created_ms, " \
  "w.updated_ms"
constexpr Query kInsert{"registry.create_webhook",
                        "INSERT INTO webhooks (webhook_id, name, description, url, status, secret, "
                        "created_ms, updated_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)"};
constexpr Query kInsertEvent{
    "registry.create_webhook_event",
    "INSERT INTO webhook_events (webhook_id, position, entity, action, experiment_id, statuses, "
    "metric_key, comparator, threshold) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
constexpr Query kGet{"registry.get_webhook",
                     "SELECT " SLUICE_WEBHOOK_COLUMNS " FROM webhooks w WHERE w.webhook_id = $1"};
constexpr Query kList{"registry.list_webhooks",
                      "SELECT " SLUICE_WEBHOOK_COLUMNS
                      " FROM webhooks w WHERE w.created_ms <= $1 AND (w.created_ms < $1 OR "
                      "w.webhook_id > $2) AND ($4 = 1 OR EXISTS (SELECT 1 FROM webhook_events e "
                      "WHERE e.webhook_id = w.webhook_id AND e.entity < 100)) "
                      "ORDER BY w.created_ms DESC, w.webhook_id LIMIT $3"};
#define SLUICE_EVENTS_OF(names)                                                          \
  "SELECT e.webhook_id, e.entity, e.action, e.experiment_id, e.statuses, e.metric_key, " \
  "e.comparator, e.threshold FROM " names                                                \
  " CROSS JOIN webhook_events e WHERE e.webhook_id = n.value ORDER BY e.webhook_id, e.position"
constexpr Query kListEvents{"registry.list_webhook_events", SLUICE_EVENTS_OF(SLUICE_NAMES_SQLITE),
                            SLUICE_EVENTS_OF(SLUICE_NAMES_POSTGRES)};
#undef SLUICE_EVENTS_OF
constexpr Query kUpdate{"registry.update_webhook",
                        "UPDATE webhooks SET name = $2, description = $3, url = $4, status = $5, "
                        "secret = $6, updated_ms = $7 WHERE webhook_id = $1"};
constexpr Query kDeleteEvents{"registry.delete_webhook_events",
                              "DELETE FROM webhook_events WHERE webhook_id = $1"};
constexpr Query kDelete{"registry.delete_webhook", "DELETE FROM webhooks WHERE webhook_id = $1"};
constexpr Query kListDeliveries{
    "registry.list_deliveries",
    "SELECT delivery_id, entity, action, created_ms, state, due_ms, attempt_count, last_status, "
    "last_error FROM webhook_deliveries WHERE webhook_id = $1 "
    "ORDER BY created_ms DESC, delivery_id LIMIT $2"};

constexpr size_t kNameLengthMax = 63;
constexpr size_t kDescriptionBytesMax = 4000;
constexpr size_t kSecretBytesMax = 4000;
constexpr size_t kEventCountMax = 100;
constexpr size_t kTextBytesMax = 1000;

struct Kept {
  Webhook webhook;
  std::string sealed_secret;
};

Kept KeptFromRow(const Row& row) {
  Kept kept;
  kept.webhook.id = row.GetText(0);
  kept.webhook.name = row.GetText(1);
  kept.webhook.has_description = !row.IsNull(2);
  if (kept.webhook.has_description) kept.webhook.description = row.GetText(2);
  kept.webhook.url = row.GetText(3);
  kept.webhook.status = static_cast<WebhookStatus>(row.GetInt64(4));
  kept.sealed_secret = row.GetText(5);
  kept.webhook.has_secret = !kept.sealed_secret.empty();
  kept.webhook.created_ms = row.GetInt64(6);
  kept.webhook.updated_ms = row.GetInt64(7);
  return kept;
}

std::string JoinStatuses(const std::vector<std::string>& statuses) {
  return fmt::format("{}", fmt::join(statuses, ","));
}

std::vector<std::string> SplitStatuses(std::string_view text) {
  std::vector<std::string> statuses;
  while (!text.empty()) {
    size_t comma = std::min(text.find(','), text.size());
    statuses.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return statuses;
}

Status LoadEvents(Reader& reader, std::vector<Kept>& all) {
  std::vector<std::string> ids;
  std::map<std::string, Webhook*, std::less<>> by_id;
  for (Kept& kept : all) {
    ids.push_back(kept.webhook.id);
    by_id[kept.webhook.id] = &kept.webhook;
  }
  const std::string text = JsonOfNames(ids);
  return reader.ForEach(kListEvents, {text}, [&](const Row& row) -> Status {
    WebhookEvent event;
    event.entity = static_cast<WebhookEntity>(row.GetInt64(1));
    event.action = static_cast<WebhookAction>(row.GetInt64(2));
    event.experiment_id = row.GetText(3);
    event.statuses = SplitStatuses(row.GetTextView(4));
    event.metric_key = row.GetText(5);
    if (row.GetInt64(6) != 0) event.comparator = static_cast<Comparator>(row.GetInt64(6));
    event.threshold = row.GetDouble(7);
    by_id.find(row.GetTextView(0))->second->events.push_back(std::move(event));
    return Ok();
  });
}

Result<Kept> GetIn(Reader& reader, std::string_view id) {
  ASSIGN_OR_RETURN(std::vector<Kept> all, reader.FindAll(kGet, {id}, KeptFromRow));
  if (all.empty()) return NotFound(fmt::format("Webhook with ID {} not found.", id));
  RETURN_IF_ERROR(LoadEvents(reader, all));
  return std::move(all.front());
}

Status InsertEvents(Tx& tx, std::string_view id, const std::vector<WebhookEvent>& events) {
  int64_t position = 0;
  for (const WebhookEvent& event : events) {
    const bool has_condition = event.entity == WebhookEntity::kMetric;
    const std::string statuses = JoinStatuses(event.statuses);
    RETURN_IF_ERROR(tx.Execute(
        kInsertEvent, {id, position++, event.entity, event.action, event.experiment_id, statuses,
                       event.metric_key, has_condition ? static_cast<int64_t>(event.comparator) : 0,
                       event.threshold}));
  }
  return Ok();
}

bool IsLetterOrDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Status CheckName(std::string_view name) {
  bool is_right = !name.empty() && name.size() <= kNameLengthMax && IsLetterOrDigit(name.front()) &&
                  IsLetterOrDigit(name.back()) && std::all_of(name.begin(), name.end(), [](char c) {
                    return IsLetterOrDigit(c) || c == '.' || c == '_' || c == '-';
                  });
  if (is_right) return Ok();
  return InvalidArgument(
      fmt::format("Webhook name '{}' is invalid. It must start and end with a letter or digit, be "
                  "less than 63 characters long, and contain only letters, digits, dots (.), "
                  "underscores (_), and hyphens (-).",
                  name));
}

Status CheckSize(std::string_view what, std::string_view text, size_t max) {
  if (text.size() <= max) return Ok();
  return InvalidArgument(
      fmt::format("'{}' exceeds the maximum length of {} characters", what, max));
}

std::vector<WebhookAction> ActionsOf(WebhookEntity entity) {
  switch (entity) {
    case WebhookEntity::kRegisteredModel:
    case WebhookEntity::kModelVersion:
    case WebhookEntity::kPrompt:
    case WebhookEntity::kPromptVersion: return {WebhookAction::kCreated};
    case WebhookEntity::kModelVersionTag:
    case WebhookEntity::kPromptTag:
    case WebhookEntity::kPromptVersionTag: return {WebhookAction::kDeleted, WebhookAction::kSet};
    case WebhookEntity::kModelVersionAlias:
    case WebhookEntity::kPromptAlias: return {WebhookAction::kCreated, WebhookAction::kDeleted};
    case WebhookEntity::kBudgetPolicy: return {WebhookAction::kExceeded};
    case WebhookEntity::kRun: return {WebhookAction::kFinished};
    case WebhookEntity::kMetric: return {WebhookAction::kReached};
  }
  return {};
}

Status CheckEvent(const WebhookEvent& event) {
  const std::vector<WebhookAction> actions = ActionsOf(event.entity);
  if (std::find(actions.begin(), actions.end(), event.action) == actions.end()) {
    std::string names;
    for (WebhookAction action : actions)
      names += fmt::format("{}'{}'", names.empty() ? "" : ", ", WebhookActionName(action));
    return InvalidArgument(
        fmt::format("Invalid action '{}' for entity '{}'. Valid actions are: [{}]",
                    WebhookActionName(event.action), WebhookEntityName(event.entity), names));
  }
  if (IsMlflowEntity(event.entity)) return Ok();
  RETURN_IF_ERROR(CheckSize("experiment_id", event.experiment_id, kTextBytesMax));
  if (event.entity == WebhookEntity::kMetric) {
    RETURN_IF_ERROR(CheckSize("metric_key", event.metric_key, kTextBytesMax));
    if (event.metric_key.empty())
      return InvalidArgument("An event of a metric needs its 'metric_key'.");
    if (!std::isfinite(event.threshold))
      return InvalidArgument("The 'threshold' of a metric must be a finite number.");
    return Ok();
  }
  for (const std::string& status : event.statuses) {
    if (status != "FINISHED" && status != "FAILED" && status != "KILLED") {
      return InvalidArgument(fmt::format(
          "A run does not finish with status '{}'. Valid statuses are: ['FINISHED', 'FAILED', "
          "'KILLED']",
          status));
    }
  }
  return Ok();
}

Delivery DeliveryFromRow(const Row& row) {
  Delivery delivery;
  delivery.id = row.GetText(0);
  delivery.entity = static_cast<WebhookEntity>(row.GetInt64(1));
  delivery.action = static_cast<WebhookAction>(row.GetInt64(2));
  delivery.created_ms = row.GetInt64(3);
  delivery.state = static_cast<DeliveryState>(row.GetInt64(4));
  delivery.due_ms = row.GetInt64(5);
  delivery.attempt_count = row.GetInt64(6);
  delivery.last_http_status = static_cast<int>(row.GetInt64(7));
  delivery.last_error = row.GetText(8);
  return delivery;
}

}  // namespace

Status SqlWebhooks::CheckEvents(const std::vector<WebhookEvent>& events) const {
  if (events.empty()) {
    return InvalidArgument("Webhook events must be a non-empty list of WebhookEvent objects: [].");
  }
  if (events.size() > kEventCountMax)
    return InvalidArgument(fmt::format("A webhook has at most {} events.", kEventCountMax));
  for (size_t i = 0; i < events.size(); ++i) {
    RETURN_IF_ERROR(CheckEvent(events[i]));
    if (!IsMlflowEntity(events[i].entity) && !options_.has_run_events) {
      return InvalidArgument(
          "Webhooks on runs and metrics need experiments and models in one database; this server "
          "keeps them in two.");
    }
    if (std::find(events.begin(), events.begin() + static_cast<ptrdiff_t>(i), events[i]) !=
        events.begin() + static_cast<ptrdiff_t>(i)) {
      return InvalidArgument(fmt::format("Webhook event '{}.{}' is given twice.",
                                         WebhookEntityName(events[i].entity),
                                         WebhookActionName(events[i].action)));
    }
  }
  return Ok();
}

Result<Webhook> SqlWebhooks::Create(const NewWebhook& webhook) {
  RETURN_IF_ERROR(CheckName(webhook.name));
  RETURN_IF_ERROR(CheckWebhookUrl(webhook.url, options_));
  RETURN_IF_ERROR(CheckEvents(webhook.events));
  RETURN_IF_ERROR(CheckSize("description", webhook.description.value_or(""), kDescriptionBytesMax));
  RETURN_IF_ERROR(CheckSize("secret", webhook.secret.value_or(""), kSecretBytesMax));
  const std::string id = NewDeliveryId();
  const std::string secret = SealSecret(webhook.secret.value_or(""), id, options_.secret_key);
  Result<Webhook> created = db_.Write([&](Tx& tx) -> Result<Webhook> {
    RETURN_IF_ERROR(tx.Execute(kInsert, {id, webhook.name, webhook.description, webhook.url,
                                         webhook.status, secret, clock_.NowMs()}));
    RETURN_IF_ERROR(InsertEvents(tx, id, webhook.events));
    ASSIGN_OR_RETURN(Kept kept, GetIn(tx, id));
    return std::move(kept.webhook);
  });
  if (created.ok()) RETURN_IF_ERROR(Refresh());
  return created;
}

Result<Webhook> SqlWebhooks::Get(std::string_view id) {
  return db_.Read([&](Reader& reader) -> Result<Webhook> {
    ASSIGN_OR_RETURN(Kept kept, GetIn(reader, id));
    return std::move(kept.webhook);
  });
}

Result<WebhookPage> SqlWebhooks::List(int64_t max_results, std::string_view page_token,
                                      bool with_ours) {
  if (max_results < 1 || max_results > kWebhookPageMax) {
    return InvalidArgument(fmt::format("max_results must be between 1 and {}.", kWebhookPageMax));
  }
  const std::vector<std::string> request = {with_ours ? "webhooks and ours" : "webhooks"};
  int64_t before_ms = INT64_MAX;
  std::string after_id;
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(Json::Array position, ReadPageToken(page_token, request, 2));
    if (!position[0].is_integer() || !position[1].is_string())
      return InvalidArgument("Invalid page token: it is none of this server's");
    before_ms = position[0].AsInteger();
    after_id = position[1].AsString();
  }
  return db_.Read([&](Reader& reader) -> Result<WebhookPage> {
    ASSIGN_OR_RETURN(
        std::vector<Kept> all,
        reader.FindAll(kList, {before_ms, after_id, max_results + 1, with_ours}, KeptFromRow));
    WebhookPage page;
    if (all.size() > static_cast<size_t>(max_results)) {
      all.pop_back();
      const Webhook& last = all.back().webhook;
      page.next_page_token = MakePageToken(request, Json(Json::Array{last.created_ms, last.id}));
    }
    RETURN_IF_ERROR(LoadEvents(reader, all));
    for (Kept& kept : all) page.webhooks.push_back(std::move(kept.webhook));
    return page;
  });
}

Result<Webhook> SqlWebhooks::Update(std::string_view id, const WebhookChange& change) {
  // As MLflow does: whether there is such a webhook is told before what is wrong with the change.
  RETURN_IF_ERROR(Get(id));
  if (change.name) RETURN_IF_ERROR(CheckName(*change.name));
  if (change.url) RETURN_IF_ERROR(CheckWebhookUrl(*change.url, options_));
  if (change.events) RETURN_IF_ERROR(CheckEvents(*change.events));
  RETURN_IF_ERROR(CheckSize("description", change.description.value_or(""), kDescriptionBytesMax));
  RETURN_IF_ERROR(CheckSize("secret", change.secret.value_or(""), kSecretBytesMax));
  Result<Webhook> updated = db_.Write([&](Tx& tx) -> Result<Webhook> {
    ASSIGN_OR_RETURN(Kept kept, GetIn(tx, id));
    Webhook& webhook = kept.webhook;
    if (change.name) webhook.name = *change.name;
    if (change.url) webhook.url = *change.url;
    if (change.status) webhook.status = *change.status;
    if (change.secret) kept.sealed_secret = SealSecret(*change.secret, id, options_.secret_key);
    if (change.description) {
      webhook.description = *change.description;
      webhook.has_description = true;
    }
    std::optional<std::string> description;
    if (webhook.has_description) description = webhook.description;
    RETURN_IF_ERROR(tx.Execute(kUpdate, {id, webhook.name, description, webhook.url, webhook.status,
                                         kept.sealed_secret, clock_.NowMs()}));
    if (change.events) {
      RETURN_IF_ERROR(tx.Execute(kDeleteEvents, {id}));
      RETURN_IF_ERROR(InsertEvents(tx, id, *change.events));
    }
    ASSIGN_OR_RETURN(kept, GetIn(tx, id));
    return std::move(kept.webhook);
  });
  if (updated.ok()) RETURN_IF_ERROR(Refresh());
  return updated;
}

Status SqlWebhooks::Delete(std::string_view id) {
  RETURN_IF_ERROR(db_.Write([&](Tx& tx) -> Status {
    ASSIGN_OR_RETURN(int64_t deleted, tx.Execute(kDelete, {id}));
    if (deleted == 0) return NotFound(fmt::format("Webhook with ID {} not found.", id));
    return Ok();
  }));
  return Refresh();
}

Result<DeliveryAttempt> SqlWebhooks::Test(std::string_view id,
                                          const std::optional<WebhookEvent>& event) {
  ASSIGN_OR_RETURN(Kept kept, db_.Read([&](Reader& reader) { return GetIn(reader, id); }));
  if (event) RETURN_IF_ERROR(CheckEvent(*event));
  const WebhookEvent& tested = event ? *event : kept.webhook.events.front();
  DeliveryAttempt attempt;
  Result<std::string> secret = OpenSecret(kept.sealed_secret, id, options_.secret_key);
  if (!secret.ok()) {
    attempt.error = secret.error().message();
    return attempt;
  }
  // What was public when it was set may have moved since.
  if (Status url = CheckWebhookUrl(kept.webhook.url, options_); !url.ok()) {
    attempt.error = url.error().message();
    return attempt;
  }
  const int64_t now_ms = clock_.NowMs();
  return send_(MakeWebhookRequest(
      kept.webhook.url, NewDeliveryId(),
      PayloadText(tested.entity, tested.action, now_ms, SampleData(tested, now_ms)), *secret,
      now_ms, DeliveryOptions().timeout_ms));
}

Result<std::vector<Delivery>> SqlWebhooks::ListDeliveries(std::string_view id, int64_t count_max) {
  return db_.Read([&](Reader& reader) -> Result<std::vector<Delivery>> {
    RETURN_IF_ERROR(GetIn(reader, id));
    return reader.FindAll(kListDeliveries, {id, count_max}, DeliveryFromRow);
  });
}

}  // namespace internal

std::unique_ptr<Webhooks> OpenWebhooks(sql::Db& db, WebhookOptions options, SendFunction send,
                                       Clock& clock) {
  auto webhooks =
      std::make_unique<internal::SqlWebhooks>(db, std::move(options), std::move(send), clock);
  if (Status status = webhooks->Refresh(); !status.ok())
    Log(LogLevel::kWarning, "webhooks: who listens is not known yet: {}",
        status.error().ToString());
  return webhooks;
}

}  // namespace sluice::registry
