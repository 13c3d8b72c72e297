// Sources with different columns and types as one.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "table/internal/chunk_source.h"
#include "table/read_options.h"

namespace sluice::table::internal {

/// The chunks of all parts in order, columns matched by name and widened to the wider type, or to
/// the given one. The parts' types must be final (CHECK). Errors: kInvalidArgument: a missing or
/// unknown column, a given type that a column cannot become.
Result<std::unique_ptr<ChunkSource>> JoinSources(std::vector<std::unique_ptr<ChunkSource>> parts,
                                                 const ReadOptions& options);

}  // namespace sluice::table::internal
