#include "learn/params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "learn/learners.h"

namespace sluice::learn {
namespace {

using formats::Json;
using ::testing::HasSubstr;

const std::vector<ParamSpec>& Specs() { return Learners()[0].params; }

Result<Json> Resolve(std::string_view text) {
  return ResolveParams("gbdt", Specs(), *formats::ParseJson(text));
}

std::string ErrorOf(std::string_view text) {
  Result<Json> resolved = Resolve(text);
  return resolved.ok() ? "no error" : resolved.error().message();
}

TEST(Params, DefaultsInTheTablesOrder) {
  Json resolved = *Resolve("null");
  ASSERT_EQ(resolved.size(), Specs().size());
  for (size_t i = 0; i < Specs().size(); ++i)
    EXPECT_EQ(resolved.AsObject()[i].first, Specs()[i].name);
}

TEST(Params, AliasesAndWholeNumbers) {
  Json resolved = *Resolve(R"({"eta":1,"rounds":50.0,"lambda":2})");
  EXPECT_EQ(resolved.At("learning_rate"), Json(1.0));
  EXPECT_EQ(resolved.At("n_estimators"), Json(50));
  EXPECT_EQ(resolved.At("reg_lambda"), Json(2.0));
}

TEST(Params, Errors) {
  EXPECT_EQ(ErrorOf(R"({"max_dept":3})"),
            "learner 'gbdt' has no parameter 'max_dept'; did you mean 'max_depth'?");
  EXPECT_THAT(ErrorOf(R"({"zzzzzzz":3})"), HasSubstr("; it has n_estimators, learning_rate"));
  EXPECT_EQ(ErrorOf(R"({"eta":0.1,"learning_rate":0.2})"),
            "parameter 'learning_rate' is given twice, as 'eta' and 'learning_rate'");
  EXPECT_EQ(ErrorOf(R"({"max_depth":-1})"),
            "parameter 'max_depth' of learner 'gbdt' is -1; it must be a whole number at least 0 "
            "and at most 64");
  EXPECT_THAT(ErrorOf(R"({"max_depth":2.5})"), HasSubstr("is 2.5; it must be a whole number"));
  EXPECT_THAT(ErrorOf(R"({"learning_rate":0})"),
              HasSubstr("it must be a number above 0 and at most 1"));
  EXPECT_THAT(ErrorOf(R"({"learning_rate":"fast"})"), HasSubstr("is \"fast\""));
  EXPECT_THAT(ErrorOf(R"({"learning_rate":null})"), HasSubstr("is null"));
  EXPECT_THAT(ErrorOf(R"({"grow_policy":"wide"})"), HasSubstr("one of depthwise, lossguide"));
  EXPECT_THAT(ErrorOf(R"({"class_weight":{"a":-1}})"),
              HasSubstr("balanced, or a weight for each class"));
  EXPECT_THAT(ErrorOf(R"({"monotone_constraints":{"a":0.5}})"), HasSubstr("1, 0 or -1"));
  EXPECT_THAT(ErrorOf("[1]"), HasSubstr("must be `name: value`, found array"));
}

TEST(Params, EveryDefaultIsWithinItsBounds) {
  for (const Learner& learner : Learners()) {
    Json defaults = *ResolveParams(learner.name, learner.params, Json());
    Result<Json> again = ResolveParams(learner.name, learner.params, defaults);
    ASSERT_TRUE(again.ok()) << again.error().message();
    EXPECT_EQ(*again, defaults);
    for (const ParamSpec& spec : learner.params) EXPECT_FALSE(spec.help.empty()) << spec.name;
  }
}

TEST(Params, Description) {
  EXPECT_EQ(DescribeParam(Specs()[1]),
            "learning_rate (eta): a number above 0 and at most 1; default 0.1. How much of each "
            "tree is added.");
}

}  // namespace
}  // namespace sluice::learn
