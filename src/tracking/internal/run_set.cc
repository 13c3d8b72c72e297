#include "tracking/internal/run_set.h"

namespace sluice::tracking::internal {

const RunSet::Chunk* RunSet::FindChunk(int64_t number) const {
  if (last_.number != number) {
    auto found = chunks_.find(number);
    last_ = {number, found == chunks_.end() ? nullptr : const_cast<Chunk*>(&found->second)};
  }
  return last_.chunk;
}

size_t RunSet::Count() const {
  size_t count = 0;
  for (const auto& [number, chunk] : chunks_) {
    for (uint64_t word : chunk) count += static_cast<size_t>(std::popcount(word));
  }
  return count;
}

std::vector<int64_t> RunSet::Members() const {
  std::vector<int64_t> members;
  for (const auto& [number, chunk] : chunks_) {
    for (size_t i = 0; i < chunk.size(); ++i) {
      for (uint64_t word = chunk[i]; word != 0; word &= word - 1) {
        members.push_back((number << kChunkBits) + static_cast<int64_t>(i * 64) +
                          std::countr_zero(word));
      }
    }
  }
  return members;
}

void RunSet::IntersectWith(const RunSet& other) {
  last_ = {};
  for (auto mine = chunks_.begin(); mine != chunks_.end();) {
    auto theirs = other.chunks_.find(mine->first);
    if (theirs == other.chunks_.end()) {
      mine = chunks_.erase(mine);
      continue;
    }
    for (size_t i = 0; i < mine->second.size(); ++i) mine->second[i] &= theirs->second[i];
    ++mine;
  }
}

void RunSet::UniteWith(const RunSet& other) {
  last_ = {};
  for (const auto& [number, chunk] : other.chunks_) {
    Chunk& mine = chunks_[number];
    for (size_t i = 0; i < mine.size(); ++i) mine[i] |= chunk[i];
  }
}

void RunSet::Subtract(const RunSet& other) {
  for (auto& [number, chunk] : chunks_) {
    auto theirs = other.chunks_.find(number);
    if (theirs == other.chunks_.end()) continue;
    for (size_t i = 0; i < chunk.size(); ++i) chunk[i] &= ~theirs->second[i];
  }
}

void RunChoice::IntersectWith(const RunChoice& other) {
  if (!is_complement && !other.is_complement) {
    set.IntersectWith(other.set);
  } else if (!is_complement) {
    set.Subtract(other.set);
  } else if (other.is_complement) {
    set.UniteWith(other.set);  // neither here nor there
  } else {
    RunSet left = other.set;
    left.Subtract(set);
    *this = {std::move(left), false};
  }
}

void RunChoice::UniteWith(const RunChoice& other) {
  RunChoice negated = other;
  negated.Negate();
  Negate();
  IntersectWith(negated);
  Negate();
}

}  // namespace sluice::tracking::internal
