// The connections of a Db: opened when needed, kept, thrown away when they break.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sql/driver.h"

namespace sluice::sql::internal {

/// Thread-safe. (A mutex and a condition, since std::counting_semaphore of libstdc++ 12 can leave a
/// thread asleep when several wait.)
class ConnectionPool {
 public:
  explicit ConnectionPool(int size) : free_count_(size) {}

 private:
  friend class Lease;

  std::mutex mutex_;
  std::condition_variable is_free_;
  int free_count_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

/// One connection of a pool, given back at the end. The pool must outlive it.
class Lease {
 public:
  /// Waits for a connection, and opens it if none is idle. Errors: those of Driver::Connect.
  static Result<Lease> Take(ConnectionPool& pool, Driver& driver);
  Lease(Lease&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), connection_(std::move(other.connection_)) {}
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  /// After a connection was found dead, the idle ones are too, most likely: the server was
  /// restarted.
  void DropIdle();

  Connection& operator*() { return *connection_; }
  Connection* operator->() { return connection_.get(); }

 private:
  explicit Lease(ConnectionPool& pool) : pool_(&pool) {}

  ConnectionPool* pool_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace sluice::sql::internal
