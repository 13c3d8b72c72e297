// Registered models, their versions and aliases. testing/store_contract.h is the suite every
// implementation passes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "registry/model_version.h"
#include "sql/db.h"
#include "sql/migrator.h"

namespace sluice::registry {

struct NewVersion {
  std::string name;  ///< the registered model; made if absent
  std::string source;
  std::string model_id;
  std::string run_id;
  std::string description;
  Verdict verdict = Verdict::kNone;
  std::string verdict_digest;
  std::string provenance;
  std::vector<Tag> tags;
};

struct AliasChange {
  std::string name;
  std::string alias;
  int64_t version = 0;
  std::string user_id;
  std::string reason;  ///< for the audit log; required with `force`
  bool force = false;  ///< set `champion` although the verdict is not pass
};

/// May `alias` be set to a version with this verdict? Pure: the rule behind SetAlias. Errors:
/// kFailedPrecondition naming the verdict for `champion` without a pass and without force;
/// kInvalidArgument for force without a reason.
Status CheckPromotion(const ModelVersion& version, const AliasChange& change);

/// Thread-safe, and safe for several processes. Every call is one durable transaction.
///
/// Errors, all methods: kNotFound for a model, version or alias that does not exist,
/// kInvalidArgument for names and values that break the rules, those of sql::Db.
class Store {
 public:
  virtual ~Store() = default;

  /// Names: not blank, at most 256 bytes, no '/', ':' or '@', no control characters. Errors:
  /// kAlreadyExists.
  virtual Result<RegisteredModel> CreateModel(std::string_view name, std::string_view description,
                                              const std::vector<Tag>& tags) = 0;
  virtual Result<RegisteredModel> GetModel(std::string_view name) = 0;
  virtual Result<std::vector<RegisteredModel>> ListModels() = 0;  ///< sorted by name
  virtual Status SetModelDescription(std::string_view name, std::string_view description) = 0;
  virtual Status SetModelTag(std::string_view name, const Tag& tag) = 0;
  virtual Status DeleteModelTag(std::string_view name,
                                std::string_view key) = 0;  ///< fine if absent

  /// The number is the greatest ever given to this model plus one.
  virtual Result<ModelVersion> CreateVersion(const NewVersion& version) = 0;
  virtual Result<ModelVersion> GetVersion(std::string_view name, int64_t version) = 0;
  /// Greatest number first.
  virtual Result<std::vector<ModelVersion>> ListVersions(std::string_view name,
                                                         bool with_deleted = false) = 0;
  virtual Status SetVersionDescription(std::string_view name, int64_t version,
                                       std::string_view description) = 0;
  virtual Status SetVersionTag(std::string_view name, int64_t version, const Tag& tag) = 0;
  virtual Status DeleteVersionTag(std::string_view name, int64_t version, std::string_view key) = 0;
  /// Hides it for good; the row stays. Errors: kFailedPrecondition naming the aliases that still
  /// point at it.
  virtual Status DeleteVersion(std::string_view name, int64_t version) = 0;

  /// Aliases: 1 to 255 of letters, digits, '_' and '-'; not "latest", not 'v' and digits, not
  /// digits alone. Returns the move as recorded; setting an alias to where it is changes and
  /// records nothing. Errors: see CheckPromotion.
  virtual Result<AliasMove> SetAlias(const AliasChange& change) = 0;
  /// Errors: kNotFound if the model has no such alias.
  virtual Result<AliasMove> RemoveAlias(std::string_view name, std::string_view alias,
                                        std::string_view user_id, std::string_view reason) = 0;
  /// Puts the alias back where it was before its last move that is not undone yet (a removal brings
  /// it back, its first setting takes it away), recorded as a move of its own. Errors:
  /// kFailedPrecondition if there is nothing to undo, or the version to return to is deleted.
  virtual Result<AliasMove> UndoAlias(std::string_view name, std::string_view alias,
                                      std::string_view user_id, std::string_view reason) = 0;
  /// Newest first; `alias` may be empty: of all aliases of the model.
  virtual Result<std::vector<AliasMove>> ListAliasMoves(std::string_view name,
                                                        std::string_view alias) = 0;

  /// Follows "models:/...". Errors: kInvalidArgument for the text, kNotFound naming what the model
  /// has.
  virtual Result<ModelVersion> Resolve(std::string_view model_uri) = 0;
  /// Nothing if model or alias do not exist: the champion to compare with, if there is one.
  virtual Result<std::optional<ModelVersion>> FindByAlias(std::string_view name,
                                                          std::string_view alias) = 0;
};

/// What this module's tables need; pass it with those of the other modules to sql::Migrate.
std::vector<sql::Migration> Migrations();

/// Over a migrated database. `db` and `clock` must outlive the store.
std::unique_ptr<Store> OpenStore(sql::Db& db, Clock& clock = SystemClock());

/// The ids of all versions' model folders, deleted versions included: roots for garbage collection.
Result<std::vector<std::string>> ListModelObjectIds(sql::Db& db);

}  // namespace sluice::registry
