// Brings what a source has into a store of ours, piece by piece. Each piece is one transaction that
// also records how far the import has come, so that one that was killed goes on.
#pragma once

#include <functional>
#include <string>

#include "app/mlflow_import/notes.h"
#include "app/mlflow_import/source.h"
#include "base/clock.h"
#include "sql/db.h"

namespace sluice::app::mlflow_import {

/// Turns artifact locations of the source into those of the target.
using RewriteUri = std::function<std::string(const std::string&)>;

struct ImportOptions {
  RewriteUri rewrite_uri = [](const std::string& uri) { return uri; };
  /// Told of every piece: what, and how many of them so far.
  std::function<void(std::string_view phase, int64_t count)> on_progress;
};

/// Brings all of it; what is in `target` already stays. After an import that was finished it begins
/// anew and adds what is new. Errors: kFailedPrecondition if an experiment of the source has the id
/// of another one of the target; those of both databases.
Status Import(Source& source, sql::Db& target, const ImportOptions& options, Notes& notes,
              Clock& clock = SystemClock());

}  // namespace sluice::app::mlflow_import
