#include "base/periodic.h"

#include <pthread.h>

namespace sluice {

Periodic::Periodic(const std::string& name, std::chrono::milliseconds interval,
                   std::function<void()> tick)
    : thread_([this, interval, tick = std::move(tick)](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          tick();
          std::unique_lock lock(mutex_);
          wake_.wait_for(lock, stop, interval, [] { return false; });
        }
      }) {
  pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

Periodic::~Periodic() {
  thread_.request_stop();
  thread_.join();
}

}  // namespace sluice
