#include "data/check.h"

#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "data/testing/tables.h"

namespace sluice::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeTable;
using testing::TextColumn;

/// Findings as "severity check column failing measured limit [rows]".
std::vector<std::string> Check(const std::string& schema_text,
                               const std::vector<TextColumn>& columns, int64_t chunk_rows = 0) {
  Result<Schema> schema = ParseSchema("version: 1\n" + schema_text);
  EXPECT_TRUE(schema.ok()) << schema.error().ToString();
  Findings findings = Validate(*MakeTable(columns, chunk_rows), *schema).value();
  std::vector<std::string> lines;
  for (const Finding& finding : findings.findings) {
    std::string line = std::string(SeverityName(finding.severity)) + " " + finding.check + " " +
                       finding.column + " " + std::to_string(finding.failing_row_count) + " " +
                       formats::PrintJson(finding.measured) + " " +
                       formats::PrintJson(finding.limit);
    for (const Finding::Sample& sample : finding.samples)
      line += " " + std::to_string(sample.row) + ":" + sample.value;
    lines.push_back(line);
  }
  return lines;
}

const ColumnType kInt = ColumnType::kInt64;
const ColumnType kDouble = ColumnType::kDouble;
const ColumnType kText = ColumnType::kString;
const ColumnType kDate = ColumnType::kDate;

TEST(CheckTest, RangesCountEveryRowAndSampleFive) {
  EXPECT_THAT(
      Check("columns: {a: {type: int, min: 0, max: {value: 5, severity: warning}}}",
            {{"a", kInt, {"-1", "0", "null", "-7", "9", "-2", "-2", "-2", "-2"}}}, 2),
      ElementsAre("error min a 6 -7 0 0:-1 3:-7 5:-2 6:-2 7:-2", "warning max a 1 9 5 4:9"));
  EXPECT_THAT(Check("columns: {d: {type: date, min: 2020-01-01}}",
                    {{"d", kDate, {"2019-12-31", "2020-01-01"}}}),
              ElementsAre("error min d 1 \"2019-12-31\" \"2020-01-01\" 0:2019-12-31"));
  EXPECT_THAT(Check("columns: {x: {type: double, max: 1, finite: true}}",
                    {{"x", kDouble, {"NaN", "Infinity", "1", "1.5"}}}),
              ElementsAre("error max x 2 \"Infinity\" 1.0 1:Infinity 3:1.5",
                          "error finite x 2 2 0 0:NaN 1:Infinity"));
}

TEST(CheckTest, IntegersBeyondDoublesCompareExactly) {
  EXPECT_THAT(Check("columns: {a: {type: int, max: 9007199254740992}}",
                    {{"a", kInt, {"9007199254740993"}}}),
              ElementsAre("error max a 1 9007199254740993 9007199254740992 0:9007199254740993"));
  // An int64 column passes for double, and its limits are those of doubles.
  EXPECT_THAT(Check("columns: {a: {type: double, max: 2.5}}", {{"a", kInt, {"2", "3"}}}),
              ElementsAre("error max a 1 3 2.5 1:3"));
}

TEST(CheckTest, NullsAreForNullChecksOnly) {
  std::vector<TextColumn> nulls = {{"a", kText, {"null", "null"}}};
  EXPECT_THAT(Check("columns: {a: {type: string, pattern: x, min_length: 3, allowed: [y], unique: "
                    "true, min: z}}",
                    nulls),
              IsEmpty());
  EXPECT_THAT(
      Check("columns: {a: {type: string, nullable: false, max_null_share: 50%, severity: warning}}",
            nulls),
      ElementsAre("warning nullable a 2 2 0 0:null 1:null",
                  "warning max_null_share a 2 1.0 0.5 0:null 1:null"));
}

TEST(CheckTest, TextChecksCountCharactersAndMatchWhole) {
  EXPECT_THAT(Check("columns: {a: {type: string, pattern: 'a|ab', min_length: 2, max_length: 3}}",
                    {{"a", kText, {"ab", "xab", "äöü", "ä", "null", "äöüß"}}}, 4),
              ElementsAre("error pattern a 4 \"xab\" \"a|ab\" 1:xab 2:äöü 3:ä 5:äöüß",
                          "error min_length a 1 1 2 3:ä", "error max_length a 1 4 3 5:äöüß"));
}

