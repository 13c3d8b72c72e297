#include "table/internal/csv_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "table/internal/text_input.h"
#include "table/internal/utf8.h"

namespace sluice::table::internal {

namespace {

constexpr std::string_view kDelimiters = ",;\t|";
constexpr size_t kSampleRows = 200;
constexpr size_t kSampleBytes = size_t{256} << 10;

Status CheckOptions(const CsvOptions& options) {
  auto is_line_end = [](char c) { return c == '\n' || c == '\r'; };
  if (options.delimiter && (is_line_end(*options.delimiter) || *options.delimiter == '\0')) {
    return InvalidArgument("the delimiter cannot be a line end or NUL");
  }
  if (options.quote && (is_line_end(*options.quote) || *options.quote == '\0')) {
    return InvalidArgument("the quote cannot be a line end or NUL");
  }
  if (options.delimiter && options.quote && *options.delimiter == *options.quote) {
    return InvalidArgument(fmt::format("'{}' cannot be both delimiter and quote", *options.quote));
  }
  if (options.delimiter && static_cast<unsigned char>(*options.delimiter) >= 0x80) {
    return InvalidArgument("the delimiter must be an ASCII character");
  }
  if (options.skip_line_count < 0) {
    return InvalidArgument(
        fmt::format("skip_line_count is {}; it cannot be negative", options.skip_line_count));
  }
  std::set<std::string> seen;
  for (const std::string& name : options.column_names) {
    if (!seen.insert(name).second)
      return InvalidArgument(fmt::format("column name '{}' is given twice", name));
  }
  return Ok();
}

/// '\r' only for a text whose beginning has no '\n' at all.
char FindLineEnd(std::string_view text) {
  std::string_view sample = text.substr(0, kSampleBytes);
  return sample.find('\n') == std::string_view::npos && sample.find('\r') != std::string_view::npos
             ? '\r'
             : '\n';
}

/// Offset behind the lines to skip, never behind the end.
size_t SkipLines(std::string_view text, int64_t count, char line_end) {
  size_t offset = 0;
  for (; count > 0 && offset < text.size(); --count) {
    size_t end = text.find(line_end, offset);
    offset = end == std::string_view::npos ? text.size() : end + 1;
  }
  return offset;
}

/// How many fields the first rows have, with this syntax; a row cut off by the sample is left out.
std::vector<size_t> SampleFieldCounts(std::string_view text, const CsvSyntax& syntax) {
  std::string_view sample = text.substr(0, kSampleBytes);
  const bool is_sample_cut = sample.size() < text.size();
  std::vector<size_t> counts;
  while (!sample.empty() && counts.size() < kSampleRows) {
    CsvLine line = ReadCsvLine(sample, syntax);
    bool is_cut = is_sample_cut && line.size_bytes == sample.size() && !counts.empty();
    if (line.is_open || is_cut) break;
    if (!line.is_blank) counts.push_back(line.fields.size());
    sample.remove_prefix(line.size_bytes);
  }
  return counts;
}

struct Mode {
  size_t field_count = 1;
  size_t row_count = 0;
};
Mode MostFrequent(const std::vector<size_t>& field_counts) {
  std::map<size_t, size_t> rows_by_count;
  for (size_t count : field_counts) ++rows_by_count[count];
  Mode mode;
  for (const auto& [field_count, row_count] : rows_by_count) {
    if (row_count >= mode.row_count) mode = {field_count, row_count};
  }
  return mode;
}

/// The candidate under which most of the sampled rows have the same number of fields, at least two;
/// among equals the one with more fields, then the earlier one.
char FindDelimiter(std::string_view text, CsvSyntax syntax, const CsvOptions& options) {
  char best = ',';
  double best_share = 0;
  size_t best_field_count = 1;
  for (char candidate : kDelimiters) {
    if (candidate == options.decimal_point || (options.quote && candidate == *options.quote))
      continue;
    syntax.delimiter = candidate;
    std::vector<size_t> counts = SampleFieldCounts(text, syntax);
    Mode mode = MostFrequent(counts);
    if (mode.field_count < 2) continue;
    double share = static_cast<double>(mode.row_count) / static_cast<double>(counts.size());
    if (share > best_share || (share == best_share && mode.field_count > best_field_count)) {
      best = candidate;
      best_share = share;
      best_field_count = mode.field_count;
    }
  }
  return best;
}

Error AtOffset(Error error, std::string_view text, const std::string& path, size_t offset,
               char line_end) {
  int64_t line = LineOfOffset(text, offset, line_end);
  return std::move(error).At(
      {.file = path, .line = static_cast<int>(line), .column = 0, .text = {}});
}

Status CheckNames(const std::vector<std::string>& names) {
  std::map<std::string_view, size_t> positions;
  for (size_t i = 0; i < names.size(); ++i) {
    if (std::optional<size_t> at = FindInvalidUtf8(names[i])) {
      return InvalidArgument(fmt::format(
          "the name of column {} is not UTF-8 (byte 0x{:02X}); if the file is in another "
          "encoding, give it (latin1, windows-1252, utf-16-le, utf-16-be)",
          i + 1, static_cast<unsigned char>(names[i][*at])));
    }
    if (names[i].find('\0') != std::string::npos) {
      return InvalidArgument(fmt::format(
          "NUL byte in the name of column {}; is this a text file, or UTF-16 (give its encoding)?",
          i + 1));
    }
    auto [earlier, is_new] = positions.emplace(names[i], i + 1);
    if (!is_new) {
      return InvalidArgument(
          fmt::format("column name '{}' appears twice (columns {} and {}); give column names",
                      ShownText(names[i], 100), earlier->second, i + 1));
    }
  }
  return Ok();
}

}  // namespace

Result<CsvLayout> FindCsvLayout(std::string_view text, const std::string& path,
                                const CsvOptions& options, const ReadLimits& limits) {
  RETURN_IF_ERROR(CheckOptions(options));
  CsvLayout layout;
  CsvSyntax& syntax = layout.syntax;
  syntax.line_end = FindLineEnd(text);
  syntax.quote = options.quote;
  if (options.quote && options.escape != options.quote) syntax.escape = options.escape;
  syntax.comment_prefix = options.comment_prefix;
  syntax.trim_blanks = options.trim_blanks;
  size_t offset = SkipLines(text, options.skip_line_count, syntax.line_end);
  syntax.delimiter =
      options.delimiter ? *options.delimiter : FindDelimiter(text.substr(offset), syntax, options);

  if (!options.has_header) {
    layout.data_begin = offset;
    layout.names = options.column_names;
    if (layout.names.empty()) {
      size_t column_count =
          MostFrequent(SampleFieldCounts(text.substr(offset), syntax)).field_count;
      for (size_t i = 0; i < column_count; ++i)
        layout.names.push_back(fmt::format("column_{}", i + 1));
    }
  } else {
    CsvLine header;
    header.is_blank = true;
    size_t header_offset = offset;
    while (header.is_blank && offset < text.size()) {
      header_offset = offset;
      header = ReadCsvLine(text.substr(offset, static_cast<size_t>(limits.max_row_bytes)), syntax);
      offset += header.size_bytes;
    }
    if (header.is_open) {
      return AtOffset(InvalidArgument("a quote in the header line is never closed"), text, path,
                      header_offset, syntax.line_end);
    }
    if (header.is_blank)
      return InvalidArgument(fmt::format("'{}' has no header line: nothing but blank lines", path));
    layout.data_begin = offset;
    if (options.column_names.empty()) {
      layout.names = std::move(header.fields);
      for (size_t i = 0; i < layout.names.size(); ++i) {
        if (layout.names[i].empty()) layout.names[i] = fmt::format("column_{}", i + 1);
      }
      if (Status status = CheckNames(layout.names); !status.ok()) {
        return AtOffset(std::move(status).error(), text, path, header_offset, syntax.line_end);
      }
    } else if (options.column_names.size() != header.fields.size()) {
      return AtOffset(
          InvalidArgument(fmt::format("{} column names are given, but the header has {} fields",
                                      options.column_names.size(), header.fields.size())),
          text, path, header_offset, syntax.line_end);
    } else {
      layout.names = options.column_names;
    }
  }
  if (layout.names.size() > static_cast<size_t>(limits.max_column_count)) {
    return ResourceExhausted(fmt::format("'{}' has {} columns, over the limit of {}", path,
                                         layout.names.size(), limits.max_column_count));
  }
  return layout;
}

}  // namespace sluice::table::internal
