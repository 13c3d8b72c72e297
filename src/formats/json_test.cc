#include "formats/json.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/random.h"

namespace sluice::formats {
namespace {

std::string ErrorOf(std::string_view text, JsonParseOptions options = {}) {
  Result<Json> parsed = ParseJson(text, options);
  return parsed.ok() ? "no error" : parsed.error().ToString();
}

TEST(JsonTest, KeepsTypesAndOrder) {
  Result<Json> value =
      ParseJson(R"( {"b": [1, 1.0, true, null], "a": {"x": "é\u00e9\ud83d\ude00"}} )");
  ASSERT_TRUE(value.ok()) << value.error().ToString();
  EXPECT_TRUE(value->At("b").At(0).is_integer());
  EXPECT_TRUE(value->At("b").At(1).is_double());
  EXPECT_EQ(value->At("a").At("x").AsString(), "éé😀");
  EXPECT_EQ(PrintJson(*value), R"({"b":[1,1.0,true,null],"a":{"x":"éé😀"}})");
}

TEST(JsonTest, PrintsIndented) {
  Json value = Json::MakeObject({{"a", Json::Array{1, 2}}, {"e", Json::MakeObject()}});
  EXPECT_EQ(PrintJson(value, {.indent = 2}), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"e\": {}\n}");
}

TEST(JsonTest, PrintsOneLineAsPythonDoes) {
  const Json value = Json::MakeObject({{"a", Json::Array{1, 2}}, {"e", Json::MakeObject()}});
  EXPECT_EQ(PrintJson(value, {.spaced = true}), R"({"a": [1, 2], "e": {}})");
}

TEST(JsonTest, DoublesReadBackBitEqual) {
  Random random(7);
  for (int i = 0; i < 20000; ++i) {
    auto value = std::bit_cast<double>(random.NextU64());
    if (!std::isfinite(value)) continue;
    Result<Json> read = ParseJson(PrintJson(Json(value)));
    ASSERT_TRUE(read.ok() && read->is_double()) << PrintDouble(value);
    ASSERT_EQ(std::bit_cast<uint64_t>(read->AsDouble()), std::bit_cast<uint64_t>(value));
  }
}

TEST(JsonTest, LargeIntegersBecomeDoublesOnlyWhenTheyMust) {
  EXPECT_EQ(ParseJson("9223372036854775807")->AsInteger(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseJson("9223372036854775808")->AsDouble(), 9223372036854775808.0);
  EXPECT_EQ(ParseJson("1e-400")->AsDouble(), 0.0);
}

TEST(JsonTest, NonFiniteNumbersNeedAnOption) {
  EXPECT_EQ(ErrorOf("[NaN]"), "json:1:2: NaN is not JSON\n    [NaN]\n     ^");
  JsonParseOptions python{.allow_nan_and_infinity = true};
  EXPECT_TRUE(std::isnan(ParseJson("NaN", python)->AsDouble()));
  EXPECT_EQ(ParseJson("-Infinity", python)->AsDouble(), -std::numeric_limits<double>::infinity());
  Json value = Json::Array{std::nan(""), HUGE_VAL};
  EXPECT_EQ(PrintJson(value), R"(["NaN","Infinity"])");
  EXPECT_EQ(PrintJson(value, {.non_finite = JsonPrintOptions::NonFinite::kNull}), "[null,null]");
  EXPECT_EQ(PrintJson(value, {.non_finite = JsonPrintOptions::NonFinite::kPythonLiteral}),
            "[NaN,Infinity]");
}

TEST(JsonTest, ErrorsNameThePlace) {
  EXPECT_EQ(ErrorOf("{\n  \"a\": 1,\n  \"b\": tru\n}"),
            "json:3:8: not a JSON value\n      \"b\": tru\n           ^");
  EXPECT_EQ(ErrorOf("[1, 2"), "json:1:6: the JSON ends inside an array\n    [1, 2\n         ^");
  EXPECT_EQ(ErrorOf("\"abc"),
            "json:1:1: the string that begins here does not end\n    \"abc\n    ^");
  EXPECT_NE(ErrorOf("").find("ends too early"), std::string::npos);
  EXPECT_NE(ErrorOf("01").find("leading zeros"), std::string::npos);
  EXPECT_NE(ErrorOf("1 2").find("after the end"), std::string::npos);
  EXPECT_NE(ErrorOf("[1,]").find("not a JSON value"), std::string::npos);
  EXPECT_NE(ErrorOf("\"\xc0\x80\"").find("not valid UTF-8"), std::string::npos);
  EXPECT_NE(ErrorOf("\"\n\"").find("control character"), std::string::npos);
  EXPECT_NE(ErrorOf(R"("\x")").find("unknown escape"), std::string::npos);
}

TEST(JsonTest, LimitsAreErrors) {
  Result<Json> deep = ParseJson(std::string(100000, '['));
  ASSERT_FALSE(deep.ok());
  EXPECT_EQ(deep.error().code(), ErrorCode::kResourceExhausted);
  EXPECT_TRUE(ParseJson(std::string(64, '[') + std::string(64, ']')).ok());
  Result<Json> large = ParseJson("[1,2,3]", {.max_size_bytes = 4});
  EXPECT_EQ(large.error().code(), ErrorCode::kResourceExhausted);
}

TEST(JsonTest, GettersNameTheKey) {
  Json value = *ParseJson(R"({"n": 3, "s": "x", "inf": "Infinity"})");
  EXPECT_EQ(*value.GetInteger("n"), 3);
  EXPECT_EQ(*value.GetDouble("inf"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(value.GetInteger("s").error().message(), "'s' must be an integer, not string");
  EXPECT_EQ(value.GetString("z").error().code(), ErrorCode::kNotFound);
}

TEST(JsonTest, InvalidUtf8IsReplacedWhenPrinted) {
  EXPECT_EQ(PrintJson(Json("a\xff"
                           "b\x01")),
            "\"a\xef\xbf\xbd"
            "b\\u0001\"");
}

}  // namespace
}  // namespace sluice::formats
