#include "data/split.h"

#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "data/testing/tables.h"

namespace sluice::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MakeTable;

PartSize Share(double share) { return {.share = share}; }
PartSize Rows(int64_t count) { return {.row_count = count, .is_count = true}; }

std::vector<std::string> Numbers(int count) {
  std::vector<std::string> cells;
  for (int i = 0; i < count; ++i) cells.push_back(std::to_string(i));
  return cells;
}

void ExpectPartition(const Parts& parts, int64_t row_count) {
  std::set<int64_t> all;
  for (const auto* part : {&parts.train, &parts.validation, &parts.test}) {
    EXPECT_TRUE(std::is_sorted(part->begin(), part->end()));
    for (int64_t row : *part) EXPECT_TRUE(all.insert(row).second) << row;
  }
  EXPECT_EQ(static_cast<int64_t>(all.size()), row_count);
}

TEST(PartSizeTest, ReadsSharesAndCounts) {
  EXPECT_DOUBLE_EQ(PartSize::Parse("20%").value().share, 0.2);
  EXPECT_DOUBLE_EQ(PartSize::Parse("0.2").value().share, 0.2);
  EXPECT_TRUE(PartSize::Parse("5000").value().is_count);
  EXPECT_FALSE(PartSize::Parse("0").value().is_count);
  for (const char* text : {"", "%", "1.0", "100%", "-1", "-0.5", "20 %", "nan", "abc", "1e400"}) {
    EXPECT_FALSE(PartSize::Parse(text).ok()) << text;
  }
}

TEST(SplitTest, RandomIsDeterministicAndExact) {
  auto table = MakeTable({{"x", ColumnType::kInt64, Numbers(1001)}});
  SplitOptions options{.test = Share(0.2), .validation = Rows(100), .seed = 5};
  Parts parts = SplitRows(*table, options).value();
  ExpectPartition(parts, 1001);
  EXPECT_EQ(parts.test.size(), 200);
  EXPECT_EQ(parts.validation.size(), 100);
  EXPECT_EQ(SplitRows(*table, options).value().test, parts.test);
  options.seed = 6;
  EXPECT_NE(SplitRows(*table, options).value().test, parts.test);
}

TEST(SplitTest, StratifiedKeepsSharesInEachClass) {
  std::vector<std::string> labels;
  for (int i = 0; i < 1000; ++i)
    labels.push_back(i % 10 == 0 ? "rare" : (i % 3 == 0 ? "null" : "usual"));
  auto table = MakeTable({{"y", ColumnType::kString, labels}}, 333);
  Parts parts = SplitRows(*table, {.method = SplitMethod::kStratified,
                                   .column = "y",
                                   .test = Share(0.25),
                                   .validation = Share(0.1),
                                   .seed = 1})
                    .value();
  ExpectPartition(parts, 1000);
  EXPECT_EQ(parts.test.size(), 250);
  EXPECT_EQ(parts.validation.size(), 100);
  std::map<std::string, double> counts;
  for (int64_t row : parts.test) ++counts[labels[static_cast<size_t>(row)]];
  EXPECT_EQ(counts["rare"], 25);
  EXPECT_NEAR(counts["usual"], 0.25 * 600, 1);
  EXPECT_NEAR(counts["null"], 0.25 * 300, 1);
}

