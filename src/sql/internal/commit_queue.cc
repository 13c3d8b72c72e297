#include "sql/internal/commit_queue.h"

#include <algorithm>

namespace sluice::sql::internal {

std::vector<Writer*> CommitQueue::Join(Writer& writer) {
  bool is_leader = state_.With([&](State& state) {
    if (!state.has_leader) return state.has_leader = true;
    state.waiting.push_back(&writer);
    return false;
  });
  if (!is_leader) {
    writer.wake.acquire();
    if (writer.is_done) return {};
  }
  std::vector<Writer*> batch{&writer};
  state_.With([&](State& state) {
    size_t count = std::min(state.waiting.size(), kMaxBatch - 1);
    auto end = state.waiting.begin() + static_cast<std::ptrdiff_t>(count);
    batch.insert(batch.end(), state.waiting.begin(), end);
    state.waiting.erase(state.waiting.begin(), end);
  });
  return batch;
}

void CommitQueue::Finish(std::span<Writer* const> batch) {
  Writer* next = state_.With([&](State& state) -> Writer* {
    if (state.waiting.empty()) {
      state.has_leader = false;
      return nullptr;
    }
    Writer* first = state.waiting.front();
    state.waiting.pop_front();
    return first;
  });
  // The next batch starts before this one's members are woken.
  if (next != nullptr) next->wake.release();
  for (Writer* writer : batch.subspan(1)) {
    writer->is_done = true;
    writer->wake.release();
  }
}

}  // namespace sluice::sql::internal
