// One pass over files with the caller's code called on each decoded chunk while it is in cache: for
// profiles, checks and whatever else needs no whole table.
#pragma once

#include <arrow/type_fwd.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "table/read.h"
#include "table/read_options.h"

namespace sluice::table {

/// What the caller does with the chunks.
class ScanVisitor {
 public:
  virtual ~ScanVisitor() = default;

  /// Comes before the first chunk, from the calling thread. It may come a second time (never a
  /// third): when a value late in the files does not fit the type that the first chunks suggested,
  /// everything is read again with the final types, and whatever was gathered so far must be
  /// dropped. `chunk_count` bounds the chunk indexes.
  virtual void Begin(const std::shared_ptr<arrow::Schema>& schema, size_t chunk_count) = 0;

  /// Called from up to ReadOptions::thread_count threads at once, each chunk once. Chunk indexes
  /// follow the order of the rows, but calls do not; an index may be left out (no rows). The cut
  /// into chunks depends only on the files and ReadOptions::chunk_size_bytes, so that partial
  /// results merged in index order never depend on threads. The batch may be kept: nothing is
  /// reused. Column arrays have offset 0 and a validity bitmap only if they have nulls.
  virtual void Visit(size_t chunk_index, const std::shared_ptr<arrow::RecordBatch>& batch) = 0;
};

struct ScanOutcome {
  std::shared_ptr<arrow::Schema> schema;  ///< as in the last Begin
  ReadFacts facts;
};

/// Reads `paths` as ReadTable does and visits the chunks. After an error what the visitor gathered
/// is worthless. Errors: as ReadTable.
Result<ScanOutcome> ScanTable(const std::vector<std::string>& paths, const ReadOptions& options,
                              ScanVisitor& visitor);

}  // namespace sluice::table
