// A fixed number of slots for work that is dear, and a short queue in front of them. (By a mutex
// and a condition: std::counting_semaphore of libstdc++ 12 can leave a waiter asleep.)
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace sluice {

/// Thread-safe.
class Slots {
 public:
  struct Options {
    int count = 1;
    int waiting_count_max = 0;
    std::chrono::milliseconds wait_timeout{0};
  };
  explicit Slots(const Options& options) : options_(options), free_count_(options.count) {}

  /// Takes a slot, waiting for one if need be. False: none came free in time, or as many wait as
  /// may.
  bool Take() {
    std::unique_lock lock(mutex_);
    if (free_count_ == 0) {
      if (waiting_count_ >= options_.waiting_count_max) return false;
      ++waiting_count_;
      freed_.wait_for(lock, options_.wait_timeout, [this] { return free_count_ > 0; });
      --waiting_count_;
    }
    if (free_count_ == 0) return false;
    --free_count_;
    return true;
  }

  void Give() {
    {
      const std::lock_guard lock(mutex_);
      ++free_count_;
    }
    freed_.notify_one();
  }

 private:
  const Options options_;
  std::mutex mutex_;
  std::condition_variable freed_;
  int free_count_;
  int waiting_count_ = 0;
};

}  // namespace sluice
