// Attempts that an earlier engine has left behind: still running, or ended with nobody to hear it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runner/internal/step_io.h"
#include "runner/run.h"
#include "runner/run_history.h"

namespace sluice::runner {

struct Orphan {
  AttemptRow row;
  std::string directory;                ///< absolute
  std::optional<AttemptRecord> record;  ///< its end; nothing while it runs
};

/// Only from the engine's thread, under the project's lock. `deps` and `history` must outlive it.
class Orphans {
 public:
  Orphans(const RunDeps& deps, RunHistory& history, const std::string& project)
      : deps_(deps), history_(history), project_(project) {}

  /// Takes over every open attempt. Those that did not end well are closed at once: their steps run
  /// again. Errors: those of the executor and the database.
  Status Load();
  /// Stops those that run although `is_wanted` says no, and waits until they have ended.
  Status StopUnwanted(const std::function<bool(const Orphan&)>& is_wanted);
  /// Takes out the attempt with this step and key, if there is one.
  std::optional<Orphan> Take(std::string_view step, std::string_view key);
  /// Ends of attempts that are no orphans, which StopUnwanted saw while it waited.
  std::vector<EndedAttempt> TakeOthersEnds() { return std::exchange(others_ends_, {}); }
  /// Handles `ended` if it is one of ours.
  Result<bool> NoteEnd(const EndedAttempt& ended);
  bool is_empty() const { return by_directory_.empty(); }

 private:
  Status Close(const Orphan& orphan, std::string_view state);

  const RunDeps& deps_;
  RunHistory& history_;
  const std::string& project_;
  std::map<std::string, Orphan> by_directory_;
  std::vector<EndedAttempt> others_ends_;
};

}  // namespace sluice::runner
