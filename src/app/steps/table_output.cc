#include "app/steps/table_output.h"

#include <arrow/table.h>
#include <fmt/format.h>

#include "base/suggest.h"
#include "io/fs.h"
#include "table/write.h"

namespace sluice::app {

Status WriteTableOutput(const arrow::Table& table, const std::string& folder) {
  RETURN_IF_ERROR(io::RealFs().MakeDirectories(folder));
  return table::WriteIpc(table, io::JoinPath(folder, table::kTableFileName));
}

Status PassTableOn(const std::string& input_path, const arrow::Table& table,
                   const std::string& folder) {
  io::Fs& fs = io::RealFs();
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs.Stat(input_path));
  if (!info || info->kind != io::FileKind::kDirectory) return WriteTableOutput(table, folder);
  RETURN_IF_ERROR(fs.MakeDirectories(folder));
  ASSIGN_OR_RETURN(std::vector<std::string> names, fs.ListDirectory(input_path));
  for (const std::string& name : names) {
    std::string from = io::JoinPath(input_path, name);
    std::string to = io::JoinPath(folder, name);
    if (!fs.HardLink(from, to).ok()) RETURN_IF_ERROR(fs.CopyFile(from, to));
  }
  return Ok();
}

Result<std::shared_ptr<arrow::ChunkedArray>> FindColumn(const arrow::Table& table,
                                                        const std::string& column) {
  std::shared_ptr<arrow::ChunkedArray> found = table.GetColumnByName(column);
  if (found) return found;
  return InvalidArgument(fmt::format("the table has no column '{}'{}", column,
                                     DidYouMean(column, table.ColumnNames())));
}

}  // namespace sluice::app
