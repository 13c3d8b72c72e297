#include "sql/db.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "sql/internal/commit_queue.h"
#include "sql/internal/connection_pool.h"

namespace sluice::sql {

using internal::Lease;

namespace {

constexpr int64_t kSlowQueryMs = 250;
/// Bodies of one commit: those who came first shall not wait long for those who came last.
constexpr int64_t kMaxBatchNs = 10'000'000;
/// Of one transaction that meets conflicts.
constexpr int kMaxAttempts = 12;
/// Of one transaction that finds its connection dead.
constexpr int kMaxConnections = 3;

/// 1 to 2 ms at first, doubling up to 100 to 200; by chance, so that those who met part.
void SleepBeforeRetry(int attempt) {
  int64_t base_us = std::min<int64_t>(int64_t{1000} << (attempt - 1), 100'000);
  Random random(static_cast<uint64_t>(SystemClock().MonotonicNs()));
  std::this_thread::sleep_for(std::chrono::microseconds(
      base_us + static_cast<int64_t>(random.NextBelow(static_cast<uint64_t>(base_us)))));
}

/// Logs the name of a statement that took long, rows and what was done with them included.
class SlowQueryWatch {
 public:
  explicit SlowQueryWatch(std::string_view query_name)
      : query_name_(query_name), start_ns_(SystemClock().MonotonicNs()) {}
  ~SlowQueryWatch() {
    int64_t elapsed_ms = (SystemClock().MonotonicNs() - start_ns_) / 1'000'000;
    if (elapsed_ms >= kSlowQueryMs)
      Log(LogLevel::kInfo, "query {} took {} ms", query_name_, elapsed_ms);
  }

 private:
  const std::string_view query_name_;
  const int64_t start_ns_;
};

}  // namespace

Status Reader::Visit(const Query& query, Params params, bool only_first,
                     const std::function<Status(const Row&)>& on_row) {
  if (failure_) return *failure_;
  SlowQueryWatch watch(query.name);
  Result<std::unique_ptr<Cursor>> started = connection_.Start(query, params.span());
  if (!started.ok()) return Fail(std::move(started).error());
  std::unique_ptr<Cursor> cursor = *std::move(started);
  for (;;) {
    Result<bool> has_row = cursor->Next();
    if (!has_row.ok()) return Fail(std::move(has_row).error());
    if (!*has_row) return Ok();
    Row row(*cursor, query.name);
    Status status = on_row(row);
    // A wrong type first: what on_row says of a value that was not there would mislead.
    RETURN_IF_ERROR(row.status());
    RETURN_IF_ERROR(std::move(status));
    if (only_first) return Ok();
  }
}

Error Reader::Fail(Error error) {
  if (!failure_) failure_ = error;
  return error;
}

Result<int64_t> Tx::Execute(const Query& query, Params params) {
  if (failure_) return *failure_;
  SlowQueryWatch watch(query.name);
  Result<std::unique_ptr<Cursor>> cursor = connection_.Start(query, params.span());
  if (!cursor.ok()) return Fail(std::move(cursor).error());
  for (;;) {
    Result<bool> has_row = (*cursor)->Next();
    if (!has_row.ok()) return Fail(std::move(has_row).error());
    if (!*has_row) return (*cursor)->changed_row_count();
  }
}

Status Tx::Post(const Query& query, Params params) {
  if (failure_) return *failure_;
  Status status = connection_.Post(query, params.span());
  if (!status.ok()) return Fail(std::move(status).error());
  return Ok();
}

Status Tx::RunScript(std::string_view name, std::string_view text) {
  if (failure_) return *failure_;
  Status status = connection_.RunScript(name, text);
  if (!status.ok()) return Fail(std::move(status).error());
  return Ok();
}

Status Tx::Outcome(Status of_body) const {
  if (of_body.ok() && failure_) return *failure_;
  return of_body;
}

Db::Db(std::unique_ptr<Driver> driver, Options options)
    : driver_(std::move(driver)),
      options_(options),
      writers_(std::make_unique<internal::ConnectionPool>(
          driver_->has_one_writer() ? 1 : options.writer_count)),
      readers_(std::make_unique<internal::ConnectionPool>(options.reader_count)),
      queue_(std::make_unique<internal::CommitQueue>()),
      sync_queue_(std::make_unique<internal::CommitQueue>()) {
  CHECK(options.reader_count > 0 && options.reader_count <= 64);
  CHECK(options.writer_count > 0 && options.writer_count <= 64);
}

Db::~Db() = default;

Status Db::RunRead(const std::function<Status(Reader&)>& body) {
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(Lease lease, Lease::Take(read_pool(), *driver_));
    Status status = lease->Begin(TxKind::kRead, io::Durability::kFast, {});
    if (status.ok()) {
      Reader reader(*lease);
      status = body(reader);
    }
    // Nothing was changed; ending a snapshot cannot fail in a way that matters.
    lease->Rollback();
    if (status.ok() || lease->fault() == Fault::kNone || attempt == kMaxAttempts) return status;
    if (lease->fault() == Fault::kConflict) continue;
    if (attempt == kMaxConnections) return status;
    lease.DropIdle();
  }
}

Status Db::RunWrite(const WriteOptions& options, const Body& body) {
  internal::Writer writer{.body = body, .options = options};
  if (options_.minimum_durability == io::Durability::kDurable)
    writer.options.durability = io::Durability::kDurable;
  if (driver_->has_one_writer()) writer.options.scope = {};
  std::vector<internal::Writer*> batch = queue_->Join(writer);
  ++active_writers_;
  if (!batch.empty()) {
    RunTogether(batch);
    queue_->Finish(batch);
  }
  if (writer.owes_sync) writer.status = SyncWithOthers();
  --active_writers_;
  return std::move(writer.status);
}

Status Db::SyncWithOthers() {
  static const Body kNothing;
  internal::Writer waiter{.body = kNothing, .options = {}};
  std::vector<internal::Writer*> batch = sync_queue_->Join(waiter);
  if (batch.empty()) return std::move(waiter.status);
  Status status = Sync();
  for (internal::Writer* other : batch) other->status = status;
  sync_queue_->Finish(batch);
  return status;
}

Status Db::Sync() {
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(Lease lease, Lease::Take(*writers_, *driver_));
    Status status = lease->SyncCommits();
    if (status.ok() || attempt == kMaxConnections || lease->fault() == Fault::kNone) {
      if (status.ok()) return status;
      return std::move(status).error().With(
          "the write is done, but whether it survives a crash of the database is unknown");
    }
    lease.DropIdle();
  }
}

