// What goes into an attempt and what comes out of it, as files.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/params.h"
#include "runner/internal/source_files.h"
#include "runner/observer.h"
#include "runner/run.h"

namespace sluice::runner {

// Folders of a project, relative to it.
inline constexpr std::string_view kStateFolder = ".sluice";
inline constexpr std::string_view kAttemptsFolder = ".sluice/attempts";
inline constexpr std::string_view kCheckoutsFolder = ".sluice/checkouts";

/// Deletes from the store what is damaged in or below `id`, so that it can be made again.
Status DropDamaged(io::Fs& fs, objects::Store& store, const objects::ObjectId& id);

/// Only from the engine's thread. `deps` must outlive it.
class StepIo {
 public:
  StepIo(const RunDeps& deps, const std::string& project) : deps_(deps), project_(project) {}

  /// Where the object of a native step's output can be read: .sluice/checkouts/<digest>/<file
  /// name>, hard links into the store, relative to the project. Errors: kDataLoss, kNotFound for a
  /// bad object.
  Result<std::string> CheckOut(const objects::ObjectId& id, std::string_view file_name);
  /// Before a command's attempt: its outputs of earlier times go away, their folders come into
  /// being. Errors: kPermissionDenied if an output's folder is a link that leaves the project.
  Status ClearOutputs(const pipeline::Step& step);
  /// After success: every declared output into the store. Errors: kFailedPrecondition naming an
  /// output that was not made.
  Result<std::vector<StepOutput>> Ingest(const pipeline::Step& step, const std::string& directory);
  /// A cached command's outputs at their places in the project, unless they are there already.
  Status Restore(const pipeline::Step& step, const std::vector<StepOutput>& outputs);
  /// Has nobody touched the command's outputs since `end_ms`?
  Result<bool> AreOutputsUntouchedSince(const pipeline::Step& step, int64_t end_ms);
  /// Removes checkouts that this object has not given out.
  Status RemoveOldCheckouts();

 private:
  std::string AbsoluteOf(std::string_view relative) const {
    return io::JoinPath(project_, relative);
  }
  Result<bool> IsUntouchedSince(const std::string& path, int64_t end_ns);
  Status RestorePath(const objects::ObjectId& id, const std::string& relative);

  const RunDeps& deps_;
  const std::string& project_;
  std::set<std::string> used_checkouts_;  ///< names below kCheckoutsFolder
};

}  // namespace sluice::runner
