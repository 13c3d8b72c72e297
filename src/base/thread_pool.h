// A fixed number of threads behind a bounded queue.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace sluice {

/// Runs tasks on `thread_count` threads, in the order they came. Thread-safe. The destructor runs
/// what is queued, then joins. Tasks must not throw, and must not wait for a task of the same pool.
class ThreadPool {
 public:
  struct Options {
    std::string name;              ///< shown by `top -H`; at most 15 bytes are used
    size_t thread_count = 1;       ///< > 0 (CHECK)
    size_t queue_capacity = 1024;  ///< tasks waiting, not running
  };
  explicit ThreadPool(Options options);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Errors: kResourceExhausted when the queue is full, kCancelled after Shutdown.
  Status TrySubmit(std::function<void()> task);
  /// Stops taking tasks, runs those queued and joins. Called again it does nothing.
  void Shutdown();
  size_t QueuedCount();

 private:
  void Work();

  const Options options_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

/// Calls body(index) for every index in [0, count) on up to `thread_count` threads, the caller's
/// among them, and returns when all are done. Which thread takes which index is not fixed: results
/// must not depend on it.
void ParallelFor(size_t thread_count, size_t count, const std::function<void(size_t)>& body);

}  // namespace sluice
