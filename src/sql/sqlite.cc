#include "sql/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <chrono>
#include <cmath>
#include <thread>
#include <unordered_map>
#include <utility>

#include "io/fs.h"
#include "sql/fold_case.h"
#include "sql/internal/script.h"
#include "sql/internal/turnstile.h"

namespace sluice::sql {
namespace {

constexpr size_t kMaxCachedStatements = 256;
constexpr int64_t kMaxWalBytes = int64_t{64} << 20;

ErrorCode CodeOf(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return ErrorCode::kAlreadyExists;
    default: break;
  }
  switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_PROTOCOL: return ErrorCode::kUnavailable;
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG: return ErrorCode::kInvalidArgument;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return ErrorCode::kDataLoss;
    case SQLITE_FULL:
    case SQLITE_NOMEM: return ErrorCode::kResourceExhausted;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return ErrorCode::kPermissionDenied;
    case SQLITE_CANTOPEN: return ErrorCode::kNotFound;
    case SQLITE_INTERRUPT: return ErrorCode::kCancelled;
    default: return ErrorCode::kInternal;
  }
}

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using DatabaseHandle = std::unique_ptr<sqlite3, CloseDatabase>;
using StatementHandle = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// A prepared statement and where its parameters go: SQLite numbers "$2" by first appearance, not
/// by its digits.
struct Statement {
  StatementHandle handle;
  std::vector<int> parameter_numbers;  ///< [i] is the N of "$N" at SQLite's index i + 1
  bool is_running = false;
};

class SqliteConnection;

class SqliteCursor : public Cursor {
 public:
  SqliteCursor(SqliteConnection& connection, Statement& statement, std::unique_ptr<Statement> owned,
               std::string_view name)
      : connection_(connection), statement_(statement), owned_(std::move(owned)), name_(name) {
    statement_.is_running = true;
  }
  ~SqliteCursor() override {
    sqlite3_reset(statement_.handle.get());
    sqlite3_clear_bindings(statement_.handle.get());
    statement_.is_running = false;
  }

  Result<bool> Next() override;
  int column_count() const override { return sqlite3_column_count(statement_.handle.get()); }
  ColumnType TypeOf(int column) const override {
    switch (sqlite3_column_type(statement_.handle.get(), column)) {
      case SQLITE_INTEGER: return ColumnType::kInteger;
      case SQLITE_FLOAT: return ColumnType::kDouble;
      case SQLITE_NULL: return ColumnType::kNull;
      default: return ColumnType::kText;
    }
  }
  int64_t Int64(int column) const override {
    return sqlite3_column_int64(statement_.handle.get(), column);
  }
  double Double(int column) const override {
    return sqlite3_column_double(statement_.handle.get(), column);
  }
  std::string_view Text(int column) const override {
    const unsigned char* text = sqlite3_column_text(statement_.handle.get(), column);
    int size = sqlite3_column_bytes(statement_.handle.get(), column);
    if (text == nullptr) return {};
    return {reinterpret_cast<const char*>(text), static_cast<size_t>(size)};
  }
  int64_t changed_row_count() const override { return changed_row_count_; }

 private:
  SqliteConnection& connection_;
  Statement& statement_;
  std::unique_ptr<Statement> owned_;
  std::string_view name_;
  int64_t changed_row_count_ = 0;
};

