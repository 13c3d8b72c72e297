#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "io/fs.h"
#include "io/mapped_file.h"
#include "table/internal/text_input.h"
#include "table/read.h"

namespace sluice::table {

namespace {

struct Extension {
  std::string_view text;
  Format format;
};
constexpr Extension kExtensions[] = {
    {".csv", Format::kCsv},          {".tsv", Format::kCsv},          {".tab", Format::kCsv},
    {".txt", Format::kCsv},          {".data", Format::kCsv},         {".test", Format::kCsv},
    {".jsonl", Format::kJsonLines},  {".ndjson", Format::kJsonLines}, {".json", Format::kJsonLines},
    {".parquet", Format::kParquet},  {".pq", Format::kParquet},       {".arrow", Format::kArrowIpc},
    {".feather", Format::kArrowIpc}, {".ipc", Format::kArrowIpc},
};

std::string LowerExtension(const std::string& path) {
  std::string name = io::BaseName(path);
  size_t dot = name.rfind('.');
  std::string extension = dot == std::string::npos ? "" : name.substr(dot);
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

}  // namespace

Result<Format> DetectFormat(const std::string& path) {
  ASSIGN_OR_RETURN(io::MappedFile file, io::MappedFile::Open(path));
  std::string_view bytes = file.bytes();
  if (std::string_view foreign = internal::KnownForeignFormat(bytes); !foreign.empty()) {
    return InvalidArgument(fmt::format("'{}' is {}", path, foreign));
  }
  std::string extension = LowerExtension(path);
  for (const Extension& row : kExtensions) {
    if (row.text == extension) return row.format;
  }
  if (bytes.starts_with("PAR1")) return Format::kParquet;
  if (bytes.starts_with("ARROW1")) return Format::kArrowIpc;
  size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && bytes[first] == '{') return Format::kJsonLines;
  return Format::kCsv;
}

}  // namespace sluice::table
