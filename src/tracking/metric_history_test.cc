#include "tracking/metric_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "base/random.h"
#include "tracking/internal/sampling.h"
#include "tracking/testing/engine_test.h"

namespace sluice::tracking {
namespace {

class MetricHistoryTest : public EngineTest {
 protected:
  /// A run of that id with points (value, timestamp, step) of metric "m".
  void Make(const std::string& run_id, const std::vector<MetricPoint>& points) {
    MakeRun({.experiment_id = "0", .run_id = run_id});
    for (size_t start = 0; start < points.size(); start += 10'000) {
      Batch batch;
      for (size_t i = start; i < std::min(start + 10'000, points.size()); ++i)
        batch.metrics.push_back({"m", points[i].value, points[i].timestamp_ms, points[i].step});
      Log(run_id, batch);
    }
  }
  std::vector<int64_t> SampledSteps(const std::vector<std::string>& run_ids, int64_t max_count,
                                    std::optional<int64_t> start = {},
                                    std::optional<int64_t> end = {}) {
    std::vector<int64_t> steps;
    Status status = MetricHistory(*db_, 50'000)
                        .ForEachSampled({.run_ids = run_ids,
                                         .key = "m",
                                         .start_step = start,
                                         .end_step = end,
                                         .max_count = max_count},
                                        [&](std::string_view, const MetricPoint& point) {
                                          steps.push_back(point.step);
                                        });
    EXPECT_TRUE(status.ok()) << status.error().ToString();
    return steps;
  }
};
TRACKING_ON_EVERY_ENGINE(MetricHistoryTest);

TEST(SampledPositions, AreThoseOfMlflow) {
  using Positions = std::vector<int64_t>;
  EXPECT_EQ(internal::SampledPositions(0, 5), Positions{});
  EXPECT_EQ(internal::SampledPositions(3, 5), (Positions{0, 1, 2}));
  EXPECT_EQ(internal::SampledPositions(10, 1), Positions{9});
  EXPECT_EQ(internal::SampledPositions(10, 2), (Positions{0, 9}));
  EXPECT_EQ(internal::SampledPositions(10, 4), (Positions{0, 3, 6, 9}));
  EXPECT_EQ(internal::SampledPositions(10, 5), (Positions{0, 2, 4, 6, 9}));
  Positions many = internal::SampledPositions(100'000, 2500);
  EXPECT_EQ(many.size(), 2500u);
  EXPECT_EQ(many[1], 40);
  EXPECT_EQ(many.back(), 99'999);
}

TEST_P(MetricHistoryTest, GivesRunsInOrderOfIdAndStopsAtTheLimit) {
  for (const char* id : {"b", "a", "c"}) Make(id, {{1, 2, 0}, {2, 1, 5}, {3, 1, 4}});
  std::vector<std::string> run_ids = {"c", "b", "a", "a", "unknown"};
  std::vector<std::string> found;
  auto visit = [&](std::string_view run_id, const MetricPoint& point) {
    found.push_back(std::string(run_id) + std::to_string(static_cast<int>(point.value)));
  };
  MetricHistory history(*db_);
  ASSERT_TRUE(history.ForEachOfRuns({.run_ids = run_ids, .key = "m"}, visit).ok());
  EXPECT_EQ(found,
            (std::vector<std::string>{"a3", "a2", "a1", "b3", "b2", "b1", "c3", "c2", "c1"}));
  found.clear();
  ASSERT_TRUE(history.ForEachOfRuns({.run_ids = run_ids, .key = "m", .max_count = 4}, visit).ok());
  EXPECT_EQ(found, (std::vector<std::string>{"a3", "a2", "a1", "b3"}));
  EXPECT_FALSE(history.ForEachOfRuns({.run_ids = {}, .key = "m"}, visit).ok());
  std::vector<std::string> too_many(101, "a");
  EXPECT_FALSE(history.ForEachOfRuns({.run_ids = too_many, .key = "m"}, visit).ok());
}

TEST_P(MetricHistoryTest, SamplesEachRunEvenlyAndKeepsItsEnds) {
  std::vector<MetricPoint> points;
  for (int64_t step = -1; step < 10; ++step) points.push_back({0.5, 1, step});
  Make("one", points);
  // Steps that go back in time, two points at one step, NaN.
  Make("two", {{1, 10, 30}, {std::nan(""), 11, 20}, {2, 12, 10}, {1, 12, 10}});
  EXPECT_EQ(SampledSteps({"one"}, 3), (std::vector<int64_t>{-1, 3, 9}));
  EXPECT_EQ(SampledSteps({"one"}, 1), std::vector<int64_t>{9});
  EXPECT_EQ(SampledSteps({"one"}, 2500).size(), 11u);
  EXPECT_EQ(SampledSteps({"one"}, 2500, 2, 4), (std::vector<int64_t>{2, 3, 4}));
  EXPECT_EQ(SampledSteps({"one"}, 5, 100, 200), std::vector<int64_t>{});
  EXPECT_EQ(SampledSteps({"two", "one"}, 2), (std::vector<int64_t>{10, 30, -1, 9}));
  EXPECT_EQ(SampledSteps({"two"}, 10), (std::vector<int64_t>{10, 10, 20, 30}));
  std::vector<std::string> one = {"one"};
  auto ignore = [](std::string_view, const MetricPoint&) {};
  MetricHistory history(*db_);
  for (SampledHistoryRequest wrong :
       {SampledHistoryRequest{one, "m", 1, {}}, SampledHistoryRequest{one, "m", 2, 1},
        SampledHistoryRequest{one, "m", {}, {}, 0}, SampledHistoryRequest{one, "m", {}, {}, 2501}})
    EXPECT_FALSE(history.ForEachSampled(wrong, ignore).ok());
}

// By definition, on every engine: also where the database picks, and beyond what is sorted.
TEST_P(MetricHistoryTest, SamplesWhatItSays) {
  Random random(11);
  std::vector<MetricPoint> points;
  for (int64_t i = 0; i < 60; ++i) {
    points.push_back({.value = random.NextBelow(5) == 0 ? std::nan("") : random.NextDouble() - 0.5,
                      .timestamp_ms = static_cast<int64_t>(random.NextBelow(20)),
                      .step = static_cast<int64_t>(random.NextBelow(12)) - 3});
  }
  Make("r", points);
  const std::vector<std::string> run_ids = {"r"};
  auto is_before_in_time = [](const MetricPoint& a, const MetricPoint& b) {
    auto key = [](const MetricPoint& point) {
      bool is_nan = std::isnan(point.value);
      return std::tuple(point.timestamp_ms, point.step, is_nan ? 0.0 : point.value, is_nan);
    };
    return key(a) < key(b);
  };
  for (size_t sorted_count : {size_t{60}, size_t{10}}) {
    for (auto [first, last] : {std::pair<int64_t, int64_t>{-100, 100}, {-2, 5}, {50, 60}}) {
      std::vector<MetricPoint> wanted;
      for (const MetricPoint& point : points) {
        if (point.step >= first && point.step <= last) wanted.push_back(point);
      }
      std::sort(wanted.begin(), wanted.end(), internal::ComesBeforeByStep);
      for (int64_t max_count : {1, 2, 7, 13, 30, 59, 60, 2500}) {
        std::vector<MetricPoint> ordered = wanted;
        const bool is_in_time = wanted.size() > sorted_count;
        if (is_in_time) std::sort(ordered.begin(), ordered.end(), is_before_in_time);
        std::vector<MetricPoint> sample;
        for (int64_t at : internal::SampledPositions(std::ssize(ordered), max_count))
          sample.push_back(ordered[static_cast<size_t>(at)]);
        std::sort(sample.begin(), sample.end(), internal::ComesBeforeByStep);
        if (is_in_time && sample.size() > 1) sample.front() = wanted.front();
        if (is_in_time) sample.back() = wanted.back();
        std::vector<MetricPoint> found;
        ASSERT_TRUE(MetricHistory(*db_, sorted_count)
                        .ForEachSampled({.run_ids = run_ids,
                                         .key = "m",
                                         .start_step = first,
                                         .end_step = last,
                                         .max_count = max_count},
                                        [&](std::string_view, const MetricPoint& point) {
                                          found.push_back(point);
                                        })
                        .ok());
        auto are_same = [](const MetricPoint& a, const MetricPoint& b) {
          return !internal::ComesBeforeByStep(a, b) && !internal::ComesBeforeByStep(b, a);
        };
        EXPECT_TRUE(std::equal(found.begin(), found.end(), sample.begin(), sample.end(), are_same))
            << sorted_count << " " << first << " " << max_count;
      }
    }
  }
}

// More points than are ever sorted in memory, in order and out of it.
TEST_P(MetricHistoryTest, SamplesLongHistories) {
  constexpr int64_t kCount = 70'000;
  Random random(7);
  std::vector<MetricPoint> sorted;
  std::vector<MetricPoint> shuffled;
  for (int64_t step = 0; step < kCount; ++step) {
    sorted.push_back({1, step, step});
    shuffled.push_back({1, static_cast<int64_t>(random.NextBelow(1'000'000)), step});
  }
  Make("sorted", sorted);
  Make("shuffled", shuffled);
  EXPECT_EQ(SampledSteps({"sorted"}, 7),
            (std::vector<int64_t>{0, 10'000, 20'000, 30'000, 40'000, 50'000, 69'999}));
  std::vector<int64_t> steps = SampledSteps({"shuffled"}, 2500);
  EXPECT_EQ(steps.size(), 2500u);
  EXPECT_TRUE(std::is_sorted(steps.begin(), steps.end()));
  EXPECT_EQ(steps.front(), 0);
  EXPECT_EQ(steps.back(), kCount - 1);
  int64_t count = 0;
  ASSERT_TRUE(MetricHistory(*db_)
                  .ForEachPoint({.run_id = "sorted", .key = "m", .max_count = {}},
                                [&](const MetricPoint& point) { EXPECT_EQ(point.step, count++); })
                  .ok());
  EXPECT_EQ(count, kCount);
}

}  // namespace
}  // namespace sluice::tracking
