#include "sql/db.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/log.h"

namespace sluice::sql {
namespace {

constexpr int64_t kSlowQueryMs = 250;

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

std::string_view TypeName(ColumnType type) {
  switch (type) {
    case ColumnType::kNull: return "NULL";
    case ColumnType::kInteger: return "an integer";
    case ColumnType::kDouble: return "a double";
    case ColumnType::kText: return "text";
  }
  return "unknown";
}

}  // namespace

ColumnType Row::TypeOf(int column) const {
  CHECK_MSG(column >= 0 && column < cursor_.column_count(),
            fmt::format("query {}: column {} of {}", query_name_, column, cursor_.column_count()));
  return cursor_.TypeOf(column);
}

void Row::Mismatch(int column, std::string_view wanted) const {
  if (mismatch_) return;
  mismatch_ = DataLoss(fmt::format("query {}: column {} holds {} where {} is expected", query_name_,
                                   column, TypeName(TypeOf(column)), wanted));
}

Status Row::status() const { return mismatch_ ? Status(*mismatch_) : Ok(); }

bool Row::IsNull(int column) const { return TypeOf(column) == ColumnType::kNull; }

int64_t Row::GetInt64(int column) const {
  if (TypeOf(column) == ColumnType::kInteger) return cursor_.Int64(column);
  Mismatch(column, "an integer");
  return 0;
}

double Row::GetDouble(int column) const {
  ColumnType type = TypeOf(column);
  if (type == ColumnType::kDouble) return cursor_.Double(column);
  if (type == ColumnType::kInteger) return static_cast<double>(cursor_.Int64(column));
  Mismatch(column, "a number");
  return 0;
}

std::string_view Row::GetTextView(int column) const {
  if (TypeOf(column) == ColumnType::kText) return cursor_.Text(column);
  Mismatch(column, "text");
  return {};
}

std::optional<int64_t> Row::FindInt64(int column) const {
  if (IsNull(column)) return std::nullopt;
  return GetInt64(column);
}

std::optional<double> Row::FindDouble(int column) const {
  if (IsNull(column)) return std::nullopt;
  return GetDouble(column);
}

std::optional<std::string> Row::FindText(int column) const {
  if (IsNull(column)) return std::nullopt;
  return GetText(column);
}

Status Reader::Visit(const Query& query, Params params, bool only_first,
                     const std::function<Status(const Row&)>& on_row) {
  SlowQueryWatch watch(query.name);
  ASSIGN_OR_RETURN(std::unique_ptr<Cursor> cursor, connection_.Start(query, params.span()));
  for (;;) {
    ASSIGN_OR_RETURN(bool has_row, cursor->Next());
    if (!has_row) return Ok();
    Row row(*cursor, query.name);
    Status status = on_row(row);
    // A wrong type first: what on_row says of a value that was not there would mislead.
    RETURN_IF_ERROR(row.status());
    RETURN_IF_ERROR(std::move(status));
    if (only_first) return Ok();
  }
}

Result<int64_t> Tx::Execute(const Query& query, Params params) {
  SlowQueryWatch watch(query.name);
  ASSIGN_OR_RETURN(std::unique_ptr<Cursor> cursor, connection_.Start(query, params.span()));
  for (;;) {
    ASSIGN_OR_RETURN(bool has_row, cursor->Next());
    if (!has_row) return cursor->changed_row_count();
  }
}

Status Tx::RunScript(std::string_view name, std::string_view text) {
  return connection_.RunScript(name, text);
}

/// One connection of a pool, given back at the end.
class Db::Lease {
 public:
  static Result<Lease> Take(Pool& pool, Driver& driver) {
    Lease lease(pool);
    pool.idle.With([&](std::vector<std::unique_ptr<Connection>>& idle) {
      if (idle.empty()) return;
      lease.connection_ = std::move(idle.back());
      idle.pop_back();
    });
    if (lease.connection_ == nullptr) {
      ASSIGN_OR_RETURN(lease.connection_, driver.Connect());
    }
    return lease;
  }
  Lease(Lease&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), connection_(std::move(other.connection_)) {}
  Lease& operator=(Lease&&) = delete;
  ~Lease() {
    if (pool_ == nullptr) return;
    if (connection_ != nullptr) {
      pool_->idle.With([&](std::vector<std::unique_ptr<Connection>>& idle) {
        idle.push_back(std::move(connection_));
      });
    }
    pool_->free_count.release();
  }

  Connection& operator*() { return *connection_; }
  Connection* operator->() { return connection_.get(); }

 private:
  explicit Lease(Pool& pool) : pool_(&pool) { pool.free_count.acquire(); }

  Pool* pool_;
  std::unique_ptr<Connection> connection_;
};

Db::Db(std::unique_ptr<Driver> driver, Options options)
    : driver_(std::move(driver)), readers_(options.reader_count) {
  CHECK(options.reader_count > 0 && options.reader_count <= 64);
}

Db::~Db() = default;

Status Db::RunRead(const std::function<Status(Reader&)>& body) {
  ASSIGN_OR_RETURN(Lease lease, Lease::Take(read_pool(), *driver_));
  RETURN_IF_ERROR(lease->Begin(TxKind::kRead, io::Durability::kFast));
  Reader reader(*lease);
  Status status = body(reader);
  // Nothing was changed; ending a snapshot cannot fail in a way that matters.
  lease->Rollback();
  return status;
}

Status Db::RunWrite(io::Durability durability, const std::function<Status(Tx&)>& body) {
  ASSIGN_OR_RETURN(Lease lease, Lease::Take(writer_, *driver_));
  RETURN_IF_ERROR(lease->Begin(TxKind::kWrite, durability));
  Tx tx(*lease);
  Status status = body(tx);
  if (status.ok()) status = lease->Commit();
  if (!status.ok()) lease->Rollback();
  return status;
}

Result<bool> Db::HasTable(std::string_view name) {
  ASSIGN_OR_RETURN(Lease lease, Lease::Take(writer_, *driver_));
  return lease->HasTable(name);
}

Status Db::BackupTo(const std::string& path) {
  ASSIGN_OR_RETURN(Lease lease, Lease::Take(writer_, *driver_));
  return lease->BackupTo(path);
}

}  // namespace sluice::sql
