#include "sql/internal/postgres_connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>

#include "base/sha256.h"
#include "sql/internal/postgres_values.h"
#include "sql/internal/script.h"

namespace sluice::sql::internal {
namespace {

constexpr size_t kMaxPrepared = 512;
/// Answers to posted statements pile up in memory until they are read.
constexpr size_t kMaxPending = 2048;
constexpr int kMinServerVersion = 130'000;

// What a transaction is depends on what its connection is for, which hardly ever changes: options
// of each BEGIN would cost the server more than a small statement.
constexpr Query kReadsOnly{
    "sql.set_up_reads",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"};
constexpr Query kWrites{
    "sql.set_up_writes",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE"};
constexpr Query kDoNotSync{"sql.do_not_sync", "SET synchronous_commit TO off"};
// For one transaction, to what the server, database or role says.
constexpr Query kDoSync{"sql.do_sync", "SET LOCAL synchronous_commit TO DEFAULT"};
constexpr Query kBegin{"begin", "BEGIN"};
constexpr Query kCommit{"commit", "COMMIT"};
constexpr Query kRollback{"rollback", "ROLLBACK"};
constexpr Query kSavepoint{"savepoint", "SAVEPOINT body"};
constexpr Query kRelease{"release", "RELEASE body"};
constexpr Query kRollbackTo{"rollback to savepoint", "ROLLBACK TO body"};
// The lock of all writers has two numbers, those of scopes one: PostgreSQL keeps them apart.
constexpr Query kLockAlone{"sql.lock_database", "SELECT pg_advisory_xact_lock($1, $2)"};
constexpr Query kLockScope{
    "sql.lock_scope", "SELECT pg_advisory_xact_lock_shared($1, $2), pg_advisory_xact_lock($3)"};
// The smallest write whose commit waits until the log is on disk, and with it every commit before.
constexpr Query kEmitMessage{"sql.sync_commits",
                             "SELECT CAST(pg_logical_emit_message(true, 'sluice', '') AS TEXT)"};
constexpr Query kAskDatabase{
    "sql.describe_database",
    "SELECT current_schema(), current_setting('server_encoding'), current_setting('search_path')"};
constexpr Query kFindTable{
    "sql.find_table",
    "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = $1"};

/// 64 bits of a digest: equal in every process.
int64_t LockNumber(std::string_view text) {
  std::string hex = ComputeSha256(text).ToHex().substr(0, 16);
  return static_cast<int64_t>(std::stoull(hex, nullptr, 16));
}

class PostgresCursor : public Cursor {
 public:
  explicit PostgresCursor(ResultHandle result)
      : result_(std::move(result)), row_count_(PQntuples(result_.get())) {}

  Result<bool> Next() override { return ++row_ < row_count_; }
  int column_count() const override { return PQnfields(result_.get()); }
  ColumnType TypeOf(int column) const override {
    if (PQgetisnull(result_.get(), row_, column) != 0) return ColumnType::kNull;
    return TypeOfValue(PQftype(result_.get(), column), Bytes(column));
  }
  int64_t Int64(int column) const override {
    return Int64OfValue(PQftype(result_.get(), column), Bytes(column));
  }
  double Double(int column) const override {
    return DoubleOfValue(PQftype(result_.get(), column), Bytes(column));
  }
  std::string_view Text(int column) const override { return Bytes(column); }
  int64_t changed_row_count() const override {
    // Of a SELECT the server counts the rows it gave.
    std::string_view command = PQcmdStatus(result_.get());
    if (command.starts_with("SELECT")) return 0;
    return std::strtoll(PQcmdTuples(result_.get()), nullptr, 10);
  }

 private:
  std::string_view Bytes(int column) const {
    return {PQgetvalue(result_.get(), row_, column),
            static_cast<size_t>(PQgetlength(result_.get(), row_, column))};
  }

  const ResultHandle result_;
  const int row_count_;
  int row_ = -1;
};

/// One line: the message and its detail.
std::string MessageOf(const PGresult* result, std::string_view otherwise) {
  auto field = [&](int code) {
    const char* text = PQresultErrorField(result, code);
    return std::string(text == nullptr ? "" : text);
  };
  std::string message = field(PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = otherwise;
  std::string detail = field(PG_DIAG_MESSAGE_DETAIL);
  if (!detail.empty()) message += " (" + detail + ")";
  return message;
}

/// A connection's message, in one line, without the SQLSTATE and source position that verbose
/// messages hold. "" as state if there is none.
struct ConnectFailure {
  std::string state;
  std::string message;
};
ConnectFailure ReadFailure(std::string_view text) {
  ConnectFailure failure;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with("LOCATION:")) continue;
    size_t at = line.find(":  ");
    bool has_state =
        at != std::string_view::npos && line.size() > at + 9 && line.substr(at + 8, 2) == ": " &&
        std::all_of(line.begin() + static_cast<std::ptrdiff_t>(at) + 3,
                    line.begin() + static_cast<std::ptrdiff_t>(at) + 8,
                    [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
    if (!failure.message.empty()) failure.message += "; ";
    if (has_state) {
      failure.state = line.substr(at + 3, 5);
      failure.message += fmt::format("{}: {}", line.substr(0, at), line.substr(at + 10));
    } else {
      failure.message += line;
    }
  }
  return failure;
}

/// Waits for the server's answers until the connection stands or the time is over.
Status FinishConnecting(PGconn* connection, int64_t timeout_s, const std::string& description) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(timeout_s);
  auto fail = [&](ErrorCode code, std::string_view message) {
    return Error(code, fmt::format("connect to database '{}': {}", description, message));
  };
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted != PGRES_POLLING_OK) {
    if (wanted == PGRES_POLLING_FAILED || PQstatus(connection) == CONNECTION_BAD) {
      ConnectFailure failure = ReadFailure(PQerrorMessage(connection));
      if (PQconnectionNeedsPassword(connection) != 0) {
        return fail(ErrorCode::kPermissionDenied,
                    "the server asks for a password; put one into the URI or into PGPASSWORD");
      }
      return fail(failure.state.empty() ? ErrorCode::kUnavailable : CodeOfState(failure.state),
                  failure.message);
    }
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd socket{.fd = PQsocket(connection),
                  .events = static_cast<short>(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT),
                  .revents = 0};
    if (left.count() <= 0 || poll(&socket, 1, static_cast<int>(left.count())) == 0) {
      return fail(ErrorCode::kUnavailable, fmt::format("no answer within {} s", timeout_s));
    }
    wanted = PQconnectPoll(connection);
  }
  return Ok();
}

}  // namespace

Result<std::unique_ptr<Connection>> ConnectPostgres(const PostgresAddress& address,
                                                    const PostgresOptions& options) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  auto put = [&](const char* keyword, const char* value) {
    keywords.push_back(keyword);
    values.push_back(value);
  };
  // The first ones may be overruled by the address: of a keyword given twice the last one counts.
  put("application_name", "sluice");
  for (const auto& [keyword, value] : address.keywords) put(keyword.c_str(), value.c_str());
  put("client_encoding", "UTF8");
  put(nullptr, nullptr);