TEST(CheckTest, PatternsThatBlowOthersUpAreLinear) {
  std::string bomb(200'000, 'a');
  EXPECT_THAT(
      Check("columns: {a: {type: string, pattern: '(a+)+b'}}", {{"a", kText, {bomb}}}).size(), 1);
}

TEST(CheckTest, AllowedValuesOfAnyType) {
  EXPECT_THAT(
      Check("columns: {a: {type: string, allowed: [x, y]}, b: {type: double, allowed: [1, 2.5]}}",
            {{"a", kText, {"x", "z", "z", "q"}}, {"b", kDouble, {"2.5", "1", "-0.5", "NaN"}}}),
      ElementsAre("error allowed a 3 [\"z\",\"q\"] [\"x\",\"y\"] 1:z 2:z 3:q",
                  "error allowed b 2 [\"-0.5\",\"NaN\"] [1.0,2.5] 2:-0.5 3:NaN"));
}

TEST(CheckTest, UniqueColumnsAndKeys) {
  EXPECT_THAT(
      Check("primary_key: [a, b]\nunique: [{columns: [b], severity: warning}]\n"
            "columns: {a: {type: int, unique: true}, b: string}",
            {{"a", kInt, {"1", "1", "2", "1", "null"}}, {"b", kText, {"x", "y", "x", "x", "z"}}},
            3),
      ElementsAre("error unique a 2 2 0 1:1 3:1", "error primary_key a, b 1 1 0 4:null | z",
                  "error primary_key a, b 1 1 0 3:1 | x", "warning unique_key b 2 2 0 2:x 3:x"));
}

TEST(CheckTest, RulesCompareColumnsAndValues) {
  EXPECT_THAT(
      Check("rules: [start <= end, {rule: 'amount != 0', severity: warning}, 'name == \"x\"']\n"
            "columns: {start: date, end: date, amount: double, name: string}",
            {{"start", kDate, {"2020-01-02", "2020-01-01", "null"}},
             {"end", kDate, {"2020-01-01", "2020-01-01", "2020-01-01"}},
             {"amount", kDouble, {"0", "NaN", "1"}},
             {"name", kText, {"x", "y", "null"}}}),
      ElementsAre("error rule start, end 1 1 \"start <= end\" 0:2020-01-02 | 2020-01-01",
                  "warning rule amount 1 1 \"amount != \\\"0\\\"\" 0:0.0",
                  "error rule name 1 1 \"name == \\\"x\\\"\" 1:y"));
}

TEST(CheckTest, ShapeOfTheTable) {
  EXPECT_THAT(
      Check("rows: {min: 3}\nextra_columns: error\nunique: [[a]]\nrules: [a < 3]\n"
            "columns: {a: int, missing: string, gone: {type: int, required: false}}",
            {{"a", kText, {"1", "2"}}, {"misssing", kText, {"1", "2"}}}),
      ElementsAre("error min_rows  0 2 3", "error extra_columns misssing 0 \"misssing\" null",
                  "error required missing 0 null \"missing\"",
                  "error type a 0 \"string\" \"int64\""));
}

TEST(CheckTest, EmptyTablePassesEverythingButRowCounts) {
  EXPECT_THAT(
      Check("rows: {min: 1}\nprimary_key: [a]\nrules: [a < 3]\n"
            "columns: {a: {type: int, min: 1, unique: true, nullable: false, max_null_share: 0}}",
            {{"a", kInt, {}}}),
      ElementsAre("error min_rows  0 0 1"));
}

TEST(CheckTest, MessagesAreSentences) {
  Schema schema = ParseSchema("version: 1\ncolumns: {age: {type: int, min: 0}}").value();
  Findings findings = Validate(*MakeTable({{"age", kInt, {"4", "-3", "5", "6"}}}), schema).value();
  ASSERT_EQ(findings.findings.size(), 1);
  EXPECT_EQ(
      findings.findings[0].message,
      "column 'age' must be at least 0, but is less in 1 of 4 rows (25%), first in row 1: '-3'");
  EXPECT_EQ(findings.error_count(), 1);
  EXPECT_FALSE(findings.ok());
  EXPECT_EQ(findings.check_count, 3);  // required, type, min
}

TEST(CheckTest, FindingsSurviveJson) {
  Schema schema = ParseSchema(
                      "version: 1\nrows: {min: {value: 9, severity: warning}}\ncolumns: {a: {type: "
                      "double, max: 1}}")
                      .value();
  Findings findings = Validate(*MakeTable({{"a", kDouble, {"4", "Infinity"}}}), schema).value();
  formats::Json json = FindingsToJson(findings);
  EXPECT_EQ(json.At("kind"), formats::Json("findings"));
  Findings again = FindingsFromJson(formats::ParseJson(formats::PrintJson(json)).value()).value();
  EXPECT_EQ(formats::PrintJson(FindingsToJson(again)), formats::PrintJson(json));
  EXPECT_THAT(FindingsFromJson(formats::Json::MakeObject({{"kind", "profile"}})).error().message(),
              HasSubstr("findings"));
}

TEST(CheckTest, EveryCheckIsDocumentedOnce) {
  std::set<std::string_view> names;
  for (const CheckInfo& info : Checks()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.help.empty());
  }
  EXPECT_EQ(names.size(), 18);
}

TEST(CheckTest, TwoColumnsOfOneNameAreAnError) {
  auto table = MakeTable({{"a", kInt, {"1"}}, {"a", kInt, {"1"}}});
  EXPECT_FALSE(Validate(*table, Schema()).ok());
}

}  // namespace
}  // namespace sluice::data