/// fold_case(x) in SQL: NULL of NULL, else text.
void FoldCaseFunction(sqlite3_context* context, int /*count*/, sqlite3_value** arguments) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(arguments[0]));
  if (text == nullptr) return sqlite3_result_null(context);
  std::string folded = FoldCase({text, static_cast<size_t>(sqlite3_value_bytes(arguments[0]))});
  sqlite3_result_text64(context, folded.data(), folded.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

constexpr Query kBegin{"begin", "BEGIN"};
constexpr Query kBeginImmediate{"begin", "BEGIN IMMEDIATE"};
constexpr Query kCommit{"commit", "COMMIT"};
constexpr Query kRollback{"rollback", "ROLLBACK"};
constexpr Query kSavepoint{"savepoint", "SAVEPOINT body"};
constexpr Query kRelease{"release", "RELEASE body"};
constexpr Query kRollbackTo{"rollback to savepoint", "ROLLBACK TO body"};

class SqliteConnection : public Connection {
 public:
  SqliteConnection(DatabaseHandle database, const std::string& path, int64_t busy_timeout_ms)
      : path_(path), busy_timeout_ms_(busy_timeout_ms), database_(std::move(database)) {
    sqlite3_busy_handler(database_.get(), WaitForLock, this);
  }

  Result<std::unique_ptr<Cursor>> Start(const Query& query,
                                        std::span<const Param> params) override {
    Statement* statement = nullptr;
    std::unique_ptr<Statement> owned;
    auto cached = statements_.find(query.text);
    if (cached != statements_.end() && !cached->second->is_running) {
      statement = cached->second.get();
    } else {
      ASSIGN_OR_RETURN(owned, Prepare(query));
      statement = owned.get();
      if (cached == statements_.end()) {
        if (statements_.size() >= kMaxCachedStatements) DropIdleStatements();
        statements_.emplace(std::string(query.text), std::move(owned));
      }
    }
    auto cursor = std::make_unique<SqliteCursor>(*this, *statement, std::move(owned), query.name);
    RETURN_IF_ERROR(Bind(*statement, query, params));
    return std::unique_ptr<Cursor>(std::move(cursor));
  }

  Status Post(const Query& query, std::span<const Param> params) override {
    ASSIGN_OR_RETURN(std::unique_ptr<Cursor> cursor, Start(query, params));
    for (;;) {
      ASSIGN_OR_RETURN(bool has_row, cursor->Next());
      if (!has_row) return Ok();
    }
  }

  Status Begin(TxKind kind, io::Durability durability, std::string_view /*scope*/) override {
    if (kind == TxKind::kRead) return RunCached(kBegin);
    if (durability != durability_) {
      RETURN_IF_ERROR(Run("set durability", durability == io::Durability::kDurable
                                                ? "PRAGMA synchronous=FULL"
                                                : "PRAGMA synchronous=NORMAL"));
      durability_ = durability;
    }
    if (turnstile_ == nullptr && path_ != ":memory:")
      turnstile_ = std::make_unique<internal::Turnstile>(path_ + "-turn");
    if (turnstile_ != nullptr) turnstile_->Enter(busy_timeout_ms_);
    Status status = RunCached(kBeginImmediate);
    if (turnstile_ != nullptr) turnstile_->Leave();
    return status;
  }
  Status Commit() override { return RunCached(kCommit); }
  void Rollback() override {
    // Some errors roll back by themselves; a second ROLLBACK would only be an error.
    if (is_in_transaction()) (void)RunCached(kRollback).ok();
  }

  Status Savepoint() override { return RunCached(kSavepoint); }
  Status ReleaseSavepoint() override { return RunCached(kRelease); }
  Status RollbackToSavepoint() override {
    RETURN_IF_ERROR(RunCached(kRollbackTo));
    return RunCached(kRelease);
  }
  bool is_in_transaction() const override { return sqlite3_get_autocommit(database_.get()) == 0; }

  Status RunScript(std::string_view name, std::string_view text) override {
    return Run(name, internal::ScriptFor("sqlite", text));
  }

  Result<bool> HasTable(std::string_view name) override {
    static constexpr Query kFindTable{
        "sql.find_table", "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1"};
    const Param params[] = {name};
    ASSIGN_OR_RETURN(std::unique_ptr<Cursor> cursor, Start(kFindTable, params));
    return cursor->Next();
  }

  /// Whether the file holds tables, and no record of migrations among them.
  Result<bool> IsSomebodyElses() {
    static constexpr Query kFindAny{"sql.find_any_table",
                                    "SELECT 1 FROM sqlite_master WHERE type = 'table'"};
    ASSIGN_OR_RETURN(const bool is_migrated, HasTable("schema_migrations"));
    if (is_migrated) return false;
    ASSIGN_OR_RETURN(std::unique_ptr<Cursor> cursor, Start(kFindAny, {}));
    return cursor->Next();
  }

  Status BackupTo(const std::string& path) override {
    // VACUUM INTO refuses a file that is there; a copy cut off by a crash must not look like a
    // backup.
    io::Fs& fs = io::RealFs();
    std::string partial = path + ".partial";
    RETURN_IF_ERROR(fs.Remove(partial));
    {
      static constexpr Query kVacuumInto{"sql.backup", "VACUUM INTO $1"};
      const Param params[] = {partial};
      ASSIGN_OR_RETURN(std::unique_ptr<Cursor> cursor, Start(kVacuumInto, params));
      RETURN_IF_ERROR(cursor->Next());
    }
    RETURN_IF_ERROR(fs.SyncFile(partial));
    RETURN_IF_ERROR(fs.Rename(partial, path));
    return fs.SyncDirectory(io::DirName(path));
  }

  Status RunCached(const Query& query) { return Post(query, {}); }
  Status Run(std::string_view name, const std::string& text) {
    if (sqlite3_exec(database_.get(), text.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK)
      return Ok();
    return LastError(name);
  }

  Error LastError(std::string_view name) const {
    return Error(CodeOf(sqlite3_extended_errcode(database_.get())),
                 fmt::format("{}: {}", name, sqlite3_errmsg(database_.get())));
  }
  int64_t changed_row_count() const { return sqlite3_changes64(database_.get()); }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  /// SQLite's own handler sleeps up to 100 ms; the lock is free after one or two.
  static int WaitForLock(void* connection, int count) {
    auto& self = *static_cast<SqliteConnection*>(connection);
    auto now = std::chrono::steady_clock::now();
    if (count == 0) self.waits_until_ = now + std::chrono::milliseconds(self.busy_timeout_ms_);
    if (now >= self.waits_until_) return 0;
    std::this_thread::sleep_for(std::chrono::microseconds(count < 20 ? 500 : 2000));
    return 1;
  }

  Result<std::unique_ptr<Statement>> Prepare(const Query& query) {
    sqlite3_stmt* raw = nullptr;
    const char* tail = nullptr;
    int code =
        sqlite3_prepare_v3(database_.get(), query.text.data(), static_cast<int>(query.text.size()),
                           SQLITE_PREPARE_PERSISTENT, &raw, &tail);
    auto statement = std::make_unique<Statement>();
    statement->handle.reset(raw);
    if (code != SQLITE_OK) return LastError(fmt::format("query {}", query.name));
    if (raw == nullptr)
      return InvalidArgument(fmt::format("query {}: there is no statement in it", query.name));
    std::string_view rest(tail, static_cast<size_t>(query.text.data() + query.text.size() - tail));
    if (rest.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
      return InvalidArgument(fmt::format("query {}: more than one statement", query.name));
    }
    int count = sqlite3_bind_parameter_count(raw);
    for (int i = 1; i <= count; ++i) {
      const char* name = sqlite3_bind_parameter_name(raw, i);
      int number = 0;
      if (name != nullptr && name[0] == '$') {
        for (const char* digit = name + 1; *digit >= '0' && *digit <= '9' && number < 100'000;
             ++digit) {
          number = number * 10 + (*digit - '0');
        }
      }
      if (number == 0) {
        return InvalidArgument(fmt::format("query {}: parameter '{}' is not of the form $1",
                                           query.name, name == nullptr ? "?" : name));
      }
      statement->parameter_numbers.push_back(number);
    }
    return statement;
  }

  Status Bind(const Statement& statement, const Query& query, std::span<const Param> params) {
    for (size_t i = 0; i < statement.parameter_numbers.size(); ++i) {
      auto number = static_cast<size_t>(statement.parameter_numbers[i]);
      if (number > params.size()) {
        return InvalidArgument(fmt::format("query {}: parameter ${} is not given, only {} are",
                                           query.name, number, params.size()));
      }
      const Param::Value& value = params[number - 1].value();
      sqlite3_stmt* handle = statement.handle.get();
      int index = static_cast<int>(i) + 1;
      int code = SQLITE_OK;
      if (const auto* integer = std::get_if<int64_t>(&value)) {
        code = sqlite3_bind_int64(handle, index, *integer);
      } else if (const auto* real = std::get_if<double>(&value)) {
        if (std::isnan(*real)) {
          return InvalidArgument(fmt::format("query {}: parameter ${} is NaN", query.name, number));
        }
        code = sqlite3_bind_double(handle, index, *real);
      } else if (const auto* text = std::get_if<std::string_view>(&value)) {
        if (text->find('\0') != std::string_view::npos) {
          return InvalidArgument(
              fmt::format("query {}: parameter ${} holds a NUL character", query.name, number));
        }
        code = sqlite3_bind_text64(handle, index, text->data() == nullptr ? "" : text->data(),
                                   text->size(), SQLITE_STATIC, SQLITE_UTF8);
      }
      if (code != SQLITE_OK) return LastError(fmt::format("query {}", query.name));
    }
    return Ok();
  }

  void DropIdleStatements() {
    std::erase_if(statements_, [](const auto& entry) { return !entry.second->is_running; });
  }

  const std::string path_;
  const int64_t busy_timeout_ms_;
  std::chrono::steady_clock::time_point waits_until_;
  std::unique_ptr<internal::Turnstile> turnstile_;  ///< of connections that write to a file
  DatabaseHandle database_;
  io::Durability durability_ = io::Durability::kDurable;
  // Declared after the database: statements are finalized before it closes.
  std::unordered_map<std::string, std::unique_ptr<Statement>, TextHash, std::equal_to<>>
      statements_;
};

Result<bool> SqliteCursor::Next() {
  int code = sqlite3_step(statement_.handle.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    changed_row_count_ =
        sqlite3_stmt_readonly(statement_.handle.get()) != 0 ? 0 : connection_.changed_row_count();
    return false;
  }
  return connection_.LastError(fmt::format("query {}", name_));
}

class SqliteDriver : public Driver {
 public:
  SqliteDriver(std::string path, const SqliteOptions& options)
      : path_(std::move(path)), options_(options) {}

  Result<std::unique_ptr<Connection>> Connect() override {
    sqlite3* raw = nullptr;
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                (options_.is_read_only ? SQLITE_OPEN_READONLY
                                       : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    int code = sqlite3_open_v2(path_.c_str(), &raw, flags, nullptr);
    DatabaseHandle database(raw);
    if (code != SQLITE_OK) {
      return Error(CodeOf(code),
                   fmt::format("open database '{}': {}", path_,
                               raw == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(raw)));
    }
    sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // "text" in double quotes is a column, as everywhere else, not a string.
    sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    sqlite3_create_function_v2(raw, "fold_case", 1,
                               SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, nullptr,
                               FoldCaseFunction, nullptr, nullptr, nullptr);
    auto connection =
        std::make_unique<SqliteConnection>(std::move(database), path_, options_.busy_timeout_ms);
    std::string context = fmt::format("open database '{}'", path_);
    RETURN_IF_ERROR(connection->Run(
        context,
        fmt::format("PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"
                    "PRAGMA case_sensitive_like=ON; PRAGMA cache_size=-{};",
                    options_.cache_size_bytes / 1024)));
    // The mode is written into the file, and a file of another program's is looked at only.
    ASSIGN_OR_RETURN(const bool is_foreign, connection->IsSomebodyElses());
    if (!is_foreign && !options_.is_read_only) RETURN_IF_ERROR(SwitchToWal(*connection, context));
    RETURN_IF_ERROR(connection->Run(
        context,
        fmt::format("PRAGMA synchronous=FULL; PRAGMA journal_size_limit={};", kMaxWalBytes)));
    return std::unique_ptr<Connection>(std::move(connection));
  }

  bool has_separate_readers() const override { return path_ != ":memory:"; }
  bool has_one_writer() const override { return true; }
  bool defers_errors() const override { return false; }
  bool can_sync_later() const override { return false; }
  bool can_back_up() const override { return true; }
  std::string description() const override { return path_; }

 private:
  /// The switch needs the file for itself for a moment and does not wait by SQLite's own timeout
  /// when two processes create a database at once, so the waiting is done here. For a file in WAL
  /// mode already it is one read.
  Status SwitchToWal(SqliteConnection& connection, const std::string& context) {
    auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.busy_timeout_ms);
    for (;;) {
      Status status = connection.Run(context, "PRAGMA journal_mode=WAL");
      if (status.ok() || status.error().code() != ErrorCode::kUnavailable) return status;
      if (std::chrono::steady_clock::now() >= deadline) return status;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  const std::string path_;
  const SqliteOptions options_;
};

}  // namespace

Result<std::unique_ptr<Db>> OpenSqlite(const std::string& path, const SqliteOptions& options) {
  auto db = std::make_unique<Db>(std::make_unique<SqliteDriver>(path, options),
                                 Db::Options{.reader_count = options.reader_count,
                                             .minimum_durability = options.minimum_durability});
  // One connection is opened now, so that a wrong path or file is an error here and not later.
  RETURN_IF_ERROR(db->HasTable("schema_migrations"));
  return db;
}

}  // namespace sluice::sql
