#include "sql/internal/commit_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace sluice::sql::internal {
namespace {

const std::function<Status(Tx&)> kNothing;

TEST(CommitQueue, WhoFindsNobodyLeadsAlone) {
  CommitQueue queue;
  for (int i = 0; i < 2; ++i) {
    Writer writer{.body = kNothing, .options = {}};
    std::vector<Writer*> batch = queue.Join(writer);
    ASSERT_EQ(batch, std::vector<Writer*>{&writer});
    queue.Finish(batch);
  }
}

TEST(CommitQueue, ScopesDoNotWaitForEachOther) {
  CommitQueue queue;
  Writer a{.body = kNothing, .options = {.scope = "a"}};
  Writer b{.body = kNothing, .options = {.scope = "b"}};
  std::vector<Writer*> batch_a = queue.Join(a);
  std::vector<Writer*> batch_b = queue.Join(b);
  EXPECT_EQ(batch_a.size(), 1u);
  EXPECT_EQ(batch_b.size(), 1u);
  queue.Finish(batch_a);
  queue.Finish(batch_b);
}

TEST(CommitQueue, EveryWriterIsRunOnceAndAloneInItsScope) {
  constexpr int kThreads = 32;
  constexpr int kWrites = 200;
  CommitQueue queue;
  std::atomic<int> at_work[2] = {0, 0};
  std::atomic<int> overlaps{0};
  std::atomic<int> run_count{0};
  std::atomic<int> done_count{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kWrites; ++i) {
        int scope = t % 2;
        Writer writer{.body = kNothing, .options = {.scope = scope == 0 ? "even" : "odd"}};
        std::vector<Writer*> batch = queue.Join(writer);
        if (!batch.empty()) {
          if (at_work[scope].fetch_add(1) != 0) ++overlaps;
          EXPECT_EQ(batch[0], &writer);
          EXPECT_LE(batch.size(), CommitQueue::kMaxBatch);
          for (Writer* member : batch) member->has_status = true;
          run_count += static_cast<int>(batch.size());
          at_work[scope].fetch_sub(1);
          queue.Finish(batch);
        }
        if (writer.has_status) ++done_count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(run_count, kThreads * kWrites);
  EXPECT_EQ(done_count, kThreads * kWrites);
}

}  // namespace
}  // namespace sluice::sql::internal
