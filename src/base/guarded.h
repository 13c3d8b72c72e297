// A value and its mutex together, so that the value cannot be reached without the lock.
#pragma once

#include <mutex>
#include <utility>

namespace sluice {

/// Thread-safe. Inside With do not call out (no callback, I/O or log) and do not take another lock.
template <typename T>
class Guarded {
 public:
  template <typename... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  template <typename F>
  decltype(auto) With(F&& function) {
    std::lock_guard lock(mutex_);
    return std::forward<F>(function)(value_);
  }

 private:
  std::mutex mutex_;
  T value_;
};

}  // namespace sluice
