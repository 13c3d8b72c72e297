#include "auth/internal/throttle.h"

namespace sluice::auth::internal {

bool Throttle::IsOver(const std::string& key, int failure_max, int64_t now_ms) {
  return counters_.With([&](const Counters& counters) {
    const auto found = counters.find(key);
    return found != counters.end() && found->second.failure_count >= failure_max &&
           now_ms < found->second.window_begin_ms + options_.window_ms;
  });
}

void Throttle::CountFailure(const std::string& key, int64_t now_ms) {
  counters_.With([&](Counters& counters) {
    if (counters.size() >= options_.count_max && !counters.contains(key)) {
      std::erase_if(counters, [&](const auto& entry) {
        return now_ms >= entry.second.window_begin_ms + options_.window_ms;
      });
      if (counters.size() >= options_.count_max) counters.clear();
    }
    Counter& counter = counters[key];
    if (now_ms >= counter.window_begin_ms + options_.window_ms) counter = {now_ms, 0};
    ++counter.failure_count;
  });
}

void Throttle::Forget(const std::string& key) {
  counters_.With([&](Counters& counters) { counters.erase(key); });
}

}  // namespace sluice::auth::internal
