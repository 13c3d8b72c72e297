// Copies a tree of artifacts into the server's destination, with the layout it has.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "app/mlflow_import/notes.h"
#include "base/result.h"
#include "objects/remote.h"

namespace sluice::app::mlflow_import {

struct ArtifactCounts {
  int64_t file_count = 0;
  int64_t size_bytes = 0;
};
struct ArtifactReport {
  ArtifactCounts in_source;
  ArtifactCounts in_target;  ///< those of the source that are there, with their size
  int64_t copied_count = 0;  ///< now; the others were there already
};

/// Copies what is not there yet: a file that is there with the same size, written no earlier than
/// the source's last change, counts as copied. Of MLflow's folder of files (mlruns) only what lies
/// in folders `artifacts` comes, that of deleted experiments to where it was before. A name that
/// no artifact can have here is left out with a note. Then looks whether everything is there.
/// Errors: those of objects::Remote.
Result<ArtifactReport> CopyArtifacts(objects::Remote& source, objects::Remote& target,
                                     const std::function<void(int64_t file_count)>& on_progress,
                                     Notes& notes);

/// "file:///root/1/run/artifacts" and "/root/1/run/artifacts", where `root` is the absolute path of
/// what was copied, as "mlflow-artifacts:/1/run/artifacts"; anything else as it is. Pure.
std::string ServedUri(const std::string& uri, std::string_view root);

}  // namespace sluice::app::mlflow_import
