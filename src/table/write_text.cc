#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "formats/json_text.h"
#include "table/canonical.h"
#include "table/internal/arrow_status.h"
#include "table/internal/atomic_output.h"
#include "table/internal/format_value.h"
#include "table/write.h"

namespace sluice::table {

namespace {

using internal::AtomicOutput;

constexpr size_t kFlushBytes = size_t{1} << 18;

/// Calls print(batch, row, out) for each row, and writes what it appended to `out`.
template <typename Print>
Status WriteRows(const arrow::Table& table, AtomicOutput& output, std::string out, Print&& print) {
  arrow::TableBatchReader reader(table);
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_IF_ERROR("read table", reader.ReadNext(&batch));
    if (batch == nullptr) break;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      print(*batch, row, out);
      if (out.size() < kFlushBytes) continue;
      RETURN_IF_ERROR(output.Append(out));
      out.clear();
    }
  }
  return output.Append(out);
}

void CheckCanonical(const arrow::Table& table) {
  for (const std::shared_ptr<arrow::Field>& field : table.schema()->fields()) {
    CHECK_MSG(CanonicalType(*field->type()).has_value(),
              "column '" + field->name() + "' is not canonical");
  }
}

bool NeedsQuotes(std::string_view text, const CsvWriteOptions& options) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.front() == '\t' ||
      text.back() == '\t')
    return true;
  for (char c : text) {
    if (c == options.delimiter || c == '"' || c == '\n' || c == '\r') return true;
  }
  const std::vector<std::string>& nulls = DefaultNullSpellings();
  return text == options.null_text || std::find(nulls.begin(), nulls.end(), text) != nulls.end();
}

void AppendCsvString(std::string_view text, const CsvWriteOptions& options, std::string& out) {
  if (!NeedsQuotes(text, options)) {
    out += text;
    return;
  }
  out += '"';
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void AppendJsonValue(const arrow::Array& array, int64_t row, std::string& out) {
  if (array.IsNull(row)) {
    out += "null";
    return;
  }
  switch (array.type_id()) {
    case arrow::Type::STRING:
      formats::AppendJsonText(static_cast<const arrow::StringArray&>(array).GetView(row), out);
      return;
    case arrow::Type::DOUBLE: {
      double value = static_cast<const arrow::DoubleArray&>(array).Value(row);
      if (std::isfinite(value)) {
        internal::AppendDouble(value, out);
      } else {
        out += "null";
      }
      return;
    }
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
      out += '"';
      internal::AppendValue(array, row, out);
      out += '"';
      return;
    default: internal::AppendValue(array, row, out);
  }
}

}  // namespace

Status WriteCsv(const arrow::Table& table, const std::string& path,
                const CsvWriteOptions& options) {
  CheckCanonical(table);
  const int column_count = table.num_columns();
  if (column_count == 0)
    return InvalidArgument(fmt::format("write '{}': the table has no columns", path));
  ASSIGN_OR_RETURN(std::unique_ptr<AtomicOutput> output, AtomicOutput::Open(path));
  // A lone empty field is an empty line, which readers skip.
  std::string_view null_text =
      options.null_text.empty() && column_count == 1 ? "NA" : std::string_view(options.null_text);
  std::string header;
  for (int i = 0; i < column_count && options.has_header; ++i) {
    if (i > 0) header += options.delimiter;
    AppendCsvString(table.field(i)->name(), options, header);
  }
  if (options.has_header) header += '\n';
  RETURN_IF_ERROR(WriteRows(table, *output, std::move(header),
                            [&](const arrow::RecordBatch& batch, int64_t row, std::string& out) {
                              for (int i = 0; i < column_count; ++i) {
                                if (i > 0) out += options.delimiter;
                                const arrow::Array& array = *batch.column(i);
                                if (array.IsNull(row)) {
                                  out += null_text;
                                } else if (array.type_id() == arrow::Type::STRING) {
                                  AppendCsvString(
                                      static_cast<const arrow::StringArray&>(array).GetView(row),
                                      options, out);
                                } else {
                                  internal::AppendValue(array, row, out);
                                }
                              }
                              out += '\n';
                            }));
  return output->Commit();
}

Status WriteJsonLines(const arrow::Table& table, const std::string& path) {
  CheckCanonical(table);
  ASSIGN_OR_RETURN(std::unique_ptr<AtomicOutput> output, AtomicOutput::Open(path));
  std::vector<std::string> keys;
  for (int i = 0; i < table.num_columns(); ++i) {
    std::string& key = keys.emplace_back(i == 0 ? "" : ",");
    formats::AppendJsonText(table.field(i)->name(), key);
    key += ':';
  }
  RETURN_IF_ERROR(WriteRows(table, *output, std::string(),
                            [&](const arrow::RecordBatch& batch, int64_t row, std::string& out) {
                              out += '{';
                              for (int i = 0; i < table.num_columns(); ++i) {
                                out += keys[static_cast<size_t>(i)];
                                AppendJsonValue(*batch.column(i), row, out);
                              }
                              out += "}\n";
                            }));
  return output->Commit();
}

Status WriteTable(const arrow::Table& table, const std::string& path) {
  size_t dot = path.find_last_of("./");
  std::string_view extension =
      dot == std::string::npos || path[dot] == '/' ? "" : std::string_view(path).substr(dot);
  if (extension == ".csv") return WriteCsv(table, path);
  if (extension == ".tsv")
    return WriteCsv(table, path, {.delimiter = '\t', .has_header = true, .null_text = {}});
  if (extension == ".jsonl" || extension == ".ndjson") return WriteJsonLines(table, path);
  if (extension == ".parquet") return WriteParquet(table, path);
  if (extension == ".arrow") return WriteIpc(table, path);
  return InvalidArgument(
      fmt::format("cannot tell the format of '{}' by its extension; use .csv, .tsv, .jsonl, "
                  ".ndjson, .parquet or .arrow",
                  path));
}

}  // namespace sluice::table
