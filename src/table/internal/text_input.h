// A text file as UTF-8 in memory, whatever its encoding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/mapped_file.h"
#include "table/read_options.h"

namespace sluice::table::internal {

/// Thread-safe once opened. UTF-8 files are mapped; others are converted once, small ones in
/// memory, large ones into a temporary file that is mapped and already removed.
class TextInput {
 public:
  /// Errors: as io::MappedFile; kInvalidArgument for an empty file, UTF-32, an odd number of bytes
  /// or a lone surrogate in UTF-16 (naming the byte), a compressed file or spreadsheet.
  static Result<TextInput> Open(const std::string& path, Encoding encoding);

  const std::string& path() const { return path_; }
  /// Without a byte order mark. Not checked to be valid UTF-8.
  std::string_view text() const;
  int64_t size_bytes() const { return size_bytes_; }
  Encoding encoding() const { return encoding_; }

 private:
  TextInput() = default;

  std::string path_;
  int64_t size_bytes_ = 0;
  Encoding encoding_ = Encoding::kUtf8;
  std::optional<io::MappedFile> mapped_;
  std::string converted_;
  size_t mark_bytes_ = 0;
};

/// What kind of file these first bytes belong to, if it is one that is refused with advice:
/// "gzip-compressed", "an Excel workbook", ... Empty if it is none of them. Pure.
std::string_view KnownForeignFormat(std::string_view first_bytes);

/// The 1-based number of the line that holds `offset`; lines end with `line_end`. O(offset), at
/// memory speed.
int64_t LineOfOffset(std::string_view text, size_t offset, char line_end);

}  // namespace sluice::table::internal
