#include "table/read.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "table/internal/arrow_status.h"
#include "table/internal/chunk_driver.h"
#include "table/internal/open_source.h"
#include "table/scan.h"

namespace sluice::table {

namespace {

class Collector : public ScanVisitor {
 public:
  void Begin(const std::shared_ptr<arrow::Schema>&, size_t chunk_count) override {
    batches_.assign(chunk_count, nullptr);
  }
  void Visit(size_t chunk_index, const std::shared_ptr<arrow::RecordBatch>& batch) override {
    batches_[chunk_index] = batch;
  }

  Result<std::shared_ptr<arrow::Table>> Finish(const std::shared_ptr<arrow::Schema>& schema) {
    std::erase(batches_, nullptr);
    ARROW_ASSIGN(std::shared_ptr<arrow::Table> table, "read",
                 arrow::Table::FromRecordBatches(schema, batches_));
    return table;
  }

 private:
  arrow::RecordBatchVector batches_;  // a slot per chunk: no two threads write the same
};

}  // namespace

Result<ReadOutcome> ReadTable(const std::vector<std::string>& paths, const ReadOptions& options) {
  Collector collector;
  ASSIGN_OR_RETURN(ScanOutcome scan, ScanTable(paths, options, collector));
  ASSIGN_OR_RETURN(std::shared_ptr<arrow::Table> table, collector.Finish(scan.schema));
  return ReadOutcome{.table = std::move(table), .facts = std::move(scan.facts)};
}

Result<std::unique_ptr<BatchReader>> OpenBatches(const std::vector<std::string>& paths,
                                                 const ReadOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<internal::ChunkSource> source,
                   internal::OpenSource(paths, options));
  if (!source->has_final_types()) {
    ASSIGN_OR_RETURN(ScanOutcome types, internal::DriveScan(*source, options, nullptr));
    source->Restart();
  }
  return internal::MakeBatchReader(std::move(source), options);
}

}  // namespace sluice::table
