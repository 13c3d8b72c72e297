#include "table/internal/open_source.h"

#include "table/internal/csv_source.h"

namespace sluice::table::internal {

Result<std::unique_ptr<ChunkSource>> OpenSource(const std::vector<std::string>& paths,
                                                const ReadOptions& options) {
  return OpenCsvSource(paths, options);
}

}  // namespace sluice::table::internal
