#include <fmt/format.h>

#include "registry/internal/rules.h"
#include "registry/internal/sql_store.h"

namespace sluice::registry {
namespace internal {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kNextNumber{
    "registry.next_version",
    "UPDATE registered_models SET last_version = last_version + 1, updated_ms = $2 "
    "WHERE name = $1 RETURNING last_version"};
constexpr Query kInsert{
    "registry.create_version",
    "INSERT INTO model_versions (name, version, source, model_id, run_id, description, verdict, "
    "verdict_digest, provenance, created_ms, updated_ms, is_deleted) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, 0)"};
constexpr Query kGet{
    "registry.get_version",
    "SELECT name, version, source, model_id, run_id, description, verdict, verdict_digest, "
    "provenance, created_ms, updated_ms, is_deleted FROM model_versions "
    "WHERE name = $1 AND version = $2"};
constexpr Query kListNumbers{
    "registry.list_versions",
    "SELECT version FROM model_versions WHERE name = $1 AND (is_deleted = 0 OR $2 = 1) "
    "ORDER BY version DESC"};
constexpr Query kListTags{
    "registry.list_version_tags",
    "SELECT key, value FROM model_version_tags WHERE name = $1 AND version = $2 ORDER BY key"};
constexpr Query kListAliases{
    "registry.list_version_aliases",
    "SELECT alias FROM model_aliases WHERE name = $1 AND version = $2 ORDER BY alias"};
constexpr Query kSetDescription{"registry.set_version_description",
                                "UPDATE model_versions SET description = $3, updated_ms = $4 "
                                "WHERE name = $1 AND version = $2"};
constexpr Query kSetTag{
    "registry.set_version_tag",
    "INSERT INTO model_version_tags (name, version, key, value) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (name, version, key) DO UPDATE SET value = excluded.value"};
constexpr Query kDeleteTag{
    "registry.delete_version_tag",
    "DELETE FROM model_version_tags WHERE name = $1 AND version = $2 AND key = $3"};
constexpr Query kDelete{
    "registry.delete_version",
    "UPDATE model_versions SET is_deleted = 1, updated_ms = $3 WHERE name = $1 AND version = $2"};
constexpr Query kListModelIds{
    "registry.list_model_ids",
    "SELECT DISTINCT model_id FROM model_versions WHERE model_id <> '' ORDER BY model_id"};

ModelVersion FromRow(const Row& row) {
  ModelVersion version;
  version.name = row.GetText(0);
  version.version = row.GetInt64(1);
  version.source = row.GetText(2);
  version.model_id = row.GetText(3);
  version.run_id = row.GetText(4);
  version.description = row.GetText(5);
  version.verdict = static_cast<Verdict>(row.GetInt64(6));
  version.verdict_digest = row.GetText(7);
  version.provenance = row.GetText(8);
  version.created_ms = row.GetInt64(9);
  version.updated_ms = row.GetInt64(10);
  version.is_deleted = row.GetBool(11);
  return version;
}

}  // namespace

Result<ModelVersion> GetVersionIn(Reader& reader, std::string_view name, int64_t number) {
  ASSIGN_OR_RETURN(auto version, reader.FindOne(kGet, {name, number}, FromRow));
  if (!version) {
    RETURN_IF_ERROR(GetModelIn(reader, name));  // the model's absence says more
    return NotFound(fmt::format("Model Version (name={}, version={}) not found", name, number));
  }
  ASSIGN_OR_RETURN(version->tags, reader.FindAll(kListTags, {name, number}, [](const Row& row) {
    return Tag{row.GetText(0), row.GetText(1)};
  }));
  ASSIGN_OR_RETURN(version->aliases, reader.FindAll(kListAliases, {name, number},
                                                    [](const Row& row) { return row.GetText(0); }));
  return *std::move(version);
}

Result<ModelVersion> GetLiveVersionIn(Reader& reader, std::string_view name, int64_t number) {
  ASSIGN_OR_RETURN(ModelVersion version, GetVersionIn(reader, name, number));
  if (version.is_deleted) {
    return NotFound(
        fmt::format("Model Version (name={}, version={}) not found: it was deleted", name, number));
  }
  return version;
}

Result<ModelVersion> SqlStore::CreateVersion(const NewVersion& version) {
  RETURN_IF_ERROR(CheckModelName(version.name));
  for (const Tag& tag : version.tags) RETURN_IF_ERROR(CheckTag(tag));
  int64_t now_ms = clock_.NowMs();
  return db_.Write([&](Tx& tx) -> Result<ModelVersion> {
    auto number_from_row = [](const Row& row) { return row.GetInt64(0); };
    ASSIGN_OR_RETURN(auto number, tx.FindOne(kNextNumber, {version.name, now_ms}, number_from_row));
    if (!number) {
      RETURN_IF_ERROR(InsertModelIn(tx, version.name, "", {}, now_ms));
      ASSIGN_OR_RETURN(number, tx.FindOne(kNextNumber, {version.name, now_ms}, number_from_row));
    }
    RETURN_IF_ERROR(tx.Execute(kInsert, {version.name, *number, version.source, version.model_id,
                                         version.run_id, version.description, version.verdict,
                                         version.verdict_digest, version.provenance, now_ms}));
    for (const Tag& tag : version.tags) {
      RETURN_IF_ERROR(tx.Execute(kSetTag, {version.name, *number, tag.key, tag.value}));
    }
    return GetVersionIn(tx, version.name, *number);
  });
}

Result<ModelVersion> SqlStore::GetVersion(std::string_view name, int64_t version) {
  return db_.Read([&](Reader& reader) { return GetVersionIn(reader, name, version); });
}

Result<std::vector<ModelVersion>> SqlStore::ListVersions(std::string_view name, bool with_deleted) {
  return db_.Read([&](Reader& reader) -> Result<std::vector<ModelVersion>> {
    RETURN_IF_ERROR(GetModelIn(reader, name));
    ASSIGN_OR_RETURN(std::vector<int64_t> numbers,
                     reader.FindAll(kListNumbers, {name, with_deleted},
                                    [](const Row& row) { return row.GetInt64(0); }));
    std::vector<ModelVersion> versions;
    for (int64_t number : numbers) {
      ASSIGN_OR_RETURN(ModelVersion version, GetVersionIn(reader, name, number));
      versions.push_back(std::move(version));
    }
    return versions;
  });
}

Status SqlStore::SetVersionDescription(std::string_view name, int64_t version,
                                       std::string_view description) {
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(GetLiveVersionIn(tx, name, version));
    RETURN_IF_ERROR(tx.Execute(kSetDescription, {name, version, description, clock_.NowMs()}));
    return Ok();
  });
}

