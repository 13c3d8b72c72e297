// Counts of failed attempts, so that guessing is slow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"

namespace sluice::auth::internal {

/// Failures per key in fixed windows, those not yet known to be none included. Holds at most
/// `count_max` keys: those whose window is over go first; if all are fresh, everything is forgotten
/// (who can fill it with fresh keys sits on as many peers, and is not stopped by it either way).
/// Thread-safe.
class Throttle {
 public:
  struct Options {
    int64_t window_ms = 60'000;
    size_t count_max = 20'000;
  };
  explicit Throttle(Options options) : options_(options) {}

  /// Counts an attempt as failed, to be taken back when it was not: so attempts under way count
  /// too. False if `key` had `failure_max` in its present window already; then nothing is counted.
  bool Begin(const std::string& key, int failure_max, int64_t now_ms);
  /// The attempt was not a failure after all.
  void TakeBack(const std::string& key);

 private:
  struct Counter {
    int64_t window_begin_ms = 0;
    int failure_count = 0;
  };
  using Counters = std::unordered_map<std::string, Counter>;

  const Options options_;
  Guarded<Counters> counters_;
};

}  // namespace sluice::auth::internal