TEST(SplitTest, StratifiedNeedsARowOfEachClassInEachPart) {
  auto table = MakeTable({{"y", ColumnType::kString, {"a", "a", "a", "b", "a", "a"}}});
  Result<Parts> parts =
      SplitRows(*table, {.method = SplitMethod::kStratified, .column = "y", .test = Share(0.5)});
  ASSERT_FALSE(parts.ok());
  EXPECT_EQ(parts.error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_THAT(parts.error().message(), HasSubstr("class 'b' of column 'y' has 1 of the 2 rows"));
}

TEST(SplitTest, GroupsStayTogether) {
  std::vector<std::string> groups;
  for (int i = 0; i < 500; ++i) groups.push_back("g" + std::to_string(i % 37));
  auto table = MakeTable({{"g", ColumnType::kString, groups}});
  Parts parts = SplitRows(*table, {.method = SplitMethod::kGrouped,
                                   .column = "g",
                                   .test = Share(0.2),
                                   .validation = Share(0.2),
                                   .seed = 3})
                    .value();
  ExpectPartition(parts, 500);
  EXPECT_NEAR(static_cast<double>(parts.test.size()), 100, 7);
  std::map<std::string, int> part_of;
  int number = 0;
  for (const auto* part : {&parts.train, &parts.validation, &parts.test}) {
    ++number;
    for (int64_t row : *part) {
      EXPECT_EQ(part_of.try_emplace(groups[static_cast<size_t>(row)], number).first->second,
                number);
    }
  }
}

TEST(SplitTest, TimePutsTheNewestInTestAndKeepsTiesTogether) {
  auto table = MakeTable(
      {{"t",
        ColumnType::kDate,
        {"2020-03-01", "2020-01-01", "2020-02-01", "2020-02-01", "2020-02-01", "2020-04-01"}}});
  SplitOptions options{
      .method = SplitMethod::kTime, .column = "t", .test = Rows(1), .validation = Rows(1)};
  Parts parts = SplitRows(*table, options).value();
  EXPECT_THAT(parts.test, ElementsAre(5));
  EXPECT_THAT(parts.validation, ElementsAre(0));
  // A cut among the three equal days moves to the nearer end of them.
  options.validation = {};
  options.test = Rows(4);
  EXPECT_THAT(SplitRows(*table, options).value().test, ElementsAre(0, 2, 3, 4, 5));
  options.test = Rows(3);
  EXPECT_THAT(SplitRows(*table, options).value().test, ElementsAre(0, 5));
}

TEST(SplitTest, HashKeepsKeysWhenRowsAreAdded) {
  auto small = MakeTable({{"k", ColumnType::kInt64, Numbers(1000)}});
  auto large = MakeTable({{"k", ColumnType::kInt64, Numbers(3000)}});
  SplitOptions options{
      .method = SplitMethod::kHash, .column = "k", .test = Share(0.2), .validation = Share(0.1)};
  Parts before = SplitRows(*small, options).value();
  Parts after = SplitRows(*large, options).value();
  ExpectPartition(after, 3000);
  EXPECT_NEAR(static_cast<double>(after.test.size()), 600, 80);
  std::set<int64_t> test(after.test.begin(), after.test.end());
  for (int64_t row : before.test) EXPECT_TRUE(test.contains(row));
  for (int64_t row : before.train) EXPECT_FALSE(test.contains(row));
  options.salt = "other";
  EXPECT_NE(SplitRows(*small, options).value().test, before.test);
}

TEST(SplitTest, ErrorsNameTheThing) {
  auto table = MakeTable({{"t", ColumnType::kDate, {"2020-01-01", "null", "2020-01-03"}},
                          {"b", ColumnType::kBool, {"true", "false", "true"}},
                          {"x", ColumnType::kDouble, {"1", "NaN", "2"}},
                          {"c", ColumnType::kInt64, {"1", "1", "1"}}});
  auto error = [&](const SplitOptions& options) {
    Result<Parts> parts = SplitRows(*table, options);
    return parts.ok() ? "" : parts.error().message();
  };
  EXPECT_THAT(error({.method = SplitMethod::kTime, .column = "t"}),
              HasSubstr("no time in 1 rows (first: row 1)"));
  EXPECT_THAT(error({.method = SplitMethod::kTime, .column = "x"}), HasSubstr("no time in 1 rows"));
  EXPECT_THAT(error({.method = SplitMethod::kTime, .column = "b"}), HasSubstr("no order"));
  EXPECT_THAT(error({.method = SplitMethod::kTime, .column = "c", .test = Rows(1)}),
              HasSubstr("stays empty"));
  EXPECT_THAT(error({.method = SplitMethod::kGrouped, .column = "t"}), HasSubstr("no group"));
  EXPECT_THAT(error({.method = SplitMethod::kGrouped, .column = "c"}),
              HasSubstr("train part stays empty"));
  EXPECT_THAT(error({.method = SplitMethod::kHash, .column = "c", .test = Rows(1)}),
              HasSubstr("write 20%"));
  EXPECT_THAT(error({.method = SplitMethod::kTime}), HasSubstr("needs a column"));
  EXPECT_THAT(error({.method = SplitMethod::kTime, .column = "xx"}),
              HasSubstr("did you mean 'x'?"));
  EXPECT_THAT(error({.test = Share(0.6), .validation = Share(0.4)}),
              HasSubstr("nothing to train on"));
  EXPECT_THAT(error({.test = Rows(3)}), HasSubstr("leave nothing of 3 rows"));
  EXPECT_THAT(error({.test = Share(0.01)}), HasSubstr("test part stays empty"));
  EXPECT_THAT(SplitRows(*table->Slice(0, 0), {}).error().message(), HasSubstr("without rows"));
  EXPECT_THAT(ParseSplitMethod("stratifid").error().message(),
              HasSubstr("did you mean 'stratified'?"));
}

TEST(TakeRowsTest, KeepsOrderAndTypes) {
  auto table = MakeTable(
      {{"i", ColumnType::kInt64, {"1", "null", "3"}}, {"s", ColumnType::kString, {"a", "b", "ü"}}},
      2);
  EXPECT_THAT(testing::RowsAsText(*TakeRows(table, {2, 1, 2}).value()),
              ElementsAre("3|ü", "null|b", "3|ü"));
  EXPECT_EQ(TakeRows(table, {}).value()->num_rows(), 0);
  EXPECT_THAT(TakeRows(table, {3}).error().message(), HasSubstr("row 3"));
}

}  // namespace
}  // namespace sluice::data
