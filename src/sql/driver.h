// What an engine implements. Everything above it (Db, Reader, Tx, Migrator, the stores) is written
// once. testing/db_contract.h is the suite every driver passes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/fs.h"
#include "sql/value.h"

namespace sluice::sql {

/// The rows of one running statement. Lives shorter than its connection; destroying it ends the
/// statement.
class Cursor {
 public:
  virtual ~Cursor() = default;
  /// To the next row; false after the last. A statement without rows does its work in the first
  /// call.
  virtual Result<bool> Next() = 0;
  virtual int column_count() const = 0;
  virtual ColumnType TypeOf(int column) const = 0;
  virtual int64_t Int64(int column) const = 0;
  virtual double Double(int column) const = 0;
  virtual std::string_view Text(int column) const = 0;  ///< until the next Next
  /// Rows inserted, updated or deleted; known once Next said false.
  virtual int64_t changed_row_count() const = 0;
};

enum class TxKind : uint8_t {
  kRead,   ///< one consistent snapshot, never waits for a writer
  kWrite,  ///< takes the write lock at its begin, so that it cannot fail half-way for another
           ///< writer
};

struct WriteOptions {
  io::Durability durability = io::Durability::kDurable;
  /// The one thing whose rows the body reads and changes, such as a run's id; empty: anything.
  ///
  /// On SQLite there is one writer at a time anyway. On PostgreSQL, among all processes:
  /// * a body without a scope is alone: it waits for all other writers, and they for it. What was
  ///   written for one writer is right there (a MAX() + 1 too); rare writes leave it at that.
  /// * bodies of one scope run one after another; bodies of different scopes run together.
  ///
  /// So a body with a scope may rely on two things: rows that only its scope changes, and rows that
  /// only bodies without a scope change, stand still while it runs. It must not take MAX() + 1 over
  /// rows of other scopes: see sql/ids.h. Rows that several scopes change (counters,
  /// datasets shared by runs) it may only touch by single statements that are right by themselves
  /// (UPDATE n = n + 1, ON CONFLICT). Each statement sees what was committed before it began (READ
  /// COMMITTED).
  std::string_view scope = {};
};

/// What befell the transaction, beyond its error: what Db decides by.
enum class Fault : uint8_t {
  kNone,
  kConflict,         ///< with another transaction: run it again
  kConnectionLost,   ///< before the commit was asked for; the connection is of no use any more
  kCommitUncertain,  ///< the connection broke during the commit, which may have been done
};

/// One connection. One thread at a time. Error codes, for all methods: kUnavailable (busy, server
/// away: try again), kAlreadyExists (unique constraint), kInvalidArgument (other constraints, wrong
/// SQL or parameters), kDataLoss (corrupt file), kResourceExhausted (disk full), kPermissionDenied
/// (read-only file), kInternal.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual Result<std::unique_ptr<Cursor>> Start(const Query& query,
                                                std::span<const Param> params) = 0;
  /// Runs the statement, or sends it off to run before the next one; its error may come from a
  /// later call. Copies what it is given.
  virtual Status Post(const Query& query, std::span<const Param> params) = 0;
  /// A kWrite transaction committed with kFast survives the death of the process, and that of the
  /// machine once a later kDurable one has been committed. `scope`: see WriteOptions.
  virtual Status Begin(TxKind kind, io::Durability durability, std::string_view scope) = 0;
  virtual Status Commit() = 0;
  /// Where can_sync_later: Commit, but a crash of the database may undo it until SyncCommits, by
  /// any connection, has returned.
  virtual Status CommitUnsynced() { return Commit(); }
  virtual Status SyncCommits() { return Ok(); }
  virtual void Rollback() = 0;
  /// Of the last transaction, until the next Begin.
  virtual Fault fault() const { return Fault::kNone; }
  /// One savepoint at a time: what follows can be undone alone, or is kept.
  virtual Status Savepoint() = 0;
  virtual Status ReleaseSavepoint() = 0;
  virtual Status RollbackToSavepoint() = 0;
  /// False once an error has ended the transaction for all that was done in it (PostgreSQL: any
  /// error; SQLite: a full disk and the like).
  virtual bool is_in_transaction() const = 0;
  /// Several statements separated by ';', without parameters. `name` is for errors.
  virtual Status RunScript(std::string_view name, std::string_view text) = 0;
  /// Is there a table of this name?
  virtual Result<bool> HasTable(std::string_view name) = 0;
  /// A copy of the whole database as a file, while others go on working. Errors: also
  /// kFailedPrecondition where the engine has no such thing.
  virtual Status BackupTo(const std::string& path) = 0;
};

class Driver {
 public:
  virtual ~Driver() = default;
  virtual Result<std::unique_ptr<Connection>> Connect() = 0;
  /// False if readers see nothing of the writer's connection (a database in memory): all work then
  /// goes through one.
  virtual bool has_separate_readers() const = 0;
  /// True if one writes at a time, so that those who wait are better committed together.
  virtual bool has_one_writer() const = 0;
  /// True if Post's errors may come from later calls.
  virtual bool defers_errors() const = 0;
  virtual bool can_sync_later() const = 0;
  virtual bool can_back_up() const = 0;
  /// For messages: a path, or a server address without its password.
  virtual std::string description() const = 0;
};

}  // namespace sluice::sql
