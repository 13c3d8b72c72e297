#include "learn/internal/tree_ensemble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/random.h"
#include "formats/json.h"
#include "io/fs.h"
#include "learn/internal/xgboost_library.h"
#include "learn/testing/data.h"

namespace sluice::learn::internal {
namespace {

using formats::Json;
using ::testing::HasSubstr;

std::string ReadTesting(const std::string& name) {
  Result<std::string> text = io::RealFs().ReadFile(SLUICE_SOURCE_DIR "/src/learn/testing/" + name);
  CHECK_MSG(text.ok(), name);
  return *text;
}

TEST(TreeEnsemble, PredictionsAreXgboostsBitForBit) {
  Json golden = *formats::ParseJson(ReadTesting("xgboost_golden.json"));
  for (const Json& test_case : golden.At("cases").AsArray()) {
    SCOPED_TRACE(test_case.At("model").AsString());
    Result<TreeEnsemble> ensemble =
        TreeEnsemble::Parse(ReadTesting(test_case.At("model").AsString()));
    ASSERT_TRUE(ensemble.ok()) << ensemble.error().ToString();
    std::vector<double> values;
    for (const Json& row : test_case.At("rows").AsArray()) {
      for (const Json& value : row.AsArray())
        values.push_back(value.is_null() ? NAN : value.AsDouble());
    }
    const Json& expected = test_case.At("predictions");
    std::vector<double> actual(expected.size());
    ensemble->Predict({values.data(), static_cast<int64_t>(values.size()) / 5, 5}, actual, 1);
    for (size_t i = 0; i < actual.size(); ++i) EXPECT_EQ(actual[i], expected.At(i).AsDouble()) << i;
  }
}

TEST(TreeEnsemble, MarginsAreTheLibrarysBitForBit) {
  Result<Xgboost> library = Xgboost::Open();
  if (!library.ok()) GTEST_SKIP() << library.error().message();
  testing::Data data =
      testing::MakeData({.row_count = 20'000, .column_count = 12, .missing_share = 0.1});
  Result<XgboostMatrix> matrix = library->MakeMatrix(data.Features(), 2);
  ASSERT_TRUE(matrix.ok()) << matrix.error().ToString();
  XgboostBooster booster = std::move(*library->MakeBooster({&*matrix}));
  for (auto [name, value] :
       {std::pair{"max_depth", "8"}, {"base_score", "0.3"}, {"objective", "binary:logistic"}}) {
    ASSERT_TRUE(booster.SetParam(name, value).ok());
  }
  Random random(5);
  std::vector<float> gradients(data.labels.size()), hessians(data.labels.size(), 1.0f);
  for (int round = 0; round < 60; ++round) {
    for (size_t i = 0; i < gradients.size(); ++i) {
      gradients[i] = static_cast<float>(data.labels[i] - 0.5 + random.NextGaussian());
    }
    ASSERT_TRUE(booster.Boost(*matrix, round, gradients, hessians, 1).ok());
  }
  std::span<const float> expected = *booster.PredictMargins(*matrix);
  TreeEnsemble ensemble = *TreeEnsemble::Parse(*booster.Save());
  std::vector<float> actual(data.labels.size());
  ensemble.PredictMargins(data.Features(), actual, 3);
  EXPECT_EQ(std::memcmp(actual.data(), expected.data(), actual.size() * sizeof(float)), 0);
}

TEST(TreeEnsemble, OneRowIsTheSameAsInABatch) {
  TreeEnsemble ensemble = *TreeEnsemble::Parse(ReadTesting("xgboost_multi.ubj"));
  testing::Data data =
      testing::MakeData({.row_count = 300, .column_count = 5, .missing_share = 0.2});
  std::vector<double> batch(900), row(3);
  ensemble.Predict(data.Features(), batch, 2);
  for (size_t i = 0; i < 300; ++i) {
    ensemble.Predict({data.values.data() + i * 5, 1, 5}, row, 1);
    EXPECT_TRUE(
        std::equal(row.begin(), row.end(), batch.begin() + static_cast<std::ptrdiff_t>(i * 3)));
  }
}

TEST(TreeEnsemble, EveryCutOffFileIsRefused) {
  std::string model = ReadTesting("xgboost_binary.ubj");
  for (size_t size = 0; size < model.size(); size += 1 + model.size() / 200) {
    EXPECT_FALSE(TreeEnsemble::Parse(std::string_view(model).substr(0, size)).ok()) << size;
  }
}

/// The first place of `what` overwritten: UBJSON has fixed-size numbers, so that lengths stay
/// right.
std::string Patched(std::string model, std::string_view what, size_t offset,
                    std::string_view bytes) {
  size_t at = model.find(what);
  CHECK(at != std::string::npos);
  return model.replace(at + what.size() + offset, bytes.size(), bytes);
}

TEST(TreeEnsemble, CyclesAndWrongIndicesAreRefused) {
  std::string model = ReadTesting("xgboost_reg.ubj");
  // "left_children" "[$l#L" + 8 bytes of length, then 4 bytes a node.
  std::string cycle = Patched(model, "left_children", 13, std::string(4, '\0'));
  Result<TreeEnsemble> refused = TreeEnsemble::Parse(cycle);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("tree 0: node 0 has a child 0"));
  std::string far = Patched(model, "left_children", 13, std::string("\x00\x7f\xff\xff", 4));
  EXPECT_FALSE(TreeEnsemble::Parse(far).ok());
  std::string feature = Patched(model, "split_indices", 13, std::string("\x00\x00\x7f\xff", 4));
  Result<TreeEnsemble> no_feature = TreeEnsemble::Parse(feature);
  ASSERT_FALSE(no_feature.ok());
  EXPECT_THAT(no_feature.error().message(), HasSubstr("splits on feature 32767 of 5"));
}

}  // namespace
}  // namespace sluice::learn::internal
