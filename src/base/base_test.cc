// The small mechanisms of base, one group each.
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <set>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/id.h"
#include "base/random.h"
#include "base/sha256.h"
#include "base/suggest.h"
#include "base/thread_pool.h"

namespace sluice {
namespace {

TEST(Sha256Test, AgreesWithTheStandardsExamples) {
  EXPECT_EQ(ComputeSha256("").ToHex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 hash;
  hash.Update("a");
  hash.Update("bc");
  Digest digest = hash.Finish();
  EXPECT_EQ(digest.ToHex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(*Digest::FromHex(digest.ToHex()), digest);
}

TEST(Sha256Test, RefusesWhatIsNoDigest) {
  EXPECT_FALSE(Digest::FromHex("ba78").ok());
  EXPECT_FALSE(Digest::FromHex(std::string(64, 'G')).ok());
  EXPECT_FALSE(Digest::FromHex(std::string(64, 'A')).ok());
}

TEST(ClockTest, FormatsUtc) {
  EXPECT_EQ(FormatUtc(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatUtc(1709210096789, true), "2024-02-29T12:34:56.789Z");
  EXPECT_EQ(FormatUtc(-1, true), "1969-12-31T23:59:59.999Z");
}

TEST(IdTest, RunIdsAreVersionFourUuids) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    std::string id = NewRunId();
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(id[12], '4');
    EXPECT_NE(std::string("89ab").find(id[16]), std::string::npos);
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 100U);
}

TEST(RandomTest, EqualSeedsGiveTheSameNumbersForEver) {
  // Written down, not computed: splits and bootstraps of released versions depend on them.
  Random random(42);
  EXPECT_EQ(random.NextU64(), 1546998764402558742U);
  EXPECT_EQ(random.NextU64(), 6990951692964543102U);
  EXPECT_EQ(StableHash64("sluice"), StableHash64("sluice"));
  EXPECT_NE(StableHash64("sluice", 1), StableHash64("sluice", 2));
  EXPECT_NE(Random(1, "a").NextU64(), Random(1, "b").NextU64());
}

TEST(RandomTest, NextBelowIsUniform) {
  Random random(1);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i) ++counts[random.NextBelow(6)];
  for (int count : counts) EXPECT_NEAR(count, 10000, 500);
}

TEST(RandomTest, GaussianHasUnitMoments) {
  Random random(1);
  double sum = 0;
  double sum_of_squares = 0;
  for (int i = 0; i < 100000; ++i) {
    double value = random.NextGaussian();
    sum += value;
    sum_of_squares += value * value;
  }
  EXPECT_NEAR(sum / 1e5, 0, 0.02);
  EXPECT_NEAR(sum_of_squares / 1e5, 1, 0.02);
}

TEST(SuggestTest, FindsTheNearestName) {
  std::vector<std::string> names{"learning_rate", "max_depth", "rounds"};
  EXPECT_EQ(NearestName("lerning_rate", names), "learning_rate");
  EXPECT_EQ(NearestName("roudns", names), "rounds");
  EXPECT_EQ(NearestName("objective", names), std::nullopt);
  EXPECT_EQ(DidYouMean("maxdepth", names), "; did you mean 'max_depth'?");
  EXPECT_EQ(EditDistance("ab", "ba"), 1U);
}

TEST(ThreadPoolTest, RunsEverythingThatWasTaken) {
  std::atomic<int> count{0};
  {
    ThreadPool pool({.name = "test", .thread_count = 3, .queue_capacity = 1000});
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.TrySubmit([&] { ++count; }).ok());
  }
  EXPECT_EQ(count, 500);
}

TEST(ThreadPoolTest, AFullQueueIsAnError) {
  Guarded<bool> unused(false);
  std::atomic<bool> is_open{false};
  ThreadPool pool({.name = "test", .thread_count = 1, .queue_capacity = 1});
  auto wait = [&] {
    while (!is_open) std::this_thread::yield();
  };
  // One task runs and one waits; with both places taken the next is refused.
  int taken_count = 0;
  Status status = Ok();
  while (status.ok() && taken_count < 10) {
    status = pool.TrySubmit(wait);
    if (status.ok()) ++taken_count;
  }
  is_open = true;
  EXPECT_LE(taken_count, 2);
  EXPECT_EQ(status.error().code(), ErrorCode::kResourceExhausted);
  pool.Shutdown();
  EXPECT_EQ(pool.TrySubmit([] {}).error().code(), ErrorCode::kCancelled);
}

TEST(ParallelForTest, VisitsEveryIndexOnce) {
  for (size_t threads : {0U, 1U, 4U}) {
    std::vector<std::atomic<int>> visits(1000);
    ParallelFor(threads, visits.size(), [&](size_t index) { ++visits[index]; });
    for (const std::atomic<int>& count : visits) EXPECT_EQ(count, 1);
  }
  ParallelFor(4, 0, [](size_t) { FAIL(); });
}

}  // namespace
}  // namespace sluice
