// Profiles of files: reading and profiling fused, chunk by chunk while the chunk is in cache.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "data/profile.h"
#include "table/read.h"

namespace sluice::data {

struct FileProfile {
  TableProfile profile;
  table::ReadFacts facts;  ///< bad rows, encodings, delimiters
};

/// As ReadTable followed by ProfileTable, without ever holding the table: memory stays at a few
/// chunks per thread plus what TableProfiler keeps. Blocks are the reader's chunks
/// (`read.chunk_size_bytes`), so sums may differ from ProfileTable's in their last digits and
/// samples in their rows; they do not depend on `read.thread_count`. Errors: as table::ReadTable.
Result<FileProfile> ProfileFiles(const std::vector<std::string>& paths,
                                 const table::ReadOptions& read = {},
                                 const ProfileOptions& options = {});

}  // namespace sluice::data
