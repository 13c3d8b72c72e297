#include "registry/bulk_writer.h"

#include "base/id.h"

namespace sluice::registry {
namespace {

using sql::Query;
using sql::Tx;

constexpr Query kInsertModel{
    "registry.bulk_models",
    "INSERT INTO registered_models (name, description, last_version, created_ms, updated_ms, life) "
    "VALUES ($1, $2, 0, $3, $4, $5) ON CONFLICT (name) DO NOTHING"};
constexpr Query kInsertModelTag{
    "registry.bulk_model_tags",
    "INSERT INTO registered_model_tags (name, key, value) VALUES ($1, $2, $3) "
    "ON CONFLICT DO NOTHING"};
constexpr Query kInsertVersion{
    "registry.bulk_versions",
    "INSERT INTO model_versions (name, version, source, model_id, run_id, description, verdict, "
    "verdict_digest, provenance, created_ms, updated_ms, is_deleted, stage, status, "
    "status_message, run_link, logged_model_id, storage_location, user_id) "
    "VALUES ($1, $2, $3, '', $4, $5, 0, '', '', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
    "ON CONFLICT (name, version) DO NOTHING"};
constexpr Query kRaiseLastVersion{
    "registry.bulk_last_version",
    "UPDATE registered_models SET last_version = $2 WHERE name = $1 AND last_version < $2"};
constexpr Query kInsertVersionTag{
    "registry.bulk_version_tags",
    "INSERT INTO model_version_tags (name, version, key, value) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING"};
constexpr Query kFindVersion{
    "registry.bulk_find_version",
    "SELECT 1 FROM model_versions WHERE name = $1 AND version = $2 AND is_deleted = 0"};
constexpr Query kInsertAlias{"registry.bulk_aliases",
                             "INSERT INTO model_aliases (name, alias, version) "
                             "VALUES ($1, $2, $3) ON CONFLICT (name, alias) DO NOTHING"};
constexpr Query kInsertMove{
    "registry.bulk_alias_moves",
    "INSERT INTO alias_moves (move_number, name, alias, from_version, to_version, undoes_move, "
    "is_forced, user_id, reason, at_ms, life) SELECT COALESCE(MAX(move_number), 0) + 1, $1, $2, "
    "NULL, CAST($3 AS BIGINT), NULL, 0, '', $4, CAST($5 AS BIGINT), "
    "(SELECT life FROM registered_models WHERE name = $1) FROM alias_moves"};
constexpr Query kInsertWebhook{
    "registry.bulk_webhooks",
    "INSERT INTO webhooks (webhook_id, name, description, url, status, secret, created_ms, "
    "updated_ms) VALUES ($1, $2, $3, $4, $5, '', $6, $7) ON CONFLICT (webhook_id) DO NOTHING"};
constexpr Query kInsertWebhookEvent{
    "registry.bulk_webhook_events",
    "INSERT INTO webhook_events (webhook_id, position, entity, action, experiment_id, statuses, "
    "metric_key, comparator, threshold) VALUES ($1, $2, $3, $4, '', '', '', 0, 0)"};

}  // namespace

Status AddModelsIn(Tx& tx, std::span<const RegisteredModel> models) {
  for (const RegisteredModel& model : models) {
    RETURN_IF_ERROR(tx.Post(kInsertModel, {model.name, model.description, model.created_ms,
                                           model.updated_ms, NewRunId()}));
    for (const Tag& tag : model.tags)
      RETURN_IF_ERROR(tx.Post(kInsertModelTag, {model.name, tag.key, tag.value}));
  }
  return Ok();
}

Status AddVersionsIn(Tx& tx, std::span<const ModelVersion> versions) {
  for (const ModelVersion& version : versions) {
    RETURN_IF_ERROR(
        tx.Post(kInsertVersion,
                {version.name, version.version, version.source, version.run_id, version.description,
                 version.created_ms, version.updated_ms, version.is_deleted, version.stage,
                 version.status, version.status_message, version.run_link, version.logged_model_id,
                 version.storage_location, version.user_id}));
    RETURN_IF_ERROR(tx.Post(kRaiseLastVersion, {version.name, version.version}));
    for (const Tag& tag : version.tags) {
      RETURN_IF_ERROR(
          tx.Post(kInsertVersionTag, {version.name, version.version, tag.key, tag.value}));
    }
  }
  return Ok();
}

Result<int64_t> AddAliasesIn(Tx& tx, std::string_view model, std::span<const Alias> aliases,
                             std::string_view reason, int64_t now_ms) {
  int64_t left_out_count = 0;
  for (const Alias& alias : aliases) {
    ASSIGN_OR_RETURN(auto version, tx.FindOne(kFindVersion, {model, alias.version},
                                              [](const sql::Row&) { return true; }));
    if (!version) {
      ++left_out_count;
      continue;
    }
    ASSIGN_OR_RETURN(const int64_t added,
                     tx.Execute(kInsertAlias, {model, alias.alias, alias.version}));
    if (added == 0) continue;
    RETURN_IF_ERROR(tx.Post(kInsertMove, {model, alias.alias, alias.version, reason, now_ms}));
  }
  return left_out_count;
}

Status AddWebhooksIn(Tx& tx, std::span<const Webhook> webhooks) {
  for (const Webhook& webhook : webhooks) {
    const std::optional<std::string> description =
        webhook.has_description ? std::optional(webhook.description) : std::nullopt;
    ASSIGN_OR_RETURN(
        const int64_t added,
        tx.Execute(kInsertWebhook, {webhook.id, webhook.name, description, webhook.url,
                                    webhook.status, webhook.created_ms, webhook.updated_ms}));
    if (added == 0) continue;
    int64_t position = 0;
    for (const WebhookEvent& event : webhook.events) {
      RETURN_IF_ERROR(
          tx.Post(kInsertWebhookEvent, {webhook.id, position++, event.entity, event.action}));
    }
  }
  return Ok();
}

}  // namespace sluice::registry
