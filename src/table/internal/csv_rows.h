// From tokens to rows: blank lines, comments and bad rows taken out, fields in a grid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "table/internal/csv_tokenizer.h"
#include "table/read_options.h"

namespace sluice::table::internal {

/// A row that is not like the others. Positions are relative to the region.
struct RowProblem {
  size_t row_begin = 0;
  size_t row_size_bytes = 0;
  size_t column_offset = 0;  ///< of the byte to point at, from the row's beginning
  std::string column;        ///< a name, or empty
  std::string reason;
};

/// The good rows of a region. Field (row, column) is the text from its begin to its end; positions
/// as in CsvTokens.
struct CsvRows {
  size_t row_count = 0;
  size_t column_count = 0;
  std::vector<uint32_t> row_begins;
  const uint32_t* field_ends = nullptr;  ///< row_count × column_count, in the tokens' memory
  int64_t problem_count = 0;
  std::vector<RowProblem> problems;  ///< the first `max_problem_count`, in order

  size_t FieldBegin(size_t row, size_t column) const {
    return column == 0 ? row_begins[row] : field_ends[row * column_count + column - 1] + size_t{1};
  }
  size_t FieldEnd(size_t row, size_t column) const {
    return field_ends[row * column_count + column];
  }
};

struct RowLimits {
  size_t max_field_bytes;
  size_t max_problem_count;
};

/// Cuts the tokens of `text` into rows of `column_count` fields, moving good rows together inside
/// `tokens`, which must outlive `rows`. A line of blanks only is no row; with one column neither is
/// an empty line.
void SelectRows(std::string_view text, const CsvSyntax& syntax, size_t column_count,
                const RowLimits& limits, CsvTokens& tokens, CsvRows& rows);

/// Removes rows (ascending indexes), for reasons found out later.
void DropRows(const std::vector<uint32_t>& dropped, CsvTokens& tokens, CsvRows& rows);

}  // namespace sluice::table::internal
