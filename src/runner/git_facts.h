// What git says about a project, without starting git. The one place that meets libgit2.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace sluice::runner {

struct GitFacts {
  std::string commit;      ///< 40 or 64 hex digits; empty before the first commit
  std::string branch;      ///< short name; empty when HEAD is detached
  bool is_dirty = false;   ///< tracked files differ from the commit, or the index does; untracked
                           ///< files do not count
  std::string remote_url;  ///< of "origin", without user and password; empty if there is none
};

/// Nothing if `folder` is in no repository. Reads the repository only. Errors: kUnavailable if
/// there is one that libgit2 cannot read. O(tracked files).
Result<std::optional<GitFacts>> ReadGitFacts(const std::string& folder);

}  // namespace sluice::runner
