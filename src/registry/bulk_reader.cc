#include "registry/bulk_reader.h"

#include <fmt/format.h>

#include <map>

#include "registry/internal/version_rows.h"

namespace sluice::registry {
namespace {

using internal::JsonOfNames;
using sql::Query;
using sql::Reader;
using sql::Row;

#define SLUICE_COUNT_OF(from, column)                                                            \
  "SELECT COUNT(*) FROM " SLUICE_NAMES_SQLITE " CROSS JOIN " from " WHERE " column " = n.value", \
      "SELECT COUNT(*) FROM " SLUICE_NAMES_POSTGRES " CROSS JOIN " from " WHERE " column         \
      " = n.value"
constexpr Query kCountModels{"registry.bulk_count_models",
                             SLUICE_COUNT_OF("registered_models x", "x.name")};
constexpr Query kCountModelTags{"registry.bulk_count_model_tags",
                                SLUICE_COUNT_OF("registered_model_tags x", "x.name")};
constexpr Query kCountVersions{"registry.bulk_count_versions",
                               SLUICE_COUNT_OF("model_versions x", "x.name")};
constexpr Query kCountDeleted{"registry.bulk_count_deleted",
                              SLUICE_COUNT_OF("model_versions x", "x.is_deleted = 1 AND x.name")};
constexpr Query kCountVersionTags{"registry.bulk_count_version_tags",
                                  SLUICE_COUNT_OF("model_version_tags x", "x.name")};
constexpr Query kCountAliases{"registry.bulk_count_aliases",
                              SLUICE_COUNT_OF("model_aliases x", "x.name")};
constexpr Query kCountWebhooks{"registry.bulk_count_webhooks",
                               SLUICE_COUNT_OF("webhooks x", "x.webhook_id")};
#undef SLUICE_COUNT_OF

constexpr Query kReadModels{"registry.bulk_read_models",
                            "SELECT name, description, created_ms, updated_ms FROM "
                            "registered_models WHERE name > $1 ORDER BY name LIMIT $2"};
constexpr Query kReadModelTags{
    "registry.bulk_read_model_tags",
    "SELECT name, key, value FROM registered_model_tags WHERE name >= $1 AND name <= $2 "
    "ORDER BY name, key"};
constexpr Query kReadAliases{
    "registry.bulk_read_aliases",
    "SELECT name, alias, version FROM model_aliases WHERE name >= $1 AND name <= $2 "
    "ORDER BY name, alias"};
constexpr Query kReadVersions{"registry.bulk_read_versions",
                              "SELECT " SLUICE_VERSION_COLUMNS
                              " FROM model_versions v WHERE (v.name, v.version) > ($1, $2) "
                              "ORDER BY v.name, v.version LIMIT $3"};

}  // namespace

Result<BulkCounts> CountIn(Reader& reader, const std::vector<std::string>& models,
                           const std::vector<std::string>& webhook_ids) {
  BulkCounts counts;
  const std::string names = JsonOfNames(models);
  const std::string ids = JsonOfNames(webhook_ids);
  struct Counted {
    const Query& query;
    int64_t BulkCounts::*count;
    const std::string& names;
  };
  const Counted counted[] = {{kCountModels, &BulkCounts::models, names},
                             {kCountModelTags, &BulkCounts::model_tags, names},
                             {kCountVersions, &BulkCounts::versions, names},
                             {kCountDeleted, &BulkCounts::deleted_versions, names},
                             {kCountVersionTags, &BulkCounts::version_tags, names},
                             {kCountAliases, &BulkCounts::aliases, names},
                             {kCountWebhooks, &BulkCounts::webhooks, ids}};
  for (const Counted& one : counted) {
    ASSIGN_OR_RETURN(auto count, reader.FindOne(one.query, {one.names},
                                                [](const Row& row) { return row.GetInt64(0); }));
    counts.*one.count = count.value_or(0);
  }
  return counts;
}

Result<std::vector<RegisteredModel>> ReadModelsIn(Reader& reader, std::string_view after_name,
                                                  int64_t max_count) {
  std::map<std::string, size_t, std::less<>> by_name;
  ASSIGN_OR_RETURN(auto models,
                   reader.FindAll(kReadModels, {after_name, max_count}, [&](const Row& row) {
                     RegisteredModel model;
                     model.name = row.GetText(0);
                     model.description = row.GetText(1);
                     model.created_ms = row.GetInt64(2);
                     model.updated_ms = row.GetInt64(3);
                     by_name.emplace(model.name, by_name.size());
                     return model;
                   }));
  if (models.empty()) return models;
  const std::string first = models.front().name;
  const std::string last = models.back().name;
  auto add_tag = [&](const Row& row) -> Status {
    auto found = by_name.find(row.GetTextView(0));
    if (found != by_name.end())
      models[found->second].tags.push_back({row.GetText(1), row.GetText(2)});
    return Ok();
  };
  auto add_alias = [&](const Row& row) -> Status {
    auto found = by_name.find(row.GetTextView(0));
    if (found != by_name.end())
      models[found->second].aliases.push_back({row.GetText(1), row.GetInt64(2)});
    return Ok();
  };
  RETURN_IF_ERROR(reader.ForEach(kReadModelTags, {first, last}, add_tag));
  RETURN_IF_ERROR(reader.ForEach(kReadAliases, {first, last}, add_alias));
  return models;
}

Result<std::vector<ModelVersion>> ReadVersionsIn(Reader& reader, std::string_view after_name,
                                                 int64_t after_version, int64_t max_count) {
  ASSIGN_OR_RETURN(auto versions,
                   reader.FindAll(kReadVersions, {after_name, after_version, max_count},
                                  internal::VersionFromRow));
  RETURN_IF_ERROR(internal::LoadTags(reader, versions));
  return versions;
}

}  // namespace sluice::registry
