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

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "base/result.h"
#include "sql/driver.h"
#include "sql/value.h"

namespace sluice::sql {

/// The current row of a query, valid inside the callback that got it. Columns count from 0 (range:
/// CHECK). A value of another type than asked for gives 0 or "" and makes the whole query fail with
/// kDataLoss, naming query and column; so a FromRow function needs no error paths. Integers are
/// taken where doubles are asked for.
class Row {
 public:
  Row(const Cursor& cursor, std::string_view query_name)
      : cursor_(cursor), query_name_(query_name) {}

  bool IsNull(int column) const;
  int64_t GetInt64(int column) const;
  bool GetBool(int column) const { return GetInt64(column) != 0; }
  double GetDouble(int column) const;
  std::string GetText(int column) const { return std::string(GetTextView(column)); }
  std::string_view GetTextView(int column) const;
  std::optional<int64_t> FindInt64(int column) const;
  std::optional<double> FindDouble(int column) const;
  std::optional<std::string> FindText(int column) const;

  /// The first mismatch met, if any.
  Status status() const;

 private:
  ColumnType TypeOf(int column) const;
  void Mismatch(int column, std::string_view wanted) const;

  const Cursor& cursor_;
  const std::string_view query_name_;
  mutable std::optional<Error> mismatch_;
};

namespace internal {
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

  Connection& connection_;
};

/// Reads and writes inside one write transaction.
class Tx : public Reader {
 public:
  using Reader::Reader;
  /// Rows inserted, updated or deleted. Errors: kAlreadyExists when a unique constraint refuses,
  /// kInvalidArgument when another one does.
  Result<int64_t> Execute(const Query& query, Params params = {});
  /// For migrations: see Connection::RunScript.
  Status RunScript(std::string_view name, std::string_view text);
};

/// Thread-safe. One writer at a time within the process (others wait), up to `reader_count` readers
/// beside it; other processes may use the same database meanwhile. Connections are opened when
/// first needed. Do not call Read or Write from inside a callback of the same Db (a deadlock), nor
/// hold a transaction across a network call or child process.
class Db {
 public:
  struct Options {
    int reader_count = 4;
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
  /// value, rolled back if it returns an error. May run `body` again after a conflict, so it must
  /// not have effects outside the transaction. Errors: those of `body`; kUnavailable if another
  /// process held the write lock for longer than the busy timeout.
  template <typename F>
  std::invoke_result_t<F, Tx&> Write(F&& body,
                                     io::Durability durability = io::Durability::kDurable) {
    std::optional<std::invoke_result_t<F, Tx&>> result;
    RETURN_IF_ERROR(RunWrite(durability, [&](Tx& tx) -> Status {
      result.emplace(body(tx));
      return result->ok() ? Ok() : Status(result->error());
    }));
    return *std::move(result);
  }

  Result<bool> HasTable(std::string_view name);
  /// See Connection::BackupTo.
  Status BackupTo(const std::string& path);
  std::string description() const { return driver_->description(); }

 private:
  class Lease;
  struct Pool {
    explicit Pool(int size) : free_count(size) {}
    std::counting_semaphore<64> free_count;
    Guarded<std::vector<std::unique_ptr<Connection>>> idle;
  };

  Status RunRead(const std::function<Status(Reader&)>& body);
  Status RunWrite(io::Durability durability, const std::function<Status(Tx&)>& body);
  Pool& read_pool() { return driver_->has_separate_readers() ? readers_ : writer_; }

  const std::unique_ptr<Driver> driver_;
  Pool writer_{1};
  Pool readers_;
};

}  // namespace sluice::sql
