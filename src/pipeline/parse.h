// From the text of a sluice.yaml to a Pipeline. Pure: files are named, never opened. The grammar is
// docs/reference/pipeline.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/graph.h"
#include "pipeline/step_kind.h"

namespace sluice::pipeline {

/// A pipeline, or everything that is wrong with the text.
struct ParseOutcome {
  std::optional<Pipeline> pipeline;  ///< present exactly if `errors` is empty
  std::vector<Error> errors;         ///< in the order of the file, at most kMaxErrorCount
};

/// Parses and checks; goes on after an error as long as what follows still means something. `file`
/// is named in errors. `kinds` must outlive the pipeline. Every error has file, line, column and
/// the line. Codes: kInvalidArgument; kResourceExhausted for a limit.
ParseOutcome ParsePipelineFully(std::string_view text, const std::string& file,
                                std::span<const StepKind> kinds);

/// The same, with the first error only.
Result<Pipeline> ParsePipeline(std::string_view text, const std::string& file,
                               std::span<const StepKind> kinds);

/// A path a person wrote for something inside the project, normalised ("./a//b" → "a/b"); globs are
/// allowed where `allow_glob`. Pure: the file need not exist. Errors: kInvalidArgument, with the
/// next step, for absolute paths, "..", backslashes, NUL, drive letters, URLs, "~", paths into
/// .sluice or .git, over-long and empty ones.
Result<std::string> CheckProjectPath(std::string_view path, bool allow_glob);

}  // namespace sluice::pipeline
