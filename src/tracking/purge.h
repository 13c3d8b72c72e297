// Deleting for good: the rows of deleted runs, experiments and logged models go, names become free,
// and their artifacts are put on a list that somebody with access to them works off.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sql/db.h"

namespace sluice::tracking {

/// What to purge. Ids, when given, must all be of deleted things; otherwise everything that is
/// deleted. Either way only what was deleted at or before `deleted_before_ms`.
struct PurgeRequest {
  std::vector<std::string> ids;
  std::optional<int64_t> deleted_before_ms;  ///< since epoch UTC
  bool is_dry_run = false;                   ///< only say what would go
};

/// A tree of artifacts that nothing names any more: a run's or model's artifacts or, where its
/// folder is its own by name, that one (".../<run id>", not ".../<run id>/artifacts").
struct ArtifactRemoval {
  std::string id;  ///< "run:<run id>", "model:<model id>"
  std::string artifact_uri;
};

/// Thread-safe, and safe for several processes. A purge is many transactions of bounded size, so
/// writers are not held up; the first of them records the artifacts to remove and hides the thing
/// (a purged run answers "not found"), so a purge that was killed is finished by `Resume` or by the
/// next purge. Nothing here touches artifacts.
///
/// Errors: kNotFound for an unknown id, kFailedPrecondition for one that is not deleted, or was
/// deleted too recently: then nothing at all is purged. Those of sql::Db.
class Purger {
 public:
  /// Over a migrated database; both must outlive this.
  explicit Purger(sql::Db& db, Clock& clock = SystemClock()) : db_(db), clock_(clock) {}

  /// Each returns the ids of what it purged, sorted. Logged models of a purged run stay; those of a
  /// purged experiment go with it, and so do its runs, whatever their stage.
  Result<std::vector<std::string>> PurgeRuns(const PurgeRequest& request);
  Result<std::vector<std::string>> PurgeLoggedModels(const PurgeRequest& request);
  Result<std::vector<std::string>> PurgeExperiments(const PurgeRequest& request);
  /// Finishes what a killed process left half done.
  Status Resume();

  /// The oldest first; `only_due`: without those that were postponed to later than now.
  Result<std::vector<ArtifactRemoval>> ListArtifactRemovals(size_t max_count = 1000,
                                                            bool only_due = false);
  /// The artifacts are gone. May be repeated.
  Status FinishArtifactRemoval(std::string_view removal_id);
  /// They could not be removed; so that others come first, these wait for so long.
  Status PostponeArtifactRemoval(std::string_view removal_id, int64_t delay_ms);

 private:
  sql::Db& db_;
  Clock& clock_;
};

}  // namespace sluice::tracking
