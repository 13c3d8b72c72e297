#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/suggest.h"
#include "registry/internal/outbox.h"
#include "registry/internal/rules.h"
#include "registry/internal/sql_store.h"
#include "registry/internal/version_rows.h"

namespace sluice::registry {
namespace internal {
namespace {

using formats::Json;
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
    "verdict_digest, provenance, created_ms, updated_ms, is_deleted, stage, status, "
    "status_message, run_link, logged_model_id, storage_location, user_id) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, 0, 0, $11, '', $12, $13, $14, $15)"};
constexpr Query kGet{"registry.get_version", "SELECT " SLUICE_VERSION_COLUMNS
                                             " FROM model_versions v "
                                             "WHERE v.name = $1 AND v.version = $2"};
constexpr Query kList{"registry.list_versions",
                      "SELECT " SLUICE_VERSION_COLUMNS
                      " FROM model_versions v WHERE v.name = $1 AND "
                      "(v.is_deleted = 0 OR $2 = 1) ORDER BY v.version DESC"};
constexpr Query kListTags{
    "registry.list_version_tags",
    "SELECT key, value FROM model_version_tags WHERE name = $1 AND version = $2 ORDER BY key"};
constexpr Query kListAliases{"registry.list_version_aliases",
                             "SELECT alias, version FROM model_aliases WHERE name = $1 AND "
                             "(version = $2 OR $2 = 0) ORDER BY alias"};
constexpr Query kSetDescription{"registry.set_version_description",
                                "UPDATE model_versions SET description = $3, updated_ms = $4 "
                                "WHERE name = $1 AND version = $2"};
constexpr Query kSetStage{"registry.set_version_stage",
                          "UPDATE model_versions SET stage = $3, updated_ms = $4 "
                          "WHERE name = $1 AND version = $2"};
constexpr Query kArchiveOthers{"registry.archive_versions",
                               "UPDATE model_versions SET stage = 3, updated_ms = $4 WHERE name = "
                               "$1 AND version <> $2 AND stage = $3 AND is_deleted = 0"};
constexpr Query kSetStatus{"registry.set_version_status",
                           "UPDATE model_versions SET status = $3, status_message = $4, "
                           "updated_ms = $5 WHERE name = $1 AND version = $2"};
constexpr Query kSetTag{
    "registry.set_version_tag",
    "INSERT INTO model_version_tags (name, version, key, value) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (name, version, key) DO UPDATE SET value = excluded.value"};
constexpr Query kDeleteTag{
    "registry.delete_version_tag",
    "DELETE FROM model_version_tags WHERE name = $1 AND version = $2 AND key = $3"};
constexpr Query kDelete{
    "registry.delete_version",
    "UPDATE model_versions SET is_deleted = 1, updated_ms = $3, description = '', user_id = '', "
    "source = '', storage_location = '', run_id = '', run_link = '', logged_model_id = '', "
    "status_message = '' WHERE name = $1 AND version = $2"};
constexpr Query kListNames{"registry.list_model_names",
                           "SELECT name FROM registered_models ORDER BY name LIMIT 1000"};
constexpr Query kListModelIds{
    "registry.list_model_ids",
    "SELECT DISTINCT model_id FROM model_versions WHERE model_id <> '' ORDER BY model_id"};

Json OrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json CreatedData(const ModelVersion& version, bool is_prompt) {
  Json data =
      Json::MakeObject({{"name", version.name}, {"version", std::to_string(version.version)}});
  Json tags = Json::MakeObject();
  Json text;
  for (const Tag& tag : version.tags) {
    if (is_prompt && tag.key == kPromptTextTag) {
      text = tag.value;
    } else if (!is_prompt || (tag.key != kIsPromptTag && tag.key != kPromptTypeTag)) {
      tags[tag.key] = tag.value;
    }
  }
  if (is_prompt) {
    data["template"] = std::move(text);
  } else {
    data["source"] = version.source;
    data["run_id"] = OrNull(version.run_id);
  }
  data["tags"] = std::move(tags);
  data["description"] = OrNull(version.description);
  return data;
}

/// Makes sure that there is the model, and counts.
Result<int64_t> NextNumberIn(Tx& tx, const NewVersion& version, int64_t now_ms) {
  if (version.make_model_if_absent) {
    RETURN_IF_ERROR(InsertModelIn(tx, version.name, "", {}, now_ms));
  } else {
    RETURN_IF_ERROR(FindLifeIn(tx, version.name));
  }
  ASSIGN_OR_RETURN(std::optional<int64_t> number,
                   tx.FindOne(kNextNumber, {version.name, now_ms},
                              [](const Row& row) { return row.GetInt64(0); }));
  if (!number)
    return NotFound(fmt::format("Registered Model with name={} not found", version.name));
  return *number;
}

}  // namespace

Result<ModelVersion> GetVersionIn(Reader& reader, std::string_view name, int64_t number) {
  ASSIGN_OR_RETURN(auto version, reader.FindOne(kGet, {name, number}, VersionFromRow));
  if (!version) {
    RETURN_IF_ERROR(CheckModelName(name));
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
  if (version.is_deleted)
    return NotFound(fmt::format("Model Version (name={}, version={}) not found", name, number));
  return version;
}

Result<ModelVersion> SqlStore::CreateVersion(const NewVersion& version) {
  RETURN_IF_ERROR(CheckModelName(version.name));
  for (const Tag& tag : version.tags) RETURN_IF_ERROR(CheckVersionTag(tag));
  return db_.Write(
      [&](Tx& tx) -> Result<ModelVersion> {
        const int64_t now_ms = clock_.NowMs();
        ASSIGN_OR_RETURN(int64_t number, NextNumberIn(tx, version, now_ms));
        RETURN_IF_ERROR(tx.Execute(
            kInsert, {version.name, number, version.source, version.model_id, version.run_id,
                      version.description, version.verdict, version.verdict_digest,
                      version.provenance, now_ms, version.status, version.run_link,
                      version.logged_model_id, version.storage_location, version.user_id}));
        for (const Tag& tag : version.tags)
          RETURN_IF_ERROR(tx.Execute(kSetTag, {version.name, number, tag.key, tag.value}));
        ASSIGN_OR_RETURN(ModelVersion created, GetVersionIn(tx, version.name, number));
        RETURN_IF_ERROR(EmitIn(tx, version.name, kVersionCreated, now_ms,
                               [&](bool is_prompt) { return CreatedData(created, is_prompt); }));
        return created;
      },
      {.scope = version.name});
}

Result<ModelVersion> SqlStore::GetVersion(std::string_view name, int64_t version) {
  return db_.Read([&](Reader& reader) { return GetVersionIn(reader, name, version); });
}

Result<ModelVersion> SqlStore::GetLiveVersion(std::string_view name, int64_t version) {
  return db_.Read([&](Reader& reader) { return GetLiveVersionIn(reader, name, version); });
}

Result<std::vector<ModelVersion>> SqlStore::ListVersions(std::string_view name, bool with_deleted) {
  return db_.Read([&](Reader& reader) -> Result<std::vector<ModelVersion>> {
    RETURN_IF_ERROR(FindLifeIn(reader, name));
    ASSIGN_OR_RETURN(std::vector<ModelVersion> versions,
                     reader.FindAll(kList, {name, with_deleted}, VersionFromRow));
    RETURN_IF_ERROR(LoadTags(reader, versions));
    std::map<int64_t, ModelVersion*> by_number;
    for (ModelVersion& version : versions) by_number[version.version] = &version;
    RETURN_IF_ERROR(reader.ForEach(kListAliases, {name, 0}, [&](const Row& row) -> Status {
      auto found = by_number.find(row.GetInt64(1));
      if (found != by_number.end()) found->second->aliases.push_back(row.GetText(0));
      return Ok();
    }));
    return versions;
  });
}

Result<std::vector<ModelVersion>> SqlStore::GetLatestVersions(std::string_view name,
                                                              const std::vector<Stage>& stages) {
  return db_.Read([&](Reader& reader) -> Result<std::vector<ModelVersion>> {
    ASSIGN_OR_RETURN(RegisteredModel model, GetModelIn(reader, name));
    if (!stages.empty()) {
      std::erase_if(model.latest_versions, [&](const ModelVersion& version) {
        return std::find(stages.begin(), stages.end(), version.stage) == stages.end();
      });
    }
    for (ModelVersion& version : model.latest_versions) {
      for (const Alias& alias : model.aliases) {
        if (alias.version == version.version) version.aliases.push_back(alias.alias);
      }
    }
    return std::move(model.latest_versions);
  });
}

Result<std::string> SqlStore::GetDownloadUri(std::string_view name, int64_t number) {
  ASSIGN_OR_RETURN(ModelVersion version, GetLiveVersion(name, number));
  return version.storage_location.empty() ? version.source : version.storage_location;
}

Status SqlStore::SetVersionDescription(std::string_view name, int64_t version,
                                       std::string_view description) {
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(GetLiveVersionIn(tx, name, version));
        RETURN_IF_ERROR(tx.Execute(kSetDescription, {name, version, description, clock_.NowMs()}));
        return Ok();
      },
      {.scope = name});
}

