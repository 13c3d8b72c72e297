// The words of the registry, as MLflow has them. Plain values: thread-safe as an int is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::registry {

struct Tag {
  std::string key;
  std::string value;
  friend bool operator==(const Tag&, const Tag&) = default;
};

/// What the gate said. Persisted: never renumber.
enum class Verdict : uint8_t {
  kNone = 0,  ///< no gate was run
  kPass = 1,
  kFail = 2,
  kInconclusive = 3,
};
/// "none", "pass", "fail", "inconclusive".
std::string_view VerdictName(Verdict verdict);
std::optional<Verdict> FindVerdict(std::string_view name);

/// MLflow's stages, deprecated there since 2.9 and still served. Persisted: never renumber.
enum class Stage : uint8_t { kNone = 0, kStaging = 1, kProduction = 2, kArchived = 3 };
/// "None", "Staging", "Production", "Archived".
std::string_view StageName(Stage stage);
/// By name, in any case. Errors: kInvalidArgument "Invalid Model Version stage: x. Value must be
/// one of None, Staging, Production, Archived."
Result<Stage> ParseStage(std::string_view name);

/// The numbers of MLflow's protocol. Persisted: never renumber.
enum class VersionStatus : uint8_t {
  kPendingRegistration = 1,
  kFailedRegistration = 2,
  kReady = 3
};
/// "PENDING_REGISTRATION", "FAILED_REGISTRATION", "READY".
std::string_view VersionStatusName(VersionStatus status);
std::optional<VersionStatus> FindVersionStatus(std::string_view name);

struct ModelVersion {
  std::string name;
  int64_t version = 0;   ///< 1, 2, ...; a number is never given twice in one life of the model
  std::string source;    ///< where the model folder is, as it was given: a path or URI
  std::string model_id;  ///< objects::ObjectId of the model folder ("tree:<hex>"), or empty
  std::string run_id;    ///< the run that made it, or empty
  std::string run_link;
  std::string logged_model_id;   ///< MLflow's `model_id`: "m-<hex>", or empty
  std::string storage_location;  ///< what `source` stands for when that is "models:/...", or empty
  std::string user_id;           ///< who registered it, or empty
  std::string description;
  Stage stage = Stage::kNone;
  VersionStatus status = VersionStatus::kReady;
  std::string status_message;
  Verdict verdict = Verdict::kNone;
  std::string verdict_digest;  ///< of verdict.json, or empty
  std::string provenance;      ///< JSON naming every digest it comes from, or empty
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  bool is_deleted = false;           ///< kept for the record, resolved by nothing
  std::vector<Tag> tags;             ///< sorted by key
  std::vector<std::string> aliases;  ///< sorted
};

struct Alias {
  std::string alias;
  int64_t version = 0;
  friend bool operator==(const Alias&, const Alias&) = default;
};

struct RegisteredModel {
  std::string name;
  std::string description;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  int64_t latest_version = 0;  ///< the greatest that is not deleted, 0 if none
  std::vector<Tag> tags;       ///< sorted by key
  std::vector<Alias> aliases;  ///< sorted by alias
  /// The greatest version of each stage that has one, smallest number first; with their tags,
  /// without their aliases (as MLflow's answers).
  std::vector<ModelVersion> latest_versions;
};

/// MLflow keeps prompts as registered models with the tag mlflow.prompt.is_prompt = true.
inline constexpr std::string_view kIsPromptTag = "mlflow.prompt.is_prompt";
inline constexpr std::string_view kPromptTextTag = "mlflow.prompt.text";
/// Whether the tags make a model or version a prompt: the value in any case.
bool HasPromptTag(const std::vector<Tag>& tags);

/// One move of an alias. Never changed, never removed.
struct AliasMove {
  int64_t number = 0;  ///< 1, 2, ... over the whole registry
  std::string name;
  std::string alias;
  std::optional<int64_t> from_version;  ///< nothing: the alias was new
  std::optional<int64_t> to_version;    ///< nothing: the alias was removed
  int64_t at_ms = 0;
  std::string user_id;
  std::string reason;
  bool is_forced = false;  ///< set against the verdict
};

inline constexpr std::string_view kChampion = "champion";
inline constexpr std::string_view kChallenger = "challenger";

/// "models:/credit/3", "models:/credit@champion", "models:/credit/latest", and a stage:
/// "models:/credit/Production". A name may hold '@': the last one parts name and alias.
struct ModelUri {
  std::string name;
  std::optional<int64_t> version;  ///< exactly one of these three is set,
  std::optional<std::string> alias;
  std::optional<Stage> stage;  ///< or none: the latest
};
bool IsModelUri(std::string_view text);
/// Pure. Errors: kInvalidArgument naming the text and the forms.
Result<ModelUri> ParseModelUri(std::string_view text);

}  // namespace sluice::registry
