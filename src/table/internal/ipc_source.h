// Arrow IPC files.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "table/internal/chunk_source.h"

namespace sluice::table::internal {

/// The file as a table over its mapping, in the file's own types, checked in full (offsets,
/// lengths, UTF-8), so that hostile bytes cannot hurt whoever reads it. Errors: as io::Fs;
/// kInvalidArgument: no Arrow IPC file; kDataLoss: truncated or corrupt.
Result<std::shared_ptr<arrow::Table>> MapIpcTable(const std::string& path);

/// A chunk per record batch, in canonical types. Errors: as MapIpcTable.
Result<std::unique_ptr<ChunkSource>> OpenIpcSource(const std::string& path);

}  // namespace sluice::table::internal
