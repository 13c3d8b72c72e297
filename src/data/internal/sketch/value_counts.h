// Exact counts of the values of a column while there are few of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::data::internal {

/// An open-addressing table from hash to (value, count) that gives up above `limit` different
/// values; whether it does depends on the set of values alone, not on their order. Values are told
/// apart by their 64-bit hash. One thread at a time.
template <typename Value>
class ValueCounts {
 public:
  struct Slot {
    uint64_t hash = 0;  ///< 0: free
    int64_t count = 0;
    Value value{};
  };

  explicit ValueCounts(size_t limit) : limit_(limit), slots_(kFirstCapacity) {}

  bool has_overflowed() const { return slots_.empty(); }
  size_t size() const { return size_; }

  /// Counts a value `count` times and gives its slot, valid until the next call; `make` is called
  /// for a value not seen before. Null when there are too many values now: the table then holds
  /// what it held, and the caller takes what it needs and calls Drop. Never call it after Drop.
  template <typename Make>
  Slot* Add(uint64_t hash, int64_t count, Make&& make) {
    hash += hash == 0 ? 1 : 0;
    size_t index = hash & (slots_.size() - 1);
    for (; slots_[index].hash != hash; index = (index + 1) & (slots_.size() - 1)) {
      if (slots_[index].hash != 0) continue;
      if (size_ == limit_) return nullptr;
      if (size_ * 2 >= slots_.size()) {
        Grow();
        return Add(hash, count, make);
      }
      ++size_;
      slots_[index] = {hash, 0, make()};
      break;
    }
    slots_[index].count += count;
    return &slots_[index];
  }

  void Drop() {
    slots_ = {};
    size_ = 0;
  }

  template <typename F>
  void ForEach(F&& function) const {
    for (const Slot& slot : slots_) {
      if (slot.hash != 0) function(slot);
    }
  }

 private:
  static constexpr size_t kFirstCapacity = 64;

  void Grow() {
    std::vector<Slot> old(slots_.size() * 4);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.hash == 0) continue;
      size_t index = slot.hash & (slots_.size() - 1);
      while (slots_[index].hash != 0) index = (index + 1) & (slots_.size() - 1);
      slots_[index] = slot;
    }
  }

  size_t limit_;
  size_t size_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace sluice::data::internal