Result<ModelVersion> SqlStore::SetStage(const StageChange& change) {
  if (change.archive_existing && change.stage != Stage::kStaging &&
      change.stage != Stage::kProduction) {
    return InvalidArgument(
        fmt::format("Model version transition cannot archive existing model versions because '{}' "
                    "is not an Active stage. Valid stages are ['Staging', 'Production']",
                    StageName(change.stage)));
  }
  return db_.Write(
      [&](Tx& tx) -> Result<ModelVersion> {
        const int64_t now_ms = clock_.NowMs();
        RETURN_IF_ERROR(GetLiveVersionIn(tx, change.name, change.version));
        if (change.archive_existing) {
          RETURN_IF_ERROR(
              tx.Execute(kArchiveOthers, {change.name, change.version, change.stage, now_ms}));
        }
        RETURN_IF_ERROR(tx.Execute(kSetStage, {change.name, change.version, change.stage, now_ms}));
        RETURN_IF_ERROR(TouchModelIn(tx, change.name, now_ms));
        return GetVersionIn(tx, change.name, change.version);
      },
      {.scope = change.name});
}

Status SqlStore::SetVersionStatus(std::string_view name, int64_t version, VersionStatus status,
                                  std::string_view message) {
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(GetLiveVersionIn(tx, name, version));
        RETURN_IF_ERROR(tx.Execute(kSetStatus, {name, version, status, message, clock_.NowMs()}));
        return Ok();
      },
      {.scope = name});
}

