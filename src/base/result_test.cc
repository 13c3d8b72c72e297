#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace sluice {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument("odd");
  return value / 2;
}

Result<int> Quarter(int value) {
  ASSIGN_OR_RETURN(int half, Half(value));
  ASSIGN_OR_RETURN(half, Half(half));
  return half;
}

Status CheckEven(int value) {
  RETURN_IF_ERROR(Half(value));
  return Ok();
}

TEST(ResultTest, MacrosPassValuesAndErrorsOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().message(), "odd");
  EXPECT_TRUE(CheckEven(2).ok());
  EXPECT_EQ(CheckEven(3).error().code(), ErrorCode::kInvalidArgument);
}

TEST(ResultTest, HoldsMoveOnlyValues) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  std::unique_ptr<int> value = std::move(result).value();
  EXPECT_EQ(*value, 3);
}

Result<std::vector<std::string>> ListNames() {
  return std::vector<std::string>{"a name too long for the small string buffer",
                                  "another such name"};
}

TEST(ResultTest, TheValueOfATemporaryOutlivesItInALoop) {
  static_assert(std::is_same_v<decltype(ListNames().value()), std::vector<std::string>>);
  static_assert(std::is_same_v<decltype(*ListNames()), std::vector<std::string>>);
  std::vector<std::string> seen;
  for (const std::string& name : ListNames().value()) seen.push_back(name);
  for (const std::string& name : *ListNames()) seen.push_back(name);
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[0], seen[2]);
  EXPECT_EQ(seen[3], "another such name");
}

TEST(ResultTest, ContextGoesInFront) {
  Error error = NotFound("no such file").With("open 'x'").With("load pipeline");
  EXPECT_EQ(error.ToString(), "load pipeline: open 'x': no such file");
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
}

TEST(ResultTest, SourceIsShownWithACaret) {
  Error error = InvalidArgument("bad").At({"a.yaml", 3, 5, "\tkéy: x"});
  EXPECT_EQ(error.ToString(), "a.yaml:3:5: bad\n     kéy: x\n       ^");
  Error kept = std::move(error).At({"other", 1, 1, ""});
  EXPECT_EQ(kept.source()->file, "a.yaml");
}

TEST(ResultTest, LongLinesAreCutAroundTheCaret) {
  Source source{"f", 1, 500, std::string(1000, 'a')};
  std::string text = InvalidArgument("bad").At(source).ToString();
  EXPECT_LT(text.size(), 400U);
  EXPECT_NE(text.find("..."), std::string::npos);
}

TEST(ResultDeathTest, ReadingTheValueOfAnErrorAborts) {
  EXPECT_DEATH((void)Half(3).value(), "odd");
}

}  // namespace
}  // namespace sluice
