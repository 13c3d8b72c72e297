#include "features/label.h"

#include <arrow/chunked_array.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "features/testing/tables.h"

namespace sluice::features {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

arrow::ChunkedArray Chunked(const testing::Column& column) {
  return arrow::ChunkedArray(column.second);
}

FeatureSpec Spec(TaskChoice task = TaskChoice::kAuto, std::string positive = "") {
  FeatureSpec spec;
  spec.label = "y";
  spec.task = task;
  spec.positive = std::move(positive);
  return spec;
}

std::string FitError(const testing::Column& column, const FeatureSpec& spec) {
  Result<LabelEncoder> label = LabelEncoder::Fit(Chunked(column), spec);
  return label.ok() ? "no error" : label.error().message();
}

TEST(Label, TextClassesAreSorted) {
  testing::Column column = testing::Texts("y", {">50K", "<=50K", ">50K"});
  LabelEncoder label = *LabelEncoder::Fit(Chunked(column), Spec());
  EXPECT_EQ(label.task(), Task::kBinary);
  EXPECT_THAT(label.classes(), ElementsAre("<=50K", ">50K"));
  EXPECT_THAT(label.Encode(Chunked(column))->values, ElementsAre(1, 0, 1));
}

TEST(Label, PositiveClassIsOne) {
  testing::Column column = testing::Texts("y", {"good", "bad", "good"});
  LabelEncoder label = *LabelEncoder::Fit(Chunked(column), Spec(TaskChoice::kAuto, "bad"));
  EXPECT_THAT(label.classes(), ElementsAre("good", "bad"));
  EXPECT_THAT(FitError(column, Spec(TaskChoice::kAuto, "baad")),
              HasSubstr("no class 'baad' to be positive; did you mean 'bad'?"));
}

TEST(Label, NumbersByValueNotByText) {
  testing::Column column = testing::Integers("y", {10, 9, 2, 10});
  EXPECT_EQ(LabelEncoder::Fit(Chunked(column), Spec())->task(), Task::kRegression);
  LabelEncoder label = *LabelEncoder::Fit(Chunked(column), Spec(TaskChoice::kClassification));
  EXPECT_EQ(label.task(), Task::kMulticlass);
  EXPECT_THAT(label.classes(), ElementsAre("2", "9", "10"));
  EXPECT_THAT(label.Encode(Chunked(column))->values, ElementsAre(2, 1, 0, 2));
}

TEST(Label, TwoWholeNumbersAreClasses) {
  EXPECT_EQ(LabelEncoder::Fit(Chunked(testing::Integers("y", {0, 1, 1})), Spec())->task(),
            Task::kBinary);
  EXPECT_EQ(LabelEncoder::Fit(Chunked(testing::Doubles("y", {0.0, 1.0, 1.0})), Spec())->task(),
            Task::kBinary);
  EXPECT_EQ(LabelEncoder::Fit(Chunked(testing::Doubles("y", {0.5, 1.0})), Spec())->task(),
            Task::kRegression);
  EXPECT_EQ(
      LabelEncoder::Fit(Chunked(testing::Integers("y", {0, 1})), Spec(TaskChoice::kRegression))
          ->task(),
      Task::kRegression);
}

TEST(Label, BoolsAreFalseAndTrue) {
  testing::Column column = testing::Bools("y", {true, false});
  LabelEncoder label = *LabelEncoder::Fit(Chunked(column), Spec());
  EXPECT_THAT(label.classes(), ElementsAre("false", "true"));
  EXPECT_THAT(label.Encode(Chunked(column))->values, ElementsAre(1, 0));
}

TEST(Label, JsonRoundTrip) {
  LabelEncoder label = *LabelEncoder::Fit(Chunked(testing::Texts("y", {"a", "b", "c"})), Spec());
  Result<LabelEncoder> loaded = LabelEncoder::FromJson(label.ToJson());
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->ToJson(), label.ToJson());
  formats::Json wrong = label.ToJson();
  wrong["task"] = "binary";
  EXPECT_FALSE(LabelEncoder::FromJson(wrong).ok());
}

TEST(Label, Errors) {
  EXPECT_THAT(FitError(testing::Texts("y", {"a", "a"}), Spec()),
              HasSubstr("single class 'a' in 2 rows"));
  EXPECT_THAT(FitError(testing::Texts("y", {"a", std::nullopt, std::nullopt}), Spec()),
              HasSubstr("missing in 2 of 3 rows"));
  EXPECT_THAT(FitError(testing::Texts("y", {"a", "b"}), Spec(TaskChoice::kRegression)),
              HasSubstr("a regression needs numbers"));
  EXPECT_THAT(FitError(testing::Dates("y", {1, 2}), Spec()),
              HasSubstr("a label is text, bool or numbers"));
  EXPECT_THAT(FitError(testing::Doubles("y", {1.0, INFINITY, 3.0}), Spec()),
              HasSubstr("infinite in 1 rows"));
  LabelEncoder label = *LabelEncoder::Fit(Chunked(testing::Texts("y", {"a", "b"})), Spec());
  Result<EncodedLabels> encoded = label.Encode(Chunked(testing::Texts("y", {"a", "z", "z"})));
  ASSERT_FALSE(encoded.ok());
  EXPECT_THAT(encoded.error().message(),
              HasSubstr("the class 'z' was never seen in training (2 rows"));
  EXPECT_FALSE(label.Encode(Chunked(testing::Integers("y", {1}))).ok());
}

}  // namespace
}  // namespace sluice::features
