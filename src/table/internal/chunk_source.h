// What all formats have in common for the one who drives the reading: numbered chunks of rows.
#pragma once

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "table/internal/value_rules.h"
#include "table/read.h"

namespace sluice::table::internal {

/// A bad row, before its line number is known.
struct ChunkProblem {
  size_t file_index = 0;
  size_t row_begin = 0;  ///< offset in the file's text
  size_t row_size_bytes = 0;
  size_t column_offset = 0;
  std::string column;
  std::string reason;
};

struct ChunkResult {
  std::shared_ptr<arrow::RecordBatch> batch;  ///< null if the chunk has no rows or does not fit
  int64_t row_count = 0;
  int64_t problem_count = 0;
  std::vector<ChunkProblem> problems;  ///< the first ones, in order
  /// Columns (by index in the schema) whose provisional type does not hold all values, with all
  /// kinds in this chunk.
  std::vector<std::pair<size_t, KindSet>> misfits;
};

/// Files of one or several formats, cut into chunks. ReadChunk is thread-safe; the rest belongs to
/// one thread and is not called while chunks are being read.
class ChunkSource {
 public:
  virtual ~ChunkSource() = default;

  virtual size_t chunk_count() const = 0;
  virtual size_t FileOfChunk(size_t chunk_index) const = 0;
  /// Facts of each file but row counts.
  virtual std::vector<FileFacts> files() const = 0;
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;

  /// False: a chunk may report misfits.
  virtual bool has_final_types() const = 0;
  /// Widens the types by what was found; they are final then, and all chunks can be read again.
  virtual void WidenTypes(const std::vector<std::pair<size_t, KindSet>>& misfits) = 0;

  /// Chunks must be asked for in ascending order (by any threads), for one may have to wait for
  /// those before it.
  virtual Result<ChunkResult> ReadChunk(size_t chunk_index) = 0;
  /// Prepares for reading the chunks once more.
  virtual void Restart() = 0;

  virtual BadRow Describe(const ChunkProblem& problem) = 0;
  /// The error that the problem becomes under BadRowPolicy::kFail.
  virtual Error ErrorOf(const ChunkProblem& problem) = 0;
};

}  // namespace sluice::table::internal
