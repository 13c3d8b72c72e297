// Parquet files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "table/internal/chunk_source.h"

namespace sluice::table::internal {

/// A chunk per row group, in canonical types. `columns`: only these are read (those that the file
/// has); empty: all. Errors: as io::Fs; kInvalidArgument: no Parquet file, nested columns among
/// those read; kDataLoss: truncated or corrupt, here or from ReadChunk.
Result<std::unique_ptr<ChunkSource>> OpenParquetSource(const std::string& path,
                                                       const std::vector<std::string>& columns);

}  // namespace sluice::table::internal
