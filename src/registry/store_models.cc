#include <fmt/format.h>

#include <map>

#include "base/id.h"
#include "registry/internal/outbox.h"
#include "registry/internal/rules.h"
#include "registry/internal/sql_store.h"
#include "registry/internal/version_rows.h"
#include "sluice_registry_embedded.h"

namespace sluice::registry {
namespace internal {
namespace {

using formats::Json;
using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kInsert{
    "registry.create_model",
    "INSERT INTO registered_models (name, description, last_version, created_ms, updated_ms, life) "
    "VALUES ($1, $2, 0, $3, $3, $4) ON CONFLICT (name) DO NOTHING"};
constexpr Query kFindLife{"registry.find_model_life",
                          "SELECT life FROM registered_models WHERE name = $1"};
constexpr Query kGet{"registry.get_model",
                     "SELECT m.name, m.description, m.created_ms, m.updated_ms "
                     "FROM registered_models m WHERE m.name = $1"};
constexpr Query kList{"registry.list_models",
                      "SELECT m.name, m.description, m.created_ms, m.updated_ms "
                      "FROM registered_models m ORDER BY m.name"};
#define SLUICE_TAGS_OF(names)                                   \
  "SELECT t.name, t.key, t.value FROM " names                   \
  " CROSS JOIN registered_model_tags t WHERE t.name = n.value " \
  "ORDER BY t.name, t.key"
constexpr Query kListTags{"registry.list_model_tags", SLUICE_TAGS_OF(SLUICE_NAMES_SQLITE),
                          SLUICE_TAGS_OF(SLUICE_NAMES_POSTGRES)};
#undef SLUICE_TAGS_OF
#define SLUICE_ALIASES_OF(names)                        \
  "SELECT a.name, a.alias, a.version FROM " names       \
  " CROSS JOIN model_aliases a WHERE a.name = n.value " \
  "ORDER BY a.name, a.alias"
constexpr Query kListAliases{"registry.list_model_aliases", SLUICE_ALIASES_OF(SLUICE_NAMES_SQLITE),
                             SLUICE_ALIASES_OF(SLUICE_NAMES_POSTGRES)};
#undef SLUICE_ALIASES_OF
constexpr Query kSetDescription{
    "registry.set_model_description",
    "UPDATE registered_models SET description = $2, updated_ms = $3 WHERE name = $1"};
constexpr Query kSetTag{"registry.set_model_tag",
                        "INSERT INTO registered_model_tags (name, key, value) VALUES ($1, $2, $3) "
                        "ON CONFLICT (name, key) DO UPDATE SET value = excluded.value"};
constexpr Query kDeleteTag{"registry.delete_model_tag",
                           "DELETE FROM registered_model_tags WHERE name = $1 AND key = $2"};
constexpr Query kTouch{"registry.touch_model",
                       "UPDATE registered_models SET updated_ms = $2 WHERE name = $1"};
// Versions, tags and aliases follow by their references.
constexpr Query kRename{"registry.rename_model",
                        "UPDATE registered_models SET name = $2, updated_ms = $3 WHERE name = $1"};
constexpr Query kTouchVersions{"registry.touch_versions",
                               "UPDATE model_versions SET updated_ms = $2 WHERE name = $1"};
constexpr Query kDeleteVersionTags{"registry.delete_tags_of_model_versions",
                                   "DELETE FROM model_version_tags WHERE name = $1"};
constexpr Query kDeleteVersions{"registry.delete_model_versions",
                                "DELETE FROM model_versions WHERE name = $1"};
constexpr Query kDeleteTags{"registry.delete_model_tags",
                            "DELETE FROM registered_model_tags WHERE name = $1"};
constexpr Query kDelete{"registry.delete_model", "DELETE FROM registered_models WHERE name = $1"};

Json CreatedData(std::string_view name, std::string_view description, const std::vector<Tag>& tags,
                 bool is_prompt) {
  Json shown = Json::MakeObject();
  for (const Tag& tag : tags) {
    if (!is_prompt || (tag.key != kIsPromptTag && tag.key != kPromptTypeTag))
      shown[tag.key] = tag.value;
  }
  return Json::MakeObject({{"name", name}, {"tags", shown}, {"description", description}});
}

Error TakenName(std::string_view name) {
  return AlreadyExists(fmt::format("Registered Model (name={}) already exists.", name));
}

}  // namespace

RegisteredModel ModelFromRow(const Row& row) {
  RegisteredModel model;
  model.name = row.GetText(0);
  model.description = row.GetText(1);
  model.created_ms = row.GetInt64(2);
  model.updated_ms = row.GetInt64(3);
  return model;
}

Result<std::string> FindLifeIn(Reader& reader, std::string_view name) {
  ASSIGN_OR_RETURN(
      std::optional<std::string> life,
      reader.FindOne(kFindLife, {name}, [](const Row& row) { return row.GetText(0); }));
  if (life) return *std::move(life);
  // Asked second: an imported model may have a name that none could get today.
  RETURN_IF_ERROR(CheckModelName(name));
  return NotFound(fmt::format("Registered Model with name={} not found", name));
}

Status LoadModelParts(Reader& reader, std::vector<RegisteredModel>& models) {
  if (models.empty()) return Ok();
  std::vector<std::string> names;
  std::map<std::string, RegisteredModel*, std::less<>> by_name;
  for (RegisteredModel& model : models) {
    names.push_back(model.name);
    by_name[model.name] = &model;
  }
  const std::string text = JsonOfNames(names);
  RETURN_IF_ERROR(reader.ForEach(kListTags, {text}, [&](const Row& row) -> Status {
    by_name.find(row.GetTextView(0))->second->tags.push_back({row.GetText(1), row.GetText(2)});
    return Ok();
  }));
  RETURN_IF_ERROR(reader.ForEach(kListAliases, {text}, [&](const Row& row) -> Status {
    by_name.find(row.GetTextView(0))->second->aliases.push_back({row.GetText(1), row.GetInt64(2)});
    return Ok();
  }));
  ASSIGN_OR_RETURN(std::vector<ModelVersion> latest, FindLatestVersions(reader, names));
  for (ModelVersion& version : latest) {
    RegisteredModel& model = *by_name.find(version.name)->second;
    model.latest_version = std::max(model.latest_version, version.version);
    model.latest_versions.push_back(std::move(version));
  }
  return Ok();
}

Result<RegisteredModel> GetModelIn(Reader& reader, std::string_view name) {
  ASSIGN_OR_RETURN(std::vector<RegisteredModel> models, reader.FindAll(kGet, {name}, ModelFromRow));
  if (models.empty()) RETURN_IF_ERROR(FindLifeIn(reader, name));
  RETURN_IF_ERROR(LoadModelParts(reader, models));
  return std::move(models.at(0));
}

Result<bool> InsertModelIn(Tx& tx, std::string_view name, std::string_view description,
                           const std::vector<Tag>& tags, int64_t now_ms) {
  ASSIGN_OR_RETURN(int64_t inserted, tx.Execute(kInsert, {name, description, now_ms, NewRunId()}));
  if (inserted == 0) return false;
  for (const Tag& tag : tags) RETURN_IF_ERROR(tx.Execute(kSetTag, {name, tag.key, tag.value}));
  RETURN_IF_ERROR(EmitIn(tx, name, kModelCreated, now_ms, [&](bool is_prompt) {
    return CreatedData(name, description, tags, is_prompt);
  }));
  return true;
}

Status TouchModelIn(Tx& tx, std::string_view name, int64_t now_ms) {
  RETURN_IF_ERROR(tx.Execute(kTouch, {name, now_ms}));
  return Ok();
}

Result<RegisteredModel> SqlStore::CreateModel(std::string_view name, std::string_view description,
                                              const std::vector<Tag>& tags) {
  RETURN_IF_ERROR(CheckModelName(name));
  for (const Tag& tag : tags) RETURN_IF_ERROR(CheckTag(tag));
  return db_.Write(
      [&](Tx& tx) -> Result<RegisteredModel> {
        ASSIGN_OR_RETURN(bool is_new, InsertModelIn(tx, name, description, tags, clock_.NowMs()));
        if (!is_new) return TakenName(name);
        return GetModelIn(tx, name);
      },
      {.scope = name});
}

Result<RegisteredModel> SqlStore::GetModel(std::string_view name) {
  return db_.Read([&](Reader& reader) { return GetModelIn(reader, name); });
}

Result<std::vector<RegisteredModel>> SqlStore::ListModels() {
  return db_.Read([&](Reader& reader) -> Result<std::vector<RegisteredModel>> {
    ASSIGN_OR_RETURN(std::vector<RegisteredModel> models, reader.FindAll(kList, {}, ModelFromRow));
    RETURN_IF_ERROR(LoadModelParts(reader, models));
    return models;
  });
}

Status SqlStore::SetModelDescription(std::string_view name, std::string_view description) {
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(FindLifeIn(tx, name));
        RETURN_IF_ERROR(tx.Execute(kSetDescription, {name, description, clock_.NowMs()}));
        return Ok();
      },
      {.scope = name});
}

