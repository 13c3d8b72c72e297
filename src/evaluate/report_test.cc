#include "evaluate/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "evaluate/compare.h"
#include "evaluate/testing/predictions.h"

namespace sluice::evaluate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsNan;
using testing::Predictions;

SliceColumn SliceByRow(std::string name, size_t row_count, std::vector<std::string> groups) {
  SliceColumn slice{.name = std::move(name), .groups = std::move(groups)};
  for (size_t row = 0; row < row_count; ++row) {
    slice.codes.push_back(static_cast<int32_t>(row % slice.groups.size()));
  }
  return slice;
}

std::string Print(const Report& report) { return formats::PrintJson(ReportToJson(report)); }

TEST(BuildReportTest, IntervalsHoldTheValueAndShrinkWithRows) {
  double width[2];
  for (int i = 0; i < 2; ++i) {
    Predictions made = testing::MakeBinary(i == 0 ? 200 : 5000);
    Result<Report> report = BuildReport(made.Request(Task::kBinary));
    ASSERT_TRUE(report.ok()) << report.error().ToString();
    const MetricValue* auc = report->FindMetricValue("roc_auc");
    EXPECT_DOUBLE_EQ(auc->value, RocAuc({made.labels, made.predictions, {}}));
    ASSERT_TRUE(auc->interval.has_value());
    EXPECT_LT(auc->interval->low, auc->value);
    EXPECT_GT(auc->interval->high, auc->value);
    width[i] = auc->interval->high - auc->interval->low;
  }
  // 25 times the rows: a fifth of the width.
  EXPECT_NEAR(width[0] / width[1], 5, 1.2);
}

TEST(BuildReportTest, IntervalOfAMeanMatchesTheNormalApproximation) {
  Predictions made = testing::MakeBinary(4000);
  EvaluateRequest request = made.Request(Task::kBinary);
  request.resample_count = 2000;
  Report report = BuildReport(request).value();
  const MetricValue* accuracy = report.FindMetricValue("accuracy");
  double error = std::sqrt(accuracy->value * (1 - accuracy->value) / 4000);
  EXPECT_NEAR(accuracy->interval->high - accuracy->value, 1.96 * error, 0.15 * error);
  EXPECT_NEAR(accuracy->value - accuracy->interval->low, 1.96 * error, 0.15 * error);
}

