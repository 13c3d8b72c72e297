#include "table/internal/chunk_driver.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <optional>
#include <thread>

#include "base/guarded.h"
#include "base/thread_pool.h"

namespace sluice::table::internal {

namespace {

/// What is kept of each chunk once its batch is gone.
struct ChunkNote {
  int64_t row_count = 0;
  int64_t problem_count = 0;
  std::vector<ChunkProblem> problems;
  std::vector<std::pair<size_t, KindSet>> misfits;
  std::optional<Error> error;
};

ReadFacts EmptyFacts(const ChunkSource& source) {
  ReadFacts facts;
  facts.files = source.files();
  for (const FileFacts& file : facts.files) facts.bytes_read += file.size_bytes;
  return facts;
}

/// Adds a chunk's part to the facts, or returns the error that it is under the options' policy.
Status AddToFacts(ChunkSource& source, const ReadOptions& options, size_t chunk_index,
                  const ChunkNote& note, ReadFacts& facts) {
  if (options.bad_rows == BadRowPolicy::kFail && !note.problems.empty())
    return source.ErrorOf(note.problems.front());
  if (note.error) return *note.error;
  facts.row_count += note.row_count;
  facts.files[source.FileOfChunk(chunk_index)].row_count += note.row_count;
  facts.bad_row_count += note.problem_count;
  for (const ChunkProblem& problem : note.problems) {
    if (static_cast<int64_t>(facts.bad_rows.size()) >= options.max_bad_row_samples) break;
    facts.bad_rows.push_back(source.Describe(problem));
  }
  return Ok();
}

ChunkNote MakeNote(Result<ChunkResult>& result) {
  ChunkNote note;
  if (!result.ok()) {
    note.error = result.error();
    return note;
  }
  note.row_count = result->row_count;
  note.problem_count = result->problem_count;
  note.problems = std::move(result->problems);
  note.misfits = std::move(result->misfits);
  return note;
}

/// One pass over all chunks. The visitor sees none after a misfit: what it has will be dropped.
std::vector<ChunkNote> ReadAll(ChunkSource& source, const ReadOptions& options,
                               ScanVisitor* visitor) {
  std::vector<ChunkNote> notes(source.chunk_count());
  std::atomic<bool> is_failed{false};
  std::atomic<bool> has_misfit{false};
  std::atomic<size_t> next{0};
  // Indexes are taken in order by whoever is free, which ReadChunk relies on.
  ParallelFor(ThreadCount(options), std::min(ThreadCount(options), notes.size()), [&](size_t) {
    while (!is_failed.load(std::memory_order_relaxed)) {
      size_t index = next++;
      if (index >= notes.size()) return;
      Result<ChunkResult> result = source.ReadChunk(index);
      if (result.ok() && !result->misfits.empty()) has_misfit = true;
      if (visitor != nullptr && result.ok() && result->batch != nullptr &&
          !has_misfit.load(std::memory_order_relaxed)) {
        visitor->Visit(index, result->batch);
      }
      notes[index] = MakeNote(result);
      bool is_fatal = notes[index].error.has_value() ||
                      (options.bad_rows == BadRowPolicy::kFail && notes[index].problem_count > 0);
      if (is_fatal) is_failed = true;
    }
  });
  return notes;
}

class OrderedReader : public BatchReader {
 public:
  OrderedReader(std::unique_ptr<ChunkSource> source, const ReadOptions& options)
      : source_(std::move(source)), options_(options), facts_(EmptyFacts(*source_)) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return source_->schema(); }
  const ReadFacts& facts() const override { return facts_; }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (!is_finished_) {
      if (ready_.empty()) {
        if (next_chunk_ == source_->chunk_count()) break;
        ReadWindow();
      }
      Pending pending = std::move(ready_.front());
      ready_.pop_front();
      if (Status status = AddToFacts(*source_, options_, pending.chunk_index, pending.note, facts_);
          !status.ok()) {
        is_finished_ = true;
        ready_.clear();
        return std::move(status).error();
      }
      if (pending.batch != nullptr) return pending.batch;
    }
    return std::shared_ptr<arrow::RecordBatch>();
  }

 private:
  struct Pending {
    size_t chunk_index = 0;
    ChunkNote note;
    std::shared_ptr<arrow::RecordBatch> batch;
  };

  /// Two chunks a thread, so that a slow one does not hold up the others for long.
  void ReadWindow() {
    size_t thread_count = ThreadCount(options_);
    size_t count = std::min(2 * thread_count, source_->chunk_count() - next_chunk_);
    std::vector<Pending> window(count);
    ParallelFor(thread_count, count, [&](size_t i) {
      window[i].chunk_index = next_chunk_ + i;
      Result<ChunkResult> result = source_->ReadChunk(next_chunk_ + i);
      if (result.ok()) window[i].batch = std::move(result->batch);
      window[i].note = MakeNote(result);
    });
    next_chunk_ += count;
    std::move(window.begin(), window.end(), std::back_inserter(ready_));
  }

  const std::unique_ptr<ChunkSource> source_;
  const ReadOptions options_;
  ReadFacts facts_;
  size_t next_chunk_ = 0;
  std::deque<Pending> ready_;
  bool is_finished_ = false;
};

}  // namespace

size_t ThreadCount(const ReadOptions& options) {
  return options.thread_count != 0 ? options.thread_count
                                   : std::max<size_t>(1, std::thread::hardware_concurrency());
}

Result<ScanOutcome> DriveScan(ChunkSource& source, const ReadOptions& options,
                              ScanVisitor* visitor) {
  for (;;) {
    if (visitor != nullptr) visitor->Begin(source.schema(), source.chunk_count());
    std::vector<ChunkNote> notes = ReadAll(source, options, visitor);
    std::vector<std::pair<size_t, KindSet>> misfits;
    ScanOutcome outcome{.schema = source.schema(), .facts = EmptyFacts(source)};
    for (size_t i = 0; i < notes.size(); ++i) {
      RETURN_IF_ERROR(AddToFacts(source, options, i, notes[i], outcome.facts));
      misfits.insert(misfits.end(), notes[i].misfits.begin(), notes[i].misfits.end());
    }
    if (misfits.empty()) return outcome;
    CHECK(!source.has_final_types());
    source.WidenTypes(misfits);
  }
}

std::unique_ptr<BatchReader> MakeBatchReader(std::unique_ptr<ChunkSource> source,
                                             const ReadOptions& options) {
  return std::make_unique<OrderedReader>(std::move(source), options);
}

}  // namespace sluice::table::internal
