#include "objects/remote_path.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::objects {
namespace {

struct Row {
  std::string_view text;
  std::string_view normal;
};

TEST(RemotePath, OrdinaryNamesStayAsTheyAre) {
  for (const Row row : {Row{"", ""},
                        {".", ""},
                        {"0/abc/artifacts/model/MLmodel", "0/abc/artifacts/model/MLmodel"},
                        {"a//b/./c/", "a/b/c"},
                        {"...", "..."},
                        {"a..b/..c", "a..b/..c"},
                        {"50%.txt", "50%.txt"},
                        {"100%2", "100%2"},
                        {"täst/\xf0\x9f\x8d\x8e", "täst/\xf0\x9f\x8d\x8e"},
                        {"a b;c?d&e=f", "a b;c?d&e=f"},
                        {"x:y", "x:y"},
                        {"%25", "%"},
                        {"a/.sluice-uploads", "a/.sluice-uploads"}}) {
    const Result<std::string> path = NormalRemotePath(row.text);
    ASSERT_TRUE(path.ok()) << row.text;
    EXPECT_EQ(*path, row.normal);
  }
}

TEST(RemotePath, EncodedTextMeansWhatItDecodesTo) {
  for (const Row row : {Row{"a%20b", "a b"},
                        {"a%2520b", "a b"},
                        {"a%2Fb", "a/b"},
                        {"a\nb", "a%0ab"},
                        {"a%0ab", "a%0ab"},
                        {"a%250Ab", "a%0ab"},
                        {"file:a/b", "a/b"}}) {
    const Result<std::string> path = NormalRemotePath(row.text);
    ASSERT_TRUE(path.ok()) << row.text;
    EXPECT_EQ(*path, row.normal);
  }
}

TEST(RemotePath, NothingThatCouldLeaveTheDestinationIsAPath) {
  using std::string_view_literals::operator""sv;
  std::string layers = "..";
  for (int i = 0; i < 12; ++i) layers = i == 0 ? "%2e%2e" : "%25" + layers.substr(1);
  std::string deep;
  for (int i = 0; i < 101; ++i) deep += "a/";
  for (const std::string_view text : {
           ".."sv,
           "../a"sv,
           "a/.."sv,
           "a/../b"sv,
           "a/../../b"sv,
           "%2e%2e/a"sv,
           "%2E%2E%2Fa"sv,
           "..%2fa"sv,
           "%252e%252e%252fa"sv,
           "a/%25252e%25252e/b"sv,
           "/etc/passwd"sv,
           "//etc"sv,
           "%2fetc"sv,
           "%252fetc"sv,
           "file:///etc/passwd"sv,
           "FILE:/etc"sv,
           "file%3a/etc"sv,
           "file:../x"sv,
           "a\\b"sv,
           "..\\a"sv,
           "a%5cb"sv,
           "C:/x"sv,
           "c:\\x"sv,
           "C%3A/x"sv,
           "\\\\host\\share"sv,
           "a#b"sv,
           "a%23b"sv,
           "a%00b"sv,
           "a\0b"sv,
           "a%2500"sv,
           "\xff"sv,
           "%ff"sv,
           ".sluice-uploads"sv,
           "./.sluice-uploads/x"sv,
           ".sluice%2duploads/x"sv,
       }) {
    const Result<std::string> path = NormalRemotePath(text);
    ASSERT_FALSE(path.ok()) << text << " became " << *path;
    EXPECT_EQ(path.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(path.error().message(), "Invalid path");
  }
  EXPECT_FALSE(NormalRemotePath(layers).ok());
  EXPECT_FALSE(NormalRemotePath(deep).ok());
  EXPECT_FALSE(NormalRemotePath(std::string(256, 'a')).ok());
  EXPECT_FALSE(NormalRemotePath(std::string(5000, '/')).ok());
}

TEST(RemotePath, PartsOfAPath) {
  EXPECT_EQ(JoinRemotePath("", "a"), "a");
  EXPECT_EQ(JoinRemotePath("a", ""), "a");
  EXPECT_EQ(JoinRemotePath("a/b", "c"), "a/b/c");
  EXPECT_EQ(RemoteBaseName("a/b"), "b");
  EXPECT_EQ(RemoteBaseName("b"), "b");
  EXPECT_EQ(RemoteDirName("a/b/c"), "a/b");
  EXPECT_EQ(RemoteDirName("a"), "");
  EXPECT_TRUE(NamesAFile("a/b"));
  EXPECT_FALSE(NamesAFile("a/"));
  EXPECT_FALSE(NamesAFile(""));
}

}  // namespace
}  // namespace sluice::objects
