#include "features/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::features {
namespace {

using ::testing::HasSubstr;

Result<FeatureSpec> Parse(std::string_view text) {
  ASSIGN_OR_RETURN(formats::Json json, formats::ParseJson(text));
  return FeatureSpec::FromJson(json);
}

TEST(FeatureSpec, ReadsTheDesignsExample) {
  Result<FeatureSpec> spec = Parse(R"({"label":"defaulted","drop":["id"],
      "columns":{"income":[{"impute":"median"},{"clip":["1%","99%"]},"log",{"scale":"standard"}],
                 "purpose":[{"one_hot":{"unknown":"ignore","rare":"1%"}}]},
      "default":{"numeric":[{"impute":"median"}],"text":["one_hot"]}})");
  ASSERT_TRUE(spec.ok()) << spec.error().ToString();
  EXPECT_EQ(spec->label, "defaulted");
  ASSERT_EQ(spec->columns.size(), 2u);
  ASSERT_EQ(spec->columns[0].second.ops.size(), 4u);
  EXPECT_EQ(spec->columns[0].second.ops[2].name, "log");
  EXPECT_EQ(spec->numeric_default.ops[0].name, "impute");
  EXPECT_EQ(spec->bool_default.ops[0].name, "keep")
      << "types not named keep their built-in default";
}

TEST(FeatureSpec, OneOperationNeedsNoList) {
  Result<FeatureSpec> spec =
      Parse(R"({"columns":{"a":"log","b":{"hash":8},"c":"drop","d":["passthrough"]}})");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->columns[1].second.ops[0].name, "hash");
  EXPECT_TRUE(spec->columns[2].second.is_dropped);
  EXPECT_EQ(spec->columns[3].second.ops[0].name, "keep");
}

struct BadSpec {
  const char* text;
  const char* message;
};

class FeatureSpecErrors : public ::testing::TestWithParam<BadSpec> {};

TEST_P(FeatureSpecErrors, NamesTheThing) {
  Result<FeatureSpec> spec = Parse(GetParam().text);
  ASSERT_FALSE(spec.ok()) << GetParam().text;
  EXPECT_THAT(spec.error().message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, FeatureSpecErrors,
    ::testing::Values(
        BadSpec{R"([1])", "expected options"},
        BadSpec{R"({"colums":{}})", "unknown option 'colums'; did you mean 'columns'?"},
        BadSpec{R"({"columns":{"x":["scal"]}})",
                "column 'x': unknown operation 'scal'; did you mean 'scale'?"},
        BadSpec{R"({"columns":{"x":[{"impute":"medain"}]}})",
                "column 'x': impute: strategy is 'medain'"},
        BadSpec{R"({"columns":{"x":["impute"]}})", "impute needs a strategy"},
        BadSpec{R"({"columns":{"x":[{"impute":{"strategy":"constant"}}]}})", "which needs it"},
        BadSpec{R"({"columns":{"x":[{"impute":"mean","scale":"robust"}]}})",
                "an operation is a name or one"},
        BadSpec{R"({"columns":{"x":[5]}})", "found 5"},
        BadSpec{R"({"columns":{"x":[{"clip":["99%","1%"]}]}})", "lower limit is above"},
        BadSpec{R"({"columns":{"x":[{"clip":["1%","101%"]}]}})", "the upper limit is '101%'"},
        BadSpec{R"({"columns":{"x":[{"clip":5}]}})", "clip needs two limits"},
        BadSpec{R"({"columns":{"x":[{"bin":1}]}})", "n is 1"},
        BadSpec{R"({"columns":{"x":[{"bin":{"edges":[3,2]}}]}})", "edges must ascend"},
        BadSpec{R"({"columns":{"x":[{"one_hot":{"rare":"lots"}}]}})", "rare is 'lots'"},
        BadSpec{R"({"columns":{"x":[{"one_hot":{"unknwon":"error"}}]}})",
                "did you mean 'unknown'?"},
        BadSpec{R"({"columns":{"x":["hash"]}})", "hash needs the number of buckets"},
        BadSpec{R"({"columns":{"x":[{"hash":1000000}]}})", "buckets is 1000000"},
        BadSpec{R"({"columns":{"x":[{"date":["mouth"]}]}})", "did you mean 'month'?"},
        BadSpec{R"({"columns":{"x":[{"log":{"signed":true,"shift":1}}]}})", "exclude each other"},
        BadSpec{R"({"columns":{"x":[{"keep":1}]}})", "keep takes no options"},
        BadSpec{R"({"default":{"numbers":["log"]}})", "unknown option 'numbers'"},
        BadSpec{R"({"label":"y","drop":["y"]})", "column 'y': is both label and dropped"},
        BadSpec{R"({"label":"y","columns":{"y":"log"}})", "column 'y': is the label"},
        BadSpec{R"({"drop":["y"],"columns":{"y":"log"}})", "both declared and dropped"},
        BadSpec{R"({"label":7})", "label is 7; it must be the name of a column"},
        BadSpec{R"({"task":"cluster"})", "task is 'cluster'"}));

TEST(FeatureSpec, EveryOperationHasHelp) {
  EXPECT_EQ(OpHelps().size(), 11u);
  for (const OpHelp& help : OpHelps()) {
    EXPECT_FALSE(help.help.empty()) << help.name;
    EXPECT_FALSE(help.argument.empty()) << help.name;
  }
}

}  // namespace
}  // namespace sluice::features
