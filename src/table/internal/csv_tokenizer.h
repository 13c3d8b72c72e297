// Finds where the fields and rows of CSV text end, a region at a time.
//
// The rules are those of RFC 4180 as pandas and Python read them: a quote opens a quoted field only
// at the beginning of a field (anywhere else it is an ordinary character), a doubled quote inside
// stands for one, delimiters and line ends inside are text. The tokenizer is exact: it never
// depends on how the text was cut, as long as a region begins where a row begins.
//
// How: 64 bytes at a time give three bit masks (csv_blocks.h). In a block without quotes every
// delimiter and line end counts. With quotes, a prefix exclusive-or over the quote bits tells
// inside from outside, which is right if every quote that opens stands at the beginning of a field
// or right behind one that closed (a doubled quote); that is checked with two shifts, and a block
// that fails the check, a few in odd files, goes byte by byte through a state machine. Dialects
// with an escape character or comments always take the state machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "table/internal/csv_blocks.h"

namespace sluice::table::internal {

/// The characters with a meaning in one file.
struct CsvSyntax {
  char delimiter = ',';
  char line_end =
      '\n';  ///< '\r' for old Macintosh files; a '\r' before '\n' belongs to the line end
  std::optional<char> quote = '"';
  std::optional<char> escape;
  std::string comment_prefix;
  bool trim_blanks = false;

  bool NeedsStateMachine() const { return escape.has_value() || !comment_prefix.empty(); }
};

/// Positions are relative to the region's beginning. Reused from region to region to keep its
/// memory.
struct CsvTokens {
  /// Of the character behind each field: a delimiter, a line end, or the end of the text.
  std::unique_ptr<uint32_t[]> field_ends;
  size_t field_count = 0;
  size_t field_capacity = 0;
  /// How many fields there are up to and including each row.
  std::vector<uint32_t> row_field_counts;
  /// Where text follows a closing quote.
  std::vector<uint32_t> broken_quotes;
  ByteTraits traits;
  /// Bytes from the region's beginning to behind its last line end.
  size_t size_bytes = 0;

  void Clear();
  /// Room for `count` more fields.
  void Reserve(size_t count);
};

enum class TokenizeEnd : uint8_t {
  kComplete,   ///< the region ends behind a line end or at the end of the text
  kTooLong,    ///< a row goes on for more than the bytes allowed; tokens up to it are valid
  kOpenQuote,  ///< the text ends inside a quoted field; tokens up to the row that holds it are
               ///< valid
};

struct CsvRegion {
  std::string_view text;     ///< from a row's beginning to the end of the file
  size_t wanted_bytes = 0;   ///< the region is all rows that begin before this position
  size_t max_row_bytes = 0;  ///< > 0
};

/// Pure but for `tokens`, which is cleared first. O(bytes).
TokenizeEnd TokenizeCsv(const CsvRegion& region, const CsvSyntax& syntax, CsvTokens& tokens);

/// Where the quoted field begins that is still open at the end of `row` (which begins a row);
/// nothing if none is.
std::optional<size_t> FindOpenQuote(std::string_view row, const CsvSyntax& syntax);

/// One row by the same rules, slowly: for headers and for looking at a file's beginning.
struct CsvLine {
  std::vector<std::string> fields;  ///< unquoted, unescaped, trimmed as the syntax says
  size_t size_bytes = 0;            ///< with its line end
  bool is_blank = false;            ///< nothing but blanks, or a comment
  bool is_open = false;             ///< the text ended inside a quoted field
};
CsvLine ReadCsvLine(std::string_view text, const CsvSyntax& syntax);

/// The content of a field as it stands in the text, without line end.
struct CsvField {
  std::string_view text;  ///< points into the file or into `scratch`
  bool is_quoted = false;
};
/// Removes blanks (if the syntax says so), quotes and escapes. `scratch` holds the text where it
/// had escapes, with at least kNumberSlackBytes behind it.
CsvField UnwrapField(const char* begin, const char* end, const CsvSyntax& syntax,
                     std::string& scratch);

}  // namespace sluice::table::internal
