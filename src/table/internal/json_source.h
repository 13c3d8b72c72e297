// JSON Lines files as chunks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "table/internal/chunk_source.h"
#include "table/read_options.h"

namespace sluice::table::internal {

/// Reads all files once for their columns (in order of appearance) and types, so types are final. A
/// member that a line lacks is null; of a key that comes twice in a line the last counts; strings
/// that are dates or timestamps in every line make such columns; NaN is null. Lines that are no
/// JSON object are bad rows. Errors: as ReadTable; kInvalidArgument with the line for a column that
/// holds objects or arrays (unless it is not kept).
Result<std::unique_ptr<ChunkSource>> OpenJsonSource(const std::vector<std::string>& paths,
                                                    const ReadOptions& options);

}  // namespace sluice::table::internal
