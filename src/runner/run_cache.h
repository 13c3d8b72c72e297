// What a cache key gave: outputs in the store, the facts the step reported, and the key's
// ingredients, so that `sluice why` can name what has changed. Tables run_cache, run_cache_outputs,
// step_successes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "objects/object.h"
#include "pipeline/cache_key.h"
#include "runner/observer.h"
#include "sql/db.h"
#include "sql/migrator.h"

namespace sluice::runner {

/// 0010-0019, for sql::Migrate.
std::vector<sql::Migration> RunnerMigrations();

struct CacheEntry {
  Digest key;
  std::string step;    ///< the step's name when it was recorded
  std::string run_id;  ///< the run that made it
  int64_t created_ms = 0;
  int64_t duration_ms = 0;  ///< of the attempt
  std::vector<StepOutput> outputs;
  StepFacts facts;
  pipeline::Ingredients ingredients;
};

/// Thread-safe. `db` must outlive it. Errors, all methods: those of sql; kDataLoss for a row that
/// cannot be read back.
class RunCache {
 public:
  explicit RunCache(sql::Db& db) : db_(db) {}

  Result<std::optional<CacheEntry>> Find(const Digest& key);
  /// The last success of every step of a pipeline, by step name, in one query.
  Result<std::map<std::string, CacheEntry, std::less<>>> LoadLastSuccesses(
      std::string_view pipeline);
  /// Replaces an entry of the same key and makes it the step's last success.
  Status Record(std::string_view pipeline, const CacheEntry& entry);
  /// Makes entries found in the cache the last successes of their steps.
  Status MarkUsed(std::string_view pipeline, std::string_view run_id, int64_t now_ms,
                  const std::vector<std::pair<std::string, Digest>>& steps);
  /// Forgets the outputs of a key, whose objects are gone or damaged. The ingredients stay, so that
  /// the next plan can say why the step runs again.
  Status Forget(const Digest& key);
  /// All objects the cache names: roots for garbage collection.
  Result<std::vector<objects::ObjectId>> ListObjects();

 private:
  sql::Db& db_;
};

}  // namespace sluice::runner
