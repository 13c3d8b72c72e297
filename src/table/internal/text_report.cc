#include "table/internal/text_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "table/internal/text_input.h"
#include "table/internal/utf8.h"

namespace sluice::table::internal {

namespace {

constexpr size_t kShownRowBytes = 200;
constexpr size_t kMaxShownColumn = 1000;  // beyond it a caret helps nobody
constexpr size_t kMaxLineBytes = 4000;

/// Bytes that are not UTF-8 replaced one by one, so that columns stay where they are.
std::string ShownLine(std::string_view line) {
  std::string shown(line);
  while (std::optional<size_t> at = FindInvalidUtf8(shown)) shown[*at] = '?';
  return shown;
}

}  // namespace

int64_t TextReport::LineOf(size_t offset) {
  if (counted_offset_ > offset) {
    counted_offset_ = 0;
    counted_line_ = 1;
  }
  std::string_view between = text_.substr(counted_offset_, offset - counted_offset_);
  counted_line_ += LineOfOffset(between, between.size(), line_end_) - 1;
  counted_offset_ = offset;
  return counted_line_;
}

BadRow TextReport::Describe(const ChunkProblem& problem) {
  BadRow bad{
      .file = path_,
      .line = LineOf(problem.row_begin),
      .column = {},
      .reason = problem.reason,
      .text = ShownText(text_.substr(problem.row_begin, problem.row_size_bytes), kShownRowBytes)};
  if (!problem.column.empty()) bad.column = problem.column;
  return bad;
}

Error TextReport::ErrorOf(const ChunkProblem& problem) {
  std::string message = problem.column.empty()
                            ? problem.reason
                            : fmt::format("column '{}': {}", problem.column, problem.reason);
  return At(InvalidArgument(std::move(message)), problem.row_begin + problem.column_offset);
}

Error TextReport::At(Error error, size_t offset) {
  size_t line_begin = offset == 0 ? std::string_view::npos : text_.rfind(line_end_, offset - 1);
  line_begin = line_begin == std::string_view::npos ? 0 : line_begin + 1;
  size_t column = offset - line_begin;
  Source source{.file = path_,
                .line = static_cast<int>(std::min<int64_t>(LineOf(offset), INT32_MAX)),
                .column = static_cast<int>(std::min<size_t>(column, INT32_MAX - 1)) + 1,
                .text = {}};
  if (column < kMaxShownColumn) {
    std::string_view line = text_.substr(line_begin, kMaxLineBytes);
    source.text = ShownLine(line.substr(0, line.find(line_end_)));
  }
  return std::move(error).At(std::move(source));
}

}  // namespace sluice::table::internal