Status SqlStore::SetModelTag(std::string_view name, const Tag& tag) {
  RETURN_IF_ERROR(CheckTag(tag));
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(FindLifeIn(tx, name));
        RETURN_IF_ERROR(tx.Execute(kSetTag, {name, tag.key, tag.value}));
        return EmitIn(tx, name, kModelTagSet, clock_.NowMs(), [&](bool) {
          return Json::MakeObject({{"name", name}, {"key", tag.key}, {"value", tag.value}});
        });
      },
      {.scope = name});
}

Status SqlStore::DeleteModelTag(std::string_view name, std::string_view key) {
  RETURN_IF_ERROR(CheckTagKey(key));
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(FindLifeIn(tx, name));
        ASSIGN_OR_RETURN(int64_t deleted, tx.Execute(kDeleteTag, {name, key}));
        if (deleted == 0) return Ok();
        return EmitIn(tx, name, kModelTagDeleted, clock_.NowMs(), [&](bool) {
          return Json::MakeObject({{"name", name}, {"key", key}});
        });
      },
      {.scope = name});
}

Result<RegisteredModel> SqlStore::RenameModel(std::string_view name, std::string_view new_name) {
  RETURN_IF_ERROR(CheckModelName(new_name, "new_name"));
  return db_.Write([&](Tx& tx) -> Result<RegisteredModel> {
    RETURN_IF_ERROR(FindLifeIn(tx, name));
    if (new_name != name) {
      ASSIGN_OR_RETURN(
          std::optional<std::string> taken,
          tx.FindOne(kFindLife, {new_name}, [](const Row& row) { return row.GetText(0); }));
      if (taken) return TakenName(new_name);
    }
    RETURN_IF_ERROR(tx.Execute(kTouchVersions, {name, clock_.NowMs()}));
    RETURN_IF_ERROR(tx.Execute(kRename, {name, new_name, clock_.NowMs()}));
    return GetModelIn(tx, new_name);
  });
}

Status SqlStore::DeleteModel(std::string_view name) {
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(FindLifeIn(tx, name));
    RETURN_IF_ERROR(
        RemoveAliasesIn(tx, name, std::nullopt, "the model was deleted", clock_.NowMs()));
    for (const Query* query : {&kDeleteVersionTags, &kDeleteVersions, &kDeleteTags, &kDelete})
      RETURN_IF_ERROR(tx.Execute(*query, {name}));
    return Ok();
  });
}

}  // namespace internal

std::vector<sql::Migration> Migrations() {
  return sql::MigrationsFromFiles(embedded::EmbeddedFiles());
}

std::unique_ptr<Store> OpenStore(sql::Db& db, Clock& clock) {
  return std::make_unique<internal::SqlStore>(db, clock);
}

}  // namespace sluice::registry
