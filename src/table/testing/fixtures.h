// What the tests of this module share: a folder that vanishes, files made of text, tables as text.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "table/read.h"

namespace sluice::table::testing {

/// An empty folder for one test, removed with it.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  /// The path of a name in the folder.
  std::string Path(std::string_view name) const;
  /// Writes a file and gives its path.
  std::string Write(std::string_view name, std::string_view bytes) const;

 private:
  std::string path_;
};

/// One line for the schema ("a:int64 b:string"), then one a row, values separated by '|', nulls as
/// "NULL".
std::string ShowTable(const arrow::Table& table);

/// Reads `text` as a file of this name; a failure shows as "ERROR: ...".
std::string ReadShown(std::string_view text, const ReadOptions& options = {},
                      std::string_view name = "data.csv");

/// A table with a column of each type, nulls, and values that are hard to write and read: quotes,
/// line ends, extreme numbers. Strings never look like values of other types.
std::shared_ptr<arrow::Table> RandomTable(Random& random, int64_t row_count);

}  // namespace sluice::table::testing