Status SqlStore::SetVersionTag(std::string_view name, int64_t version, const Tag& tag) {
  RETURN_IF_ERROR(CheckVersionTag(tag));
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(GetLiveVersionIn(tx, name, version));
        RETURN_IF_ERROR(tx.Execute(kSetTag, {name, version, tag.key, tag.value}));
        return EmitIn(tx, name, kVersionTagSet, clock_.NowMs(), [&](bool) {
          return Json::MakeObject({{"name", name},
                                   {"version", std::to_string(version)},
                                   {"key", tag.key},
                                   {"value", tag.value}});
        });
      },
      {.scope = name});
}

Status SqlStore::DeleteVersionTag(std::string_view name, int64_t version, std::string_view key) {
  RETURN_IF_ERROR(CheckTagKey(key));
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(GetLiveVersionIn(tx, name, version));
        ASSIGN_OR_RETURN(int64_t deleted, tx.Execute(kDeleteTag, {name, version, key}));
        if (deleted == 0) return Ok();
        return EmitIn(tx, name, kVersionTagDeleted, clock_.NowMs(), [&](bool) {
          return Json::MakeObject(
              {{"name", name}, {"version", std::to_string(version)}, {"key", key}});
        });
      },
      {.scope = name});
}

Status SqlStore::DeleteVersion(std::string_view name, int64_t number, DeleteRule rule) {
  return db_.Write([&](Tx& tx) -> Status {
    ASSIGN_OR_RETURN(ModelVersion version, GetLiveVersionIn(tx, name, number));
    if (rule == DeleteRule::kKeepAliased && !version.aliases.empty()) {
      std::string aliases;
      for (const std::string& alias : version.aliases)
        aliases += (aliases.empty() ? "'" : ", '") + alias + "'";
      return FailedPrecondition(
          fmt::format("version {} of model '{}' is still named by alias {}; move or remove that "
                      "first",
                      number, name, aliases));
    }
    const int64_t now_ms = clock_.NowMs();
    RETURN_IF_ERROR(RemoveAliasesIn(tx, name, number, "the version was deleted", now_ms));
    RETURN_IF_ERROR(tx.Execute(kDelete, {name, number, now_ms}));
    return TouchModelIn(tx, name, now_ms);
  });
}

Result<ModelVersion> SqlStore::Resolve(std::string_view model_uri) {
  ASSIGN_OR_RETURN(ModelUri uri, ParseModelUri(model_uri));
  return db_.Read([&](Reader& reader) -> Result<ModelVersion> {
    Result<RegisteredModel> found = GetModelIn(reader, uri.name);
    if (!found.ok()) {
      if (found.error().code() != ErrorCode::kNotFound) return std::move(found).error();
      ASSIGN_OR_RETURN(
          std::vector<std::string> names,
          reader.FindAll(kListNames, {}, [](const Row& row) { return row.GetText(0); }));
      return NotFound(found.error().message() + DidYouMean(uri.name, names));
    }
    const RegisteredModel& model = *found;
    if (uri.version) return GetLiveVersionIn(reader, uri.name, *uri.version);
    if (uri.stage) {
      for (const ModelVersion& version : model.latest_versions) {
        if (version.stage == *uri.stage) return GetVersionIn(reader, uri.name, version.version);
      }
      return NotFound(fmt::format("No versions of model with name '{}' and stage '{}' found",
                                  uri.name, StageName(*uri.stage)));
    }
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