Status Db::CommitOn(Connection& connection, std::span<internal::Writer* const> writers) {
  if (active_writers_ < 2 || !driver_->can_sync_later()) return connection.Commit();
  RETURN_IF_ERROR(connection.CommitUnsynced());
  for (internal::Writer* writer : writers) writer->owes_sync = !writer->has_status;
  return Ok();
}

Status Db::RunAlone(internal::Writer& writer) {
  const WriteOptions& options = writer.options;
  for (int attempt = 1;; ++attempt) {
    Status status = Ok();
    Fault fault = Fault::kNone;
    {
      ASSIGN_OR_RETURN(Lease lease, Lease::Take(*writers_, *driver_));
      status = lease->Begin(TxKind::kWrite, options.durability, options.scope);
      if (status.ok()) {
        Tx tx(*lease);
        status = tx.Outcome(writer.body(tx));
      }
      internal::Writer* const writers[] = {&writer};
      if (status.ok()) status = CommitOn(*lease, writers);
      if (!status.ok()) lease->Rollback();
      fault = lease->fault();
      if (fault == Fault::kConnectionLost) lease.DropIdle();
    }
    if (status.ok() || fault == Fault::kNone || fault == Fault::kCommitUncertain) return status;
    if (attempt == (fault == Fault::kConflict ? kMaxAttempts : kMaxConnections)) return status;
    if (fault == Fault::kConflict) SleepBeforeRetry(attempt);
  }
}

void Db::RunTogether(std::span<internal::Writer* const> batch) {
  while (!batch.empty()) {
    std::span<internal::Writer* const> members = batch.first(1);
    if (batch.size() > 1) members = batch.first(RunSome(batch));
    batch = batch.subspan(members.size());
    // Another member's failure took their work with it, or there was none.
    for (internal::Writer* writer : members)
      if (!writer->has_status) writer->status = RunAlone(*writer);
  }
}

size_t Db::RunSome(std::span<internal::Writer* const> batch) {
  auto settle = [](std::span<internal::Writer* const> writers, const Status& status) {
    for (internal::Writer* writer : writers) {
      if (!writer->has_status) writer->status = status;
      writer->has_status = true;
    }
    return writers.size();
  };
  Result<Lease> lease = Lease::Take(*writers_, *driver_);
  if (!lease.ok()) return settle(batch, lease.error());
  Connection& connection = **lease;
  WriteOptions options = batch[0]->options;
  for (const internal::Writer* writer : batch) {
    if (writer->options.durability == io::Durability::kDurable)
      options.durability = io::Durability::kDurable;
  }
  Status status = connection.Begin(TxKind::kWrite, options.durability, options.scope);
  if (!status.ok() && connection.fault() == Fault::kNone) return settle(batch, status);

  // From here: `status` is the transaction's. A member whose body failed has its own, the others
  // none before the commit.
  int64_t start_ns = SystemClock().MonotonicNs();
  size_t done = 0;
  while (status.ok() && done < batch.size()) {
    internal::Writer& writer = *batch[done++];
    status = connection.Savepoint();
    if (!status.ok()) break;
    Tx tx(connection);
    Status outcome = tx.Outcome(writer.body(tx));
    if (!connection.is_in_transaction()) status = outcome;
    if (!status.ok()) break;
    status = outcome.ok() ? connection.ReleaseSavepoint() : connection.RollbackToSavepoint();
    if (!outcome.ok()) settle(batch.subspan(done - 1, 1), outcome);
    if (SystemClock().MonotonicNs() - start_ns > kMaxBatchNs) break;
  }
  std::span<internal::Writer* const> members = batch.first(std::max<size_t>(done, 1));
  bool is_any_kept = std::any_of(members.begin(), members.end(),
                                 [](const auto* writer) { return !writer->has_status; });
  bool is_commit_failed = false;
  if (status.ok() && is_any_kept) {
    status = CommitOn(connection, members);
    is_commit_failed = !status.ok();
  }
  if (!is_any_kept || !status.ok()) connection.Rollback();
  if (connection.fault() == Fault::kConnectionLost) lease->DropIdle();

  // Where errors come late, one at the commit is some member's, and each is to get its own.
  bool is_final = status.ok() || connection.fault() == Fault::kCommitUncertain ||
                  (is_commit_failed && !driver_->defers_errors());
  if (is_final) settle(members, status);
  return members.size();
}

Result<bool> Db::HasTable(std::string_view name) {
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(Lease lease, Lease::Take(*writers_, *driver_));
    Result<bool> has_table = lease->HasTable(name);
    if (has_table.ok() || lease->fault() == Fault::kNone || attempt == kMaxConnections)
      return has_table;
    lease.DropIdle();
  }
}

Status Db::BackupTo(const std::string& path) {
  ASSIGN_OR_RETURN(Lease lease, Lease::Take(*writers_, *driver_));
  return lease->BackupTo(path);
}

}  // namespace sluice::sql
