// Sets of runs, as bits by run number.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace sluice::tracking::internal {

/// Plain value; one thread at a time. Memory: 8 KiB for each 65,536 numbers that hold a member, so
/// a set of all of 100,000 runs has 16 KiB. All operations are linear in that, Add and Contains
/// cost next to nothing when numbers come near each other.
class RunSet {
 public:
  RunSet() = default;
  RunSet(const RunSet& other) : chunks_(other.chunks_) {}
  RunSet(RunSet&& other) noexcept : chunks_(std::move(other.chunks_)) { other.last_ = {}; }
  RunSet& operator=(RunSet other) noexcept {
    chunks_.swap(other.chunks_);
    last_ = {};
    return *this;
  }

  void Add(int64_t run_no) { ChunkOf(run_no >> kChunkBits)[WordOf(run_no)] |= BitOf(run_no); }
  bool Contains(int64_t run_no) const {
    const Chunk* chunk = FindChunk(run_no >> kChunkBits);
    return chunk != nullptr && ((*chunk)[WordOf(run_no)] & BitOf(run_no)) != 0;
  }
  size_t Count() const;
  /// In order.
  std::vector<int64_t> Members() const;

  void IntersectWith(const RunSet& other);
  void UniteWith(const RunSet& other);
  void Subtract(const RunSet& other);

 private:
  static constexpr int kChunkBits = 16;
  using Chunk = std::array<uint64_t, (1 << kChunkBits) / 64>;
  struct Last {
    int64_t number = -1;
    Chunk* chunk = nullptr;
  };

  static size_t WordOf(int64_t run_no) {
    return (static_cast<uint64_t>(run_no) & ((1 << kChunkBits) - 1)) / 64;
  }
  static uint64_t BitOf(int64_t run_no) { return uint64_t{1} << (run_no & 63); }
  Chunk& ChunkOf(int64_t number) {
    if (last_.number != number || last_.chunk == nullptr) last_ = {number, &chunks_[number]};
    return *last_.chunk;
  }
  const Chunk* FindChunk(int64_t number) const;

  std::map<int64_t, Chunk> chunks_;  // new ones are zero
  mutable Last last_;                // the chunk used last; map nodes stay where they are
};

/// A set, or all runs but a set: closed under AND, OR and NOT without knowing "all runs".
struct RunChoice {
  RunSet set;
  bool is_complement = false;

  bool Contains(int64_t run_no) const { return set.Contains(run_no) != is_complement; }
  void Negate() { is_complement = !is_complement; }
  void IntersectWith(const RunChoice& other);
  void UniteWith(const RunChoice& other);
};

}  // namespace sluice::tracking::internal
