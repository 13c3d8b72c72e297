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
  Slots(int count, int waiting_count_max)
      : free_count_(count), waiting_count_max_(waiting_count_max) {}

  /// Takes a slot, waiting for one at most `timeout`. False: none came free, or as many wait as
  /// may.
  bool Take(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    if (free_count_ == 0) {
      if (waiting_count_ >= waiting_count_max_) return false;
      ++waiting_count_;
      freed_.wait_for(lock, timeout, [this] { return free_count_ > 0; });
      --waiting_count_;
    }
    if (free_count_ == 0) return false;
    --free_count_;
    return true;
  }

  void GiveBack() {
    {
      const std::lock_guard lock(mutex_);
      ++free_count_;
    }
    freed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  int free_count_;
  int waiting_count_ = 0;
  const int waiting_count_max_;
};

}  // namespace sluice
