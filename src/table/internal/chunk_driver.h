// Runs the chunks of a source on several threads.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "table/internal/chunk_source.h"
#include "table/scan.h"

namespace sluice::table::internal {

/// Reads all chunks, twice if types must be widened, and calls the visitor as scan.h says. Errors
/// are those of the first chunk (in order) that has one. `visitor` may be null: then only the types
/// and facts are found.
Result<ScanOutcome> DriveScan(ChunkSource& source, const ReadOptions& options,
                              ScanVisitor* visitor);

/// Batches in order from a source with final types, a window of chunks at a time.
std::unique_ptr<BatchReader> MakeBatchReader(std::unique_ptr<ChunkSource> source,
                                             const ReadOptions& options);

/// ReadOptions::thread_count, with 0 as the number of cores.
size_t ThreadCount(const ReadOptions& options);

}  // namespace sluice::table::internal
