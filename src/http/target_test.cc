#include "http/target.h"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

TEST(TargetTest, SplitsAndDecodes) {
  struct Case {
    std::string text, path, query;
  };
  const std::vector<Case> cases = {
      {"/", "/", ""},
      {"/a/b?x=1&y=%20", "/a/b", "x=1&y=%20"},
      {"/a%20b/%C3%A9", "/a b/\xC3\xA9", ""},
      {"/a?b?c", "/a", "b?c"},
      {"/a+b", "/a+b", ""},
      {"/a%252Fb", "/a%2Fb", ""},  // decoded once only
      {"/a//b/", "/a//b/", ""},
      {"/...", "/...", ""},
      {"/a/.b", "/a/.b", ""},
      {"http://host/x?y", "/x", "y"},
      {"HTTP://host:80", "/", ""},
      {"http://host?q", "/", "q"},
      {"*", "*", ""},
  };
  for (const Case& one : cases) {
    const Result<Target> target = ParseTarget(one.text);
    ASSERT_TRUE(target.ok()) << one.text << ": " << target.error().message();
    EXPECT_EQ(target->path, one.path) << one.text;
    EXPECT_EQ(target->query, one.query) << one.text;
  }
}

// How Python's requests, and so MLflow's client, writes artifact paths: what was not a percent escape
// is made one, the rest is left alone. (Names with '#' or '?' are cut by the client itself.)
TEST(TargetTest, TakesWhatMlflowsClientSends) {
  const std::string root = "/api/2.0/mlflow-artifacts/artifacts/0/";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a%20b.txt", "a b.txt"},
      {"100%25.txt", "100%.txt"},
      {"a%25zz", "a%zz"},
      {"%C3%A9%E4%BD%A0.txt", "\xC3\xA9\xE4\xBD\xA0.txt"},
      {"a+b;c&d:e", "a+b;c&d:e"},
      {"%5Bx%5D%7By%7D", "[x]{y}"},
  };
  for (const auto& [sent, path] : cases) {
    const Result<Target> target = ParseTarget(root + sent);
    ASSERT_TRUE(target.ok()) << sent << ": " << target.error().message();
    EXPECT_EQ(target->path, root + path) << sent;
  }
}

TEST(TargetTest, RefusesWhatChangesMeaningLater) {
  const std::vector<std::string> bad = {
      "",       "a",         "host:443",  "/%",         "/%2",
      "/%zz",   "/a%00b",    "/a%0d%0ab", "/a%7f",      "/a\\b",
      "/a%5Cb", "/../etc",   "/a/..",     "/a/../b",    "/./a",
      "/a/.",   "/%2e%2e/a", "/a/%2E",    "/a%2fb",     "/a%2Fb",
      "/%ff",   "/%C3",      "/%C0%AF",   "/%ED%A0%80", "/%F5%80%80%80",
      "/a#b",   "http:///x", "ftp://h/x", "/a\tb",      "/a%09b",
  };
  for (const std::string& text : bad) EXPECT_FALSE(ParseTarget(text).ok()) << text;
}

TEST(PercentTest, EncodingAndDecodingAgree) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(PercentDecode(PercentEncode(all)).value(), all);
  EXPECT_EQ(PercentEncode("a b/~"), "a%20b%2F~");
}

TEST(QueryTest, KeepsOrderAndDecodes) {
  const auto params = ParseQuery("a=1&b=x+y&&c&a=%26&=v").value();
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "1"}, {"b", "x y"}, {"c", ""}, {"a", "&"}, {"", "v"}};
  EXPECT_EQ(params, expected);
  EXPECT_TRUE(ParseQuery("").value().empty());
}

TEST(QueryTest, RefusesBadEscapesNulsAndFloods) {
  for (std::string_view text : {"a=%", "a=%0", "%gg=1", "a=%00", "a=%FF"}) {
    EXPECT_FALSE(ParseQuery(text).ok()) << text;
  }
  std::string flood;
  for (size_t i = 0; i <= kQueryParamCountMax; ++i) flood += "a=1&";
  EXPECT_EQ(ParseQuery(flood).error().code(), ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace sluice::http
