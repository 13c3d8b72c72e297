// Bad rows of text files as messages with file, line, column and a caret.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "table/internal/chunk_source.h"

namespace sluice::table::internal {

/// One text file, for messages. One thread at a time. The text must outlive it.
class TextReport {
 public:
  TextReport(std::string path, std::string_view text, char line_end)
      : path_(std::move(path)), text_(text), line_end_(line_end) {}

  BadRow Describe(const ChunkProblem& problem);
  /// kInvalidArgument at the problem's place.
  Error ErrorOf(const ChunkProblem& problem);
  /// An error at the line and column of `offset`.
  Error At(Error error, size_t offset);

 private:
  /// Counts on from the last question, for problems mostly come in order.
  int64_t LineOf(size_t offset);

  std::string path_;
  std::string_view text_;
  char line_end_;
  size_t counted_offset_ = 0;
  int64_t counted_line_ = 1;
};

}  // namespace sluice::table::internal
