#include "sql/fold_case.h"

#include <gtest/gtest.h>

namespace sluice::sql {
namespace {

TEST(FoldCase, LowersCharactersOfManyScripts) {
  EXPECT_EQ(FoldCase("Adult-RF_9 Z"), "adult-rf_9 z");
  EXPECT_EQ(FoldCase("ÀÖØÞ ĀŽ ΑΣΩ ЀЯ Ա Ⴀ Ꙁ 𐐀"), "àöøþ āž ασω ѐя ա ⴀ ꙁ 𐐨");
  EXPECT_EQ(FoldCase("×÷ß 漢字 🌊 ǅ"), "×÷ß 漢字 🌊 ǆ");
}

TEST(FoldCase, LeavesWhatIsNoCharacterAndWhatHasALongerLowerCase) {
  EXPECT_EQ(FoldCase("A\xff\xc3"), "a\xff\xc3");
  EXPECT_EQ(FoldCase("İ"), "İ");
  EXPECT_EQ(FoldCase(""), "");
}

TEST(FoldCase, IsAtRestAfterOnce) {
  std::string text = "ÀĀΑЀԱႠꙀ𐐀ẞKÅ";
  EXPECT_EQ(FoldCase(FoldCase(text)), FoldCase(text));
}

}  // namespace
}  // namespace sluice::sql
