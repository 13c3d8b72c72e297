#include "table/internal/parquet_source.h"

#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <numeric>

#include "io/mapped_file.h"
#include "table/canonical.h"
#include "table/internal/arrow_status.h"
#include "table/internal/columnar_source.h"

namespace sluice::table::internal {

namespace {

constexpr std::string_view kMagic = "PAR1";
constexpr size_t kMinFileBytes = 12;  // magic, footer length, magic

/// What is open of one file. Readers are made per chunk, for Parquet's are not thread-safe; they
/// share this.
struct ParquetFile {
  std::string path;
  std::shared_ptr<arrow::io::RandomAccessFile> file;
  std::shared_ptr<parquet::FileMetaData> metadata;

  std::string Context() const { return fmt::format("read '{}' as Parquet", path); }
};

/// Parquet's own layer throws; nothing of it leaves this function.
Result<std::unique_ptr<parquet::arrow::FileReader>> OpenReader(const ParquetFile& parquet_file) {
  try {
    std::unique_ptr<parquet::ParquetFileReader> reader = parquet::ParquetFileReader::Open(
        parquet_file.file, parquet::default_reader_properties(), parquet_file.metadata);
    parquet::ArrowReaderProperties properties(/*use_threads=*/false);
    properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
    parquet::arrow::FileReaderBuilder builder;
    ARROW_ASSIGN(std::unique_ptr<parquet::arrow::FileReader> result, parquet_file.Context(),
                 parquet::arrow::FileReader::Make(arrow::default_memory_pool(), std::move(reader),
                                                  properties));
    return result;
  } catch (const parquet::ParquetException& exception) {
    return DataLoss(fmt::format("{}: {}", parquet_file.Context(), exception.what()));
  }
}

class ParquetSource : public ColumnarSource {
 public:
  ParquetSource(FileFacts facts, std::shared_ptr<arrow::Schema> schema, ParquetFile file,
                std::vector<int> leaves)
      : ColumnarSource(std::move(facts), std::move(schema)),
        file_(std::move(file)),
        leaves_(std::move(leaves)) {}

  size_t chunk_count() const override {
    return static_cast<size_t>(file_.metadata->num_row_groups());
  }

  Result<ChunkResult> ReadChunk(size_t chunk_index) override {
    ASSIGN_OR_RETURN(std::unique_ptr<parquet::arrow::FileReader> reader, OpenReader(file_));
    ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table,
                     ReadRowGroup(*reader, static_cast<int>(chunk_index)));
    Result<std::shared_ptr<arrow::Table>> canonical = Canonicalise(table);
    if (!canonical.ok()) return std::move(canonical).error().With(fmt::format("'{}'", path()));
    ChunkResult result;
    result.row_count = (*canonical)->num_rows();
    if (result.row_count > 0) {
      ARROW_ASSIGN(result.batch, file_.Context(), (*canonical)->CombineChunksToBatch());
    }
    return result;
  }

 private:
  Result<std::shared_ptr<arrow::Table>> ReadRowGroup(parquet::arrow::FileReader& reader,
                                                     int index) const {
    try {
      ARROW_ASSIGN(std::shared_ptr<arrow::Table> table, file_.Context(),
                   reader.ReadRowGroup(index, leaves_));
      ARROW_RETURN_IF_ERROR(file_.Context(), table->Validate());
      return table;
    } catch (const parquet::ParquetException& exception) {
      return DataLoss(fmt::format("{}: {}", file_.Context(), exception.what()));
    }
  }

  const ParquetFile file_;
  const std::vector<int> leaves_;
};

Status CheckMagic(const std::string& path, std::string_view bytes) {
  if (bytes.empty()) return InvalidArgument(fmt::format("'{}' is empty", path));
  if (bytes.starts_with("PARE")) {
    return InvalidArgument(
        fmt::format("'{}' is an encrypted Parquet file, which is not supported", path));
  }
  if (!bytes.starts_with(kMagic)) {
    return InvalidArgument(
        fmt::format("'{}' is not a Parquet file: it does not begin with PAR1", path));
  }
  if (bytes.size() < kMinFileBytes || !bytes.ends_with(kMagic)) {
    return DataLoss(
        fmt::format("'{}' is a truncated Parquet file: it does not end with PAR1", path));
  }
  return Ok();
}

}  // namespace

Result<std::unique_ptr<ChunkSource>> OpenParquetSource(const std::string& path,
                                                       const std::vector<std::string>& columns) {
  ASSIGN_OR_RETURN(io::MappedFile probe, io::MappedFile::Open(path));
  RETURN_IF_ERROR(CheckMagic(path, probe.bytes()));
  ParquetFile file{.path = path, .file = nullptr, .metadata = nullptr};
  ARROW_ASSIGN(file.file, file.Context(), arrow::io::ReadableFile::Open(path));
  std::shared_ptr<arrow::Schema> whole_schema;
  std::vector<int> leaves;
  arrow::FieldVector fields;
  ASSIGN_OR_RETURN(std::unique_ptr<parquet::arrow::FileReader> reader, OpenReader(file));
  file.metadata = reader->parquet_reader()->metadata();
  ARROW_RETURN_IF_ERROR(file.Context(), reader->GetSchema(&whole_schema));
  for (int i = 0; i < whole_schema->num_fields(); ++i) {
    const std::shared_ptr<arrow::Field>& field = whole_schema->field(i);
    if (!columns.empty() &&
        std::find(columns.begin(), columns.end(), field->name()) == columns.end())
      continue;
    fields.push_back(field);
    // A flat column is one leaf; nested ones are refused by CanonicalSchema.
    const parquet::arrow::SchemaField& place =
        reader->manifest().schema_fields[static_cast<size_t>(i)];
    if (place.is_leaf()) leaves.push_back(place.column_index);
  }
  Result<std::shared_ptr<arrow::Schema>> schema =
      CanonicalSchema(*arrow::schema(std::move(fields)));
  if (!schema.ok()) return std::move(schema).error().With(fmt::format("'{}'", path));
  FileFacts facts{.path = path,
                  .format = Format::kParquet,
                  .size_bytes = static_cast<int64_t>(probe.bytes().size())};
  return std::unique_ptr<ChunkSource>(std::make_unique<ParquetSource>(
      std::move(facts), std::move(schema).value(), std::move(file), std::move(leaves)));
}

}  // namespace sluice::table::internal
