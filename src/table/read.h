// Files into tables: CSV, JSON Lines, Parquet and Arrow IPC, with types inferred, whole or in
// batches.
//
// Type inference (text formats) looks at every value, not at a sample: bool, int64, double, date,
// timestamp, else string. It never damages data: integers with leading zeros ("02134"), with a plus
// sign before more than six digits (phone numbers) or beyond int64 stay strings (the last become
// doubles where the column has other doubles), numbers too large for a double stay strings,
// fractions of a second beyond microseconds stay strings. A column that mixes kinds is a string
// column with each cell's own text. A column of nulls only is a string column.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "table/read_options.h"

namespace sluice::table {

/// A row that was set aside.
struct BadRow {
  std::string file;
  int64_t line = 0;                   ///< where the row begins, from 1 (Parquet and IPC: 0)
  std::optional<std::string> column;  ///< when one column is to blame
  std::string reason;                 ///< "expected 15 fields, found 1"
  std::string text;                   ///< the beginning of the row, at most 200 bytes, valid UTF-8
};

/// What was found out about one input file.
struct FileFacts {
  std::string path;
  Format format = Format::kAuto;
  int64_t size_bytes = 0;
  int64_t row_count = 0;                ///< good rows
  char delimiter = '\0';                ///< CSV only
  Encoding encoding = Encoding::kAuto;  ///< text formats: never kAuto
};

/// What every kind of reading reports at its end.
struct ReadFacts {
  int64_t row_count = 0;
  int64_t bad_row_count = 0;
  std::vector<BadRow> bad_rows;  ///< the first ReadOptions::max_bad_row_samples, in file order
  std::vector<FileFacts> files;
  int64_t bytes_read = 0;
};

struct ReadOutcome {
  std::shared_ptr<arrow::Table> table;  ///< canonical types
  ReadFacts facts;
};

/// Reads all files into one table, rows in the order of `paths`, columns matched by name. A column
/// whose type differs between the files gets the wider type (WiderType).
///
/// Errors: kInvalidArgument (not this format, bad rows under kFail, unknown column in the options,
/// a column missing in a file, nested types, no paths), kNotFound, kPermissionDenied, kUnavailable
/// as io::Fs, kResourceExhausted (a limit of ReadLimits), kDataLoss (truncated or corrupt Parquet
/// and IPC files). Messages name the file, and for text the line and column.
Result<ReadOutcome> ReadTable(const std::vector<std::string>& paths,
                              const ReadOptions& options = {});

/// Gives a table batch by batch. One thread at a time. Memory stays at a few chunks per thread,
/// whatever the size.
class BatchReader {
 public:
  virtual ~BatchReader() = default;
  /// Canonical types, the same in all batches.
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  /// The next rows, never zero of them; null at the end. After an error the reader is finished.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
  /// Of what Next has returned so far; complete once it returned null.
  virtual const ReadFacts& facts() const = 0;
};

/// As ReadTable, in batches. Where types must be inferred, all files are read twice, first for the
/// types; give all types to avoid that. Errors: as ReadTable, here or from Next.
Result<std::unique_ptr<BatchReader>> OpenBatches(const std::vector<std::string>& paths,
                                                 const ReadOptions& options = {});

/// The format of a file by extension and first bytes, never kAuto. Errors: as io::Fs;
/// kInvalidArgument for a directory, a compressed file or a spreadsheet (each named).
Result<Format> DetectFormat(const std::string& path);

}  // namespace sluice::table
