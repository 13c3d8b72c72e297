#include "api/fields.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sluice::api {
namespace {

constexpr EnumName kColors[] = {{"RED", 1}, {"GREEN", 2}};

/// Fields of a JSON body, or of a query.
class Sent {
 public:
  static std::unique_ptr<Sent> Body(std::string_view text) {
    auto sent = std::make_unique<Sent>();
    const Status status = sent->owner_.ParseBody(text, 16);
    EXPECT_TRUE(status.ok()) << status.error().message();
    return sent;
  }
  static std::unique_ptr<Sent> Query(std::string_view text) {
    auto sent = std::make_unique<Sent>();
    EXPECT_TRUE(sent->owner_.ParseQueryString(text).ok());
    return sent;
  }
  Fields fields() { return owner_.fields(); }
  /// The first error's message, or "".
  std::string error() {
    const Status status = fields().status();
    return status.ok() ? "" : status.error().message();
  }

 private:
  RequestFields owner_;
};

TEST(FieldsTest, NumbersMayBeStrings) {
  const auto sent = Sent::Body(R"({"a": 5, "b": "-7", "c": 3.0, "d": "9223372036854775807"})");
  EXPECT_EQ(sent->fields().FindInt64("a"), 5);
  EXPECT_EQ(sent->fields().FindInt64("b"), -7);
  EXPECT_EQ(sent->fields().FindInt64("c"), 3);
  EXPECT_EQ(sent->fields().FindInt64("d"), INT64_MAX);
  EXPECT_EQ(sent->error(), "");
}

TEST(FieldsTest, WhatIsNoWholeNumberIsRefused) {
  for (const char* value : {"1.5", "\"x\"", "\"\\u0661\"", "true", "[1]", "1e19", "\"1 \""}) {
    const auto sent = Sent::Body(std::string(R"({"a": )") + value + "}");
    EXPECT_EQ(sent->fields().FindInt64("a"), std::nullopt) << value;
    EXPECT_NE(sent->error(), "") << value;
  }
}

TEST(FieldsTest, DoublesTakeTheirSpecialWordsAndTrue) {
  const auto sent = Sent::Body(
      R"({"a": "NaN", "b": "Infinity", "c": "-Infinity", "d": "2.5", "e": true, "f": 3, "g": "1e3"})");
  EXPECT_TRUE(std::isnan(*sent->fields().FindDouble("a")));
  EXPECT_EQ(sent->fields().FindDouble("b"), HUGE_VAL);
  EXPECT_EQ(sent->fields().FindDouble("c"), -HUGE_VAL);
  EXPECT_EQ(sent->fields().FindDouble("d"), 2.5);
  EXPECT_EQ(sent->fields().FindDouble("e"), 1.0);
  EXPECT_EQ(sent->fields().FindDouble("f"), 3.0);
  EXPECT_EQ(sent->fields().FindDouble("g"), 1000.0);
  EXPECT_EQ(sent->error(), "");
  for (const char* value : {"\"nan\"", "\"0x10\"", "\"\"", "{}", "\"1,5\""}) {
    const auto bad = Sent::Body(std::string(R"({"a": )") + value + "}");
    EXPECT_EQ(bad->fields().FindDouble("a"), std::nullopt) << value;
  }
}

TEST(FieldsTest, NullIsMissing) {
  const auto sent = Sent::Body(R"({"a": null})");
  EXPECT_FALSE(sent->fields().Has("a"));
  sent->fields().RequireDouble("a");
  EXPECT_EQ(sent->error(),
            "Missing value for required parameter 'a'. See the API docs for more information about "
            "request parameters.");
}

TEST(FieldsTest, TheFirstErrorStaysAndNestedPlacesAreNamed) {
  const auto sent = Sent::Body(R"({"metrics": [{"key": "a", "value": 1}, {"key": "b"}], "x": 5})");
  for (const Fields& metric : sent->fields().Messages("metrics")) {
    metric.RequireString("key");
    metric.RequireDouble("value");
  }
  sent->fields().RequireString("x");
  EXPECT_EQ(sent->error(),
            "Missing value for required parameter 'metrics[1].value'. See the API docs for more "
            "information about request parameters.");
}

TEST(FieldsTest, WrongTypesAreToldAsMlflowTellsThem) {
  const auto sent = Sent::Body(R"({"run_id": 31})");
  sent->fields().RequireString("run_id");
  EXPECT_EQ(sent->error(),
            "Invalid value 31 for parameter 'run_id' supplied:  Hint: Value was of type 'int'. See "
            "the API docs for more information about request parameters.");
}

TEST(FieldsTest, CamelCaseWillDoButNotBoth) {
  const auto camel = Sent::Body(R"({"runViewType": "GREEN"})");
  EXPECT_EQ(camel->fields().FindEnum("run_view_type", kColors), 2);
  EXPECT_EQ(camel->error(), "");
  const auto both = Sent::Body(R"({"run_view_type": "RED", "runViewType": "GREEN"})");
  EXPECT_EQ(both->fields().FindEnum("run_view_type", kColors), std::nullopt);
  EXPECT_EQ(both->error(),
            "Request specifies both 'run_view_type' and 'runViewType'; provide only one of them.");
}

TEST(FieldsTest, EnumsTakeNamesAndNumbers) {
  EXPECT_EQ(Sent::Body(R"({"c": "RED"})")->fields().FindEnum("c", kColors), 1);
  EXPECT_EQ(Sent::Body(R"({"c": 2})")->fields().FindEnum("c", kColors), 2);
  EXPECT_EQ(Sent::Query("c=GREEN")->fields().FindEnum("c", kColors), 2);
  const auto unknown = Sent::Body(R"({"c": "BLUE"})");
  EXPECT_EQ(unknown->fields().FindEnum("c", kColors), std::nullopt);
  EXPECT_NE(unknown->error().find("RED, GREEN"), std::string::npos) << unknown->error();
}

TEST(FieldsTest, QueriesRepeatKeysForLists) {
  const auto sent = Sent::Query("run_ids=a&run_ids=b%20c&flag=True&n=12&one=x&n=13");
  EXPECT_EQ(sent->fields().Strings("run_ids"), (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(sent->fields().Strings("one"), (std::vector<std::string>{"x"}));
  EXPECT_EQ(sent->fields().FindBool("flag"), true);
  EXPECT_EQ(sent->fields().FindInt64("n"), 12);
  EXPECT_EQ(sent->error(), "");
  sent->fields().FindBool("one");
  EXPECT_EQ(sent->error(), "Invalid boolean value: x, must be 'true' or 'false'.");
}

TEST(FieldsTest, BodiesHaveListsAndBooleansOnly) {
  const auto sent = Sent::Body(R"({"ids": "a", "flag": "true"})");
  EXPECT_TRUE(sent->fields().Strings("ids").empty());
  EXPECT_NE(sent->error(), "");
  EXPECT_EQ(Sent::Body(R"({"flag": "true"})")->fields().FindBool("flag"), std::nullopt);
}

TEST(RequestFieldsTest, OldClientsWrapJsonInJson) {
  const auto sent = Sent::Body(R"("{\"name\": \"x\"}")");
  EXPECT_EQ(sent->fields().RequireString("name"), "x");
}

TEST(RequestFieldsTest, NothingIsAnEmptyRequest) {
  EXPECT_FALSE(Sent::Body("")->fields().Has("a"));
  EXPECT_FALSE(Sent::Body("null")->fields().Has("a"));
  EXPECT_FALSE(Sent::Body("{}")->fields().Has("a"));
}

TEST(RequestFieldsTest, WhatIsNoObjectIsRefused) {
  for (const char* text : {"[1]", "5", "{", "\"x\"", "{\"a\": NaN}", "\"[1]\""}) {
    RequestFields fields;
    const Status status = fields.ParseBody(text, 16);
    ASSERT_FALSE(status.ok()) << text;
    EXPECT_EQ(status.error().code(), ErrorCode::kInvalidArgument) << text;
  }
  std::string deep;
  for (int i = 0; i < 17; ++i) deep += R"({"a":)";
  RequestFields fields;
  EXPECT_FALSE(fields.ParseBody(deep + "1" + std::string(17, '}'), 16).ok());
}

TEST(FieldsTest, LongValuesAreCutInMessages) {
  const auto sent = Sent::Body(R"({"n": ")" + std::string(100'000, 'x') + "\"}");
  sent->fields().FindInt64("n");
  EXPECT_LT(sent->error().size(), 1000u);
}

TEST(FieldsTest, StringsWithNulAreRefused) {
  const auto sent = Sent::Body(R"({"s": "a\u0000b"})");
  EXPECT_EQ(sent->fields().FindString("s"), std::nullopt);
  EXPECT_NE(sent->error().find("NUL"), std::string::npos);
}

}  // namespace
}  // namespace sluice::api
