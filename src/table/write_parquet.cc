#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include "table/canonical.h"
#include "table/internal/arrow_status.h"
#include "table/internal/atomic_output.h"
#include "table/write.h"

namespace sluice::table {

namespace {

arrow::Compression::type ArrowCompression(ParquetCompression compression) {
  switch (compression) {
    case ParquetCompression::kZstd: return arrow::Compression::ZSTD;
    case ParquetCompression::kSnappy: return arrow::Compression::SNAPPY;
    case ParquetCompression::kNone: return arrow::Compression::UNCOMPRESSED;
  }
  return arrow::Compression::UNCOMPRESSED;
}

}  // namespace

Status WriteParquet(const arrow::Table& table, const std::string& path,
                    const ParquetOptions& options) {
  for (const std::shared_ptr<arrow::Field>& field : table.schema()->fields()) {
    CHECK_MSG(CanonicalType(*field->type()).has_value(),
              "column '" + field->name() + "' is not canonical");
  }
  ASSIGN_OR_RETURN(std::unique_ptr<internal::AtomicOutput> output,
                   internal::AtomicOutput::Open(path));
  std::string context = fmt::format("write '{}'", path);
  // One chunk a column: where pages are cut must not show how the rows came.
  ARROW_ASSIGN(std::shared_ptr<arrow::Table> combined, context, table.CombineChunks());
  std::shared_ptr<parquet::WriterProperties> properties =
      parquet::WriterProperties::Builder()
          .compression(ArrowCompression(options.compression))
          ->created_by("sluice")
          ->build();
  arrow::Status status;
  try {
    status = parquet::arrow::WriteTable(*combined, arrow::default_memory_pool(), output->stream(),
                                        options.row_group_rows, properties);
  } catch (const parquet::ParquetException& exception) {
    status = arrow::Status::IOError(exception.what());
  }
  if (!output->status().ok()) return output->status();
  ARROW_RETURN_IF_ERROR(context, status);
  return output->Commit();
}

}  // namespace sluice::table
