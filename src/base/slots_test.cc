#include "base/slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using std::chrono::milliseconds;

TEST(Slots, NeverMoreInsideThanThereAreSlots) {
  Slots slots(3, 100);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 200; ++turn) {
        ASSERT_TRUE(slots.Take(milliseconds(60'000)));
        const int now = inside.fetch_add(1) + 1;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        inside.fetch_sub(1);
        slots.GiveBack();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 3);
}

TEST(Slots, RefusesWhenTheQueueIsFullOrTheTimeIsUp) {
  Slots none_may_wait(1, 0);
  EXPECT_TRUE(none_may_wait.Take(milliseconds(0)));
  EXPECT_FALSE(none_may_wait.Take(milliseconds(60'000)));
  none_may_wait.GiveBack();
  EXPECT_TRUE(none_may_wait.Take(milliseconds(0)));

  Slots one_may_wait(1, 1);
  EXPECT_TRUE(one_may_wait.Take(milliseconds(0)));
  EXPECT_FALSE(one_may_wait.Take(milliseconds(1)));
}

}  // namespace
}  // namespace sluice
