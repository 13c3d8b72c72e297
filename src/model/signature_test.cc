#include "model/signature.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

namespace sluice::model {
namespace {

using Columns = std::vector<std::tuple<std::string, std::shared_ptr<arrow::DataType>, std::string>>;

std::shared_ptr<arrow::Table> TableOf(const Columns& columns) {
  arrow::FieldVector fields;
  arrow::ChunkedArrayVector arrays;
  for (const auto& [name, type, json] : columns) {
    fields.push_back(arrow::field(name, type));
    arrays.push_back(std::make_shared<arrow::ChunkedArray>(
        arrow::json::ArrayFromJSONString(type, json).ValueOrDie()));
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

const auto kMicro = arrow::timestamp(arrow::TimeUnit::MICRO);

Signature OneColumn(ColumnType type, bool is_required = true) {
  return {.inputs = {{.name = "x", .type = type, .is_required = is_required}}};
}

std::string EnforceOne(const Signature& signature, const std::shared_ptr<arrow::DataType>& type,
                       const std::string& json) {
  const auto enforced = EnforceSignature(signature, TableOf({{"x", type, json}}));
  if (!enforced.ok()) return enforced.error().message();
  return enforced->table->column(0)->chunk(0)->ToString();
}

TEST(SignatureTest, PrintsAsMlflowDoes) {
  const Signature signature{
      .inputs = {{.name = "age", .type = ColumnType::kInt64},
                 {.name = "day", .type = ColumnType::kDate, .is_required = false}}};
  EXPECT_EQ(MlflowTypeName({.name = "x", .type = ColumnType::kInt64, .is_required = false}),
            "double");
  EXPECT_EQ(signature.ToString(), "['age': long (required), 'day': datetime (optional)]");
  EXPECT_EQ(formats::PrintJson(signature.ToMlflowJson()),
            R"([{"type":"long","name":"age","required":true},)"
            R"({"type":"datetime","name":"day","required":false}])");
}

TEST(EnforceTest, ReordersDropsAndFillsColumns) {
  const Signature signature{
      .inputs = {{.name = "b", .type = ColumnType::kDouble},
                 {.name = "a", .type = ColumnType::kString},
                 {.name = "o", .type = ColumnType::kInt64, .is_required = false}}};
  const auto enforced = EnforceSignature(signature, TableOf({{"z", arrow::int64(), "[1]"},
                                                             {"a", arrow::utf8(), R"(["t"])"},
                                                             {"b", arrow::float64(), "[0.5]"}}));
  ASSERT_TRUE(enforced.ok()) << enforced.error().message();
  EXPECT_EQ(enforced->extra_columns, std::vector<std::string>{"z"});
  EXPECT_EQ(enforced->table->schema()->field_names(), (std::vector<std::string>{"b", "a", "o"}));
  EXPECT_EQ(enforced->table->column(2)->null_count(), 1);
  EXPECT_TRUE(enforced->table->ValidateFull().ok());
}

TEST(EnforceTest, NamesMissingColumnsInMlflowsWords) {
  const Signature signature{.inputs = {{.name = "age", .type = ColumnType::kDouble},
                                       {.name = "x", .type = ColumnType::kDouble},
                                       {.name = "city", .type = ColumnType::kString}}};
  const auto none = EnforceSignature(signature, TableOf({{"x", arrow::float64(), "[1]"}}));
  EXPECT_EQ(none.error().message(), "Model is missing inputs ['age', 'city'].");
  const auto extra = EnforceSignature(
      signature, TableOf({{"x", arrow::float64(), "[1]"}, {"agee", arrow::float64(), "[1]"}}));
  EXPECT_EQ(extra.error().message(),
            "Model is missing inputs ['age', 'city']. Note that there were extra inputs: "
            "['agee'].");
}

TEST(EnforceTest, ConvertsOnlyWhatIsSafe) {
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kDouble), arrow::int64(), "[1, null]"),
            "[\n  1,\n  null\n]");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kDouble), arrow::int64(), "[9007199254740993]"),
            "[\n  9.007199254740992e+15\n]");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kInt64), arrow::float64(), "[3.0, -4.0]"),
            "[\n  3,\n  -4\n]");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kInt64, false), arrow::float64(), "[3.0, null]"),
            "[\n  3,\n  null\n]");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kTimestamp), arrow::date32(), "[1]"),
            "[\n  1970-01-02 00:00:00.000000\n]");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kDate), kMicro, "[86400000000]"),
            "[\n  1970-01-02\n]");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kString), arrow::null(), "[null]"), "[\n  null\n]");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kDouble), arrow::utf8(), "[null]"), "[\n  null\n]");

  const std::string prefix = "Incompatible input types for column x. Can not safely convert ";
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kDouble), arrow::utf8(), R"(["1"])"),
            prefix + "object to float64.");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kInt64), arrow::float64(), "[2.5]"),
            prefix + "float64 to int64.");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kInt64), arrow::float64(), "[1e19]"),
            prefix + "float64 to int64.");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kString), arrow::int64(), "[1]"),
            prefix + "int64 to object.");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kBool), arrow::int64(), "[1]"),
            prefix + "int64 to bool.");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kDate), kMicro, "[86400000001]"),
            prefix + "datetime64[ns] to datetime64[ns].");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kDouble), arrow::list(arrow::int64()), "[[1]]"),
            prefix + "object to float64.");
}

TEST(EnforceTest, RequiredIntegersAndBooleansMayNotBeMissing) {
  EXPECT_TRUE(EnforceOne(OneColumn(ColumnType::kInt64), arrow::int64(), "[1, null]")
                  .starts_with("Incompatible input types for column x. Can not safely convert "
                               "float64 to int64. Hint: the type mismatch is likely caused by "
                               "missing values."));
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kBool), arrow::boolean(), "[true, null]"),
            "Incompatible input types for column x. Can not safely convert object to bool.");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kBool, false), arrow::boolean(), "[null]"),
            "[\n  null\n]");
  EXPECT_EQ(EnforceOne(OneColumn(ColumnType::kString), arrow::utf8(), "[null]"), "[\n  null\n]");
}

TEST(EnforceTest, AColumnThatIsThereTwiceIsAnError) {
  const auto twice =
      EnforceSignature(OneColumn(ColumnType::kDouble),
                       TableOf({{"x", arrow::float64(), "[1]"}, {"x", arrow::float64(), "[2]"}}));
  EXPECT_EQ(twice.error().message(), "The input column 'x' is there twice.");
}

}  // namespace
}  // namespace sluice::model
