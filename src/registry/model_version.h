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

struct ModelVersion {
  std::string name;
  int64_t version = 0;   ///< 1, 2, ...; a number is never given twice
  std::string source;    ///< where the model folder is: a path or URI
  std::string model_id;  ///< objects::ObjectId of the model folder ("tree:<hex>"), or empty
  std::string run_id;    ///< the run that made it, or empty
  std::string description;
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
};

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

/// "models:/credit/3", "models:/credit@champion", "models:/credit/latest".
struct ModelUri {
  std::string name;
  std::optional<int64_t> version;    ///< exactly one of these two is set,
  std::optional<std::string> alias;  ///< or none: the latest
};
bool IsModelUri(std::string_view text);
/// Pure. Errors: kInvalidArgument naming the text and the three forms.
Result<ModelUri> ParseModelUri(std::string_view text);

}  // namespace sluice::registry
