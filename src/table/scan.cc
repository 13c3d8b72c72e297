#include "table/scan.h"

#include "table/internal/chunk_driver.h"
#include "table/internal/open_source.h"

namespace sluice::table {

Result<ScanOutcome> ScanTable(const std::vector<std::string>& paths, const ReadOptions& options,
                              ScanVisitor& visitor) {
  ASSIGN_OR_RETURN(std::unique_ptr<internal::ChunkSource> source,
                   internal::OpenSource(paths, options));
  return internal::DriveScan(*source, options, &visitor);
}

}  // namespace sluice::table
