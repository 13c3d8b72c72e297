// Webhooks. Beyond MLflow's events there are ours, on runs and metrics. MLflow's clients cannot
// read an entity they do not know, so answers hold ours in a list of their own, `sluice_events`,
// and the list of webhooks leaves out those that have no other (unless asked for); requests may
// have them in either list. docs/reference/webhooks.md describes all of it.
#include <fmt/format.h>

#include "api/encode.h"
#include "api/endpoint.h"
#include "registry/webhooks.h"

namespace sluice::api {

namespace {

using http::Method;
using registry::Webhook;
using registry::WebhookEvent;

constexpr int64_t kDefaultPageSize = 100;
constexpr int64_t kDeliveriesMax = 1000;
// The numbers of MLflow's protocol, which are those of our enums.
constexpr EnumName kStatusNames[] = {{"ACTIVE", 1}, {"DISABLED", 2}};

std::string Upper(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return upper;
}

void AppendEvent(const WebhookEvent& event, JsonWriter& out) {
  out.BeginObject()
      .Field("entity", Upper(WebhookEntityName(event.entity)))
      .Field("action", Upper(WebhookActionName(event.action)))
      .FieldIfAny("experiment_id", event.experiment_id);
  if (!event.statuses.empty()) {
    out.Key("statuses").BeginArray();
    for (const std::string& status : event.statuses) out.String(status);
    out.EndArray();
  }
  if (event.entity == registry::WebhookEntity::kMetric) {
    out.Field("metric_key", event.metric_key)
        .Field("comparator", ComparatorText(event.comparator))
        .Field("threshold", event.threshold);
  }
  out.EndObject();
}

void AppendEvents(std::string_view name, const std::vector<WebhookEvent>& events, bool of_mlflow,
                  JsonWriter& out) {
  bool has_any = false;
  for (const WebhookEvent& event : events) {
    if (IsMlflowEntity(event.entity) != of_mlflow) continue;
    if (!has_any) out.Key(name).BeginArray();
    has_any = true;
    AppendEvent(event, out);
  }
  if (has_any) out.EndArray();
}

void AppendWebhook(const Webhook& webhook, JsonWriter& out) {
  out.BeginObject()
      .Field("webhook_id", webhook.id)
      .Field("name", webhook.name)
      .FieldIfAny("description", webhook.description)
      .Field("url", webhook.url);
  AppendEvents("events", webhook.events, true, out);
  AppendEvents("sluice_events", webhook.events, false, out);
  out.Field("status", WebhookStatusName(webhook.status))
      .Field("creation_timestamp", webhook.created_ms)
      .Field("last_updated_timestamp", webhook.updated_ms)
      .EndObject();
}

Answer AnswerWebhook(const Webhook& webhook) {
  return Answer::Printed(
      PrintWrapped("webhook", [&](JsonWriter& out) { AppendWebhook(webhook, out); }));
}

/// An enum by name in any case, or by its number.
template <typename T, typename FindByName, typename NameOf>
T ReadEnum(const Fields& fields, std::string_view field, FindByName find, NameOf name_of) {
  const formats::Json* raw = fields.Raw(field);
  if (raw == nullptr || raw->is_null()) {
    fields.RequireString(field);
    return T{};
  }
  std::optional<T> value;
  if (raw->is_string()) value = find(raw->AsString());
  if (raw->is_integer() && raw->AsInteger() > 0 && raw->AsInteger() < 256) {
    const T numbered = static_cast<T>(raw->AsInteger());
    if (name_of(numbered) != "unknown") value = numbered;
  }
  if (!value) fields.Refuse(field, fmt::format("There is no such {}.", field));
  return value.value_or(T{});
}

WebhookEvent ReadEvent(const Fields& fields) {
  WebhookEvent event;
  event.entity = ReadEnum<registry::WebhookEntity>(fields, "entity", registry::FindWebhookEntity,
                                                   registry::WebhookEntityName);
  event.action = ReadEnum<registry::WebhookAction>(fields, "action", registry::FindWebhookAction,
                                                   registry::WebhookActionName);
  if (IsMlflowEntity(event.entity)) return event;
  event.experiment_id = fields.StringOr("experiment_id");
  if (event.entity == registry::WebhookEntity::kRun) {
    event.statuses = fields.Strings("statuses");
    return event;
  }
  event.metric_key = fields.RequireString("metric_key");
  event.threshold = fields.RequireDouble("threshold");
  const std::string comparator = fields.RequireString("comparator");
  const std::optional<registry::Comparator> found = registry::FindComparator(comparator);
  if (!comparator.empty() && !found) fields.Refuse("comparator", "It is none of > >= < <= = !=.");
  event.comparator = found.value_or(registry::Comparator::kGreater);
  return event;
}

/// Of both lists.
std::vector<WebhookEvent> ReadEvents(const Fields& fields) {
  std::vector<WebhookEvent> events;
  for (std::string_view list : {"events", "sluice_events"}) {
    for (const Fields& event : fields.Messages(list)) events.push_back(ReadEvent(event));
  }
  return events;
}

std::optional<registry::WebhookStatus> ReadStatus(const Fields& fields) {
  const std::optional<int> number = fields.FindEnum("status", kStatusNames);
  if (!number) return std::nullopt;
  return static_cast<registry::WebhookStatus>(*number);
}

std::string_view IdOf(const Call& call) { return call.request.PathParam("webhook_id"); }

Result<Answer> Create(Services& services, Call& call) {
  const Fields& fields = call.fields;
  registry::NewWebhook webhook;
  webhook.name = fields.RequireString("name");
  webhook.url = fields.RequireString("url");
  if (!fields.Has("sluice_events")) fields.RequireMessages("events");
  webhook.events = ReadEvents(fields);
  webhook.description = fields.FindString("description");
  if (webhook.description == "") webhook.description.reset();
  webhook.secret = fields.FindString("secret");
  webhook.status = ReadStatus(fields).value_or(registry::WebhookStatus::kActive);
  RETURN_IF_ERROR(fields.status());
  ASSIGN_OR_RETURN(const Webhook created, services.webhooks->Create(webhook));
  return AnswerWebhook(created);
}

Result<Answer> List(Services& services, Call& call) {
  const int64_t max_results = call.fields.Int64Or("max_results", kDefaultPageSize);
  const std::string page_token = call.fields.StringOr("page_token");
  const bool with_ours = call.fields.BoolOr("include_sluice_events", false);
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const registry::WebhookPage page,
                   services.webhooks->List(max_results == 0 ? kDefaultPageSize : max_results,
                                           page_token, with_ours));
  return Answer::Printed(PrintPage("webhooks", page.webhooks, page.next_page_token, AppendWebhook));
}

Result<Answer> Get(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const Webhook webhook, services.webhooks->Get(IdOf(call)));
  return AnswerWebhook(webhook);
}