TEST(BuildReportTest, PoissonResamplesGiveTheSameIntervals) {
  Predictions made = testing::MakeBinary(70'000);
  Report large = BuildReport(made.Request(Task::kBinary)).value();
  made.labels.resize(60'000);
  made.predictions.resize(60'000);
  Report small = BuildReport(made.Request(Task::kBinary)).value();
  Interval poisson = *large.FindMetricValue("roc_auc")->interval;
  Interval multinomial = *small.FindMetricValue("roc_auc")->interval;
  EXPECT_NEAR((multinomial.high - multinomial.low) / (poisson.high - poisson.low),
              std::sqrt(7.0 / 6), 0.2);
}

TEST(BuildReportTest, SameBytesForAnyThreadCount) {
  for (Task task : {Task::kBinary, Task::kMulticlass, Task::kRegression}) {
    Predictions made = task == Task::kBinary       ? testing::MakeBinary(500)
                       : task == Task::kMulticlass ? testing::MakeMulticlass(500, 3)
                                                   : testing::MakeRegression(500);
    EvaluateRequest request = made.Request(task);
    request.slices = {SliceByRow("half", 500, {"a", "b"})};
    Report one = BuildReport(request).value();
    request.thread_count = 4;
    EXPECT_EQ(Print(one), Print(BuildReport(request).value())) << TaskName(task);
    request.seed = 9;
    EXPECT_NE(Print(one), Print(BuildReport(request).value())) << TaskName(task);
  }
}

TEST(BuildReportTest, JsonReadsBackToTheSameReport) {
  for (Task task : {Task::kBinary, Task::kMulticlass, Task::kRegression}) {
    Predictions made = task == Task::kBinary       ? testing::MakeBinary(300)
                       : task == Task::kMulticlass ? testing::MakeMulticlass(300, 3)
                                                   : testing::MakeRegression(300);
    EvaluateRequest request = made.Request(task);
    request.slices = {SliceByRow("third", 300, {"a", "b", "c"})};
    request.slices[0].is_sensitive = true;
    std::string printed = Print(BuildReport(request).value());
    formats::Json parsed = formats::ParseJson(printed).value();
    Result<Report> read = ReportFromJson(parsed);
    ASSERT_TRUE(read.ok()) << read.error().ToString();
    EXPECT_EQ(Print(*read), printed);
  }
}

TEST(BuildReportTest, SlicesAreMeasuredAsTablesOfTheirOwn) {
  Predictions made = testing::MakeBinary(600);
  EvaluateRequest request = made.Request(Task::kBinary);
  request.slices = {SliceByRow("parity", 600, {"even", "odd", "never"})};
  for (size_t row = 0; row < 600; ++row) {
    request.slices[0].codes[row] = row < 50 ? 0 : 1;
  }
  Report report = BuildReport(request).value();
  ASSERT_EQ(report.slices[0].groups.size(), 2u);  // a group without rows is not shown
  const SliceGroup& even = report.slices[0].groups[0];
  EXPECT_TRUE(even.is_small);
  EXPECT_FALSE(report.slices[0].groups[1].is_small);
  EXPECT_EQ(even.row_count, 50);
  std::span<const double> labels(made.labels), scores(made.predictions);
  EXPECT_DOUBLE_EQ(even.metrics[0].value, RocAuc({labels.first(50), scores.first(50), {}}));
}

TEST(BuildReportTest, FairnessOfASensitiveSlice) {
  // 100 rows a group: selection rates 0.5 and 0.25; TPR 1 and 0.5; FPR 0 in both.
  Predictions made{.class_names = {"no", "yes"}};
  SliceColumn slice{.name = "sex", .groups = {"f", "m"}, .is_sensitive = true};
  for (int row = 0; row < 200; ++row) {
    bool is_m = row >= 100;
    double label = row % 2;
    made.labels.push_back(label);
    made.predictions.push_back(label == 1 && (!is_m || row % 4 == 1) ? 0.9 : 0.1);
    slice.codes.push_back(is_m ? 1 : 0);
  }
  EvaluateRequest request = made.Request(Task::kBinary);
  request.slices = {slice};
  Report report = BuildReport(request).value();
  ASSERT_EQ(report.fairness.size(), 1u);
  const FairnessReport& fairness = report.fairness[0];
  EXPECT_DOUBLE_EQ(fairness.groups[0].selection_rate, 0.5);
  EXPECT_DOUBLE_EQ(fairness.groups[1].selection_rate, 0.25);
  EXPECT_DOUBLE_EQ(fairness.demographic_parity_ratio, 0.5);
  EXPECT_DOUBLE_EQ(fairness.equal_opportunity_difference, 0.5);
  EXPECT_DOUBLE_EQ(fairness.equalized_odds_difference, 0.5);
  EXPECT_DOUBLE_EQ(fairness.equalized_odds_ratio, 0.5);
}

TEST(BuildReportTest, ImportanceIsWhatShufflingCosts) {
  Predictions made = testing::MakeBinary(800);
  EvaluateRequest request = made.Request(Task::kBinary);
  request.resample_count = 0;
  request.importance_columns = {"noise", "signal"};
  request.predict_permuted = [&](const std::string& column, std::span<const int64_t> permutation) {
    std::vector<double> predictions(made.predictions.size());
    for (size_t row = 0; row < predictions.size(); ++row) {
      predictions[row] =
          made.predictions[column == "signal" ? static_cast<size_t>(permutation[row]) : row];
    }
    return Result<std::vector<double>>(predictions);
  };
  Report report = BuildReport(request).value();
  ASSERT_EQ(report.importances.size(), 2u);
  EXPECT_EQ(report.importances[0].column, "signal");
  double auc = RocAuc({made.labels, made.predictions, {}});
  EXPECT_NEAR(report.importances[0].mean, auc - 0.5, 0.03);
  EXPECT_GT(report.importances[0].standard_deviation, 0);
  EXPECT_EQ(report.importances[1].mean, 0);
  EXPECT_FALSE(report.FindMetricValue("roc_auc")->interval.has_value());
}

TEST(BuildReportTest, ProgressEndsAtTheTotal) {
  Predictions made = testing::MakeBinary(100);
  EvaluateRequest request = made.Request(Task::kBinary);
  request.slices = {SliceByRow("half", 100, {"a", "b"})};
  request.thread_count = 3;
  std::atomic<int64_t> most{0}, total{0};
  request.on_progress = [&](int64_t done, int64_t all) {
    total = all;
    int64_t seen = most;
    while (done > seen && !most.compare_exchange_weak(seen, done)) {
    }
  };
  ASSERT_TRUE(BuildReport(request).ok());
  EXPECT_EQ(total, 3 * 200);
  EXPECT_EQ(most, total);
}

TEST(BuildReportTest, OneClassOnlyIsAReportWithUndefinedMetrics) {
  Predictions made{.labels = {1, 1, 1}, .predictions = {0.2, 0.7, 0.9}, .class_names = {"n", "y"}};
  Report report = BuildReport(made.Request(Task::kBinary)).value();
  EXPECT_THAT(report.FindMetricValue("roc_auc")->value, IsNan());
  EXPECT_FALSE(report.FindMetricValue("roc_auc")->interval.has_value());
  EXPECT_DOUBLE_EQ(report.FindMetricValue("accuracy")->value, 2.0 / 3);
  EXPECT_TRUE(ReportFromJson(formats::ParseJson(Print(report)).value()).ok());
}

TEST(BuildReportTest, BadRequestsAreErrors) {
  Predictions made = testing::MakeBinary(10);
  EvaluateRequest request = made.Request(Task::kBinary);
  request.main_metric = "roc_acu";
  EXPECT_THAT(BuildReport(request).error().message(), HasSubstr("did you mean 'roc_auc'?"));
  request = made.Request(Task::kBinary);
  request.slices = {SliceByRow("short", 9, {"a"})};
  EXPECT_THAT(BuildReport(request).error().message(), HasSubstr("slice 'short' has 9 rows"));
  request = made.Request(Task::kBinary);
  request.class_names = {"only"};
  EXPECT_THAT(BuildReport(request).error().message(), HasSubstr("two class names"));
  EXPECT_THAT(BuildReport({.class_names = {"n", "y"}}).error().message(), HasSubstr("no rows"));
  request = made.Request(Task::kBinary);
  request.importance_columns = {"age"};
  request.predict_permuted = [](const std::string&, std::span<const int64_t>) {
    return Result<std::vector<double>>(std::vector<double>{0.5});
  };
  EXPECT_THAT(BuildReport(request).error().message(), HasSubstr("'age'"));
}

TEST(ReportFromJsonTest, NamesWhatIsWrong) {
  auto error = [](std::string_view text) {
    return ReportFromJson(formats::ParseJson(text).value()).error().message();
  };
  EXPECT_THAT(error("[]"), HasSubstr("not array"));
  EXPECT_THAT(error(R"({"version":1,"kind":"verdict"})"), HasSubstr("'verdict'"));
  EXPECT_THAT(error(R"({"version":2,"kind":"report"})"), HasSubstr("newer"));
  EXPECT_THAT(error(R"({"version":1,"kind":"report","task":"binary"})"), HasSubstr("rows"));
}

TEST(MakeSliceTest, RareValuesJoinAndMissingIsNamed) {
  std::vector<std::optional<std::string>> values{"b", "a", "b", std::nullopt, "c", "b", "a", "d"};
  SliceColumn slice = MakeSlice("letter", values, 3);
  EXPECT_THAT(slice.groups, ElementsAre("b", "a", "(other)"));
  EXPECT_THAT(slice.codes, ElementsAre(0, 1, 0, 2, 2, 0, 1, 2));
  EXPECT_THAT(MakeSlice("letter", values).groups, ElementsAre("b", "a", "(missing)", "c", "d"));
}

TEST(MakeNumericSliceTest, RangesHaveShortNames) {
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(18 + i * 0.0621);
  values.push_back(NAN);
  SliceColumn slice = MakeNumericSlice("age", values, 4);
  EXPECT_THAT(slice.groups, ElementsAre("< 34", "34 to < 49", "49 to < 65", ">= 65", "(missing)"));
  EXPECT_EQ(slice.codes.front(), 0);
  EXPECT_EQ(slice.codes[999], 3);
  EXPECT_EQ(slice.codes.back(), 4);
}

TEST(MakeNumericSliceTest, FewValuesStayThemselves) {
  std::vector<double> values{2, 1, 2, 1.5};
  SliceColumn slice = MakeNumericSlice("rooms", values, 3);
  EXPECT_THAT(slice.groups, ElementsAre("1", "1.5", "2"));
  EXPECT_THAT(slice.codes, ElementsAre(2, 0, 2, 1));
}

TEST(MakeNumericSliceTest, HeavyValuesAndEmptyColumns) {
  std::vector<double> mostly_zero(900, 0.0);
  for (int i = 0; i < 100; ++i) mostly_zero.push_back(1000 + i);
  SliceColumn slice = MakeNumericSlice("gain", mostly_zero, 20);
  EXPECT_EQ(slice.codes.front(), 0);
  for (int32_t code : slice.codes) EXPECT_LT(static_cast<size_t>(code), slice.groups.size());
  EXPECT_TRUE(MakeNumericSlice("none", {}).groups.empty());
  std::vector<double> missing{NAN};
  EXPECT_THAT(MakeNumericSlice("nan", missing).groups, ElementsAre("(missing)"));
}

TEST(ComparePairedTest, TellsABetterModelFromChance) {
  Predictions good = testing::MakeBinary(1000, 1, 0.15);
  Predictions bad = testing::MakeBinary(1000, 1, 0.3);
  ASSERT_EQ(good.labels, bad.labels);
  EvaluateRequest request = good.Request(Task::kBinary);
  Comparison comparison = ComparePaired(request, bad.predictions).value();
  ASSERT_EQ(comparison.differences[0].name, "roc_auc");
  EXPECT_GT(comparison.differences[0].interval.low, 0);
  Comparison same = ComparePaired(request, good.predictions).value();
  EXPECT_EQ(same.differences[0].interval, (Interval{0, 0}));
  EXPECT_EQ(ComparisonFromJson(ComparisonToJson(comparison)).value(), comparison);
  EXPECT_EQ(comparison.rows_digest, BuildReport(request)->rows_digest);
  EXPECT_THAT(ComparePaired(request, {}).error().message(), HasSubstr("champion"));
}

}  // namespace
}  // namespace sluice::evaluate
