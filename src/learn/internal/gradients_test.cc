#include "learn/internal/gradients.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace sluice::learn::internal {
namespace {

TEST(Gradients, LogisticByHand) {
  std::vector<float> margins = {0, std::log(3.0f)}, gradients(2), hessians(2);
  std::vector<double> labels = {1, 0}, weights = {1, 2};
  ComputeGradients({.task = Task::kBinary,
                    .class_count = 2,
                    .margins = margins,
                    .labels = labels,
                    .weights = weights},
                   gradients, hessians);
  EXPECT_NEAR(gradients[0], -0.5, 1e-6);
  EXPECT_NEAR(gradients[1], 1.5, 1e-6);
  EXPECT_NEAR(hessians[0], 0.25, 1e-6);
  EXPECT_NEAR(hessians[1], 0.375, 1e-6);
}

TEST(Gradients, SoftmaxByHand) {
  std::vector<float> margins = {0, 0, std::log(2.0f)}, gradients(3), hessians(3);
  std::vector<double> labels = {2};
  ComputeGradients(
      {.task = Task::kMulticlass, .class_count = 3, .margins = margins, .labels = labels},
      gradients, hessians);
  EXPECT_NEAR(gradients[0], 0.25, 1e-6);
  EXPECT_NEAR(gradients[2], -0.5, 1e-6);
  EXPECT_NEAR(hessians[0], 2 * 0.25 * 0.75, 1e-6);
}

TEST(Gradients, AddUpTheSameInAnyOrder) {
  Random random(9);
  size_t rows = 50'000;
  std::vector<float> margins(rows), gradients(rows), hessians(rows);
  std::vector<double> labels(rows), weights(rows);
  for (size_t i = 0; i < rows; ++i) {
    margins[i] = static_cast<float>(3 * random.NextGaussian());
    labels[i] = static_cast<double>(random.NextBelow(2));
    weights[i] = std::exp(3 * random.NextGaussian());
  }
  ComputeGradients({.task = Task::kBinary,
                    .class_count = 2,
                    .margins = margins,
                    .labels = labels,
                    .weights = weights,
                    .thread_count = 3},
                   gradients, hessians);
  auto sum = [](const std::vector<float>& values) {
    double total = 0;
    for (float value : values) total += value;
    return total;
  };
  double gradient_sum = sum(gradients), hessian_sum = sum(hessians);
  for (int i = 0; i < 5; ++i) {
    random.Shuffle(std::span<float>(gradients));
    random.Shuffle(std::span<float>(hessians));
    EXPECT_EQ(sum(gradients), gradient_sum);
    EXPECT_EQ(sum(hessians), hessian_sum);
  }
}

TEST(Gradients, UnusedRowsAreZero) {
  std::vector<float> margins = {0, 0}, gradients(2), hessians(2);
  std::vector<double> labels = {1, 0};
  std::vector<uint8_t> is_used = {0, 1};
  ComputeGradients({.task = Task::kBinary,
                    .class_count = 2,
                    .margins = margins,
                    .labels = labels,
                    .is_used = is_used},
                   gradients, hessians);
  EXPECT_EQ(gradients[0], 0);
  EXPECT_EQ(hessians[0], 0);
  EXPECT_EQ(gradients[1], 0.5);
}

}  // namespace
}  // namespace sluice::learn::internal
