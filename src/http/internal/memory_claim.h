// The share of ServerOptions::buffered_body_bytes_max that one connection has taken.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/result.h"

namespace sluice::http::internal {

/// Gives back at its end what it holds. One thread at a time; the total is shared by all.
class MemoryClaim {
 public:
  MemoryClaim(std::atomic<int64_t>& total_bytes, int64_t bytes_max)
      : total_bytes_(total_bytes), bytes_max_(bytes_max) {}
  ~MemoryClaim() { Release(); }
  MemoryClaim(const MemoryClaim&) = delete;
  MemoryClaim& operator=(const MemoryClaim&) = delete;

  /// Up to kFreeBytes need no claim: a connection may always hold a small request.
  static constexpr int64_t kFreeBytes = 16 << 10;

  /// Makes the claim at least `bytes`. Errors: kUnavailable when all claims together would pass the
  /// limit.
  Status GrowTo(int64_t bytes) {
    if (bytes <= kFreeBytes || bytes <= held_bytes_) return Ok();
    const int64_t more = bytes - held_bytes_;
    if (total_bytes_.fetch_add(more, std::memory_order_relaxed) + more > bytes_max_) {
      total_bytes_.fetch_sub(more, std::memory_order_relaxed);
      return Unavailable("too many request bodies are in memory now; try again later");
    }
    held_bytes_ = bytes;
    return Ok();
  }
  void Release() {
    if (held_bytes_ > 0) total_bytes_.fetch_sub(held_bytes_, std::memory_order_relaxed);
    held_bytes_ = 0;
  }
  int64_t held_bytes() const { return held_bytes_; }

 private:
  std::atomic<int64_t>& total_bytes_;
  const int64_t bytes_max_;
  int64_t held_bytes_ = 0;
};

}  // namespace sluice::http::internal
