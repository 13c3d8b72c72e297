// A named loop: one thread that calls a function at intervals until it is stopped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace sluice {

/// Calls `tick` right away and then every `interval`, on one thread of its own. The destructor
/// stops the loop and waits for a running tick. `tick` must not throw. Tests call their object's
/// Tick() instead of starting this.
class Periodic {
 public:
  Periodic(const std::string& name, std::chrono::milliseconds interval, std::function<void()> tick);
  ~Periodic();
  Periodic(const Periodic&) = delete;
  Periodic& operator=(const Periodic&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace sluice
