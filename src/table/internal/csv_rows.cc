#include "table/internal/csv_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "table/internal/utf8.h"

namespace sluice::table::internal {

namespace {

class RowSelector {
 public:
  RowSelector(std::string_view text, const CsvSyntax& syntax, const RowLimits& limits,
              CsvTokens& tokens, CsvRows& rows)
      : text_(text), syntax_(syntax), limits_(limits), tokens_(tokens), rows_(rows) {}

  void Run() {
    // What is rare is looked for only where it is: most regions hold valid bytes and well-formed
    // quotes.
    has_bad_utf8_ = tokens_.traits.has_non_ascii &&
                    FindInvalidUtf8(text_.substr(0, tokens_.size_bytes)).has_value();
    const bool is_suspect =
        has_bad_utf8_ || tokens_.traits.has_nul || !tokens_.broken_quotes.empty();
    const size_t column_count = rows_.column_count;
    const bool has_carriage_returns = syntax_.line_end == '\n';
    const bool has_comments = !syntax_.comment_prefix.empty();
    uint32_t* ends = tokens_.field_ends.get();
    rows_.row_begins.resize(tokens_.row_field_counts.size());
    size_t row_count = 0;
    size_t first_field = 0;
    size_t row_begin = 0;
    for (uint32_t field_limit : tokens_.row_field_counts) {
      size_t field_count = field_limit - first_field;
      size_t line_end = ends[field_limit - 1];
      size_t row_end = line_end;
      if (has_carriage_returns && row_end > row_begin && text_[row_end - 1] == '\r') {
        --row_end;
        ends[field_limit - 1] = static_cast<uint32_t>(row_end);
      }
      bool is_odd = field_count != column_count || row_end == row_begin ||
                    row_end - row_begin > limits_.max_field_bytes || is_suspect || has_comments ||
                    column_count == 1;
      if (!is_odd || IsGood(row_begin, row_end, first_field, field_count)) [[likely]] {
        rows_.row_begins[row_count] = static_cast<uint32_t>(row_begin);
        if (first_field != row_count * column_count) {
          std::memmove(ends + row_count * column_count, ends + first_field,
                       column_count * sizeof(uint32_t));
        }
        ++row_count;
      }
      first_field = field_limit;
      row_begin = line_end + 1;
    }
    rows_.row_begins.resize(row_count);
    rows_.row_count = row_count;
    rows_.field_ends = ends;
  }

 private:
  /// False also for what is no row at all.
  bool IsGood(size_t begin, size_t end, size_t first_field, size_t field_count) {
    std::string_view row = text_.substr(begin, end - begin);
    if (row.empty()) return false;
    if (!syntax_.comment_prefix.empty() && row.starts_with(syntax_.comment_prefix)) return false;
    if (field_count == 1 && (rows_.column_count > 1 || syntax_.trim_blanks) && IsBlankRow(row))
      return false;

    while (next_broken_ < tokens_.broken_quotes.size() &&
           tokens_.broken_quotes[next_broken_] < begin)
      ++next_broken_;
    if (tokens_.traits.has_nul) {
      if (size_t nul = row.find('\0'); nul != std::string_view::npos) {
        return Refuse(begin, row, nul,
                      "NUL byte in the text; is this a text file, or UTF-16 (give its encoding)?");
      }
    }
    if (has_bad_utf8_) {
      if (std::optional<size_t> at = FindInvalidUtf8(row)) {
        return Refuse(begin, row, *at,
                      fmt::format("byte 0x{:02X} at position {} is not UTF-8; if the file is in "
                                  "another encoding, give "
                                  "it (latin1, windows-1252, utf-16-le, utf-16-be)",
                                  static_cast<unsigned char>(row[*at]), *at + 1));
      }
    }
    if (next_broken_ < tokens_.broken_quotes.size() && tokens_.broken_quotes[next_broken_] < end) {
      return Refuse(
          begin, row, tokens_.broken_quotes[next_broken_] - begin,
          "text after the closing quote of a field; a quote inside a quoted field must be doubled");
    }
    if (field_count != rows_.column_count) {
      return Refuse(begin, row, 0,
                    fmt::format("expected {} field{}, found {}", rows_.column_count,
                                rows_.column_count == 1 ? "" : "s", field_count));
    }
    size_t field_begin = begin;
    for (size_t i = 0; i < field_count && row.size() > limits_.max_field_bytes; ++i) {
      size_t field_end = tokens_.field_ends[first_field + i];
      if (field_end - field_begin > limits_.max_field_bytes) {
        return Refuse(begin, row, field_begin - begin,
                      fmt::format("field {} has {} bytes, over the limit of {}", i + 1,
                                  field_end - field_begin, limits_.max_field_bytes));
      }
      field_begin = field_end + 1;
    }
    return true;
  }

  bool IsBlankRow(std::string_view row) const {
    return std::all_of(row.begin(), row.end(), [](char c) { return c == ' ' || c == '\t'; });
  }

  bool Refuse(size_t begin, std::string_view row, size_t column_offset, std::string reason) {
    if (rows_.problems.size() < limits_.max_problem_count) {
      rows_.problems.push_back({.row_begin = begin,
                                .row_size_bytes = row.size(),
                                .column_offset = column_offset,
                                .column = {},
                                .reason = std::move(reason)});
    }
    ++rows_.problem_count;
    return false;
  }

  const std::string_view text_;
  const CsvSyntax& syntax_;
  const RowLimits& limits_;
  CsvTokens& tokens_;
  CsvRows& rows_;
  bool has_bad_utf8_ = false;
  size_t next_broken_ = 0;
};

}  // namespace

void SelectRows(std::string_view text, const CsvSyntax& syntax, size_t column_count,
                const RowLimits& limits, CsvTokens& tokens, CsvRows& rows) {
  rows.column_count = column_count;
  rows.problem_count = 0;
  rows.problems.clear();
  RowSelector(text, syntax, limits, tokens, rows).Run();
}

void DropRows(const std::vector<uint32_t>& dropped, CsvTokens& tokens, CsvRows& rows) {
  size_t kept = 0;
  size_t next = 0;
  for (size_t row = 0; row < rows.row_count; ++row) {
    if (next < dropped.size() && dropped[next] == row) {
      ++next;
      continue;
    }
    if (kept != row) {
      rows.row_begins[kept] = rows.row_begins[row];
      std::memmove(tokens.field_ends.get() + kept * rows.column_count,
                   tokens.field_ends.get() + row * rows.column_count,
                   rows.column_count * sizeof(uint32_t));
    }
    ++kept;
  }
  rows.row_count = kept;
  rows.row_begins.resize(kept);
}

}  // namespace sluice::table::internal
