// Who commits for whom, among writers that would have to wait for each other: those of one scope,
// which on SQLite are all.
//
// Problem: a durable commit costs a sync of the disk, and writers that take turns pay one each.
// Idea: a writer that finds nobody at work leads: it runs its body at once, on its own thread, as
// if it were alone. Those who come meanwhile wait. When the leader is done, the first of them leads
// and takes all the others along in one transaction. So batches grow by themselves with the load,
// nobody ever waits for company, and a lone writer pays an uncontended lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <semaphore>
#include <span>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "base/result.h"
#include "sql/driver.h"

namespace sluice::sql {
class Tx;
}

namespace sluice::sql::internal {

/// One caller of Db::Write. Lives on its stack, until it is done.
struct Writer {
  const std::function<Status(Tx&)>& body;
  WriteOptions options;
  Status status = Ok();
  bool has_status = false;
  bool owes_sync = false;  ///< committed, but not synced yet
  bool is_done = false;
  std::binary_semaphore wake{0};
};

/// Thread-safe.
class CommitQueue {
 public:
  static constexpr size_t kMaxBatch = 64;

  /// Empty: another thread has run `writer`, its status says how. Else this thread leads: it runs
  /// the batch, which begins with `writer` and is of its scope, sets each status, calls Finish.
  std::vector<Writer*> Join(Writer& writer);
  /// Hands the lead to the first who waits, then wakes all of the batch but its first.
  void Finish(std::span<Writer* const> batch);

 private:
  /// Those who wait, of the scopes that have a leader.
  Guarded<std::map<std::string, std::deque<Writer*>, std::less<>>> lanes_;
};

}  // namespace sluice::sql::internal
