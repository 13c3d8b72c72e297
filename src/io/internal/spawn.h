// Starting a child process whose every act is decided beforehand.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "io/subprocess.h"

namespace sluice::io::internal {

/// How far a child came.
enum class Stage : int { kGroup, kLimits, kParentGone, kDescriptors, kDirectory, kExec };

/// What a child that could not load its program writes to `report_fd`.
struct ChildFailure {
  Stage stage;
  int error_number;
};

/// Everything the child does, decided before it exists.
struct ChildScript {
  const char* program = nullptr;
  char* const* argv = nullptr;
  char* const* envp = nullptr;
  const char* cwd = nullptr;
  SubprocessOptions::Group group = SubprocessOptions::Group::kOwn;
  bool dies_with_parent = false;
  pid_t parent = 0;
  const rlimit64* limits[4] = {};
  int limit_kinds[4] = {};
  int limit_count = 0;
  const int* sources = nullptr;  ///< become descriptors 0, 1, 2, ...; all above source_count
  int source_count = 0;
  int report_fd = -1;
};

/// Starts the child; -1 and errno if there is none. The caller blocks all signals meanwhile.
pid_t Spawn(const ChildScript& script);

/// What the failure means to whoever wanted `program` to run.
Error SpawnError(const ChildFailure& failure, const SubprocessOptions& options,
                 const std::string& program);

}  // namespace sluice::io::internal
