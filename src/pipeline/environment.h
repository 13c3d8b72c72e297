// environments/<name>.yaml: where and with what a pipeline runs. Pure; the grammar is
// docs/reference/pipeline.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sluice::pipeline {

/// What one attempt may use; 0 means no limit (or, for threads, the executor's choice).
struct Resources {
  int thread_count = 0;
  int64_t memory_bytes = 0;
  int64_t time_ms = 0;  ///< the smaller of this and the step's own timeout counts

  friend bool operator==(const Resources&, const Resources&) = default;
};

/// A runtime. The default value is what runs when no environment is named.
struct Environment {
  std::string name = "local";
  std::string executor = "local";
  int max_parallel = 0;  ///< attempts at once; 0: as many as there are processors
  Resources defaults;    ///< for every step
  std::map<std::string, Resources> by_step;              ///< already merged over `defaults`
  std::vector<std::pair<std::string, std::string>> env;  ///< for every command, sorted by name
  std::vector<std::string>
      secrets;  ///< names of variables passed on from the caller, masked in logs; sorted
  std::string tracking_uri;  ///< empty: the project's own store
  std::string store;         ///< folder of the object store; empty: .sluice/objects
  std::vector<std::string>
      lock_files;  ///< project paths whose digests are the environment's lock; sorted

  const Resources& ResourcesOf(std::string_view step_name) const;
};

/// Errors: kInvalidArgument with file:line:column, the line and, for a misspelt key, the nearest
/// name; first only. `name` is the file's name without folder and suffix.
Result<Environment> ParseEnvironment(std::string_view text, const std::string& file,
                                     const std::string& name);

}  // namespace sluice::pipeline
