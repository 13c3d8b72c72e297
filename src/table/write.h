// Tables into files. Every function replaces its file atomically (a temporary file beside it,
// renamed), needs canonical types (CHECKs that; see Canonicalise) and writes the same bytes for the
// same rows, however they are chunked.
//
// Errors, all: kInvalidArgument (a path that is a directory, a value the format cannot hold),
// kPermissionDenied, kNotFound (no such folder), kResourceExhausted (disk full), kUnavailable.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "table/read_options.h"

namespace sluice::table {

inline constexpr int64_t kIpcBatchRows = 65'536;
/// The name of the table's file in a folder that holds a table.
inline constexpr char kTableFileName[] = "data.arrow";

/// An uncompressed Arrow IPC file in batches of kIpcBatchRows rows (the last one shorter), so that
/// it can be mapped.
Status WriteIpc(const arrow::Table& table, const std::string& path);

enum class ParquetCompression : uint8_t { kZstd, kSnappy, kNone };
struct ParquetOptions {
  ParquetCompression compression = ParquetCompression::kZstd;
  int64_t row_group_rows = 1 << 20;
};
Status WriteParquet(const arrow::Table& table, const std::string& path,
                    const ParquetOptions& options = {});

struct CsvWriteOptions {
  char delimiter = ',';
  bool has_header = true;
  std::string null_text;  ///< unquoted; strings that look like a null spelling are quoted, so that
                          ///< they read back
};
/// RFC 4180 with LF. Fields are quoted when they hold the delimiter, a quote or a line end, begin
/// or end with a blank, are empty, or would read back as null. Doubles are the shortest text that
/// reads back to the same bits and always show that they are doubles ("1.0"); NaN is "NaN",
/// infinities "inf" and "-inf". Dates and timestamps are ISO 8601
/// ("2021-03-04", "2021-03-04 05:06:07.25"). Strings that would read back as numbers are not
/// marked: give the type.
Status WriteCsv(const arrow::Table& table, const std::string& path,
                const CsvWriteOptions& options = {});

/// One object a line, members in column order, nulls as null. NaN and infinities, which JSON lacks,
/// become null.
Status WriteJsonLines(const arrow::Table& table, const std::string& path);

/// By the path's extension: .csv, .tsv (tabs), .jsonl, .ndjson, .parquet, .arrow. Errors: also
/// kInvalidArgument for another extension, naming those known.
Status WriteTable(const arrow::Table& table, const std::string& path);

/// Writes one Arrow IPC file from batches of any size, keeping at most kIpcBatchRows rows in
/// memory. One thread at a time. Without Finish nothing appears at `path`.
class IpcFileWriter {
 public:
  static Result<std::unique_ptr<IpcFileWriter>> Open(const std::string& path,
                                                     std::shared_ptr<arrow::Schema> schema);
  ~IpcFileWriter();
  Status Append(const std::shared_ptr<arrow::RecordBatch>& batch);
  /// Writes the rest and renames the file into place. Call once.
  Status Finish();

 private:
  struct State;
  explicit IpcFileWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::table
