#include "http/message.h"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

TEST(HeadersTest, NamesCompareWithoutCase) {
  Headers headers;
  headers.Add("Content-Type", "text/csv");
  headers.Add("X-A", "1");
  headers.Add("x-a", "2");
  ASSERT_NE(headers.Find("content-TYPE"), nullptr);
  EXPECT_EQ(*headers.Find("content-TYPE"), "text/csv");
  EXPECT_EQ(*headers.Find("X-a"), "1");
  EXPECT_EQ(headers.CountOf("X-A"), 2u);
  EXPECT_EQ(headers.Find("X-B"), nullptr);
}

TEST(MethodTest, NamesAreCaseSensitive) {
  EXPECT_EQ(FindMethod("POST"), Method::kPost);
  EXPECT_EQ(MethodName(Method::kDelete), "DELETE");
  EXPECT_FALSE(FindMethod("post"));
  EXPECT_FALSE(FindMethod("TRACE"));
}

TEST(MediaTypeTest, ReadsTypeAndParameters) {
  struct Case {
    std::string text, type;
    std::vector<std::pair<std::string, std::string>> parameters;
  };
  const std::vector<Case> cases = {
      {"application/json", "application/json", {}},
      {"Application/JSON", "application/json", {}},
      {"text/csv; charset=UTF-8", "text/csv", {{"charset", "UTF-8"}}},
      {"text/csv;charset=\"utf-8\" ; Header=\"a\\\"b;c\"",
       "text/csv",
       {{"charset", "utf-8"}, {"header", "a\"b;c"}}},
      {" a/b ;", "a/b", {}},
      {"a/b;;c=d", "a/b", {{"c", "d"}}},
  };
  for (const Case& one : cases) {
    const Result<MediaType> media = ParseMediaType(one.text);
    ASSERT_TRUE(media.ok()) << one.text << ": " << media.error().message();
    EXPECT_EQ(media->type, one.type) << one.text;
    EXPECT_EQ(media->parameters, one.parameters) << one.text;
  }
}

TEST(MediaTypeTest, RefusesWhatIsNone) {
  for (std::string_view text :
       {"", " ", "json", "/", "a/", "/b", "a b/c", "a/b c", "a/b; x", "a/b; =x", "a/b; x=\"y",
        "a/b; x=\"y\\", "a/b; x=y z", "a/b, c/d", "a/b/c"}) {
    EXPECT_FALSE(ParseMediaType(text).ok()) << text;
  }
}

TEST(ErrorResponseTest, HasMlflowsShape) {
  const Response response = ErrorResponse(404, "RESOURCE_DOES_NOT_EXIST", "no run \"x\"");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, R"({"error_code":"RESOURCE_DOES_NOT_EXIST","message":"no run \"x\""})");
}

}  // namespace
}  // namespace sluice::http
