#include "sql/internal/commit_queue.h"

#include <algorithm>

namespace sluice::sql::internal {

std::vector<Writer*> CommitQueue::Join(Writer& writer) {
  std::string_view scope = writer.options.scope;
  bool is_leader = lanes_.With([&](auto& lanes) {
    auto lane = lanes.find(scope);
    if (lane != lanes.end()) {
      lane->second.push_back(&writer);
      return false;
    }
    lanes.emplace(scope, std::deque<Writer*>());
    return true;
  });
  if (!is_leader) {
    writer.wake.acquire();
    if (writer.is_done) return {};
  }
  std::vector<Writer*> batch{&writer};
  if (is_leader) return batch;  // whoever came since would rather wait a moment than hold it up
  lanes_.With([&](auto& lanes) {
    std::deque<Writer*>& waiting = lanes.find(scope)->second;
    auto end =
        waiting.begin() + static_cast<std::ptrdiff_t>(std::min(waiting.size(), kMaxBatch - 1));
    batch.insert(batch.end(), waiting.begin(), end);
    waiting.erase(waiting.begin(), end);
  });
  return batch;
}

void CommitQueue::Finish(std::span<Writer* const> batch) {
  Writer* next = lanes_.With([&](auto& lanes) -> Writer* {
    auto lane = lanes.find(batch[0]->options.scope);
    if (lane->second.empty()) {
      lanes.erase(lane);
      return nullptr;
    }
    Writer* first = lane->second.front();
    lane->second.pop_front();
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
