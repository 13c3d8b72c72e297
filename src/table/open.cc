#include "table/open.h"

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "base/suggest.h"
#include "io/fs.h"
#include "table/internal/ipc_source.h"
#include "table/read.h"
#include "table/write.h"

namespace sluice::table {

namespace {

bool IsCanonical(const arrow::Schema& schema) {
  if (schema.HasMetadata()) return false;
  for (const std::shared_ptr<arrow::Field>& field : schema.fields()) {
    if (!CanonicalType(*field->type()) || field->HasMetadata()) return false;
  }
  return true;
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> SelectColumns(const std::shared_ptr<arrow::Table>& table,
                                                    const std::vector<std::string>& columns) {
  if (columns.empty()) return table;
  std::vector<int> indexes;
  for (const std::string& name : columns) {
    int index = table->schema()->GetFieldIndex(name);
    if (index < 0) {
      return InvalidArgument(fmt::format("unknown column '{}'{}", name,
                                         DidYouMean(name, table->schema()->field_names())));
    }
    indexes.push_back(index);
  }
  auto selected = table->SelectColumns(indexes);
  CHECK(selected.ok());
  return selected.ValueUnsafe();
}

Result<std::shared_ptr<arrow::Table>> OpenTable(const std::string& path,
                                                const std::vector<std::string>& columns) {
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, io::RealFs().Stat(path));
  if (!info) return NotFound(fmt::format("there is no table '{}'", path));
  std::string file = path;
  if (info->kind == io::FileKind::kDirectory) {
    file = io::JoinPath(path, kTableFileName);
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> table_info, io::RealFs().Stat(file));
    if (!table_info)
      return NotFound(
          fmt::format("the folder '{}' holds no table: it has no {}", path, kTableFileName));
  }
  ASSIGN_OR_RETURN(Format format, DetectFormat(file));
  std::shared_ptr<arrow::Table> table;
  if (format == Format::kArrowIpc) {
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> mapped, internal::MapIpcTable(file));
    table = std::move(mapped);
    if (!IsCanonical(*table->schema())) {
      Result<std::shared_ptr<arrow::Table>> canonical = Canonicalise(table);
      if (!canonical.ok()) return std::move(canonical).error().With(fmt::format("'{}'", file));
      table = std::move(canonical).value();
    }
  } else {
    ASSIGN_OR_RETURN(ReadOutcome outcome, ReadTable({file}));
    table = std::move(outcome.table);
  }
  Result<std::shared_ptr<arrow::Table>> selected = SelectColumns(table, columns);
  if (!selected.ok()) return std::move(selected).error().With(fmt::format("'{}'", file));
  return selected;
}

}  // namespace sluice::table