Result<Answer> Update(Services& services, Call& call) {
  const Fields& fields = call.fields;
  const auto if_any = [](std::optional<std::string> text) {
    return text == "" ? std::nullopt : text;  // as MLflow: an empty name or url is none given
  };
  registry::WebhookChange change;
  change.name = if_any(fields.FindString("name"));
  change.url = if_any(fields.FindString("url"));
  change.description = fields.FindString("description");
  change.secret = fields.FindString("secret");
  change.status = ReadStatus(fields);
  std::vector<WebhookEvent> events = ReadEvents(fields);
  if (!events.empty()) change.events = std::move(events);
  RETURN_IF_ERROR(fields.status());
  ASSIGN_OR_RETURN(const Webhook webhook, services.webhooks->Update(IdOf(call), change));
  return AnswerWebhook(webhook);
}

Result<Answer> Delete(Services& services, Call& call) {
  RETURN_IF_ERROR(services.webhooks->Delete(IdOf(call)));
  return Answer::Empty();
}

Result<Answer> Test(Services& services, Call& call) {
  std::optional<WebhookEvent> event;
  if (const std::optional<Fields> fields = call.fields.FindMessage("event"))
    event = ReadEvent(*fields);
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const registry::DeliveryAttempt attempt,
                   services.webhooks->Test(IdOf(call), event));
  return Answer::Printed(PrintWrapped("result", [&](JsonWriter& out) {
    out.BeginObject().Field("success", attempt.is_success);
    if (attempt.http_status != 0) {
      out.Field("response_status", int64_t{attempt.http_status})
          .FieldIfAny("response_body", attempt.response_body);
    } else {
      out.Field("error_message", fmt::format("Failed to test webhook: {}", attempt.error));
    }
    out.EndObject();
  }));
}

void AppendDelivery(const registry::Delivery& delivery, JsonWriter& out) {
  out.BeginObject()
      .Field("delivery_id", delivery.id)
      .Field("entity", Upper(WebhookEntityName(delivery.entity)))
      .Field("action", Upper(WebhookActionName(delivery.action)))
      .Field("creation_timestamp", delivery.created_ms)
      .Field("state", DeliveryStateName(delivery.state))
      .Field("attempt_count", delivery.attempt_count);
  if (delivery.state == registry::DeliveryState::kWaiting)
    out.Field("next_attempt_timestamp", delivery.due_ms);
  if (delivery.last_http_status != 0)
    out.Field("response_status", int64_t{delivery.last_http_status});
  out.FieldIfAny("error_message", delivery.last_error).EndObject();
}

Result<Answer> ListDeliveries(Services& services, Call& call) {
  const int64_t max_results = call.fields.Int64Or("max_results", kDefaultPageSize);
  if (max_results < 1 || max_results > kDeliveriesMax) call.fields.RefuseType("max_results");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const std::vector<registry::Delivery> deliveries,
                   services.webhooks->ListDeliveries(IdOf(call), max_results));
  return Answer::Printed(PrintPage("deliveries", deliveries, {}, AppendDelivery));
}

}  // namespace

std::vector<Endpoint> WebhookEndpoints() {
  const Access admin = Access::Admin();
  return {
      {Method::kPost, "/api/2.0/mlflow/webhooks", "webhooks.create", admin, Create},
      {Method::kGet, "/api/2.0/mlflow/webhooks", "webhooks.list", admin, List},
      {Method::kGet, "/api/2.0/mlflow/webhooks/{webhook_id}", "webhooks.get", admin, Get},
      {Method::kPatch, "/api/2.0/mlflow/webhooks/{webhook_id}", "webhooks.update", admin, Update},
      {Method::kDelete, "/api/2.0/mlflow/webhooks/{webhook_id}", "webhooks.delete", admin, Delete},
      {Method::kPost, "/api/2.0/mlflow/webhooks/{webhook_id}/test", "webhooks.test", admin, Test},
      {Method::kGet, "/api/2.0/mlflow/webhooks/{webhook_id}/deliveries", "webhooks.deliveries",
       admin, ListDeliveries},
  };
}

}  // namespace sluice::api
