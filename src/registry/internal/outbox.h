// Writing events into the outbox (table webhook_deliveries), in the transaction of what happened.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/json.h"
#include "registry/webhooks.h"
#include "sql/db.h"

namespace sluice::registry::internal {

/// One event of the registry: what it is for a model and what for a prompt; nothing: not told.
struct RegistryEvent {
  std::optional<WebhookEntity> of_model;
  std::optional<WebhookEntity> of_prompt;
  WebhookAction action = WebhookAction::kCreated;
};
inline constexpr RegistryEvent kModelCreated{WebhookEntity::kRegisteredModel,
                                             WebhookEntity::kPrompt, WebhookAction::kCreated};
inline constexpr RegistryEvent kModelTagSet{std::nullopt, WebhookEntity::kPromptTag,
                                            WebhookAction::kSet};
inline constexpr RegistryEvent kModelTagDeleted{std::nullopt, WebhookEntity::kPromptTag,
                                                WebhookAction::kDeleted};
inline constexpr RegistryEvent kVersionCreated{
    WebhookEntity::kModelVersion, WebhookEntity::kPromptVersion, WebhookAction::kCreated};
inline constexpr RegistryEvent kVersionTagSet{
    WebhookEntity::kModelVersionTag, WebhookEntity::kPromptVersionTag, WebhookAction::kSet};
inline constexpr RegistryEvent kVersionTagDeleted{
    WebhookEntity::kModelVersionTag, WebhookEntity::kPromptVersionTag, WebhookAction::kDeleted};
inline constexpr RegistryEvent kAliasSet{WebhookEntity::kModelVersionAlias,
                                         WebhookEntity::kPromptAlias, WebhookAction::kCreated};
inline constexpr RegistryEvent kAliasDeleted{WebhookEntity::kModelVersionAlias,
                                             WebhookEntity::kPromptAlias, WebhookAction::kDeleted};

/// Of prompts; not shown in events.
inline constexpr std::string_view kPromptTypeTag = "_mlflow_prompt_type";

/// The payload's `data`; asked for only if somebody listens.
using EventData = std::function<formats::Json(bool is_prompt)>;

/// Writes nothing, after one indexed read, when nobody listens. Whether model `name` is a prompt is
/// read from its tags.
Status EmitIn(sql::Tx& tx, std::string_view name, const RegistryEvent& event, int64_t now_ms,
              const EventData& data);

/// One row for each of the webhooks.
Status EnqueueIn(sql::Tx& tx, const std::vector<std::string>& webhook_ids, WebhookEntity entity,
                 WebhookAction action, int64_t now_ms, const formats::Json& data);

/// The body of a delivery: {"entity", "action", "timestamp", "data"}.
std::string PayloadText(WebhookEntity entity, WebhookAction action, int64_t now_ms,
                        const formats::Json& data);
/// The `data` that MLflow documents as an example of the event; for tests of a webhook.
formats::Json SampleData(const WebhookEvent& event, int64_t now_ms);
/// A random UUID as text.
std::string NewDeliveryId();

}  // namespace sluice::registry::internal
