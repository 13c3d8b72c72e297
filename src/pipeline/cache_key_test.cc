#include "pipeline/cache_key.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace sluice::pipeline {
namespace {

using formats::Json;

Ingredients Sample() {
  Ingredients sample;
  sample.kind = "train";
  sample.format_version = 2;
  sample.words = {"a", "bc"};
  sample.settings = Json::MakeObject({{"b", 0.1}, {"a", Json(Json::Array{1, true, nullptr, "x"})}});
  sample.params = {{"p", 5}};
  sample.env = {{"E", "v"}};
  sample.inputs = {{"in", "parts.train", "", ComputeSha256("1")},
                   {"f", "./d.csv", "d.csv", ComputeSha256("2")}};
  sample.code = {{"train.py", ComputeSha256("3")}};
  sample.outputs = {{"out", {"o/a", "o/b"}}};
  sample.environment_lock = ComputeSha256("4");
  sample.seed = -7;
  return sample;
}

// Persisted in run caches: if this fails, equal work is done again everywhere, or, worse, unequal
// work is taken for equal. A change needs a new leading version in the encoding.
TEST(CacheKey, TheEncodingNeverChanges) {
  EXPECT_EQ(ComputeCacheKey(Ingredients()).ToHex(),
            "43b67bffd8573ef6fb9fcfb2bc37def1ae74f85a0f5e11ca3dfb167b687f0090");
  EXPECT_EQ(ComputeCacheKey(Sample()).ToHex(),
            "f7ea0b7954ef4b0c0ce5a9a32b49ffcf765bda28b66b5066c7e34556a5277b39");
}

TEST(CacheKey, EveryPartCountsAndNoTwoRunTogether) {
  std::vector<std::function<void(Ingredients&)>> changes = {
      [](Ingredients& i) { i.kind = "trai"; },
      [](Ingredients& i) { i.format_version = 3; },
      [](Ingredients& i) {
        i.words = {"ab", "c"};
      },
      [](Ingredients& i) { i.words = {"abc"}; },
      [](Ingredients& i) { i.settings["b"] = 0.2; },
      [](Ingredients& i) { i.settings["b"] = "0.1"; },
      [](Ingredients& i) { i.settings["a"].Append(1); },
      [](Ingredients& i) { i.settings["a"].AsArray()[0] = 1.0; },
      [](Ingredients& i) { i.settings["c"] = nullptr; },
      [](Ingredients& i) { i.params[0].second = 6; },
      [](Ingredients& i) { i.params[0].first = "q"; },
      [](Ingredients& i) { i.params.clear(); },
      [](Ingredients& i) {
        i.env = {{"Ev", ""}};
      },
      [](Ingredients& i) { i.inputs[0].name = "other"; },
      [](Ingredients& i) { i.inputs[0].digest = ComputeSha256("x"); },
      [](Ingredients& i) { i.inputs[1].pattern = "e.csv"; },
      [](Ingredients& i) { std::swap(i.inputs[0], i.inputs[1]); },
      [](Ingredients& i) { i.inputs.pop_back(); },
      [](Ingredients& i) { i.code[0].digest = ComputeSha256("x"); },
      [](Ingredients& i) { i.outputs[0].second = {"o/ao/b"}; },
      [](Ingredients& i) { i.environment_lock = Digest(); },
      [](Ingredients& i) { i.seed = 7; },
  };
  std::set<std::string> keys = {ComputeCacheKey(Sample()).ToHex()};
  for (const auto& change : changes) {
    Ingredients changed = Sample();
    change(changed);
    keys.insert(ComputeCacheKey(changed).ToHex());
  }
  EXPECT_EQ(keys.size(), changes.size() + 1);
}

TEST(CacheKey, WhatPeopleSeeDoesNotCount) {
  Ingredients same = Sample();
  same.inputs[0].origin = "other.words";
  same.settings = Json::MakeObject({{"a", same.settings.At("a")}, {"b", 0.1}});
  EXPECT_EQ(ComputeCacheKey(same), ComputeCacheKey(Sample()));
}

TEST(CacheKey, IngredientsSurviveBeingStored) {
  std::string text = formats::PrintJson(IngredientsToJson(Sample()));
  Result<Ingredients> read = IngredientsFromJson(*formats::ParseJson(text));
  ASSERT_TRUE(read.ok()) << read.error().ToString();
  EXPECT_EQ(*read, Sample());
  EXPECT_EQ(ComputeCacheKey(*read), ComputeCacheKey(Sample()));
  Json broken = IngredientsToJson(Sample());
  broken.Remove("seed");
  EXPECT_EQ(IngredientsFromJson(broken).error().code(), ErrorCode::kDataLoss);
  EXPECT_FALSE(IngredientsFromJson(Json(5)).ok());
}

}  // namespace
}  // namespace sluice::pipeline