  ConnectionHandle handle(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (handle == nullptr) return ResourceExhausted("connect to PostgreSQL: out of memory");
  PQsetErrorVerbosity(handle.get(), PQERRORS_VERBOSE);
  RETURN_IF_ERROR(FinishConnecting(handle.get(), options.connect_timeout_s, address.description));
  PQsetErrorVerbosity(handle.get(), PQERRORS_DEFAULT);
  PQsetNoticeProcessor(
      handle.get(), [](void*, const char*) {}, nullptr);
  auto connection = std::make_unique<PostgresConnection>(std::move(handle), address.description);
  RETURN_IF_ERROR(connection->SetUp(options));
  return std::unique_ptr<Connection>(std::move(connection));
}

Status PostgresConnection::SetUp(const PostgresOptions& options) {
  int version = PQserverVersion(handle_.get());
  if (version < kMinServerVersion) {
    return FailedPrecondition(fmt::format("database '{}': PostgreSQL {} is too old, 13 is needed",
                                          description_, version / 10'000));
  }
  if (PQenterPipelineMode(handle_.get()) == 0) return Lost("enter pipeline mode");
  // A writer that stops in the middle holds its locks: a minute, then the server ends it. JIT costs
  // more than it gains on statements as small as ours.
  std::string settings = fmt::format(
      "SELECT set_config('statement_timeout', '{}', false), set_config('lock_timeout', '{}', "
      "false), "
      "set_config('idle_in_transaction_session_timeout', '60000', false), "
      "set_config('jit', 'off', false), set_config('extra_float_digits', '3', false)",
      options.statement_timeout_ms, options.lock_timeout_ms);
  RETURN_IF_ERROR(SendPlain({"sql.set_up_session", settings}));
  RETURN_IF_ERROR(SendPlain(kAskDatabase));
  Result<ResultHandle> answer = Await();
  if (!answer.ok()) {
    return std::move(answer).error().With(fmt::format("connect to database '{}'", description_));
  }
  const PGresult* row = answer->get();
  if (PQgetisnull(row, 0, 0) != 0) {
    return NotFound(fmt::format("database '{}': no schema of the search path {} exists; create one",
                                description_, PQgetvalue(row, 0, 2)));
  }
  std::string_view encoding = PQgetvalue(row, 0, 1);
  if (encoding != "UTF8") {
    return FailedPrecondition(
        fmt::format("database '{}' has the encoding {}, and UTF8 is needed: CREATE DATABASE ... "
                    "ENCODING 'UTF8' TEMPLATE template0",
                    description_, encoding));
  }
  database_lock_ = LockNumber(fmt::format("sluice writers of schema {}", PQgetvalue(row, 0, 0)));
  return Ok();
}

Error PostgresConnection::Lost(std::string_view query_name) {
  fault_ = Fault::kConnectionLost;
  is_in_transaction_ = false;
  pending_.clear();
  std::string reason = PQerrorMessage(handle_.get());
  while (!reason.empty() && reason.back() == '\n') reason.pop_back();
  std::replace(reason.begin(), reason.end(), '\n', ' ');
  return Unavailable(fmt::format("query {}: the connection to database '{}' is lost: {}",
                                 query_name, description_, reason));
}

Error PostgresConnection::ErrorOf(std::string_view query_name, const PGresult* result) {
  is_in_transaction_ = false;  // all it takes now is a rollback
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (state == nullptr) return Lost(query_name);
  if (Fault fault = FaultOfState(state); fault != Fault::kNone && fault_ != Fault::kConnectionLost)
    fault_ = fault;
  return Error(CodeOfState(state),
               fmt::format("query {}: {} (SQLSTATE {})", query_name,
                           MessageOf(result, PQresultErrorMessage(result)), state));
}

Status PostgresConnection::SendPlain(const Query& query) {
  std::string text(TextOf(query));
  if (PQsendQueryParams(handle_.get(), text.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1) == 0)
    return Lost(query.name);
  pending_.push_back({Answer::kRows, std::string(query.name)});
  return Ok();
}

Status PostgresConnection::DropOldest() {
  auto oldest = std::min_element(
      prepared_.begin(), prepared_.end(),
      [](const auto& a, const auto& b) { return a.second.last_use < b.second.last_use; });
  std::string text = "DEALLOCATE " + oldest->second.name;
  prepared_.erase(oldest);
  return SendPlain({"sql.forget_statement", text});
}

Result<PostgresConnection::Prepared*> PostgresConnection::FindOrPrepare(const Query& query) {
  std::string_view text = TextOf(query);
  auto known = prepared_.find(text);
  if (known != prepared_.end()) {
    known->second.last_use = ++use_count_;
    return &known->second;
  }
  if (text.find('\0') != std::string_view::npos)
    return InvalidArgument(
        fmt::format("query {}: the statement holds a NUL character", query.name));
  if (prepared_.size() >= kMaxPrepared) RETURN_IF_ERROR(DropOldest());
  Prepared prepared{
      .name = fmt::format("s{}", ++prepared_count_), .types = {}, .last_use = ++use_count_};
  std::string owned(text);
  if (PQsendPrepare(handle_.get(), prepared.name.c_str(), owned.c_str(), 0, nullptr) == 0)
    return Lost(query.name);
  pending_.push_back({Answer::kRows, std::string(query.name)});
  if (PQsendDescribePrepared(handle_.get(), prepared.name.c_str()) == 0) return Lost(query.name);
  pending_.push_back({Answer::kRows, std::string(query.name)});
  ASSIGN_OR_RETURN(ResultHandle description, Await());
  for (int i = 0; i < PQnparams(description.get()); ++i)
    prepared.types.push_back(PQparamtype(description.get(), i));
  for (int i = 0; i < PQnfields(description.get()); ++i) {
    if (IsKnownType(PQftype(description.get(), i))) continue;
    return InvalidArgument(
        fmt::format("query {}: column {} is of PostgreSQL's type {}, which is none of ours; CAST "
                    "it AS BIGINT, DOUBLE PRECISION or TEXT",
                    query.name, i, PQftype(description.get(), i)));
  }
  return &prepared_.emplace(std::move(owned), std::move(prepared)).first->second;
}

Status PostgresConnection::Send(const Query& query, std::span<const Param> params) {
  ASSIGN_OR_RETURN(Prepared * prepared, FindOrPrepare(query));
  ASSIGN_OR_RETURN(BoundParams bound, BoundParams::Bind(query, params, prepared->types));
  if (PQsendQueryPrepared(handle_.get(), prepared->name.c_str(), bound.count(), bound.values(),
                          bound.lengths(), bound.formats(), 1) == 0)
    return Lost(query.name);
  pending_.push_back({Answer::kRows, std::string(query.name)});
  return Ok();
}

Status PostgresConnection::SendSync() {
  if (PQpipelineSync(handle_.get()) == 0) return Lost("sync");
  pending_.push_back({Answer::kSync, "sync"});
  return Ok();
}

Result<ResultHandle> PostgresConnection::ReadAnswers() {
  ResultHandle last;
  std::optional<Error> error;
  while (!pending_.empty()) {
    Pending pending = std::move(pending_.front());
    pending_.pop_front();
    for (;;) {
      ResultHandle result(PQgetResult(handle_.get()));
      if (PQstatus(handle_.get()) == CONNECTION_BAD) {
        // The server may have said why before it hung up.
        Error lost = result == nullptr ? Lost(pending.query_name)
                                       : ErrorOf(pending.query_name, result.get());
        (void)Lost(pending.query_name);
        return error ? *std::move(error) : std::move(lost);
      }
      if (result == nullptr) break;
      switch (PQresultStatus(result.get())) {
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK: last = std::move(result); break;
        case PGRES_PIPELINE_SYNC:
        case PGRES_PIPELINE_ABORTED: break;
        default:
          if (!error) error = ErrorOf(pending.query_name, result.get());
      }
      // A sync has one answer, which nothing follows.
      if (pending.answer == Answer::kSync) break;
    }
  }
  if (error) return *std::move(error);
  return last;
}

Result<ResultHandle> PostgresConnection::Await() {
  RETURN_IF_ERROR(SendSync());
  return ReadAnswers();
}

Result<std::unique_ptr<Cursor>> PostgresConnection::Start(const Query& query,
                                                          std::span<const Param> params) {
  RETURN_IF_ERROR(Send(query, params));
  ASSIGN_OR_RETURN(ResultHandle result, Await());
  if (result == nullptr) return Internal(fmt::format("query {}: no answer", query.name));
  return std::unique_ptr<Cursor>(std::make_unique<PostgresCursor>(std::move(result)));
}

Status PostgresConnection::Post(const Query& query, std::span<const Param> params) {
  if (pending_.size() >= kMaxPending) RETURN_IF_ERROR(Await());
  return Send(query, params);
}

Status PostgresConnection::StartAfresh() {
  fault_ = Fault::kNone;
  Result<ResultHandle> rest = ReadAnswers();
  if (fault_ == Fault::kConnectionLost) return std::move(rest).error();
  fault_ = Fault::kNone;
  return Ok();
}

Status PostgresConnection::SetUpFor(TxKind kind) {
  if (kind == kind_) return Ok();
  kind_ = kind;
  RETURN_IF_ERROR(SendPlain(kind == TxKind::kRead ? kReadsOnly : kWrites));
  if (kind == TxKind::kWrite) RETURN_IF_ERROR(SendPlain(kDoNotSync));
  // Settled before the transaction begins.
  return SendSync();
}

Status PostgresConnection::Begin(TxKind kind, io::Durability /*durability*/,
                                 std::string_view scope) {
  RETURN_IF_ERROR(StartAfresh());
  RETURN_IF_ERROR(SetUpFor(kind));
  is_in_transaction_ = true;
  RETURN_IF_ERROR(Post(kBegin, {}));
  if (kind == TxKind::kRead) return Ok();
  auto high = static_cast<int32_t>(database_lock_ >> 32);
  auto low = static_cast<int32_t>(database_lock_);
  if (scope.empty()) {
    const Param params[] = {high, low};
    return Post(kLockAlone, params);
  }
  const Param params[] = {high, low, LockNumber(fmt::format("{} {}", database_lock_, scope))};
  return Post(kLockScope, params);
}

Status PostgresConnection::Commit() {
  RETURN_IF_ERROR(Post(kDoSync, {}));
  return CommitUnsynced();
}

Status PostgresConnection::CommitUnsynced() {
  RETURN_IF_ERROR(Send(kCommit, {}));
  RETURN_IF_ERROR(SendSync());
  Result<ResultHandle> result = ReadAnswers();
  if (!result.ok()) {
    if (fault_ != Fault::kConnectionLost) return std::move(result).error();
    fault_ = Fault::kCommitUncertain;
    return std::move(result).error().With(
        "the connection broke during a commit, which may have been done");
  }
  is_in_transaction_ = false;
  if (*result != nullptr && std::string_view(PQcmdStatus(result->get())) != "COMMIT")
    return Internal("commit: the server rolled the transaction back after an earlier error");
  return Ok();
}

Status PostgresConnection::SyncCommits() {
  RETURN_IF_ERROR(StartAfresh());
  RETURN_IF_ERROR(SetUpFor(TxKind::kWrite));
  for (const Query& query : {kBegin, kDoSync, kEmitMessage, kCommit})
    RETURN_IF_ERROR(Post(query, {}));
  Result<ResultHandle> done = Await();
  if (done.ok()) return Ok();
  Rollback();
  return std::move(done).error();
}

void PostgresConnection::Rollback() {
  is_in_transaction_ = false;
  if (fault_ == Fault::kConnectionLost || fault_ == Fault::kCommitUncertain) return;
  if (!Send(kRollback, {}).ok()) return;
  (void)SendSync().ok();
}

Status PostgresConnection::Savepoint() { return Post(kSavepoint, {}); }
Status PostgresConnection::ReleaseSavepoint() { return Post(kRelease, {}); }
Status PostgresConnection::RollbackToSavepoint() {
  RETURN_IF_ERROR(Post(kRollbackTo, {}));
  return Post(kRelease, {});
}

Status PostgresConnection::RunScript(std::string_view name, std::string_view text) {
  RETURN_IF_ERROR(Await());
  // Several statements in one text are for the simple protocol, outside pipeline mode.
  if (PQexitPipelineMode(handle_.get()) == 0) return Lost(name);
  std::string script = (is_in_transaction_ ? "SET LOCAL statement_timeout = 0; " : "") +
                       WithBytewiseText(ScriptFor("postgres", text));
  ResultHandle result(PQexec(handle_.get(), script.c_str()));
  if (PQstatus(handle_.get()) == CONNECTION_BAD || PQenterPipelineMode(handle_.get()) == 0)
    return Lost(name);
  ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
    return Ok();
  return ErrorOf(name, result.get());
}

Result<bool> PostgresConnection::HasTable(std::string_view name) {
  RETURN_IF_ERROR(StartAfresh());
  const Param params[] = {name};
  ASSIGN_OR_RETURN(std::unique_ptr<Cursor> cursor, Start(kFindTable, params));
  return cursor->Next();
}

Status PostgresConnection::BackupTo(const std::string& /*path*/) {
  return FailedPrecondition(fmt::format(
      "database '{}' is PostgreSQL, which is backed up with pg_dump, not by this program",
      description_));
}

}  // namespace sluice::sql::internal