Status SqlStore::SetVersionTag(std::string_view name, int64_t version, const Tag& tag) {
  RETURN_IF_ERROR(CheckTag(tag));
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(GetLiveVersionIn(tx, name, version));
    RETURN_IF_ERROR(tx.Execute(kSetTag, {name, version, tag.key, tag.value}));
    return Ok();
  });
}

Status SqlStore::DeleteVersionTag(std::string_view name, int64_t version, std::string_view key) {
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(GetLiveVersionIn(tx, name, version));
    RETURN_IF_ERROR(tx.Execute(kDeleteTag, {name, version, key}));
    return Ok();
  });
}

Status SqlStore::DeleteVersion(std::string_view name, int64_t number, DeleteRule /*rule*/) {
  return db_.Write([&](Tx& tx) -> Status {
    ASSIGN_OR_RETURN(ModelVersion version, GetLiveVersionIn(tx, name, number));
    if (!version.aliases.empty()) {
      std::string aliases;
      for (const std::string& alias : version.aliases)
        aliases += (aliases.empty() ? "'" : ", '") + alias + "'";
      return FailedPrecondition(
          fmt::format("version {} of model '{}' is still named by alias {}; move or remove that "
                      "first",
                      number, name, aliases));
    }
    RETURN_IF_ERROR(tx.Execute(kDelete, {name, number, clock_.NowMs()}));
    return TouchModelIn(tx, name, clock_.NowMs());
  });
}

Result<ModelVersion> SqlStore::Resolve(std::string_view model_uri) {
  ASSIGN_OR_RETURN(ModelUri uri, ParseModelUri(model_uri));
  return db_.Read([&](Reader& reader) -> Result<ModelVersion> {
    ASSIGN_OR_RETURN(RegisteredModel model, GetModelIn(reader, uri.name));
    if (uri.version) return GetLiveVersionIn(reader, uri.name, *uri.version);
    if (!uri.alias) {
      if (model.latest_version == 0)
        return NotFound(fmt::format("model '{}' has no version yet", uri.name));
      return GetVersionIn(reader, uri.name, model.latest_version);
    }
    ASSIGN_OR_RETURN(std::optional<int64_t> number, FindAliasIn(reader, uri.name, *uri.alias));
    if (number) return GetVersionIn(reader, uri.name, *number);
    std::string known;
    for (const Alias& alias : model.aliases) known += (known.empty() ? "" : ", ") + alias.alias;
    return NotFound(fmt::format(
        "Registered model alias {} not found: model '{}' has {} and versions up to {}", *uri.alias,
        uri.name, known.empty() ? "no aliases" : "the aliases " + known, model.latest_version));
  });
}

}  // namespace internal

Result<std::vector<std::string>> ListModelObjectIds(sql::Db& db) {
  return db.Read([](sql::Reader& reader) {
    return reader.FindAll(internal::kListModelIds, {},
                          [](const sql::Row& row) { return row.GetText(0); });
  });
}

}  // namespace sluice::registry
