#include "auth/internal/throttle.h"

namespace sluice::auth::internal {

bool Throttle::Begin(const std::string& key, int failure_max, int64_t now_ms) {
  return counters_.With([&](Counters& counters) {
    if (counters.size() >= options_.count_max && !counters.contains(key)) {
      std::erase_if(counters, [&](const auto& entry) {
        return now_ms >= entry.second.window_begin_ms + options_.window_ms;
      });
      if (counters.size() >= options_.count_max) counters.clear();
    }
    Counter& counter = counters[key];
    if (now_ms >= counter.window_begin_ms + options_.window_ms) counter = {now_ms, 0};
    if (counter.failure_count >= failure_max) return false;
    ++counter.failure_count;
    return true;
  });
}

void Throttle::TakeBack(const std::string& key) {
  counters_.With([&](Counters& counters) {
    const auto found = counters.find(key);
    if (found == counters.end()) return;
    if (--found->second.failure_count <= 0) counters.erase(found);
  });
}

}  // namespace sluice::auth::internal
