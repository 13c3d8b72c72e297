// The words of webhooks, both ways.
#include <algorithm>
#include <array>
#include <utility>

#include "registry/internal/rules.h"
#include "registry/webhooks.h"

namespace sluice::registry {
namespace {

constexpr std::pair<WebhookEntity, std::string_view> kEntities[] = {
    {WebhookEntity::kRegisteredModel, "registered_model"},
    {WebhookEntity::kModelVersion, "model_version"},
    {WebhookEntity::kModelVersionTag, "model_version_tag"},
    {WebhookEntity::kModelVersionAlias, "model_version_alias"},
    {WebhookEntity::kPrompt, "prompt"},
    {WebhookEntity::kPromptVersion, "prompt_version"},
    {WebhookEntity::kPromptTag, "prompt_tag"},
    {WebhookEntity::kPromptVersionTag, "prompt_version_tag"},
    {WebhookEntity::kPromptAlias, "prompt_alias"},
    {WebhookEntity::kBudgetPolicy, "budget_policy"},
    {WebhookEntity::kRun, "run"},
    {WebhookEntity::kMetric, "metric"},
};
constexpr std::pair<WebhookAction, std::string_view> kActions[] = {
    {WebhookAction::kCreated, "created"},   {WebhookAction::kUpdated, "updated"},
    {WebhookAction::kDeleted, "deleted"},   {WebhookAction::kSet, "set"},
    {WebhookAction::kExceeded, "exceeded"}, {WebhookAction::kFinished, "finished"},
    {WebhookAction::kReached, "reached"},
};
constexpr std::pair<Comparator, std::string_view> kComparators[] = {
    {Comparator::kGreater, ">"}, {Comparator::kGreaterOrEqual, ">="},
    {Comparator::kLess, "<"},    {Comparator::kLessOrEqual, "<="},
    {Comparator::kEqual, "="},   {Comparator::kNotEqual, "!="},
};
constexpr std::pair<WebhookStatus, std::string_view> kStatuses[] = {
    {WebhookStatus::kActive, "active"}, {WebhookStatus::kDisabled, "disabled"}};

template <typename T, size_t kCount>
std::string_view NameIn(const std::pair<T, std::string_view> (&table)[kCount], T value) {
  for (const auto& [known, name] : table) {
    if (known == value) return name;
  }
  return "unknown";
}

template <typename T, size_t kCount>
std::optional<T> FindIn(const std::pair<T, std::string_view> (&table)[kCount],
                        std::string_view name) {
  for (const auto& [value, known] : table) {
    if (EqualsIgnoringCase(name, known)) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view WebhookEntityName(WebhookEntity entity) { return NameIn(kEntities, entity); }
std::string_view WebhookActionName(WebhookAction action) { return NameIn(kActions, action); }
std::string_view ComparatorText(Comparator comparator) { return NameIn(kComparators, comparator); }
std::string_view DeliveryStateName(DeliveryState state) {
  switch (state) {
    case DeliveryState::kWaiting: return "WAITING";
    case DeliveryState::kDelivered: return "DELIVERED";
    case DeliveryState::kGivenUp: return "GIVEN_UP";
  }
  return "unknown";
}
std::string_view WebhookStatusName(WebhookStatus status) {
  return status == WebhookStatus::kActive ? "ACTIVE" : "DISABLED";
}
std::optional<WebhookEntity> FindWebhookEntity(std::string_view name) {
  return FindIn(kEntities, name);
}
std::optional<WebhookAction> FindWebhookAction(std::string_view name) {
  return FindIn(kActions, name);
}
std::optional<Comparator> FindComparator(std::string_view text) {
  return FindIn(kComparators, text);
}
std::optional<WebhookStatus> FindWebhookStatus(std::string_view name) {
  return FindIn(kStatuses, name);
}

}  // namespace sluice::registry
