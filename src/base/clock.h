// The one door to time. Code that needs it takes a Clock&; tests pass a ManualClock.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace sluice {

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock: milliseconds since 1970-01-01 UTC. May jump.
  virtual int64_t NowMs() = 0;
  /// Never goes back; nanoseconds since some fixed moment. For durations.
  virtual int64_t MonotonicNs() = 0;
};

/// The machine's clock. Never null, lives as long as the program.
Clock& SystemClock();

/// Stands still until told otherwise. Thread-safe.
class ManualClock : public Clock {
 public:
  explicit ManualClock(int64_t now_ms = 1'700'000'000'000) : now_ms_(now_ms) {}
  int64_t NowMs() override { return now_ms_; }
  int64_t MonotonicNs() override { return now_ms_ * 1'000'000; }
  void AdvanceMs(int64_t ms) { now_ms_ += ms; }

 private:
  std::atomic<int64_t> now_ms_;
};

/// "2026-11-21T14:03:07Z", or with ".123Z" when `with_milliseconds`. Pure; years 0000 to 9999
/// (CHECK).
std::string FormatUtc(int64_t ms_since_epoch, bool with_milliseconds = false);

}  // namespace sluice
