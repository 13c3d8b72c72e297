#include <fmt/format.h>

#include "base/suggest.h"
#include "registry/internal/rules.h"
#include "registry/internal/sql_store.h"
#include "sluice_registry_embedded.h"

namespace sluice::registry {
namespace internal {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kInsert{
    "registry.create_model",
    "INSERT INTO registered_models (name, description, last_version, created_ms, updated_ms) "
    "VALUES ($1, $2, 0, $3, $3)"};
constexpr Query kGet{"registry.get_model",
                     "SELECT m.name, m.description, m.created_ms, m.updated_ms, "
                     "COALESCE((SELECT MAX(v.version) FROM model_versions v "
                     "WHERE v.name = m.name AND v.is_deleted = 0), 0) "
                     "FROM registered_models m WHERE m.name = $1"};
constexpr Query kListNames{"registry.list_model_names",
                           "SELECT name FROM registered_models ORDER BY name"};
constexpr Query kListTags{
    "registry.list_model_tags",
    "SELECT key, value FROM registered_model_tags WHERE name = $1 ORDER BY key"};
constexpr Query kListAliases{
    "registry.list_model_aliases",
    "SELECT alias, version FROM model_aliases WHERE name = $1 ORDER BY alias"};
constexpr Query kSetDescription{"registry.set_model_description",
                                "UPDATE registered_models SET description = $2 WHERE name = $1"};
constexpr Query kSetTag{"registry.set_model_tag",
                        "INSERT INTO registered_model_tags (name, key, value) VALUES ($1, $2, $3) "
                        "ON CONFLICT (name, key) DO UPDATE SET value = excluded.value"};
constexpr Query kDeleteTag{"registry.delete_model_tag",
                           "DELETE FROM registered_model_tags WHERE name = $1 AND key = $2"};
constexpr Query kTouch{"registry.touch_model",
                       "UPDATE registered_models SET updated_ms = $2 WHERE name = $1"};

RegisteredModel FromRow(const Row& row) {
  RegisteredModel model;
  model.name = row.GetText(0);
  model.description = row.GetText(1);
  model.created_ms = row.GetInt64(2);
  model.updated_ms = row.GetInt64(3);
  model.latest_version = row.GetInt64(4);
  return model;
}

}  // namespace

Result<RegisteredModel> GetModelIn(Reader& reader, std::string_view name) {
  ASSIGN_OR_RETURN(auto model, reader.FindOne(kGet, {name}, FromRow));
  if (!model) {
    ASSIGN_OR_RETURN(std::vector<std::string> names,
                     reader.FindAll(kListNames, {}, [](const Row& row) { return row.GetText(0); }));
    return NotFound(
        fmt::format("Registered Model with name={} not found{}", name, DidYouMean(name, names)));
  }
  ASSIGN_OR_RETURN(model->tags, reader.FindAll(kListTags, {name}, [](const Row& row) {
    return Tag{row.GetText(0), row.GetText(1)};
  }));
  ASSIGN_OR_RETURN(model->aliases, reader.FindAll(kListAliases, {name}, [](const Row& row) {
    return Alias{row.GetText(0), row.GetInt64(1)};
  }));
  return *std::move(model);
}

Status InsertModelIn(Tx& tx, std::string_view name, std::string_view description,
                     const std::vector<Tag>& tags, int64_t now_ms) {
  Result<int64_t> inserted = tx.Execute(kInsert, {name, description, now_ms});
  if (!inserted.ok() && inserted.error().code() == ErrorCode::kAlreadyExists) {
    return AlreadyExists(fmt::format("Registered Model (name={}) already exists.", name));
  }
  RETURN_IF_ERROR(std::move(inserted));
  for (const Tag& tag : tags) RETURN_IF_ERROR(tx.Execute(kSetTag, {name, tag.key, tag.value}));
  return Ok();
}

Status TouchModelIn(Tx& tx, std::string_view name, int64_t now_ms) {
  RETURN_IF_ERROR(tx.Execute(kTouch, {name, now_ms}));
  return Ok();
}

Result<RegisteredModel> SqlStore::CreateModel(std::string_view name, std::string_view description,
                                              const std::vector<Tag>& tags) {
  RETURN_IF_ERROR(CheckModelName(name));
  for (const Tag& tag : tags) RETURN_IF_ERROR(CheckTag(tag));
  return db_.Write([&](Tx& tx) -> Result<RegisteredModel> {
    RETURN_IF_ERROR(InsertModelIn(tx, name, description, tags, clock_.NowMs()));
    return GetModelIn(tx, name);
  });
}

Result<RegisteredModel> SqlStore::GetModel(std::string_view name) {
  return db_.Read([&](Reader& reader) { return GetModelIn(reader, name); });
}

Result<std::vector<RegisteredModel>> SqlStore::ListModels() {
  return db_.Read([&](Reader& reader) -> Result<std::vector<RegisteredModel>> {
    ASSIGN_OR_RETURN(std::vector<std::string> names,
                     reader.FindAll(kListNames, {}, [](const Row& row) { return row.GetText(0); }));
    std::vector<RegisteredModel> models;
    for (const std::string& name : names) {
      ASSIGN_OR_RETURN(RegisteredModel model, GetModelIn(reader, name));
      models.push_back(std::move(model));
    }
    return models;
  });
}

Status SqlStore::SetModelDescription(std::string_view name, std::string_view description) {
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(GetModelIn(tx, name));
    RETURN_IF_ERROR(tx.Execute(kSetDescription, {name, description}));
    return TouchModelIn(tx, name, clock_.NowMs());
  });
}

Status SqlStore::SetModelTag(std::string_view name, const Tag& tag) {
  RETURN_IF_ERROR(CheckTag(tag));
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(GetModelIn(tx, name));
    RETURN_IF_ERROR(tx.Execute(kSetTag, {name, tag.key, tag.value}));
    return TouchModelIn(tx, name, clock_.NowMs());
  });
}

Status SqlStore::DeleteModelTag(std::string_view name, std::string_view key) {
  return db_.Write([&](Tx& tx) -> Status {
    RETURN_IF_ERROR(GetModelIn(tx, name));
    RETURN_IF_ERROR(tx.Execute(kDeleteTag, {name, key}));
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
