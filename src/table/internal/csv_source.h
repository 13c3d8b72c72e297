// CSV files as chunks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "table/internal/chunk_source.h"
#include "table/read_options.h"

namespace sluice::table::internal {

/// Opens all files, finds their layouts and provisional types. Errors: as ReadTable.
Result<std::unique_ptr<ChunkSource>> OpenCsvSource(const std::vector<std::string>& paths,
                                                   const ReadOptions& options);

}  // namespace sluice::table::internal
