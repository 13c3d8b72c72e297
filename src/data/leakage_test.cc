#include "data/leakage.h"

#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/testing/tables.h"

namespace sluice::data {
namespace {

using ::testing::HasSubstr;
using testing::MakeTable;

std::shared_ptr<arrow::Table> Part(const std::vector<std::string>& ids,
                                   const std::vector<std::string>& values,
                                   const std::vector<std::string>& days) {
  return MakeTable({{"id", ColumnType::kInt64, ids},
                    {"x", ColumnType::kDouble, values},
                    {"day", ColumnType::kDate, days}});
}

const char* const kDay1 = "2020-01-01";
const char* const kDay2 = "2020-01-02";
const char* const kDay3 = "2020-01-03";

TEST(LeakageTest, EqualRowsAreAWarningOnceIdsAreLeftOut) {
  std::vector<NamedPart> parts = {
      {"train", Part({"1", "2", "3"}, {"0.5", "NaN", "-0"}, {kDay1, kDay1, kDay1})},
      {"test",
       Part({"7", "8", "9", "10"}, {"0", "0.5", "NaN", "3"}, {kDay1, kDay1, kDay1, kDay1})}};
  EXPECT_TRUE(FindLeakage(parts, {}).value().findings.findings.empty());
  LeakageReport report = FindLeakage(parts, {.ignored_columns = {"id"}}).value();
  ASSERT_EQ(report.findings.findings.size(), 1);
  const Finding& finding = report.findings.findings[0];
  EXPECT_EQ(finding.check, "shared_rows");
  EXPECT_EQ(finding.severity, Severity::kWarning);
  EXPECT_EQ(finding.failing_row_count, 3);
  EXPECT_EQ(finding.samples[0].value, "0.0 | 2020-01-01");
  EXPECT_DOUBLE_EQ(report.pairs[0].shared_row_share, 0.75);
}

TEST(LeakageTest, SharedGroupsAndOverlappingTimesAreErrors) {
  std::vector<NamedPart> parts = {
      {"train", Part({"1", "2", "null"}, {"1", "2", "3"}, {kDay1, kDay2, "null"})},
      {"validation", Part({}, {}, {})},
      {"test", Part({"2", "2", "null"}, {"4", "5", "6"}, {kDay2, kDay3, kDay1})}};
  LeakageReport report = FindLeakage(parts, {.group_column = "id", .time_column = "day"}).value();
  ASSERT_EQ(report.pairs.size(), 1);
  EXPECT_EQ(report.pairs[0].shared_group_count, 1);
  ASSERT_EQ(report.findings.findings.size(), 2);
  EXPECT_EQ(report.findings.findings[0].check, "shared_groups");
  EXPECT_EQ(report.findings.findings[0].failing_row_count, 2);
  EXPECT_EQ(report.findings.findings[1].check, "time_overlap");
  EXPECT_EQ(report.findings.findings[1].measured, formats::Json("2020-01-01"));
  EXPECT_EQ(report.findings.findings[1].limit, formats::Json("2020-01-02"));
  EXPECT_EQ(report.findings.findings[1].failing_row_count, 2);
  EXPECT_EQ(LeakageToJson(report).At("error_count"), formats::Json(2));
}

TEST(LeakageTest, WrongColumnsAreErrors) {
  std::vector<NamedPart> parts = {{"train", Part({"1"}, {"1"}, {kDay1})},
                                  {"test", Part({"2"}, {"1"}, {kDay2})}};
  EXPECT_THAT(FindLeakage(parts, {.ignored_columns = {"idd"}}).error().message(),
              HasSubstr("did you mean 'id'?"));
  parts[1].table = MakeTable({{"id", ColumnType::kInt64, {"1"}}});
  EXPECT_THAT(FindLeakage(parts, {}).error().message(), HasSubstr("different columns"));
  EXPECT_TRUE(FindLeakage({}, {}).value().pairs.empty());
}

}  // namespace
}  // namespace sluice::data
