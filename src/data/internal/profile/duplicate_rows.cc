#include "data/internal/profile/duplicate_rows.h"

#include <algorithm>
#include <bit>

#include "base/thread_pool.h"

namespace sluice::data::internal {

namespace {

bool IsKept(uint64_t hash, int dropped_bits) {
  return (hash & ((uint64_t{1} << dropped_bits) - 1)) == 0;
}

/// Values of `hashes` that stood there before, by an open-addressing table that fits a second-level
/// cache.
int64_t CountRepeated(const std::vector<uint64_t>& hashes) {
  if (hashes.empty()) return 0;
  std::vector<uint64_t> slots(std::bit_ceil(hashes.size() * 2));
  size_t mask = slots.size() - 1;
  int64_t repeated = 0;
  for (uint64_t hash : hashes) {
    hash += hash == 0 ? 1 : 0;  // 0 marks a free slot
    // The high bits chose the part and the lowest may all be zero.
    size_t index = (hash >> 20) & mask;
    while (slots[index] != 0 && slots[index] != hash) index = (index + 1) & mask;
    if (slots[index] == hash) {
      ++repeated;
    } else {
      slots[index] = hash;
    }
  }
  return repeated;
}

}  // namespace

void DuplicateRows::Add(const uint64_t* hashes, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if (!IsKept(hashes[i], dropped_bits_)) continue;
    parts_[hashes[i] >> (64 - kPartBits)].push_back(hashes[i]);
    ++kept_count_;
  }
  Enforce();
}

void DuplicateRows::Merge(DuplicateRows& other) {
  int bits = std::max(dropped_bits_, other.dropped_bits_);
  DropMore(bits);
  other.DropMore(bits);
  for (size_t part = 0; part < parts_.size(); ++part) {
    std::vector<uint64_t>& from = other.parts_[part];
    if (parts_[part].empty()) {
      parts_[part].swap(from);
    } else {
      parts_[part].insert(parts_[part].end(), from.begin(), from.end());
    }
    from = {};
  }
  kept_count_ += other.kept_count_;
  other.kept_count_ = 0;
  Enforce();
}

int64_t DuplicateRows::Count(size_t thread_count) {
  std::array<int64_t, size_t{1} << kPartBits> repeated{};
  ParallelFor(thread_count, parts_.size(), [&](size_t part) {
    repeated[part] = CountRepeated(parts_[part]);
    parts_[part] = {};
  });
  int64_t total = 0;
  for (int64_t count : repeated) total += count;
  return total << dropped_bits_;
}

void DuplicateRows::Enforce() {
  while (kept_count_ > limit_ && dropped_bits_ < 40) DropMore(dropped_bits_ + 1);
}

void DuplicateRows::DropMore(int bits) {
  if (bits == dropped_bits_) return;
  dropped_bits_ = bits;
  kept_count_ = 0;
  for (std::vector<uint64_t>& part : parts_) {
    std::erase_if(part, [bits](uint64_t hash) { return !IsKept(hash, bits); });
    kept_count_ += static_cast<int64_t>(part.size());
  }
}

}  // namespace sluice::data::internal
