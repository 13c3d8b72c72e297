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
  std::string name;                  ///< the registered model
  bool make_model_if_absent = true;  ///< the MLflow API says false: kNotFound then
  std::string source;
  std::string model_id;  ///< of the object store; MLflow's is logged_model_id
  std::string run_id;
  std::string run_link;
  std::string logged_model_id;
  std::string storage_location;  ///< see CheckSource
  std::string user_id;
  std::string description;
  VersionStatus status = VersionStatus::kReady;
  Verdict verdict = Verdict::kNone;
  std::string verdict_digest;
  std::string provenance;
  std::vector<Tag> tags;
};

/// Which models need a passed gate for `champion`.
enum class GateRule : uint8_t {
  kAlways,        ///< all: pipelines and commands
  kWhereGatesAre  ///< those with a version that a gate has judged: the MLflow API, whose clients
                  ///< know no gates. A deleted version counts.
};

struct AliasChange {
  std::string name;
  std::string alias;
  int64_t version = 0;
  std::string user_id;
  std::string reason;  ///< for the audit log; required with `force`
  bool force = false;  ///< set `champion` although the verdict is not pass
  GateRule gate_rule = GateRule::kAlways;
};

/// MLflow's search requests. The filter and order_by grammar: docs/reference/search.md.
struct SearchRequest {
  std::string filter;
  std::vector<std::string> order_by;
  int64_t max_results = 100;
  std::string page_token;  ///< empty: the first page
};
inline constexpr int64_t kSearchModelsMax = 1000;
inline constexpr int64_t kSearchVersionsMax = 200'000;

struct ModelPage {
  std::vector<RegisteredModel> models;
  std::string next_page_token;  ///< empty: this is the last page
};
struct VersionPage {
  std::vector<ModelVersion> versions;  ///< without aliases, as MLflow's answers
  std::string next_page_token;
};

struct StageChange {
  std::string name;
  int64_t version = 0;
  Stage stage = Stage::kNone;
  bool archive_existing = false;  ///< move the others of that stage to Archived; for Staging and
                                  ///< Production only
};

/// What of a deletion stands in the way.
enum class DeleteRule : uint8_t {
  kKeepAliased,  ///< a version that an alias names is not deleted: commands
  kDropAliases,  ///< its aliases go in the same step: the MLflow API
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
  /// Prompts only if the filter asks for them. Errors: kInvalidArgument for the filter (with the
  /// position), an order, max_results outside 1 to kSearchModelsMax, or a token that is not of this
  /// filter and order.
  virtual Result<ModelPage> SearchModels(const SearchRequest& request) = 0;
  virtual Status SetModelDescription(std::string_view name, std::string_view description) = 0;
  /// Versions, tags and aliases follow. The log of alias moves keeps the names of its time and
  /// stays with the model. Errors: kAlreadyExists.
  virtual Result<RegisteredModel> RenameModel(std::string_view name, std::string_view new_name) = 0;
  /// For good, with versions, tags and aliases; only the log of alias moves stays. A model made
  /// again under the name is another one: its versions start at 1.
  virtual Status DeleteModel(std::string_view name) = 0;
  virtual Status SetModelTag(std::string_view name, const Tag& tag) = 0;
  virtual Status DeleteModelTag(std::string_view name,
                                std::string_view key) = 0;  ///< fine if absent

  /// The number is the greatest ever given to this model plus one.
  virtual Result<ModelVersion> CreateVersion(const NewVersion& version) = 0;
  virtual Result<ModelVersion> GetVersion(std::string_view name, int64_t version) = 0;
  /// As GetVersion, but a deleted version is kNotFound: what the MLflow API shows.
  virtual Result<ModelVersion> GetLiveVersion(std::string_view name, int64_t version) = 0;
  /// As SearchModels; max_results 1 to kSearchVersionsMax.
  virtual Result<VersionPage> SearchVersions(const SearchRequest& request) = 0;
  /// The greatest version of each of the stages that has one, with tags and aliases; of all stages
  /// if `stages` is empty.
  virtual Result<std::vector<ModelVersion>> GetLatestVersions(std::string_view name,
                                                              const std::vector<Stage>& stages) = 0;
  /// Where the files are: storage_location, or source.
  virtual Result<std::string> GetDownloadUri(std::string_view name, int64_t version) = 0;
  virtual Result<ModelVersion> SetStage(const StageChange& change) = 0;
  virtual Status SetVersionStatus(std::string_view name, int64_t version, VersionStatus status,
                                  std::string_view message) = 0;
  /// Greatest number first.
  virtual Result<std::vector<ModelVersion>> ListVersions(std::string_view name,
                                                         bool with_deleted = false) = 0;
  virtual Status SetVersionDescription(std::string_view name, int64_t version,
                                       std::string_view description) = 0;
  virtual Status SetVersionTag(std::string_view name, int64_t version, const Tag& tag) = 0;
  virtual Status DeleteVersionTag(std::string_view name, int64_t version, std::string_view key) = 0;
  /// Hides it for good; the row and its number stay, source and run are blanked as in MLflow (the
  /// verdict, its provenance and model_id stay: they are the record). Errors: kFailedPrecondition
  /// naming the aliases that still point at it, under kKeepAliased.
  virtual Status DeleteVersion(std::string_view name, int64_t version,
                               DeleteRule rule = DeleteRule::kKeepAliased) = 0;

  /// Aliases: 1 to 255 of letters, digits, '_' and '-'; not "latest", not 'v' and digits, not
  /// digits alone. Returns the move as recorded; setting an alias to where it is changes and
  /// records nothing. Errors: see CheckPromotion.
  virtual Result<AliasMove> SetAlias(const AliasChange& change) = 0;
  /// Errors: kNotFound if the model has no such alias (the MLflow API answers that with success).
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

  /// Errors: kInvalidArgument "Registered model alias zz not found." (MLflow's code), kNotFound for
  /// the model.
  virtual Result<ModelVersion> GetVersionByAlias(std::string_view name, std::string_view alias) = 0;
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
