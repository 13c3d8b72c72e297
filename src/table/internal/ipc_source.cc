#include "table/internal/ipc_source.h"

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include "io/mapped_file.h"
#include "table/canonical.h"
#include "table/internal/arrow_status.h"
#include "table/internal/columnar_source.h"

namespace sluice::table::internal {

namespace {

constexpr std::string_view kMagic = "ARROW1";

/// The batches of a file, pointing into its mapping.
struct IpcBatches {
  std::shared_ptr<arrow::Schema> schema;
  arrow::RecordBatchVector batches;
  int64_t size_bytes = 0;
};

Result<IpcBatches> MapBatches(const std::string& path) {
  // Opened by ourselves first, for errors that name what is wrong with the file.
  ASSIGN_OR_RETURN(io::MappedFile probe, io::MappedFile::Open(path));
  std::string_view bytes = probe.bytes();
  if (bytes.empty()) return InvalidArgument(fmt::format("'{}' is empty", path));
  if (!bytes.starts_with(kMagic)) {
    return InvalidArgument(
        fmt::format("'{}' is not an Arrow IPC file: it does not begin with ARROW1", path));
  }
  if (!bytes.ends_with(kMagic)) {
    return DataLoss(
        fmt::format("'{}' is a truncated Arrow IPC file: it does not end with ARROW1", path));
  }
  std::string context = fmt::format("read '{}' as Arrow IPC", path);
  ARROW_ASSIGN(std::shared_ptr<arrow::io::MemoryMappedFile> file, context,
               arrow::io::MemoryMappedFile::Open(path, arrow::io::FileMode::READ));
  arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  ARROW_ASSIGN(std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader, context,
               arrow::ipc::RecordBatchFileReader::Open(file, options));
  IpcBatches result{
      .schema = reader->schema(), .batches = {}, .size_bytes = static_cast<int64_t>(bytes.size())};
  for (int i = 0; i < reader->num_record_batches(); ++i) {
    ARROW_ASSIGN(std::shared_ptr<arrow::RecordBatch> batch, context, reader->ReadRecordBatch(i));
    ARROW_RETURN_IF_ERROR(context, batch->ValidateFull());
    result.batches.push_back(std::move(batch));
  }
  return result;
}

class IpcSource : public ColumnarSource {
 public:
  IpcSource(FileFacts facts, std::shared_ptr<arrow::Schema> schema,
            arrow::RecordBatchVector batches)
      : ColumnarSource(std::move(facts), std::move(schema)), batches_(std::move(batches)) {}

  size_t chunk_count() const override { return batches_.size(); }
  Result<ChunkResult> ReadChunk(size_t chunk_index) override {
    ChunkResult result;
    Result<std::shared_ptr<arrow::RecordBatch>> batch = Canonicalise(batches_[chunk_index]);
    if (!batch.ok()) return std::move(batch).error().With(fmt::format("'{}'", path()));
    result.row_count = (*batch)->num_rows();
    if (result.row_count > 0) result.batch = std::move(batch).value();
    return result;
  }

 private:
  const arrow::RecordBatchVector batches_;
};

}  // namespace

Result<std::shared_ptr<arrow::Table>> MapIpcTable(const std::string& path) {
  ASSIGN_OR_RETURN(IpcBatches mapped, MapBatches(path));
  ARROW_ASSIGN(std::shared_ptr<arrow::Table> table, path,
               arrow::Table::FromRecordBatches(mapped.schema, mapped.batches));
  return table;
}

Result<std::unique_ptr<ChunkSource>> OpenIpcSource(const std::string& path) {
  ASSIGN_OR_RETURN(IpcBatches mapped, MapBatches(path));
  Result<std::shared_ptr<arrow::Schema>> schema = CanonicalSchema(*mapped.schema);
  if (!schema.ok()) return std::move(schema).error().With(fmt::format("'{}'", path));
  FileFacts facts{.path = path, .format = Format::kArrowIpc, .size_bytes = mapped.size_bytes};
  return std::unique_ptr<ChunkSource>(std::make_unique<IpcSource>(
      std::move(facts), std::move(schema).value(), std::move(mapped.batches)));
}

}  // namespace sluice::table::internal
