// A database of ours: transactions in, rows out. One text for every engine; values are always
// bound.
//
//   Result<std::optional<Run>> run = db.Read([&](Reader& reader) {
//     return reader.FindOne(kGetRun, {run_id}, RunFromRow);
//   });
//   Status status = db.Write([&](Tx& tx) -> Status {
//     RETURN_IF_ERROR(tx.Execute(kSetTag, {run_id, key, value}));
//     return Ok();
//   });
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sql/driver.h"
#include "sql/row.h"
#include "sql/value.h"

namespace sluice::sql {

namespace internal {
class CommitQueue;
class ConnectionPool;
struct Writer;

template <typename T>
struct Unwrapped {
  using type = T;
};
template <typename T>
struct Unwrapped<Result<T>> {
  using type = T;
};
}  // namespace internal

/// Reads inside one transaction: all statements see the same snapshot. One thread at a time; valid
/// in the callback.
class Reader {
 public:
  explicit Reader(Connection& connection) : connection_(connection) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// Calls `on_row` for each row, in order; its error stops the query and is returned.
  Status ForEach(const Query& query, Params params,
                 const std::function<Status(const Row&)>& on_row) {
    return Visit(query, params, false, on_row);
  }

  /// All rows, each made a value by `from_row` (Row → T or Row → Result<T>).
  template <typename FromRow>
  auto FindAll(const Query& query, Params params, FromRow from_row) -> Result<
      std::vector<typename internal::Unwrapped<std::invoke_result_t<FromRow, const Row&>>::type>> {
    using T = typename internal::Unwrapped<std::invoke_result_t<FromRow, const Row&>>::type;
    std::vector<T> values;
    RETURN_IF_ERROR(ForEach(query, params, [&](const Row& row) -> Status {
      if constexpr (std::is_same_v<std::invoke_result_t<FromRow, const Row&>, T>) {
        values.push_back(from_row(row));
      } else {
        ASSIGN_OR_RETURN(T value, from_row(row));
        values.push_back(std::move(value));
      }
      return Ok();
    }));
    return values;
  }

  /// The first row, or nothing if there is none.
  template <typename FromRow>
  auto FindOne(const Query& query, Params params, FromRow from_row) -> Result<std::optional<
      typename internal::Unwrapped<std::invoke_result_t<FromRow, const Row&>>::type>> {
    using T = typename internal::Unwrapped<std::invoke_result_t<FromRow, const Row&>>::type;
    std::optional<T> found;
    RETURN_IF_ERROR(Visit(query, params, true, [&](const Row& row) -> Status {
      if constexpr (std::is_same_v<std::invoke_result_t<FromRow, const Row&>, T>) {
        found.emplace(from_row(row));
      } else {
        ASSIGN_OR_RETURN(T value, from_row(row));
        found.emplace(std::move(value));
      }
      return Ok();
    }));
    return found;
  }

 protected:
  Status Visit(const Query& query, Params params, bool only_first,
               const std::function<Status(const Row&)>& on_row);
  /// Keeps the first failure of a statement; see Tx.
  Error Fail(Error error);

  Connection& connection_;
  std::optional<Error> failure_;
};

/// Reads and writes inside one write transaction. After a statement has failed nothing but the end
/// is left: further statements fail with the first one's error, and the write fails even if its
/// body returns a value. (PostgreSQL works so; SQLite is made to.) To insert only what is absent,
/// use ON CONFLICT.
class Tx : public Reader {
 public:
  using Reader::Reader;
  /// Rows inserted, updated or deleted. Errors: kAlreadyExists when a unique constraint refuses,
  /// kInvalidArgument when another one does.
  Result<int64_t> Execute(const Query& query, Params params = {});
  /// Execute, for when the count is of no interest: on PostgreSQL the statement travels together
  /// with those after it, so that a thousand inserts cost one round trip. It has run before any
  /// later statement runs and before the commit. Copies `params`. Its error may be returned by a
  /// later call, or by Write, instead of here.
  Status Post(const Query& query, Params params = {});
  /// For migrations: see Connection::RunScript.
  Status RunScript(std::string_view name, std::string_view text);

