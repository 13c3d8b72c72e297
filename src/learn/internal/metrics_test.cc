#include "learn/internal/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "formats/json.h"
#include "io/fs.h"

namespace sluice::learn::internal {
namespace {

using formats::Json;
using ::testing::HasSubstr;

template <typename T>
std::vector<T> Values(const Json& array) {
  std::vector<T> values;
  for (const Json& value : array.AsArray()) values.push_back(static_cast<T>(value.AsDouble()));
  return values;
}

TEST(Metrics, BinaryAgreesWithScikitLearn) {
  Json golden = *formats::ParseJson(
      *io::RealFs().ReadFile(SLUICE_SOURCE_DIR "/src/learn/testing/metrics_golden.json"));
  for (const Json& test_case : golden.At("cases").AsArray()) {
    std::vector<float> margins = Values<float>(test_case.At("margins"));
    std::vector<double> labels = Values<double>(test_case.At("y")),
                        weights = Values<double>(test_case.At("weights"));
    NamedMetrics metrics = ComputeMetrics({.task = Task::kBinary,
                                           .class_count = 2,
                                           .margins = margins,
                                           .labels = labels,
                                           .weights = weights,
                                           .thread_count = 2});
    for (const auto& [name, value] : metrics)
      EXPECT_NEAR(value, test_case.At(name).AsDouble(), 1e-12) << name;
  }
}

TEST(Metrics, AucOfTiesAndExtremes) {
  std::vector<double> labels = {0, 1, 0, 1};
  EXPECT_EQ(WeightedAuc(std::vector<float>{1, 2, 1, 2}, labels, {}), 1);
  EXPECT_EQ(WeightedAuc(std::vector<float>{2, 1, 2, 1}, labels, {}), 0);
  EXPECT_EQ(WeightedAuc(std::vector<float>{3, 3, 3, 3}, labels, {}), 0.5);
  EXPECT_EQ(WeightedAuc(std::vector<float>{-0.0f, 0.0f, 0.0f, -0.0f}, labels, {}), 0.5)
      << "zeros of both signs tie";
  EXPECT_EQ(WeightedAuc(std::vector<float>{-INFINITY, 1e-30f, -1e30f, INFINITY}, labels, {}), 1);
  EXPECT_EQ(WeightedAuc(std::vector<float>{1, 2}, std::vector<double>{1, 1}, {}), 0.5)
      << "one class only";
}

TEST(Metrics, MulticlassAndRegressionByHand) {
  std::vector<float> margins = {0, 0, 0, std::log(2.0f), 0, 0};
  std::vector<double> labels = {2, 1};
  NamedMetrics classes = ComputeMetrics(
      {.task = Task::kMulticlass, .class_count = 3, .margins = margins, .labels = labels});
  EXPECT_NEAR(classes[0].second, (std::log(3.0) + std::log(4.0)) / 2, 1e-7);
  EXPECT_EQ(classes[1].second, 1);
  NamedMetrics numbers = ComputeMetrics({.task = Task::kRegression,
                                         .margins = std::span<const float>(margins).first(2),
                                         .labels = labels,
                                         .weights = std::vector<double>{3, 1}});
  EXPECT_DOUBLE_EQ(numbers[0].second, std::sqrt((3 * 4 + 1 * 1) / 4.0));
  EXPECT_DOUBLE_EQ(numbers[1].second, (3 * 2 + 1) / 4.0);
}

TEST(EarlyStopper, StopsAfterPatienceWithoutGain) {
  EarlyStopper stopper =
      *EarlyStopper::Make({.metric = "", .patience = 2, .min_delta = 0.1}, Task::kBinary);
  EXPECT_EQ(stopper.metric(), "log_loss");
  EXPECT_FALSE(stopper.Add(1.0));
  EXPECT_FALSE(stopper.Add(0.5));
  EXPECT_FALSE(stopper.Add(0.45)) << "a gain below min_delta is none";
  EXPECT_TRUE(stopper.Add(0.44));
  EXPECT_EQ(stopper.best_iteration(), 2);
}

TEST(EarlyStopper, GreaterIsBetterForAuc) {
  EarlyStopper stopper = *EarlyStopper::Make({.metric = "roc_auc", .patience = 1}, Task::kBinary);
  EXPECT_FALSE(stopper.Add(0.6));
  EXPECT_FALSE(stopper.Add(0.7));
  EXPECT_TRUE(stopper.Add(0.65));
}

TEST(EarlyStopper, Errors) {
  EXPECT_THAT(EarlyStopper::Make({.metric = "rmse"}, Task::kBinary).error().message(),
              HasSubstr("a binary task has no metric 'rmse'"));
  EXPECT_THAT(EarlyStopper::Make({.metric = "log_los"}, Task::kBinary).error().message(),
              HasSubstr("did you mean 'log_loss'?"));
  EXPECT_FALSE(EarlyStopper::Make({.patience = 0}, Task::kBinary).ok());
  EXPECT_FALSE(EarlyStopper::Make({.min_delta = -1}, Task::kBinary).ok());
}

}  // namespace
}  // namespace sluice::learn::internal
