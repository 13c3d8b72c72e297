#include "data/schema.h"

#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/check.h"
#include "data/testing/tables.h"

namespace sluice::data {
namespace {

using ::testing::HasSubstr;
using testing::MakeTable;

constexpr char kFull[] = R"(version: 1
description: "Loan applications: one row each"
rows: {min: 1, max: {value: 1000, severity: warning}}
extra_columns: warning
primary_key: [id]
unique:
  - [branch, id]
  - {columns: [score], severity: warning}
rules:
  - opened <= closed
  - {rule: "score < 1000.5", severity: warning}
  - '`branch` != "north # 1"'
columns:
  id: {type: long, nullable: false, unique: true}
  branch: {type: string, allowed: [north, "1", "a: b"], severity: warning, max_length: {value: 9, severity: error}}
  "odd name, 'quoted'": {type: text, pattern: "[a-z]+\\d{2}", min_length: 3}
  größe: double
  score: {type: double, min: -0.5, max: 1e3, finite: true, max_null_share: 5%}
  opened: {type: date, min: 2020-01-01, required: false}
  closed: {type: date}
  seen_at: {type: datetime, max: "2030-01-01T00:00:00Z"}
  flag: {type: boolean, description: yes}
)";

TEST(SchemaTest, ReadsEveryKey) {
  Result<Schema> parsed = ParseSchema(kFull);
  ASSERT_TRUE(parsed.ok()) << parsed.error().ToString();
  const Schema& schema = *parsed;
  EXPECT_EQ(schema.columns.size(), 9);
  EXPECT_EQ(schema.max_row_count->severity, Severity::kWarning);
  EXPECT_EQ(schema.extra_columns, Severity::kWarning);
  EXPECT_EQ(schema.unique_keys[1].severity, Severity::kWarning);
  ASSERT_EQ(schema.rules.size(), 3);
  EXPECT_EQ(schema.rules[0].ToString(), "opened <= closed");
  EXPECT_EQ(schema.rules[2].ToString(), "branch != \"north # 1\"");
  const ColumnSchema& branch = *schema.Find("branch");
  EXPECT_EQ(branch.allowed->severity, Severity::kWarning);
  EXPECT_EQ(branch.max_length->severity, Severity::kError);
  EXPECT_EQ(branch.allowed->value[1], Cell(std::string("1")));
  EXPECT_DOUBLE_EQ(schema.Find("score")->max_null_share->value, 0.05);
  EXPECT_EQ(schema.Find("größe")->type, ColumnType::kDouble);
  EXPECT_EQ(schema.Find("opened")->min->value, Cell(int64_t{18262}));
  EXPECT_FALSE(schema.Find("opened")->is_required);
}

TEST(SchemaTest, PrintedSchemaReadsBackEqual) {
  Schema schema = ParseSchema(kFull).value();
  schema.columns[2].description = "tab\t, quote \", line\nend, \x7f, \u0085 and \u2028 and \ufeff";
  std::string printed = PrintSchema(schema);
  Result<Schema> again = ParseSchema(printed);
  ASSERT_TRUE(again.ok()) << again.error().ToString() << "\n" << printed;
  EXPECT_EQ(*again, schema) << printed;
}

struct WrongSchema {
  const char* text;
  const char* message;
};

class WrongSchemaTest : public ::testing::TestWithParam<WrongSchema> {};

TEST_P(WrongSchemaTest, SaysWhereAndWhy) {
  Result<Schema> schema = ParseSchema(GetParam().text, "s.yaml");
  ASSERT_FALSE(schema.ok());
  EXPECT_EQ(schema.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(schema.error().ToString(), HasSubstr(GetParam().message));
  EXPECT_THAT(schema.error().ToString(), HasSubstr("s.yaml:"));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, WrongSchemaTest,
    ::testing::Values(
        WrongSchema{"", "must be a mapping"}, WrongSchema{"columns: {}", "version: 1"},
        WrongSchema{"version: 2", "version 2 is unknown"},
        WrongSchema{"version: 1\ncolumms: {}",
                    "s.yaml:2:1: a schema has no key 'columms'; did you mean 'columns'?"},
        WrongSchema{"version: 1\ncolumns: {a: {type: itn64}}",
                    "'itn64' is no column type; did you mean 'int64'?"},
        WrongSchema{"version: 1\ncolumns: {a: {typ: int}}", "did you mean 'type'?"},
        WrongSchema{"version: 1\ncolumns: {a: {min: 1}}", "needs a 'type'"},
        WrongSchema{"version: 1\ncolumns: [a]", "must map names to columns"},
        WrongSchema{"version: 1\ncolumns: {a: {type: int, min: x}}", "'x' is no int64"},
        WrongSchema{"version: 1\ncolumns: {a: {type: int, min: 3, max: 2}}",
                    "max 2 is below min 3"},
        WrongSchema{"version: 1\ncolumns: {a: {type: bool, min: 3}}", "cannot have 'min'"},
        WrongSchema{"version: 1\ncolumns: {a: {type: int, pattern: x}}", "cannot have 'pattern'"},
        WrongSchema{"version: 1\ncolumns: {a: {type: string, pattern: 'a)(b'}}",
                    "no regular expression"},
        WrongSchema{"version: 1\ncolumns: {a: {type: string, pattern: '(?=x)'}}",
                    "no regular expression"},
        WrongSchema{"version: 1\ncolumns: {a: {type: string, allowed: []}}",
                    "must be a list of values"},
        WrongSchema{"version: 1\ncolumns: {a: {type: string, allowed: [x, x]}}", "stands twice"},
        WrongSchema{"version: 1\ncolumns: {a: {type: double, max: .nan}}", "NaN is no limit"},
        WrongSchema{"version: 1\ncolumns: {a: {type: int, max_null_share: 1.5}}",
                    "between 0 and 1"},
        WrongSchema{"version: 1\ncolumns: {a: {type: int, max_null_share: 120%}}",
                    "between 0 and 1"},
        WrongSchema{"version: 1\ncolumns: {a: {type: int, severity: fatal}}",
                    "'warning' or 'error'"},
        WrongSchema{"version: 1\ncolumns: {a: {type: int, min: {severity: error}}}",
                    "needs the key 'value'"},
        WrongSchema{"version: 1\ncolumns: {a: {type: date, min: 2021-02-30}}",
                    "'2021-02-30' is no date"},
        WrongSchema{"version: 1\ncolumns: {a: {type: string, min_length: -1}}",
                    "cannot be negative"},
        WrongSchema{"version: 1\nrows: {min: 5, max: 4}", "max 4 is below min 5"},
        WrongSchema{"version: 1\nextra_columns: never", "'allow', 'warning' or 'error'"},
        WrongSchema{"version: 1\nprimary_key: [idd]\ncolumns: {id: int}", "did you mean 'id'?"},
        WrongSchema{"version: 1\nprimary_key: [id, id]\ncolumns: {id: int}", "stands twice"},
        WrongSchema{"version: 1\nrules: [a <= c]\ncolumns: {a: int, b: int}",
                    "neither a column nor a int64"},
        WrongSchema{"version: 1\nrules: [a b]\ncolumns: {a: int, b: int}",
                    "must follow the first column"},
        WrongSchema{"version: 1\nrules: [a <= b <= b]\ncolumns: {a: int, b: int}", "is too much"},
        WrongSchema{"version: 1\nrules: [a < b]\ncolumns: {a: int, b: string}",
                    "cannot be compared"},
        WrongSchema{"version: 1\nrules: ['`a < 1']\ncolumns: {a: int}", "closing ` is missing"},
        WrongSchema{"version: 1\nrules: ['a < x']\ncolumns: {a: string}", "double quotes"},
        WrongSchema{"version: 1\ncolumns: {a: int, a: int}", "s.yaml:2"}));

TEST(InferSchemaTest, ProposesWhatTheDataShows) {
  std::vector<std::string> ids;
  std::vector<std::string> colours;
  std::vector<std::string> ages;
  std::vector<std::string> days;
  std::vector<std::string> codes;
  for (int i = 0; i < 100; ++i) {
    ids.push_back(std::to_string(1000 + i));
    colours.push_back(i % 2 == 0 ? "red" : "blue");
    ages.push_back(i % 10 == 0 ? "null" : std::to_string(18 + i % 50) + ".5");
    days.push_back(FormatCell(Cell(int64_t{19'000 + i % 30}), ColumnType::kDate));
    codes.push_back("DE" + std::to_string(100 + i % 77));
  }
  auto table = MakeTable({{"id", ColumnType::kInt64, ids},
                          {"colour", ColumnType::kString, colours},
                          {"age", ColumnType::kDouble, ages},
                          {"day", ColumnType::kDate, days},
                          {"code", ColumnType::kString, codes}});
  Schema schema = InferSchema(*table).value();
  EXPECT_TRUE(schema.Find("id")->unique->value);
  EXPECT_FALSE(schema.Find("id")->min.has_value());
  EXPECT_FALSE(schema.Find("colour")->is_nullable);
  EXPECT_EQ(schema.Find("colour")->allowed->value,
            (std::vector<Cell>{std::string("blue"), std::string("red")}));
  const ColumnSchema& age = *schema.Find("age");
  EXPECT_TRUE(age.is_nullable);
  EXPECT_EQ(age.max_null_share->value, 0.16);
  EXPECT_EQ(std::get<double>(age.min->value), 14);
  EXPECT_EQ(std::get<double>(age.max->value), 73);
  EXPECT_TRUE(age.finite->value);
  EXPECT_FALSE(schema.Find("day")->max.has_value());
  EXPECT_EQ(schema.Find("code")->max_length->value, 5);
  // The proposal holds for what it was made from, and prints as YAML.
  EXPECT_TRUE(Validate(*table, schema).value().findings.empty());
  EXPECT_EQ(ParseSchema(PrintSchema(schema)).value(), schema);
}

TEST(InferSchemaTest, SurvivesEmptyAndExtremeTables) {
  auto table =
      MakeTable({{"i", ColumnType::kInt64, {"9223372036854775807", "-9223372036854775808"}},
                 {"d", ColumnType::kDouble, {"NaN", "Infinity"}},
                 {"h", ColumnType::kDouble, {"1.7e308", "-1.7e308"}},
                 {"n", ColumnType::kString, {"null", "null"}},
                 {"c", ColumnType::kDouble, {"3", "3"}}});
  for (const auto& rows : {table, table->Slice(0, 0)}) {
    Result<Schema> schema = InferSchema(*rows);
    ASSERT_TRUE(schema.ok()) << schema.error().ToString();
    EXPECT_TRUE(Validate(*rows, *schema).value().findings.empty()) << PrintSchema(*schema);
    EXPECT_EQ(ParseSchema(PrintSchema(*schema)).value(), *schema) << PrintSchema(*schema);
  }
}

}  // namespace
}  // namespace sluice::data
