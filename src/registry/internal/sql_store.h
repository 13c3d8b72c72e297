// The registry over sql::Db. One source per resource: store_models.cc, store_versions.cc,
// store_aliases.cc.
//
// Writes to one model have its name as their scope (sql::WriteOptions): those of different models
// do not wait for each other. What touches two names (renaming), or numbers the log of alias moves
// (aliases, and deletions, which remove them), has none and is alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/store.h"

namespace sluice::registry::internal {

class SqlStore : public Store {
 public:
  SqlStore(sql::Db& db, Clock& clock) : db_(db), clock_(clock) {}

  Result<RegisteredModel> CreateModel(std::string_view name, std::string_view description,
                                      const std::vector<Tag>& tags) override;
  Result<RegisteredModel> GetModel(std::string_view name) override;
  Result<std::vector<RegisteredModel>> ListModels() override;
  Result<ModelPage> SearchModels(const SearchRequest& request) override;
  Result<RegisteredModel> RenameModel(std::string_view name, std::string_view new_name) override;
  Status DeleteModel(std::string_view name) override;
  Status SetModelDescription(std::string_view name, std::string_view description) override;
  Status SetModelTag(std::string_view name, const Tag& tag) override;
  Status DeleteModelTag(std::string_view name, std::string_view key) override;

  Result<ModelVersion> CreateVersion(const NewVersion& version) override;
  Result<ModelVersion> GetVersion(std::string_view name, int64_t version) override;
  Result<ModelVersion> GetLiveVersion(std::string_view name, int64_t version) override;
  Result<VersionPage> SearchVersions(const SearchRequest& request) override;
  Result<std::vector<ModelVersion>> GetLatestVersions(std::string_view name,
                                                      const std::vector<Stage>& stages) override;
  Result<std::string> GetDownloadUri(std::string_view name, int64_t version) override;
  Result<ModelVersion> SetStage(const StageChange& change) override;
  Status SetVersionStatus(std::string_view name, int64_t version, VersionStatus status,
                          std::string_view message) override;
  Result<std::vector<ModelVersion>> ListVersions(std::string_view name, bool with_deleted) override;
  Status SetVersionDescription(std::string_view name, int64_t version,
                               std::string_view description) override;
  Status SetVersionTag(std::string_view name, int64_t version, const Tag& tag) override;
  Status DeleteVersionTag(std::string_view name, int64_t version, std::string_view key) override;
  Status DeleteVersion(std::string_view name, int64_t version, DeleteRule rule) override;
  Result<ModelVersion> GetVersionByAlias(std::string_view name, std::string_view alias) override;
  Result<ModelVersion> Resolve(std::string_view model_uri) override;

  Result<AliasMove> SetAlias(const AliasChange& change) override;
  Result<AliasMove> RemoveAlias(std::string_view name, std::string_view alias,
                                std::string_view user_id, std::string_view reason) override;
  Result<AliasMove> UndoAlias(std::string_view name, std::string_view alias,
                              std::string_view user_id, std::string_view reason) override;
  Result<std::vector<AliasMove>> ListAliasMoves(std::string_view name,
                                                std::string_view alias) override;
  Result<std::optional<ModelVersion>> FindByAlias(std::string_view name,
                                                  std::string_view alias) override;

 private:
  sql::Db& db_;
  Clock& clock_;
};

// Shared by the sources above; all inside a transaction.

/// Which life of the model goes by this name now. Errors: kNotFound; kInvalidArgument if it cannot
/// be a name.
Result<std::string> FindLifeIn(sql::Reader& reader, std::string_view name);
/// Errors: those of FindLifeIn.
Result<RegisteredModel> GetModelIn(sql::Reader& reader, std::string_view name);
/// With tags, aliases and newest versions, in the order of `models`; four queries for all.
Status LoadModelParts(sql::Reader& reader, std::vector<RegisteredModel>& models);
/// Columns of registered_models m: name, description, created_ms, updated_ms.
RegisteredModel ModelFromRow(const sql::Row& row);
/// False if there is one of that name. Tells the webhooks.
Result<bool> InsertModelIn(sql::Tx& tx, std::string_view name, std::string_view description,
                           const std::vector<Tag>& tags, int64_t now_ms);
Status TouchModelIn(sql::Tx& tx, std::string_view name, int64_t now_ms);

/// Deleted versions too, with their tags and aliases. Errors: kNotFound, kInvalidArgument.
Result<ModelVersion> GetVersionIn(sql::Reader& reader, std::string_view name, int64_t version);
/// Errors: also kNotFound for a deleted one.
Result<ModelVersion> GetLiveVersionIn(sql::Reader& reader, std::string_view name, int64_t version);

Result<std::optional<int64_t>> FindAliasIn(sql::Reader& reader, std::string_view name,
                                           std::string_view alias);
/// Takes every alias from the version (nothing: from all versions), with a line in the log each.
Status RemoveAliasesIn(sql::Tx& tx, std::string_view name, std::optional<int64_t> version,
                       std::string_view reason, int64_t now_ms);

}  // namespace sluice::registry::internal
