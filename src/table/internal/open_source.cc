#include "table/internal/open_source.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "table/internal/chunk_driver.h"
#include "table/internal/csv_source.h"
#include "table/internal/ipc_source.h"
#include "table/internal/joined_source.h"
#include "table/internal/json_source.h"
#include "table/internal/parquet_source.h"

namespace sluice::table::internal {

namespace {

bool IsText(Format format) { return format == Format::kCsv || format == Format::kJsonLines; }

Result<std::unique_ptr<ChunkSource>> OpenText(Format format, const std::vector<std::string>& paths,
                                              const ReadOptions& options) {
  return format == Format::kCsv ? OpenCsvSource(paths, options) : OpenJsonSource(paths, options);
}

/// A text file among files of other formats: its own columns, with the given types it has, all
/// types final.
Result<std::unique_ptr<ChunkSource>> OpenTextPart(Format format, const std::string& path,
                                                  const ReadOptions& options) {
  ReadOptions part_options = options;
  part_options.columns.clear();
  part_options.types.clear();
  ASSIGN_OR_RETURN(std::unique_ptr<ChunkSource> part, OpenText(format, {path}, part_options));
  for (const std::string& name : part->schema()->field_names()) {
    if (auto given = options.types.find(name); given != options.types.end())
      part_options.types.insert(*given);
  }
  if (!part_options.types.empty()) {
    ASSIGN_OR_RETURN(part, OpenText(format, {path}, part_options));
  }
  if (!part->has_final_types()) {
    ASSIGN_OR_RETURN(ScanOutcome types, DriveScan(*part, part_options, nullptr));
    if (!part->has_final_types()) part->WidenTypes({});
    part->Restart();
  }
  return part;
}

Result<std::unique_ptr<ChunkSource>> OpenPart(Format format, const std::string& path,
                                              const ReadOptions& options) {
  if (format == Format::kParquet) return OpenParquetSource(path, options.columns);
  if (format == Format::kArrowIpc) return OpenIpcSource(path);
  return OpenTextPart(format, path, options);
}

}  // namespace

Result<std::unique_ptr<ChunkSource>> OpenSource(const std::vector<std::string>& paths,
                                                const ReadOptions& options) {
  if (paths.empty()) return InvalidArgument("no files to read");
  std::vector<Format> formats;
  for (const std::string& path : paths) {
    Format format = options.format;
    if (format == Format::kAuto) {
      ASSIGN_OR_RETURN(format, DetectFormat(path));
    }
    formats.push_back(format);
  }
  // Text files of one format find their types together, from the text itself.
  bool is_uniform = std::all_of(formats.begin(), formats.end(),
                                [&](Format format) { return format == formats[0]; });
  if (is_uniform && IsText(formats[0])) return OpenText(formats[0], paths, options);
  std::vector<std::unique_ptr<ChunkSource>> parts;
  for (size_t i = 0; i < paths.size(); ++i) {
    ASSIGN_OR_RETURN(std::unique_ptr<ChunkSource> part, OpenPart(formats[i], paths[i], options));
    parts.push_back(std::move(part));
  }
  return JoinSources(std::move(parts), options);
}

}  // namespace sluice::table::internal
