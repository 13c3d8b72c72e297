#include "api/encode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "formats/json.h"

namespace sluice::api {
namespace {

template <typename Append>
std::string Print(Append append) {
  JsonWriter out;
  append(out);
  return std::move(out).Take();
}

TEST(JsonWriterTest, CommasComeByThemselves) {
  JsonWriter out;
  out.BeginObject().Field("a", int64_t{1}).Key("b").BeginArray();
  out.BeginObject().EndObject().BeginObject().Field("c", "x").EndObject().String("[").String("y");
  out.EndArray().Field("d", true).EndObject();
  EXPECT_EQ(std::move(out).Take(), R"({"a":1,"b":[{},{"c":"x"},"[","y"],"d":true})");
}

TEST(JsonWriterTest, StringsAreEscapedAndMadeUtf8) {
  EXPECT_EQ(Print([](JsonWriter& out) { out.String("a\"\\\n\x01\x7f\xc3\xa4\xff!"); }),
            "\"a\\\"\\\\\\n\\u0001\\u007f\xc3\xa4\xef\xbf\xbd!\"");
}

TEST(JsonWriterTest, DoublesAreMlflows) {
  const auto print = [](double value) {
    return Print([&](JsonWriter& out) { out.Double(value); });
  };
  EXPECT_EQ(print(1), "1.0");
  EXPECT_EQ(print(0.1), "0.1");
  EXPECT_EQ(print(-0.0), "-0.0");
  EXPECT_EQ(print(1e300), "1e+300");
  EXPECT_EQ(print(std::nan("")), "\"NaN\"");
  EXPECT_EQ(print(std::numeric_limits<double>::infinity()), "1.7976931348623157e+308");
  EXPECT_EQ(print(-std::numeric_limits<double>::infinity()), "-1.7976931348623157e+308");
}

TEST(EncodeTest, EmptyPartsOfARunAreLeftOutAsMlflowDoes) {
  tracking::Run run;
  run.info = {.run_id = "r1", .experiment_id = "0", .name = "calm-otter-417", .user_id = ""};
  const auto json =
      formats::ParseJson(Print([&](JsonWriter& out) { AppendRun(run, RunParts::kWhole, out); }));
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->At("info").At("run_uuid").AsString(), "r1");
  EXPECT_EQ(json->At("info").At("user_id").AsString(), "");
  EXPECT_EQ(json->At("info").Find("end_time"), nullptr);
  EXPECT_EQ(json->At("data").size(), 0u);
  EXPECT_EQ(json->At("inputs").size(), 0u);
  EXPECT_EQ(json->At("outputs").size(), 0u);
  const auto created =
      formats::ParseJson(Print([&](JsonWriter& out) { AppendRun(run, RunParts::kCreated, out); }));
  EXPECT_EQ(created->Find("outputs"), nullptr);
}

TEST(EncodeTest, AVersionsNumberIsAStringAndItsTextsArePresent) {
  registry::ModelVersion version;
  version.name = "credit";
  version.version = 12;
  version.aliases = {"champion"};
  const auto json =
      formats::ParseJson(Print([&](JsonWriter& out) { AppendModelVersion(version, out); }));
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->At("version").AsString(), "12");
  EXPECT_EQ(json->At("current_stage").AsString(), "None");
  EXPECT_EQ(json->At("status").AsString(), "READY");
  for (const char* present : {"description", "run_id", "run_link"}) {
    EXPECT_EQ(json->At(present).AsString(), "") << present;
  }
  EXPECT_EQ(json->Find("user_id"), nullptr);
  EXPECT_EQ(json->Find("tags"), nullptr);
  EXPECT_EQ(json->At("aliases").At(0).AsString(), "champion");
}

TEST(EncodeTest, PagesWithoutHitsAreEmpty) {
  EXPECT_EQ(PrintPage("experiments", std::vector<tracking::Experiment>(), "", AppendExperiment),
            "{}");
  EXPECT_EQ(PrintPage("experiments", std::vector<tracking::Experiment>(), "t", AppendExperiment),
            R"({"next_page_token":"t"})");
}

}  // namespace
}  // namespace sluice::api
