// How tables are read: the options of ReadTable, OpenBatches and ScanTable. Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "table/canonical.h"

namespace sluice::table {

enum class Format : uint8_t {
  kAuto,  ///< by extension (.csv .tsv .txt .data .test .tab, .jsonl .ndjson .json, .parquet .pq,
          ///< .arrow .feather .ipc), else by the first bytes, else CSV
  kCsv,
  kJsonLines,
  kParquet,
  kArrowIpc,
};
/// "auto", "csv", "json_lines", "parquet", "arrow_ipc".
std::string_view FormatName(Format format);
std::optional<Format> FindFormat(std::string_view name);

enum class Encoding : uint8_t {
  kAuto,  ///< by byte order mark, else UTF-8
  kUtf8,
  kUtf16Le,
  kUtf16Be,
  kLatin1,
  kWindows1252,
};
/// "auto", "utf-8", "utf-16-le", "utf-16-be", "latin1", "windows-1252".
std::string_view EncodingName(Encoding encoding);
std::optional<Encoding> FindEncoding(std::string_view name);

/// What happens to a row that cannot be read: wrong number of fields, text after a closing quote,
/// bytes that are not UTF-8, a NUL byte, a field over the limit, a value that does not fit its
/// given type.
enum class BadRowPolicy : uint8_t {
  kFail,  ///< the first bad row of the first file fails the read; the error names file, line and
          ///< column
  kSkip,  ///< set aside: counted, the first few kept as samples
};

/// The null spellings that pandas has too, less those that are more often words ("NA" stays, as in
/// pandas). Applied to unquoted fields only: empty, NA, N/A, n/a, <NA>, #N/A, #NA, NULL, null, NaN,
/// nan, -NaN, -nan, None, #N/A N/A.
const std::vector<std::string>& DefaultNullSpellings();

struct CsvOptions {
  /// Not given: the one of , ; tab | that cuts the first lines into the most equal rows (ties: in
  /// that order).
  std::optional<char> delimiter;
  /// The first line that is not skipped or a comment holds the names.
  bool has_header = true;
  /// Given names; they replace the header's if there is one. Without either, columns are
  /// "column_1", "column_2", ...
  std::vector<std::string> column_names;
  /// Lines beginning with this are no rows; empty: no comments. Not inside a quoted field.
  std::string comment_prefix;
  /// Lines dropped from the beginning of each file, before the header, whatever is in them.
  int64_t skip_line_count = 0;
  /// Nothing: quotes are ordinary characters. A quote inside a quoted field is doubled.
  std::optional<char> quote = '"';
  /// Inside quoted fields, takes the next character as it is ("\"" in MySQL's files). Nothing: no
  /// such character.
  std::optional<char> escape;
  /// Removes blanks and tabs around each unquoted field (and between a field's quotes and its
  /// delimiters). Without it, numbers, dates and booleans are still read with blanks around them;
  /// strings keep theirs.
  bool trim_blanks = false;
  /// Unquoted text that means "no value". A quoted spelling is text, unless `quoted_nulls` (then ""
  /// is null as well).
  std::vector<std::string> null_spellings = DefaultNullSpellings();
  bool quoted_nulls = false;
  /// More of them, quoted or not: "?", "unknown", "-999".
  std::vector<std::string> added_null_spellings;
  /// Spellings that are also numbers ("1", "0") are used only for columns whose given type is bool.
  std::vector<std::string> true_spellings = {"true", "True", "TRUE"};
  std::vector<std::string> false_spellings = {"false", "False", "FALSE"};
  /// '.' or ','.
  char decimal_point = '.';
  /// Between groups of three digits: ',', '.', '\'', '_' or ' '. Nothing: such text is no number.
  std::optional<char> thousands_separator;
  /// Tried in order before ISO 8601, which is always understood: %Y %y %m %d %H %I %M %S %f %p %b
  /// %B %z %%. A format without hours gives dates, one with gives timestamps.
  std::vector<std::string> date_formats;
  Encoding encoding = Encoding::kAuto;
};

/// Limits that are always on. A row over `max_row_bytes` is an error whatever the policy, for it
/// usually means a quote that was never closed.
struct ReadLimits {
  int64_t max_field_bytes = int64_t{16} << 20;
  int64_t max_row_bytes = int64_t{64} << 20;
  int64_t max_column_count = 100'000;
};

struct ReadOptions {
  Format format = Format::kAuto;
  CsvOptions csv;
  /// Given types by column name; all others are inferred (text formats) or canonicalised (Parquet,
  /// Arrow IPC). A name that no file has is an error.
  std::map<std::string, ColumnType, std::less<>> types;
  /// Columns to keep, in this order; empty: all, in the first file's order.
  std::vector<std::string> columns;
  BadRowPolicy bad_rows = BadRowPolicy::kFail;
  int64_t max_bad_row_samples = 20;
  /// Of several files: a column that one of them lacks is null there; without this it is an error.
  bool allow_missing_columns = false;
  ReadLimits limits;
  /// 0: one per core. The result never depends on it.
  size_t thread_count = 0;
  /// Text is cut into chunks of about this size on row boundaries. The rows and types do not depend
  /// on it, the batches do.
  size_t chunk_size_bytes = size_t{1} << 20;
};

}  // namespace sluice::table
