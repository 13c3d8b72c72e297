#include "base/slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using std::chrono::milliseconds;

TEST(Slots, NeverMoreInsideThanThereAreSlots) {
  Slots slots({.count = 3, .waiting_count_max = 100, .wait_timeout = milliseconds(60'000)});
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 200; ++turn) {
        ASSERT_TRUE(slots.Take());
        const int now = inside.fetch_add(1) + 1;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        inside.fetch_sub(1);
        slots.Give();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 3);
}

TEST(Slots, RefusesWhenTheQueueIsFullOrTheTimeIsUp) {
  Slots none_may_wait({.count = 1, .wait_timeout = milliseconds(60'000)});
  EXPECT_TRUE(none_may_wait.Take());
  EXPECT_FALSE(none_may_wait.Take());
  none_may_wait.Give();
  EXPECT_TRUE(none_may_wait.Take());

  Slots one_may_wait({.count = 1, .waiting_count_max = 1, .wait_timeout = milliseconds(1)});
  EXPECT_TRUE(one_may_wait.Take());
  EXPECT_FALSE(one_may_wait.Take());
}

}  // namespace
}  // namespace sluice
