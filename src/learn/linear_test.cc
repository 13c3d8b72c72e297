// The learner linear against scikit-learn (testing/make_golden.py), and at the edges.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "io/fs.h"
#include "learn/internal/generalized_linear.h"
#include "learn/learners.h"
#include "learn/testing/data.h"

namespace sluice::learn {
namespace {

using formats::Json;
using ::testing::HasSubstr;

Json ReadGolden(const std::string& name) {
  Result<std::string> text = io::RealFs().ReadFile(SLUICE_SOURCE_DIR "/src/learn/testing/" + name);
  CHECK_MSG(text.ok(), name);
  Result<Json> json = formats::ParseJson(*text);
  CHECK_MSG(json.ok(), name);
  return std::move(json).value();
}

testing::Data ToData(const Json& test_case) {
  testing::Data data;
  for (const Json& row : test_case.At("x").AsArray()) {
    data.column_count = static_cast<int64_t>(row.size());
    for (const Json& value : row.AsArray()) data.values.push_back(value.AsDouble());
  }
  for (const Json& value : test_case.At("y").AsArray()) data.labels.push_back(value.AsDouble());
  if (test_case.At("weights").is_array()) {
    for (const Json& value : test_case.At("weights").AsArray())
      data.weights.push_back(value.AsDouble());
  }
  return data;
}

std::string TempFolder(const std::string& name) {
  std::string folder = ::testing::TempDir() + "/sluice_learn_" + std::to_string(getpid()) + name;
  CHECK(io::RealFs().RemoveTree(folder).ok());
  CHECK(io::RealFs().MakeDirectories(folder).ok());
  return folder;
}

/// Coefficients and intercepts, as learner.json has them.
Json Saved(const Model& model) {
  std::string folder = TempFolder("linear");
  CHECK(model.Save(io::RealFs(), folder).ok());
  return *formats::ParseJson(*io::RealFs().ReadFile(folder + "/learner.json"));
}

TEST(Linear, CoefficientsAreScikitLearns) {
  Json golden = ReadGolden("linear_golden.json");
  for (const Json& test_case : golden.At("cases").AsArray()) {
    SCOPED_TRACE(test_case.At("name").AsString());
    testing::Data data = ToData(test_case);
    TrainRequest request =
        testing::MakeRequest(data, *TaskFromName(test_case.At("task").AsString()));
    request.params = test_case.At("params");
    Result<std::unique_ptr<Model>> model = Train("linear", request);
    ASSERT_TRUE(model.ok()) << model.error().ToString();
    Json saved = Saved(**model);
    const Json& coef = test_case.At("coef");
    ASSERT_EQ(saved.At("coefficients").size(), coef.size());
    for (size_t c = 0; c < coef.size(); ++c) {
      for (size_t i = 0; i < coef.At(c).size(); ++i) {
        double expected = coef.At(c).At(i).AsDouble();
        EXPECT_NEAR(saved.At("coefficients").At(c).At(i).AsDouble(), expected,
                    1e-7 * std::max(1.0, std::abs(expected)));
      }
      double expected = test_case.At("intercept").At(c).AsDouble();
      EXPECT_NEAR(saved.At("intercepts").At(c).AsDouble(), expected,
                  1e-7 * std::max(1.0, std::abs(expected)));
    }
  }
}

TEST(Linear, SameBitsForAnyThreadCount) {
  for (Task task : {Task::kBinary, Task::kMulticlass, Task::kRegression}) {
    testing::Data data =
        testing::MakeData({.task = task, .row_count = 40'000, .has_weights = true});
    TrainRequest request = testing::MakeRequest(data, task);
    std::string first = formats::PrintJson(Saved(**Train("linear", request)));
    for (int threads : {2, 3, 4}) {
      request.thread_count = threads;
      EXPECT_EQ(formats::PrintJson(Saved(**Train("linear", request))), first)
          << TaskName(task) << " " << threads;
    }
  }
}

TEST(Linear, ConjugateGradientsFindWhatCholeskyFinds) {
  // 3 classes × 400 features is beyond the direct solver; the same problem with two of three
  // classes is not.
  testing::Data data =
      testing::MakeData({.task = Task::kMulticlass, .row_count = 600, .column_count = 400});
  internal::LinearProblem problem{.task = Task::kMulticlass,
                                  .class_count = 3,
                                  .features = data.Features(),
                                  .labels = data.labels,
                                  .penalty = 1};
  ASSERT_GT(3 * 401u, internal::kMaxDirect);
  auto go_on = [](const internal::LinearSolution&) { return true; };
  internal::LinearSolution solution = internal::FitLinear(problem, go_on);
  // At the optimum the penalty balances the gradient: coefficient = -sum of residual × feature.
  for (size_t c = 0; c < 3; ++c) {
    double worst = 0, intercept_gradient = 0;
    std::vector<double> gradient(400, 0);
    for (int64_t row = 0; row < 600; ++row) {
      double etas[3], sum = 0;
      for (size_t k = 0; k < 3; ++k)
        sum += etas[k] = std::exp(internal::LinearScore(solution, k, data.Features().Row(row)));
      double residual =
          etas[c] / sum - (data.labels[static_cast<size_t>(row)] == static_cast<double>(c) ? 1 : 0);
      intercept_gradient += residual;
      for (size_t i = 0; i < 400; ++i) gradient[i] += residual * data.Features().Row(row)[i];
    }
    for (size_t i = 0; i < 400; ++i)
      worst = std::max(worst, std::abs(gradient[i] + solution.coefficients[c * 400 + i]));
    EXPECT_LT(worst, 1e-6);
    EXPECT_LT(std::abs(intercept_gradient), 1e-6);
  }
}

TEST(Linear, SavedModelPredictsTheSame) {
  for (Task task : {Task::kBinary, Task::kMulticlass, Task::kRegression}) {
    testing::Data data = testing::MakeData({.task = task, .row_count = 500});
    std::unique_ptr<Model> model = std::move(*Train("linear", testing::MakeRequest(data, task)));
    std::string folder = TempFolder("roundtrip");
    ASSERT_TRUE(model->Save(io::RealFs(), folder).ok());
    Result<std::unique_ptr<Model>> loaded = LoadModel(io::RealFs(), folder);
    ASSERT_TRUE(loaded.ok()) << loaded.error().ToString();
    EXPECT_EQ(*model->Predict(data.Features(), 3), *(*loaded)->Predict(data.Features()));
    EXPECT_EQ((*loaded)->Importances()[0].feature, "x0");
    EXPECT_GT((*loaded)->Importances()[0].gain, (*loaded)->Importances()[4].gain);
  }
}

TEST(Linear, SingularLeastSquaresStillFits) {
  // The second column repeats the first, the third is constant; no penalty decides between them.
  testing::Data data{.values = {1, 1, 5, 2, 2, 5, 3, 3, 5, 4, 4, 5},
                     .labels = {3, 5, 7, 9},
                     .weights = {},
                     .column_count = 3};
  TrainRequest request = testing::MakeRequest(data, Task::kRegression);
  request.params = Json::MakeObject({{"penalty", "none"}});
  Result<std::unique_ptr<Model>> model = Train("linear", request);
  ASSERT_TRUE(model.ok()) << model.error().ToString();
  std::vector<double> predictions = *(*model)->Predict(data.Features());
  for (size_t i = 0; i < predictions.size(); ++i) EXPECT_NEAR(predictions[i], data.labels[i], 1e-6);
}

TEST(Linear, SeparableClassesWithoutPenaltyEnd) {
  testing::Data data{
      .values = {-2, -1, 1, 2}, .labels = {0, 0, 1, 1}, .weights = {}, .column_count = 1};
  TrainRequest request = testing::MakeRequest(data, Task::kBinary);
  request.params = Json::MakeObject({{"penalty", "none"}});
  Result<std::unique_ptr<Model>> model = Train("linear", request);
  ASSERT_TRUE(model.ok()) << model.error().ToString();
  EXPECT_GT((*(*model)->Predict(data.Features()))[3], 0.99);
}

TEST(Linear, MissingValuesAreNamed) {
  testing::Data data = testing::MakeData({.row_count = 10});
  TrainRequest request = testing::MakeRequest(data, Task::kBinary);
  std::unique_ptr<Model> model = std::move(*Train("linear", request));
  data.values[5 * 3 + 2] = NAN;
  Result<std::unique_ptr<Model>> failed = Train("linear", request);
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.error().message(), HasSubstr("feature 'x2': is missing in row 4"));
  EXPECT_FALSE(model->Predict(data.Features()).ok());
}

TEST(Linear, HugeValuesAreNamed) {
  testing::Data data = testing::MakeData({.task = Task::kRegression, .row_count = 10});
  data.values[0] = 1e200;
  Result<std::unique_ptr<Model>> failed =
      Train("linear", testing::MakeRequest(data, Task::kRegression));
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.error().message(), HasSubstr("feature 'x0': holds 1e+200"));
}

}  // namespace
}  // namespace sluice::learn
