// Values that a person can check by hand, and the edges. Agreement with scikit-learn at large is
// tests/compat/test_metrics_sklearn.py.
#include "evaluate/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "evaluate/internal/engine.h"
#include "evaluate/testing/predictions.h"

namespace sluice::evaluate {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;
using ::testing::IsNan;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(RocAucTest, CountsTiesAsHalf) {
  std::vector<double> labels{0, 1, 0, 1}, scores{0.1, 0.4, 0.4, 0.8};
  EXPECT_DOUBLE_EQ(RocAuc({labels, scores, {}}), 0.875);
}

TEST(RocAucTest, WeightsStandForRepeatedRows) {
  std::vector<double> labels{0, 1, 0, 1}, scores{0.3, 0.2, 0.1, 0.9}, weights{2, 1, 1, 3};
  std::vector<double> repeated_labels{0, 0, 1, 0, 1, 1, 1};
  std::vector<double> repeated_scores{0.3, 0.3, 0.2, 0.1, 0.9, 0.9, 0.9};
  EXPECT_DOUBLE_EQ(RocAuc({labels, scores, weights}),
                   RocAuc({repeated_labels, repeated_scores, {}}));
}

TEST(RocAucTest, OneClassIsUndefined) {
  std::vector<double> labels{1, 1}, scores{0.2, 0.8};
  EXPECT_THAT(RocAuc({labels, scores, {}}), IsNan());
  EXPECT_THAT(KsStatistic({labels, scores, {}}), IsNan());
}

TEST(ScoreMetricsTest, NoRowsAreUndefined) {
  EXPECT_THAT(RocAuc({}), IsNan());
  EXPECT_THAT(AveragePrecision(Scored{}), IsNan());
  EXPECT_THAT(LogLoss(Scored{}), IsNan());
  EXPECT_THAT(BrierScore(Scored{}), IsNan());
  EXPECT_THAT(ExpectedCalibrationError(Scored{}), IsNan());
  EXPECT_THAT(MeanAbsoluteError({}), IsNan());
  EXPECT_THAT(MedianAbsoluteError({}), IsNan());
  EXPECT_THAT(Accuracy(ConfusionMatrix(2)), IsNan());
}

TEST(LogLossTest, CertainAndWrongIsClipped) {
  std::vector<double> labels{1}, scores{0};
  EXPECT_DOUBLE_EQ(LogLoss(Scored{labels, scores, {}}), 52 * std::log(2.0));
}

TEST(CalibrationErrorTest, UpperEdgesBelongToTheirBin) {
  // 0.3 lies in (0.2, 0.3] although 0.3 * 10 may round either way.
  std::vector<double> labels{1, 0}, scores{0.3, 0.25};
  EXPECT_THAT(ExpectedCalibrationError(Scored{labels, scores, {}}),
              DoubleNear(std::abs(1 - 0.55) / 2, 1e-15));
}

TEST(PrecisionRecallF1Test, ZeroDivisionIsChosenByTheCaller) {
  std::vector<double> labels{0, 0, 1}, predictions{0, 0, 0};
  ConfusionMatrix matrix({labels, predictions, {}}, 2);
  EXPECT_EQ(ComputePrecisionRecallF1(matrix, Average::kBinary).precision, 0);
  EXPECT_EQ(ComputePrecisionRecallF1(matrix, Average::kBinary, 1).precision, 1);
  EXPECT_THAT(ComputePrecisionRecallF1(matrix, Average::kBinary, kNan).precision, IsNan());
  EXPECT_DOUBLE_EQ(ComputePrecisionRecallF1(matrix, Average::kMacro, kNan).precision, 2.0 / 3);
}

TEST(PrecisionRecallF1Test, MacroLeavesOutClassesThatNeverOccur) {
  std::vector<double> labels{0, 2}, predictions{0, 2};
  ConfusionMatrix matrix({labels, predictions, {}}, 4);
  EXPECT_EQ(ComputePrecisionRecallF1(matrix, Average::kMacro).f1, 1);
}

TEST(R2Test, ConstantLabel) {
  // The mean of three 0.1 is not 0.1; a constant must be seen as one all the same.
  std::vector<double> labels{0.1, 0.1, 0.1}, off{0.1, 0.2, 0.1};
  EXPECT_EQ(R2Score({labels, labels, {}}), 1);
  EXPECT_EQ(R2Score({labels, off, {}}), 0);
  std::vector<double> one{3};
  EXPECT_THAT(R2Score({one, one, {}}), IsNan());
}

TEST(MedianAbsoluteErrorTest, WeightedTakesTheMeanWhereHalfIsMetExactly) {
  std::vector<double> labels{0, 0, 0, 0}, predictions{1, 2, 3, 4}, weights{1, 1, 0, 2};
  EXPECT_DOUBLE_EQ(MedianAbsoluteError({labels, predictions, weights}), 3);
}

TEST(CheckTest, NamesTheBadRow) {
  std::vector<double> labels{0, 1}, good{0.1, 0.9}, nan{0.1, kNan}, above{0.1, 1.1};
  std::vector<double> half{0, 0.5}, infinite{1, INFINITY};
  EXPECT_TRUE(CheckClassification(labels, good, 2, {}).ok());
  EXPECT_THAT(CheckClassification(labels, nan, 2, {}).error().message(), HasSubstr("row 1 is nan"));
  EXPECT_THAT(CheckClassification(labels, above, 2, {}).error().message(), HasSubstr("row 1"));
  EXPECT_THAT(CheckClassification(half, good, 2, {}).error().message(),
              HasSubstr("label of row 1 is 0.5"));
  EXPECT_THAT(CheckClassification(labels, good, 3, {}).error().message(), HasSubstr("expected 6"));
  EXPECT_THAT(CheckClassification(labels, good, 2, infinite).error().message(),
              HasSubstr("weight of row 1"));
  EXPECT_THAT(CheckRegression({labels, infinite, {}}).error().message(), HasSubstr("row 1 is inf"));
}

TEST(MetricTableTest, NamesAreUniqueAndEveryTaskHasItsMainMetric) {
  std::set<std::string_view> names;
  for (const MetricInfo& metric : Metrics()) EXPECT_TRUE(names.insert(metric.name).second);
  for (Task task : {Task::kBinary, Task::kMulticlass, Task::kRegression}) {
    ASSERT_NE(FindMetric(MainMetric(task)), nullptr);
    EXPECT_TRUE(IsMetricFor(*FindMetric(MainMetric(task)), task));
    EXPECT_EQ(TaskFromName(TaskName(task)), task);
  }
}

/// The engine that the bootstrap runs on must give what the functions give.
double FromEngine(const internal::EngineInput& input, std::string_view name) {
  auto engine = internal::MetricEngine::Create(input);
  std::vector<double> values = engine->Compute();
  for (size_t i = 0; i < values.size(); ++i) {
    if (engine->names()[i] == name) return values[i];
  }
  ADD_FAILURE() << name;
  return kNan;
}

TEST(MetricEngineTest, FillsEveryMetric) {
  testing::Predictions binary = testing::MakeBinary(200);
  testing::Predictions classes = testing::MakeMulticlass(200, 4);
  testing::Predictions values = testing::MakeRegression(200);
  for (const internal::EngineInput& input :
       {internal::EngineInput{Task::kBinary, 2, binary.labels, binary.predictions, {}, 0.5},
        internal::EngineInput{Task::kMulticlass, 4, classes.labels, classes.predictions, {}, 0.5},
        internal::EngineInput{Task::kRegression, 0, values.labels, values.predictions, {}, 0.5}}) {
    auto engine = internal::MetricEngine::Create(input);
    std::vector<double> all = engine->Compute();
    for (size_t i = 0; i < all.size(); ++i) EXPECT_FALSE(std::isnan(all[i])) << engine->names()[i];
  }
}

TEST(MetricEngineTest, AgreesWithTheFunctions) {
  testing::Predictions made = testing::MakeBinary(300);
  Scored scored{made.labels, made.predictions, {}};
  internal::EngineInput input{Task::kBinary, 2, made.labels, made.predictions, {}, 0.4};
  EXPECT_DOUBLE_EQ(FromEngine(input, "roc_auc"), RocAuc(scored));
  EXPECT_NEAR(FromEngine(input, "log_loss"), LogLoss(scored), 1e-14);
  EXPECT_NEAR(FromEngine(input, "expected_calibration_error"), ExpectedCalibrationError(scored),
              1e-14);
  std::vector<double> predicted = PredictedClasses(made.predictions, 0.4);
  EXPECT_DOUBLE_EQ(FromEngine(input, "accuracy"),
                   Accuracy(ConfusionMatrix({made.labels, predicted, {}}, 2)));
}

}  // namespace
}  // namespace sluice::evaluate