 private:
  friend class Db;
  /// What the body's result comes to: its error, else that of a statement it passed over.
  Status Outcome(Status of_body) const;
};

/// Thread-safe. Up to `reader_count` readers and, where the engine allows, `writer_count` writers
/// at once; other processes may use the same database meanwhile. Connections are opened when first
/// needed and replaced when they break (a server that was restarted). Do not call Read or Write
/// from inside a callback of the same Db (a deadlock), nor hold a transaction across a network call
/// or child process.
///
/// Writers of one scope (on SQLite: all) that come together are committed together: one of their
/// threads runs the bodies of those that wait, each undone alone if it fails, in one commit. See
/// docs/internals/decisions/sql-group-commit.md.
class Db {
 public:
  struct Options {
    int reader_count = 4;
    int writer_count = 1;
    /// Writes are at least this durable, whatever they ask for. A server says kDurable: what it
    /// acknowledged survives the loss of power.
    io::Durability minimum_durability = io::Durability::kFast;
  };
  explicit Db(std::unique_ptr<Driver> driver, Options options);
  explicit Db(std::unique_ptr<Driver> driver) : Db(std::move(driver), Options{}) {}
  ~Db();
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;

  /// Runs `body` (Reader& → Result<T> or Status) in a read transaction.
  template <typename F>
  std::invoke_result_t<F, Reader&> Read(F&& body) {
    std::optional<std::invoke_result_t<F, Reader&>> result;
    RETURN_IF_ERROR(RunRead([&](Reader& reader) -> Status {
      result.emplace(body(reader));
      return result->ok() ? Ok() : Status(result->error());
    }));
    return *std::move(result);
  }

  /// Runs `body` (Tx& → Result<T> or Status) in a write transaction: committed if it returns a
  /// value, rolled back if it returns an error. `body` may run on another thread, while this one
  /// waits, and may run again after a conflict or a lost connection: it must not have effects
  /// outside the transaction that do not bear repeating, nor use thread-local state. Errors: those
  /// of `body`; kUnavailable if another process held the write lock for longer than the busy
  /// timeout, if conflicts did not end, or if the server went away (when that was during the
  /// commit, the message says that it may have been done).
  template <typename F>
  std::invoke_result_t<F, Tx&> Write(F&& body,
                                     io::Durability durability = io::Durability::kDurable) {
    return Write(std::forward<F>(body), WriteOptions{.durability = durability});
  }
  template <typename F>
  std::invoke_result_t<F, Tx&> Write(F&& body, const WriteOptions& options) {
    std::optional<std::invoke_result_t<F, Tx&>> result;
    RETURN_IF_ERROR(RunWrite(options, [&](Tx& tx) -> Status {
      result.emplace(body(tx));
      return result->ok() ? Ok() : Status(result->error());
    }));
    return *std::move(result);
  }

  Result<bool> HasTable(std::string_view name);
  /// See Connection::BackupTo.
  Status BackupTo(const std::string& path);
  bool can_back_up() const { return driver_->can_back_up(); }
  std::string description() const { return driver_->description(); }

 private:
  using Body = std::function<Status(Tx&)>;

  Status RunRead(const std::function<Status(Reader&)>& body);
  Status RunWrite(const WriteOptions& options, const Body& body);
  /// One body in a transaction of its own, again after a conflict or a connection found dead.
  Status RunAlone(internal::Writer& writer);
  /// A lone writer's commit is synced at once. With others about, where the engine can, it is only
  /// made, its locks are free again, and one sync serves all that owe one.
  Status CommitOn(Connection& connection, std::span<internal::Writer* const> writers);
  Status SyncWithOthers();
  Status Sync();
  /// All of the batch in as few transactions as its time allows.
  void RunTogether(std::span<internal::Writer* const> batch);
  /// The first ones of the batch in one transaction; how many. Those that have no status then are
  /// not done.
  size_t RunSome(std::span<internal::Writer* const> batch);
  internal::ConnectionPool& read_pool() {
    return driver_->has_separate_readers() ? *readers_ : *writers_;
  }

  const std::unique_ptr<Driver> driver_;
  const Options options_;
  const std::unique_ptr<internal::ConnectionPool> writers_;
  const std::unique_ptr<internal::ConnectionPool> readers_;
  const std::unique_ptr<internal::CommitQueue> queue_;
  const std::unique_ptr<internal::CommitQueue> sync_queue_;
  std::atomic<int> active_writers_{0};
};

}  // namespace sluice::sql
