#include "evaluate/curves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "evaluate/testing/predictions.h"

namespace sluice::evaluate {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsNan;

double Interpolate(const std::vector<double>& x, const std::vector<double>& y, double at) {
  auto upper = std::lower_bound(x.begin(), x.end(), at);
  if (upper == x.begin()) return y.front();
  if (upper == x.end()) return y.back();
  size_t i = static_cast<size_t>(upper - x.begin());
  return y[i - 1] + (y[i] - y[i - 1]) * (at - x[i - 1]) / (x[i] - x[i - 1]);
}

TEST(RocCurveTest, SmallExample) {
  std::vector<double> labels{0, 1, 1, 0}, scores{0.1, 0.4, 0.8, 0.4};
  RocCurve curve = ComputeRocCurve({labels, scores, {}});
  EXPECT_THAT(curve.fpr, ElementsAre(0, 0, 0.5, 1));
  EXPECT_THAT(curve.tpr, ElementsAre(0, 0.5, 1, 1));
  EXPECT_THAT(curve.thresholds, ElementsAre(INFINITY, 0.8, 0.4, 0.1));
}

TEST(RocCurveTest, AbsentClassHasNoRate) {
  std::vector<double> labels{1, 1}, scores{0.1, 0.4};
  EXPECT_THAT(ComputeRocCurve({labels, scores, {}}).fpr, Each(IsNan()));
}

TEST(RocCurveTest, ThinningKeepsTheShape) {
  Random random(5);
  std::vector<double> labels, scores;
  for (int row = 0; row < 50'000; ++row) {
    labels.push_back(random.NextDouble() < 0.2 ? 1 : 0);
    scores.push_back(random.NextGaussian() + labels.back());
  }
  RocCurve full = ComputeRocCurve({labels, scores, {}}, 0);
  RocCurve thin = ComputeRocCurve({labels, scores, {}});
  ASSERT_LE(thin.fpr.size(), kCurvePointLimit);
  EXPECT_EQ(thin.fpr.back(), 1);
  EXPECT_EQ(thin.tpr.front(), 0);
  double area = 0;
  for (size_t i = 1; i < thin.fpr.size(); ++i) {
    area += (thin.fpr[i] - thin.fpr[i - 1]) * (thin.tpr[i] + thin.tpr[i - 1]) / 2;
  }
  EXPECT_NEAR(area, RocAuc({labels, scores, {}}), 2e-4);
  double worst = 0;
  for (size_t i = 0; i < full.fpr.size(); i += 7) {
    // Steep at the left: there the distance is better measured sideways.
    double up = std::abs(Interpolate(thin.fpr, thin.tpr, full.fpr[i]) - full.tpr[i]);
    double side = std::abs(Interpolate(thin.tpr, thin.fpr, full.tpr[i]) - full.fpr[i]);
    worst = std::max(worst, std::min(up, side));
  }
  EXPECT_LT(worst, 0.001);
}

TEST(PrCurveTest, StartsAtFullPrecision) {
  std::vector<double> labels{0, 1, 1, 0}, scores{0.1, 0.4, 0.8, 0.4};
  PrCurve curve = ComputePrCurve({labels, scores, {}});
  EXPECT_THAT(curve.recall, ElementsAre(0, 0.5, 1, 1));
  EXPECT_THAT(curve.precision, ElementsAre(1, 1, 2.0 / 3, 0.5));
}

TEST(PrCurveTest, ManyRowsAreThinned) {
  testing::Predictions made = testing::MakeBinary(20'000);
  Random random(2);
  for (double& score : made.predictions) score = (score + random.NextDouble()) / 2;
  EXPECT_LE(ComputePrCurve({made.labels, made.predictions, {}}).recall.size(), kCurvePointLimit);
}

TEST(CalibrationCurveTest, LeavesOutEmptyBins) {
  std::vector<double> labels{0, 1, 1}, scores{0.05, 0.91, 1.0}, weights{1, 1, 3};
  CalibrationCurve curve = ComputeCalibrationCurve({labels, scores, weights});
  EXPECT_THAT(curve.mean_label, ElementsAre(0, 1));
  EXPECT_THAT(curve.weight, ElementsAre(1, 4));
  EXPECT_NEAR(curve.mean_score[1], (0.91 + 3) / 4, 1e-15);
}

TEST(HistogramTest, EdgesAndOutsiders) {
  std::vector<double> values{-5, 0, 0.5, 1, 7};
  Histogram histogram = ComputeHistogram(values, {}, {.low = 0, .high = 1, .bin_count = 2});
  EXPECT_THAT(histogram.edges, ElementsAre(0, 0.5, 1));
  EXPECT_THAT(histogram.weights, ElementsAre(2, 3));
}

TEST(SortedQuantileTest, InterpolatesAsNumpy) {
  std::vector<double> values{1, 2, 4};
  EXPECT_EQ(SortedQuantile(values, 0), 1);
  EXPECT_EQ(SortedQuantile(values, 0.75), 3);
  EXPECT_EQ(SortedQuantile(values, 1), 4);
  EXPECT_THAT(SortedQuantile({}, 0.5), IsNan());
}

}  // namespace
}  // namespace sluice::evaluate
