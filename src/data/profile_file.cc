#include "data/profile_file.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <optional>
#include <thread>

#include "base/check.h"
#include "table/scan.h"

namespace sluice::data {

namespace {

class ProfilingVisitor final : public table::ScanVisitor {
 public:
  explicit ProfilingVisitor(const ProfileOptions& options) : options_(options) {}

  /// May come twice: what the first reading gathered is dropped.
  void Begin(const std::shared_ptr<arrow::Schema>& schema, size_t /*chunk_count*/) override {
    Result<std::unique_ptr<TableProfiler>> profiler = TableProfiler::Create(*schema, options_);
    CHECK_MSG(profiler.ok(), "the scan's schema is canonical");
    profiler_ = std::move(profiler).value();
  }

  void Visit(size_t chunk_index, const std::shared_ptr<arrow::RecordBatch>& batch) override {
    profiler_->Add(static_cast<int64_t>(chunk_index), *batch);
  }

  TableProfile Finish(size_t thread_count) { return profiler_->Finish(thread_count); }

 private:
  const ProfileOptions& options_;
  std::unique_ptr<TableProfiler> profiler_;
};

}  // namespace

Result<FileProfile> ProfileFiles(const std::vector<std::string>& paths,
                                 const table::ReadOptions& read, const ProfileOptions& options) {
  ProfilingVisitor visitor(options);
  ASSIGN_OR_RETURN(table::ScanOutcome outcome, table::ScanTable(paths, read, visitor));
  size_t thread_count = read.thread_count != 0 ? read.thread_count
                                               : std::max(1U, std::thread::hardware_concurrency());
  return FileProfile{.profile = visitor.Finish(thread_count), .facts = std::move(outcome.facts)};
}

}  // namespace sluice::data
