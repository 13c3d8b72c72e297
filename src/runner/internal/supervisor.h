// The life of one attempt, as its supervisor sees it (the program sluice-attempt).
#pragma once

#include <string>

#include "base/result.h"

namespace sluice::runner {

/// Runs the command in `directory` and leaves a record; returns when nothing it has started is
/// alive any more. `lock_fd` is an open file whose flock tells others that we live, or -1: then the
/// folder's lock file is taken here (kUnavailable if somebody has it).
///
/// SIGTERM asks the attempt to end (SIGTERM to all its processes, SIGKILL after the grace time),
/// SIGINT kills it. Errors: only what kept it from writing a record; then the attempt counts as
/// lost.
Status Supervise(const std::string& directory, int lock_fd);

}  // namespace sluice::runner
