// The learner gbdt; needs XGBoost's library, and skips without it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/testing/scratch_folder.h"
#include "io/fs.h"
#include "learn/internal/xgboost_library.h"
#include "learn/learners.h"
#include "learn/testing/data.h"

namespace sluice::learn {
namespace {

using formats::Json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Gbdt : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<internal::Xgboost> library = internal::Xgboost::Open();
    if (!library.ok()) GTEST_SKIP() << library.error().message();
  }

  std::string TempFolder(const std::string& name) {
    std::string folder = scratch_.Join(name);
    CHECK(io::RealFs().RemoveTree(folder).ok());
    CHECK(io::RealFs().MakeDirectories(folder).ok());
    return folder;
  }

  /// The bytes of everything Save writes.
  std::string SavedBytes(const Model& model) {
    std::string folder = TempFolder("bytes");
    CHECK(model.Save(io::RealFs(), folder).ok());
    return *io::RealFs().ReadFile(folder + "/learner.json") +
           *io::RealFs().ReadFile(folder + "/model.ubj");
  }

  ScratchFolder scratch_;
};

Json Rounds(int count) { return Json::MakeObject({{"n_estimators", count}}); }

struct Variant {
  const char* name;
  testing::DataOptions data;
  const char* params;
};

class GbdtDeterminism : public Gbdt, public ::testing::WithParamInterface<Variant> {};

TEST_P(GbdtDeterminism, SameBytesForAnyThreadCountAndAgain) {
  testing::Data data = testing::MakeData(GetParam().data);
  TrainRequest request = testing::MakeRequest(data, GetParam().data.task);
  request.params = *formats::ParseJson(GetParam().params);
  request.thread_count = 1;
  Result<std::unique_ptr<Model>> model = Train("gbdt", request);
  ASSERT_TRUE(model.ok()) << model.error().ToString();
  std::string first = SavedBytes(**model);
  for (int threads : {1, 2, 3, 4}) {
    request.thread_count = threads;
    EXPECT_TRUE(SavedBytes(**Train("gbdt", request)) == first) << threads << " threads";
  }
  request.seed += 1;
  bool uses_seed = std::string(GetParam().params).find("sample") != std::string::npos;
  EXPECT_EQ(SavedBytes(**Train("gbdt", request)) != first, uses_seed);
}

