// From paths to chunks, whatever the formats.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "table/internal/chunk_source.h"
#include "table/read_options.h"

namespace sluice::table::internal {

/// Errors: as ReadTable.
Result<std::unique_ptr<ChunkSource>> OpenSource(const std::vector<std::string>& paths,
                                                const ReadOptions& options);

}  // namespace sluice::table::internal
