#include "base/utf8.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Utf8Test, TakesWellFormedText) {
  for (std::string_view text : {"", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
}

TEST(Utf8Test, MeasuresTheFirstCharacter) {
  EXPECT_EQ(Utf8CharacterSize(""), 0U);
  EXPECT_EQ(Utf8CharacterSize("ab"), 1U);
  EXPECT_EQ(Utf8CharacterSize("\xC3\xA9z"), 2U);
  EXPECT_EQ(Utf8CharacterSize("\xE2\x82\xACz"), 3U);
  EXPECT_EQ(Utf8CharacterSize("\xF0\x9F\x98\x80z"), 4U);
  EXPECT_EQ(Utf8CharacterSize("\xE2\x82"), 0U);
}

TEST(Utf8Test, CutsBetweenCharacters) {
  EXPECT_EQ(CutUtf8("abc", 3), "abc");
  EXPECT_EQ(CutUtf8("abcd", 3), "abc");
  EXPECT_EQ(CutUtf8("ab\xE2\x82\xAC", 4), "ab");
  EXPECT_EQ(CutUtf8("ab\xE2\x82\xAC", 5), "ab\xE2\x82\xAC");
  EXPECT_EQ(CutUtf8("\x80\x80\x80", 2), "");
}

TEST(Utf8Test, RefusesEverythingElse) {
  for (std::string_view text : {"\x80", "\xC3", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\x80", "\xE2\x82",
                                "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80",
                                "\xF5\x80\x80\x80", "\xFF", "a\xC3z", "\xE2\x82z"}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
  }
}

}  // namespace
}  // namespace sluice