INSTANTIATE_TEST_SUITE_P(
    Table, GbdtDeterminism,
    ::testing::Values(
        Variant{
            "weights",
            {.row_count = 20'000, .column_count = 12, .missing_share = 0.1, .has_weights = true},
            R"({"n_estimators":15})"},
        Variant{
            "samples",
            {.row_count = 8'000, .column_count = 12},
            R"({"n_estimators":15,"subsample":0.7,"colsample_bytree":0.6,"colsample_bynode":0.7})"},
        Variant{
            "lossguide",
            {.row_count = 8'000, .column_count = 8, .missing_share = 0.3},
            R"({"n_estimators":15,"grow_policy":"lossguide","max_leaves":31,"max_depth":0,"reg_alpha":0.5})"},
        Variant{
            "multiclass",
            {.task = Task::kMulticlass, .row_count = 8'000, .column_count = 8, .has_weights = true},
            R"({"n_estimators":8,"class_weight":"balanced"})"},
        Variant{"regression",
                {.task = Task::kRegression,
                 .row_count = 20'000,
                 .column_count = 8,
                 .has_weights = true},
                R"({"n_estimators":15,"max_bin":64})"}),
    [](const ::testing::TestParamInfo<Variant>& variant) { return variant.param.name; });

TEST_F(Gbdt, LearnsEachTask) {
  for (Task task : {Task::kBinary, Task::kMulticlass, Task::kRegression}) {
    testing::Data train = testing::MakeData({.task = task, .row_count = 4'000, .seed = 1});
    testing::Data test = testing::MakeData({.task = task, .row_count = 1'000, .seed = 2});
    TrainRequest request = testing::MakeRequest(train, task);
    request.validation = test.View();
    request.params = Rounds(60);
    std::unique_ptr<Model> model = std::move(*Train("gbdt", request));
    const MetricValue& metric = model->curve().back().metrics[task == Task::kRegression ? 0 : 1];
    EXPECT_LT(*metric.validation, task == Task::kRegression ? 0.9 : 0.2)
        << TaskName(task) << " " << metric.name;
    EXPECT_LE(metric.train, *metric.validation);
    std::vector<double> out = *model->Predict(test.Features());
    EXPECT_EQ(static_cast<int64_t>(out.size()), 1'000 * model->output_count());
    if (task == Task::kMulticlass) {
      EXPECT_NEAR(out[0] + out[1] + out[2], 1, 1e-6);
    }
  }
}

TEST_F(Gbdt, CurveIsWhatTheModelPredicts) {
  testing::Data data =
      testing::MakeData({.task = Task::kRegression, .row_count = 2'000, .missing_share = 0.1});
  TrainRequest request = testing::MakeRequest(data, Task::kRegression);
  request.params = Rounds(20);
  std::unique_ptr<Model> model = std::move(*Train("gbdt", request));
  std::vector<double> out = *model->Predict(data.Features());
  double sum = 0;
  for (size_t i = 0; i < out.size(); ++i)
    sum += (out[i] - data.labels[i]) * (out[i] - data.labels[i]);
  EXPECT_NEAR(model->curve().back().metrics[0].train, std::sqrt(sum / 2'000), 1e-12);
}

TEST_F(Gbdt, EarlyStoppingKeepsTheBestIteration) {
  testing::Data train = testing::MakeData({.row_count = 300, .seed = 1});
  testing::Data validation = testing::MakeData({.row_count = 300, .seed = 2});
  TrainRequest request = testing::MakeRequest(train, Task::kBinary);
  request.validation = validation.View();
  request.early_stopping = EarlyStopping{.metric = "log_loss", .patience = 10};
  request.params = *formats::ParseJson(R"({"learning_rate":0.5})");
  std::unique_ptr<Model> model = std::move(*Train("gbdt", request));
  int64_t best = model->best_iteration();
  EXPECT_LT(best, 100);
  ASSERT_EQ(static_cast<int64_t>(model->curve().size()), best + 10);
  // A model trained for just so long has the same trees.
  request.early_stopping.reset();
  request.params = *formats::ParseJson(R"({"eta":0.5,"rounds":)" + std::to_string(best) + "}");
  std::unique_ptr<Model> shorter = std::move(*Train("gbdt", request));
  EXPECT_EQ(*model->Predict(validation.Features()), *shorter->Predict(validation.Features()));
  for (const CurvePoint& point : model->curve()) {
    EXPECT_GE(*point.metrics[0].validation,
              *model->curve()[static_cast<size_t>(best - 1)].metrics[0].validation);
  }
}

TEST_F(Gbdt, CallbackSeesEachIterationAndMayStop) {
  testing::Data data = testing::MakeData({.row_count = 200});
  TrainRequest request = testing::MakeRequest(data, Task::kBinary);
  std::vector<int64_t> seen;
  request.on_iteration = [&](const CurvePoint& point) {
    seen.push_back(point.iteration);
    return point.iteration < 3;
  };
  std::unique_ptr<Model> model = std::move(*Train("gbdt", request));
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
  EXPECT_EQ(model->best_iteration(), 3);
}

TEST_F(Gbdt, SavedModelPredictsTheSameBits) {
  for (Task task : {Task::kBinary, Task::kMulticlass, Task::kRegression}) {
    testing::Data data = testing::MakeData({.task = task, .row_count = 500, .missing_share = 0.1});
    TrainRequest request = testing::MakeRequest(data, task);
    request.params = Rounds(10);
    std::unique_ptr<Model> model = std::move(*Train("gbdt", request));
    std::string folder = TempFolder("roundtrip");
    ASSERT_TRUE(model->Save(io::RealFs(), folder).ok());
    Result<std::unique_ptr<Model>> loaded = LoadModel(io::RealFs(), folder);
    ASSERT_TRUE(loaded.ok()) << loaded.error().ToString();
    EXPECT_EQ(*model->Predict(data.Features(), 2), *(*loaded)->Predict(data.Features()));
    EXPECT_EQ((*loaded)->feature_names(), request.feature_names);
    EXPECT_EQ((*loaded)->best_iteration(), 10);
    EXPECT_EQ(SavedBytes(**loaded), SavedBytes(*model));
  }
}

TEST_F(Gbdt, FilesThatDoNotBelongTogetherAreRefused) {
  testing::Data data = testing::MakeData({.row_count = 100});
  TrainRequest request = testing::MakeRequest(data, Task::kBinary);
  request.params = Rounds(2);
  std::string folder = TempFolder("mixed");
  ASSERT_TRUE((*Train("gbdt", request))->Save(io::RealFs(), folder).ok());
  io::Fs& fs = io::RealFs();
  Json description = *formats::ParseJson(*fs.ReadFile(folder + "/learner.json"));
  description["feature_names"] = Json(Json::Array{"only"});
  ASSERT_TRUE(fs.WriteFileAtomic(folder + "/learner.json", formats::PrintJson(description),
                                 io::Durability::kFast)
                  .ok());
  Result<std::unique_ptr<Model>> loaded = LoadModel(fs, folder);
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().message(), HasSubstr("are not those of learner.json"));
  ASSERT_TRUE(fs.Remove(folder + "/model.ubj").ok());
  loaded = LoadModel(fs, folder);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code(), ErrorCode::kNotFound);
}

TEST_F(Gbdt, ImportancesFollowTheSignal) {
  testing::Data data = testing::MakeData({.row_count = 2'000});
  TrainRequest request = testing::MakeRequest(data, Task::kBinary);
  request.params = Rounds(20);
  std::vector<Importance> importances = (*Train("gbdt", request))->Importances();
  ASSERT_EQ(importances.size(), 5u);
  EXPECT_EQ(importances[0].feature, "x0");
  EXPECT_GT(importances[0].gain, importances[3].gain);
  EXPECT_GT(importances[0].weight, 0);
}

TEST_F(Gbdt, MonotoneConstraintHolds) {
  testing::Data data = testing::MakeData({.task = Task::kRegression, .row_count = 1'000});
  TrainRequest request = testing::MakeRequest(data, Task::kRegression);
  request.params = *formats::ParseJson(R"({"n_estimators":30,"monotone_constraints":{"x1":-1}})");
  std::unique_ptr<Model> model = std::move(*Train("gbdt", request));
  double before = INFINITY;
  for (double x = -3; x <= 3; x += 0.1) {
    std::vector<double> row = {0, x, 1, 0, 0};
    double value = (*model->Predict({row.data(), 1, 5}))[0];
    EXPECT_LE(value, before);
    before = value;
  }
  request.params = *formats::ParseJson(R"({"monotone_constraints":{"x9":1}})");
  EXPECT_THAT(Train("gbdt", request).error().message(), HasSubstr("there is no feature 'x9'"));
}

TEST_F(Gbdt, ClassWeightsMoveTheMean) {
  testing::Data data = testing::MakeData({.row_count = 2'000});
  TrainRequest request = testing::MakeRequest(data, Task::kBinary);
  auto mean = [&](const char* params) {
    request.params = *formats::ParseJson(params);
    std::unique_ptr<Model> model = std::move(*Train("gbdt", request));
    double sum = 0;
    std::vector<double> probabilities = *model->Predict(data.Features());
    for (double probability : probabilities) sum += probability;
    return sum;
  };
  double plain = mean(R"({"n_estimators":5})");
  EXPECT_GT(mean(R"({"n_estimators":5,"scale_pos_weight":5})"), plain * 1.1);
  EXPECT_LT(mean(R"({"n_estimators":5,"class_weight":{"0":5}})"), plain * 0.9);
  request.params = *formats::ParseJson(R"({"class_weight":{"yes":5}})");
  EXPECT_THAT(Train("gbdt", request).error().message(),
              HasSubstr("class_weight: there is no class 'yes'"));
}

TEST_F(Gbdt, DegenerateInputsTrain) {
  // Constant and empty columns, one row a class, labels and weights of any size.
  testing::Data data{
      .values = {1, NAN, 1, NAN}, .labels = {0, 1}, .weights = {1e-20, 1e20}, .column_count = 2};
  TrainRequest request = testing::MakeRequest(data, Task::kBinary);
  request.params = Rounds(3);
  Result<std::unique_ptr<Model>> model = Train("gbdt", request);
  ASSERT_TRUE(model.ok()) << model.error().ToString();
  EXPECT_TRUE(std::isfinite((*(*model)->Predict(data.Features()))[0]));
  testing::Data one{.values = {1}, .labels = {1e15}, .weights = {}, .column_count = 1};
  request = testing::MakeRequest(one, Task::kRegression);
  request.params = Rounds(3);
  EXPECT_NEAR((*(*Train("gbdt", request))->Predict(one.Features()))[0], 1e15, 1e9);
}

TEST_F(Gbdt, ValuesBeyondSinglePrecisionAreNamed) {
  testing::Data data = testing::MakeData({.row_count = 10});
  data.values[7] = 1e39;
  Result<std::unique_ptr<Model>> model = Train("gbdt", testing::MakeRequest(data, Task::kBinary));
  ASSERT_FALSE(model.ok());
  EXPECT_THAT(model.error().message(), HasSubstr("feature 'x2': holds 1e+39"));
  data.values[7] = 0;
  data.labels[0] = 1e20;
  EXPECT_THAT(Train("gbdt", testing::MakeRequest(data, Task::kRegression)).error().message(),
              HasSubstr("the label holds 1e+20"));
}

}  // namespace
}  // namespace sluice::learn
