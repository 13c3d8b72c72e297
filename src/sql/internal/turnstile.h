// Fairness between the processes that write one SQLite database.
//
// Problem: SQLite has no queue of writers. Who finds the database locked tries again a while later,
// and a server that commits all the time leaves gaps of microseconds: another process may try for
// seconds. Idea: whoever wants the write lock first takes a lock beside the database, and gives it
// back when it has the write lock. Only one process tries at a time, then, and the one that has
// just committed finds the turnstile taken and comes after it. Two system calls where nobody waits.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::sql::internal {

/// One thread at a time. The lock is the kernel's (flock) and ends with the process.
class Turnstile {
 public:
  /// `path` is created if absent. Where that is impossible there is no fairness, and no error.
  explicit Turnstile(const std::string& path);
  ~Turnstile();
  Turnstile(const Turnstile&) = delete;
  Turnstile& operator=(const Turnstile&) = delete;

  /// Waits for the turn, not longer than this; then goes on without.
  void Enter(int64_t timeout_ms);
  void Leave();

 private:
  const int file_;
};

}  // namespace sluice::sql::internal
