#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <deque>

#include "table/canonical.h"
#include "table/internal/arrow_status.h"
#include "table/internal/atomic_output.h"
#include "table/internal/plain_array.h"
#include "table/write.h"

namespace sluice::table {

namespace {

using internal::AtomicOutput;

std::shared_ptr<arrow::Schema> PlainSchema(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (const std::shared_ptr<arrow::Field>& field : schema.fields()) {
    CHECK_MSG(CanonicalType(*field->type()).has_value(),
              "column '" + field->name() + "' is not canonical");
    fields.push_back(arrow::field(field->name(), field->type()));
  }
  return arrow::schema(std::move(fields));
}

}  // namespace

struct IpcFileWriter::State {
  std::string path;
  std::shared_ptr<arrow::Schema> schema;
  std::unique_ptr<AtomicOutput> output;
  std::shared_ptr<arrow::io::OutputStream> stream;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer;
  std::deque<std::shared_ptr<arrow::RecordBatch>> pending;
  int64_t pending_rows = 0;

  std::string Context() const { return fmt::format("write '{}'", path); }

  Error ErrorOf(const arrow::Status& status) const {
    return output->status().ok() ? internal::FromArrow(status, Context())
                                 : output->status().error();
  }

  /// Takes `row_count` of the pending rows as one batch and writes it in the one form that does not
  /// show how the rows came: offsets from zero, no bitmap without nulls, zeros in the slots of
  /// nulls.
  Status WriteBatch(int64_t row_count) {
    std::vector<arrow::ArrayVector> pieces(static_cast<size_t>(schema->num_fields()));
    for (int64_t wanted = row_count; wanted > 0;) {
      std::shared_ptr<arrow::RecordBatch> first = pending.front();
      pending.pop_front();
      if (first->num_rows() > wanted) {
        pending.push_front(first->Slice(wanted));
        first = first->Slice(0, wanted);
      }
      wanted -= first->num_rows();
      for (int i = 0; i < schema->num_fields(); ++i)
        pieces[static_cast<size_t>(i)].push_back(first->column(i));
    }
    pending_rows -= row_count;
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const arrow::ArrayVector& column : pieces) {
      ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> plain, internal::PlainArray(column));
      columns.push_back(std::move(plain));
    }
    arrow::Status status =
        writer->WriteRecordBatch(*arrow::RecordBatch::Make(schema, row_count, std::move(columns)));
    return status.ok() ? Ok() : Status(ErrorOf(status));
  }
};

IpcFileWriter::IpcFileWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
IpcFileWriter::~IpcFileWriter() = default;

Result<std::unique_ptr<IpcFileWriter>> IpcFileWriter::Open(const std::string& path,
                                                           std::shared_ptr<arrow::Schema> schema) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->schema = PlainSchema(*schema);
  ASSIGN_OR_RETURN(state->output, AtomicOutput::Open(path));
  state->stream = state->output->stream();
  arrow::ipc::IpcWriteOptions options = arrow::ipc::IpcWriteOptions::Defaults();
  options.use_threads = false;
  ARROW_ASSIGN(state->writer, state->Context(),
               arrow::ipc::MakeFileWriter(state->stream, state->schema, options));
  return std::unique_ptr<IpcFileWriter>(new IpcFileWriter(std::move(state)));
}

Status IpcFileWriter::Append(const std::shared_ptr<arrow::RecordBatch>& batch) {
  // Names and types count; whether a field says it may be null does not.
  CHECK_MSG(state_->schema->Equals(*PlainSchema(*batch->schema())), "a batch with another schema");
  if (batch->num_rows() == 0) return Ok();
  state_->pending.push_back(batch);
  state_->pending_rows += batch->num_rows();
  while (state_->pending_rows >= kIpcBatchRows) RETURN_IF_ERROR(state_->WriteBatch(kIpcBatchRows));
  return Ok();
}

Status IpcFileWriter::Finish() {
  if (state_->pending_rows > 0) RETURN_IF_ERROR(state_->WriteBatch(state_->pending_rows));
  arrow::Status status = state_->writer->Close();
  if (!status.ok()) return state_->ErrorOf(status);
  return state_->output->Commit();
}

Status WriteIpc(const arrow::Table& table, const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<IpcFileWriter> writer,
                   IpcFileWriter::Open(path, table.schema()));
  arrow::TableBatchReader reader(table);
  reader.set_chunksize(kIpcBatchRows);
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_IF_ERROR("read table", reader.ReadNext(&batch));
    if (batch == nullptr) return writer->Finish();
    RETURN_IF_ERROR(writer->Append(
        arrow::RecordBatch::Make(table.schema(), batch->num_rows(), batch->columns())));
  }
}

}  // namespace sluice::table
