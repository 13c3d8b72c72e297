#include "learn/learners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "learn/testing/data.h"

namespace sluice::learn {
namespace {

using ::testing::HasSubstr;

class TrainRequestErrors : public ::testing::Test {
 protected:
  std::string ErrorOf(const TrainRequest& request) {
    Result<std::unique_ptr<Model>> model = Train("linear", request);
    return model.ok() ? "no error" : model.error().message();
  }
  TrainRequest Request() { return testing::MakeRequest(data_, Task::kBinary); }

  testing::Data data_ = testing::MakeData({.row_count = 20});
};

TEST_F(TrainRequestErrors, AreFoundBeforeAnyLearnerRuns) {
  EXPECT_EQ(ErrorOf(Request()), "no error");
  data_.labels[3] = NAN;
  EXPECT_THAT(ErrorOf(Request()), HasSubstr("the label of row 4 of the train part is missing"));
  data_.labels[3] = 2;
  EXPECT_THAT(ErrorOf(Request()),
              HasSubstr("row 4 of the train part is 2, and classes are 0 to 1"));
  data_.labels.assign(20, 1);
  EXPECT_THAT(ErrorOf(Request()), HasSubstr("all 20 rows of the train part have the class '1'"));
  TrainRequest named = Request();
  named.class_names = {"no", "yes"};
  EXPECT_THAT(ErrorOf(named), HasSubstr("have the class 'yes'"));
}

TEST_F(TrainRequestErrors, Shapes) {
  TrainRequest request = Request();
  request.train.features.row_count = 0;
  EXPECT_THAT(ErrorOf(request), HasSubstr("the train part has no rows"));
  request = Request();
  request.feature_names.pop_back();
  EXPECT_THAT(ErrorOf(request),
              HasSubstr("20 rows and 5 columns, but 20 labels, 0 weights and 4 names"));
  request = Request();
  request.feature_names.clear();
  EXPECT_THAT(ErrorOf(request), HasSubstr("no features"));
  request = Request();
  request.early_stopping = EarlyStopping{};
  EXPECT_THAT(ErrorOf(request), HasSubstr("early stopping needs a validation part"));
  request = Request();
  request.class_count = 3;
  EXPECT_THAT(ErrorOf(request), HasSubstr("3 classes for a binary task"));
}

TEST_F(TrainRequestErrors, Weights) {
  data_.weights.assign(20, 1);
  data_.weights[1] = -1;
  EXPECT_THAT(ErrorOf(Request()), HasSubstr("the weight of row 2 of the train part is -1"));
  data_.weights[1] = INFINITY;
  EXPECT_THAT(ErrorOf(Request()), HasSubstr("finite"));
  data_.weights.assign(20, 0);
  EXPECT_THAT(ErrorOf(Request()), HasSubstr("every weight of the train part is 0"));
}

TEST(Learners, UnknownNameGetsASuggestion) {
  EXPECT_EQ(FindLearner("gbtd").error().message(),
            "there is no learner 'gbtd'; did you mean 'gbdt'?; learners are gbdt, linear");
}

TEST(Curve, Json) {
  std::vector<CurvePoint> curve = {{1, {{"rmse", 2.0, 3.0}, {"mae", 1.0, 1.5}}},
                                   {2, {{"rmse", 1.0, std::nullopt}}}};
  EXPECT_EQ(formats::PrintJson(CurveToJson(curve, 1)),
            R"({"version":1,"kind":"curve","best_iteration":1,"points":[)"
            R"({"iteration":1,"train":{"rmse":2.0,"mae":1.0},"validation":{"rmse":3.0,"mae":1.5}},)"
            R"({"iteration":2,"train":{"rmse":1.0}}]})");
}

}  // namespace
}  // namespace sluice::learn
