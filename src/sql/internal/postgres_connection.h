// One connection to a PostgreSQL server, in libpq's pipeline mode.
//
// A statement costs a round trip: two switches between processes, which is more than most of our
// statements cost the server. So nothing is sent alone that need not be: BEGIN and the lock travel
// with the first statement, what is posted with the next that is waited for, the last ones with the
// COMMIT, and the end of a read is not waited for at all.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sql/driver.h"
#include "sql/internal/postgres_uri.h"
#include "sql/postgres.h"

namespace sluice::sql::internal {

struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ConnectionHandle = std::unique_ptr<PGconn, FinishConnection>;
using ResultHandle = std::unique_ptr<PGresult, ClearResult>;

/// A connection with its session set up. Errors: see OpenPostgres.
Result<std::unique_ptr<Connection>> ConnectPostgres(const PostgresAddress& address,
                                                    const PostgresOptions& options);

class PostgresConnection : public Connection {
 public:
  PostgresConnection(ConnectionHandle handle, std::string description)
      : handle_(std::move(handle)), description_(std::move(description)) {}

  /// Session settings, and what is asked of the database.
  Status SetUp(const PostgresOptions& options);

  Result<std::unique_ptr<Cursor>> Start(const Query& query, std::span<const Param> params) override;
  Status Post(const Query& query, std::span<const Param> params) override;
  Status Begin(TxKind kind, io::Durability durability, std::string_view scope) override;
  Status Commit() override;
  Status CommitUnsynced() override;
  Status SyncCommits() override;
  void Rollback() override;
  Fault fault() const override { return fault_; }
  Status Savepoint() override;
  Status ReleaseSavepoint() override;
  Status RollbackToSavepoint() override;
  bool is_in_transaction() const override { return is_in_transaction_; }
  Status RunScript(std::string_view name, std::string_view text) override;
  Result<bool> HasTable(std::string_view name) override;
  Status BackupTo(const std::string& path) override;

 private:
  struct Prepared {
    std::string name;
    std::vector<Oid> types;  ///< of the parameters, as the server inferred them
    uint64_t last_use = 0;
  };
  enum class Answer : uint8_t { kRows, kSync };
  struct Pending {
    Answer answer;
    std::string query_name;
  };
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  static std::string_view TextOf(const Query& query) {
    return query.postgres.empty() ? query.text : query.postgres;
  }
  Result<Prepared*> FindOrPrepare(const Query& query);
  Status DropOldest();
  /// To the server's queue, without waiting.
  Status Send(const Query& query, std::span<const Param> params);
  Status SendPlain(const Query& query);
  /// Reads what was left unread by the last transaction, whose end nobody waits for.
  Status StartAfresh();
  /// The session's settings for such transactions.
  Status SetUpFor(TxKind kind);
  /// Ends what was sent with a sync and reads the answers to all of it: the last one, or the first
  /// error.
  Result<ResultHandle> Await();
  Status SendSync();
  Result<ResultHandle> ReadAnswers();
  Error ErrorOf(std::string_view query_name, const PGresult* result);
  Error Lost(std::string_view query_name);

  ConnectionHandle handle_;
  const std::string description_;
  std::deque<Pending> pending_;
  std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>> prepared_;
  uint64_t use_count_ = 0;
  uint64_t prepared_count_ = 0;
  int64_t database_lock_ = 0;   ///< of writers without a scope; the seed of scopes' locks
  std::optional<TxKind> kind_;  ///< that the session is set up for
  Fault fault_ = Fault::kNone;
  bool is_in_transaction_ = false;
};

}  // namespace sluice::sql::internal
