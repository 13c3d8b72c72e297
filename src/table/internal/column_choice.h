// Which columns of several files a table has.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "table/read_options.h"

namespace sluice::table::internal {

/// The names that one file offers.
struct FileColumns {
  std::string path;
  std::vector<std::string> names;
};

/// The table's columns and where each is in every file.
struct ColumnChoice {
  std::vector<std::string> names;
  /// positions[file][column]: the column's place in that file, nothing where it is missing.
  std::vector<std::vector<std::optional<size_t>>> positions;
};

/// Applies ReadOptions::columns, types' names and allow_missing_columns. Without chosen columns:
/// those of the first file, then (where missing ones are allowed) what later files add. Pure.
/// Errors: kInvalidArgument naming file and column, with the nearest name.
Result<ColumnChoice> ChooseColumns(const std::vector<FileColumns>& files,
                                   const ReadOptions& options);

}  // namespace sluice::table::internal
