#include "features/graph.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/random.h"
#include "features/testing/tables.h"

namespace sluice::features {
namespace {

using formats::Json;
using testing::Bools;
using testing::Dates;
using testing::Doubles;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Integers;
using ::testing::IsEmpty;
using testing::MakeTable;
using testing::Texts;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Result<FeatureGraph> TryFit(const arrow::Table& table, std::string_view spec_text,
                            int threads = 1) {
  ASSIGN_OR_RETURN(Json json, formats::ParseJson(spec_text));
  ASSIGN_OR_RETURN(FeatureSpec spec, FeatureSpec::FromJson(json));
  return FeatureGraph::Fit(table, spec, threads);
}

FeatureGraph Fit(const arrow::Table& table, std::string_view spec_text, int threads = 1) {
  Result<FeatureGraph> graph = TryFit(table, spec_text, threads);
  CHECK_MSG(graph.ok(), graph.ok() ? "" : graph.error().ToString());
  return std::move(graph).value();
}

std::string FitError(const arrow::Table& table, std::string_view spec_text) {
  Result<FeatureGraph> graph = TryFit(table, spec_text);
  return graph.ok() ? "no error" : graph.error().message();
}

std::vector<double> Row(const Matrix& matrix, size_t row) {
  size_t width = static_cast<size_t>(matrix.column_count);
  return {matrix.values.begin() + static_cast<std::ptrdiff_t>(row * width),
          matrix.values.begin() + static_cast<std::ptrdiff_t>((row + 1) * width)};
}

std::shared_ptr<arrow::Table> People() {
  return MakeTable(
      {Integers("age", {30, 40, std::nullopt, 20}),
       Texts("city", {"Oslo", "Bern", "Oslo", std::nullopt}),
       Doubles("income", {10.5, 20.0, 30.0, kNaN}), Bools("member", {true, false, true, true}),
       Dates("joined", {0, 31, 19'000, std::nullopt}), Texts("label", {"yes", "no", "no", "yes"})});
}

TEST(FeatureGraph, DefaultsByTypeInTheTablesOrder) {
  FeatureGraph graph = Fit(*People(), R"({"label":"label"})");
  EXPECT_THAT(graph.feature_names(),
              ElementsAre("age", "city_Bern", "city_Oslo", "city_missing", "income", "member",
                          "joined_year", "joined_month", "joined_day", "joined_weekday"));
  EXPECT_THAT(graph.feature_inputs(), ElementsAre(0, 1, 1, 1, 2, 3, 4, 4, 4, 4));
  Result<Matrix> matrix = graph.Apply(*People());
  ASSERT_TRUE(matrix.ok());
  EXPECT_THAT(Row(*matrix, 1), ElementsAre(40, 1, 0, 0, 20, 0, 1970, 2, 1, 6));
  EXPECT_TRUE(std::isnan(Row(*matrix, 2)[0]));
  EXPECT_TRUE(std::isnan(Row(*matrix, 3)[6]));
}

TEST(FeatureGraph, InputsAreTheSignature) {
  FeatureGraph graph =
      Fit(*People(), R"({"label":"label","drop":["member"],"columns":{"joined":"drop"}})");
  EXPECT_THAT(graph.inputs(), ElementsAre(InputColumn{"age", ColumnType::kInt64, true},
                                          InputColumn{"city", ColumnType::kString, true},
                                          InputColumn{"income", ColumnType::kDouble, true}));
}

TEST(FeatureGraph, ChainOfOperationsWithIndicatorLeftAlone) {
  FeatureGraph graph = Fit(*People(), R"({"label":"label","default":"drop","columns":{
      "age":[{"impute":{"strategy":"median","indicator":true}},{"scale":"min_max"}]}})");
  EXPECT_THAT(graph.feature_names(), ElementsAre("age", "age_missing"));
  Matrix matrix = *graph.Apply(*People());
  EXPECT_THAT(matrix.values, ElementsAre(0.5, 0, 1, 0, 0.5, 1, 0, 0));
}

TEST(FeatureGraph, JsonRoundTripIsExact) {
  FeatureGraph graph = Fit(*People(), R"({"label":"label","columns":{
      "income":[{"impute":"mean"},{"clip":["1%",25]},"log",{"scale":"robust"}],
      "age":[{"bin":{"edges":[25,35]}},"one_hot"], "city":[{"hash":4}], "joined":[{"date":{"parts":["month","hour"],"cyclic":true}}]}})");
  std::string text = formats::PrintJson(graph.ToJson());
  Result<FeatureGraph> loaded = FeatureGraph::FromText(text);
  ASSERT_TRUE(loaded.ok()) << loaded.error().ToString();
  EXPECT_EQ(formats::PrintJson(loaded->ToJson()), text);
  Matrix before = *graph.Apply(*People()), after = *loaded->Apply(*People());
  ASSERT_EQ(before.values.size(), after.values.size());
  EXPECT_EQ(
      std::memcmp(before.values.data(), after.values.data(), before.values.size() * sizeof(double)),
      0);
}

TEST(FeatureGraph, SameBitsForAnyThreadCountAndChunking) {
  Random random(3);
  std::vector<std::optional<double>> numbers;
  std::vector<std::optional<std::string>> texts;
  for (int i = 0; i < 50'000; ++i) {
    numbers.push_back(random.NextBelow(10) == 0 ? std::nullopt
                                                : std::optional(random.NextGaussian() * 1e3));
    texts.push_back(random.NextBelow(10) == 0
                        ? std::nullopt
                        : std::optional("c" + std::to_string(random.NextBelow(30))));
  }
  std::shared_ptr<arrow::Table> table = MakeTable({Doubles("x", numbers), Texts("c", texts)});
  std::vector<std::shared_ptr<arrow::Table>> pieces;
  for (int64_t at = 0; at < table->num_rows(); at += 777) pieces.push_back(table->Slice(at, 777));
  std::shared_ptr<arrow::Table> chunked = *arrow::ConcatenateTables(pieces);
  std::string_view spec =
      R"({"columns":{"x":[{"impute":"mean"},{"scale":"standard"}],"c":[{"one_hot":{"rare":"3.3%"}}]}})";
  FeatureGraph one = Fit(*table, spec, 1), many = Fit(*chunked, spec, 4);
  EXPECT_EQ(formats::PrintJson(one.ToJson()), formats::PrintJson(many.ToJson()));
  EXPECT_EQ(one.Apply(*table, 1)->values, many.Apply(*chunked, 4)->values);
}

TEST(FeatureGraph, MissingInputsInMlflowsWords) {
  FeatureGraph graph = Fit(*People(), R"({"label":"label"})");
  Result<Matrix> matrix =
      graph.Apply(*MakeTable({Integers("age", {1}), Texts("town", {"Oslo"}),
                              Doubles("income", {1.0}), Bools("member", {true})}));
  ASSERT_FALSE(matrix.ok());
  EXPECT_EQ(
      matrix.error().message(),
      "Model is missing inputs ['city', 'joined']. Note that there were extra inputs: ['town'].");
}

TEST(FeatureGraph, SafeConversionsOnly) {
  FeatureGraph graph = Fit(*MakeTable({Integers("i", {1, 2}), Doubles("d", {1.5, 2})}), "{}");
  EXPECT_THAT(graph.Apply(*MakeTable({Doubles("i", {3.0}), Integers("d", {4})}))->values,
              ElementsAre(3, 4));
  EXPECT_TRUE(graph.Apply(*MakeTable({Texts("i", {std::nullopt}), Doubles("d", {1.0})})).ok())
      << "all null has no type";
  Result<Matrix> fraction = graph.Apply(*MakeTable({Doubles("i", {3.5}), Doubles("d", {1.0})}));
  ASSERT_FALSE(fraction.ok());
  EXPECT_THAT(fraction.error().message(),
              HasSubstr("column 'i'. Can not safely convert double to int64: found 3.5"));
  Result<Matrix> text = graph.Apply(*MakeTable({Integers("i", {3}), Texts("d", {"1"})}));
  ASSERT_FALSE(text.ok());
  EXPECT_THAT(text.error().message(),
              HasSubstr("column 'd'. Can not safely convert string to double."));
}

TEST(FeatureGraph, UnknownCategoryByRule) {
  std::shared_ptr<arrow::Table> train = MakeTable({Texts("c", {"a", "a", "a", "b"})});
  std::shared_ptr<arrow::Table> test = MakeTable({Texts("c", {"new"})});
  EXPECT_THAT(Fit(*train, R"({"columns":{"c":["one_hot"]}})").Apply(*test)->values,
              ElementsAre(0, 0));
  EXPECT_THAT(Fit(*train, R"({"columns":{"c":[{"one_hot":{"unknown":"other","rare":2}}]}})")
                  .Apply(*test)
                  ->values,
              ElementsAre(0, 1));
  EXPECT_THAT(
      Fit(*train, R"({"columns":{"c":[{"ordinal":{"unknown":"other"}}]}})").Apply(*test)->values,
      ElementsAre(-1));
  Result<Matrix> error =
      Fit(*train, R"({"columns":{"c":[{"one_hot":{"unknown":"error"}}]}})").Apply(*test);
  ASSERT_FALSE(error.ok());
  EXPECT_THAT(error.error().message(), HasSubstr("column 'c': found unknown category 'new'"));
}

TEST(FeatureGraph, NumbersAsCategoriesMatchAcrossIntegerAndDouble) {
  FeatureGraph graph =
      Fit(*MakeTable({Integers("k", {10, 9, 9, 2})}), R"({"columns":{"k":["one_hot"]}})");
  EXPECT_THAT(graph.feature_names(), ElementsAre("k_2", "k_9", "k_10"));
  EXPECT_THAT(graph.Apply(*MakeTable({Doubles("k", {9.0})}))->values, ElementsAre(0, 1, 0));
}

TEST(FeatureGraph, OrdinalInDeclaredOrder) {
  std::shared_ptr<arrow::Table> table =
      MakeTable({Texts("size", {"mid", "low", std::nullopt, "high"})});
  FeatureGraph graph =
      Fit(*table, R"({"columns":{"size":[{"ordinal":{"order":["low","mid","high"]}}]}})");
  Matrix matrix = *graph.Apply(*table);
  EXPECT_EQ(matrix.values[0], 1);
  EXPECT_EQ(matrix.values[1], 0);
  EXPECT_TRUE(std::isnan(matrix.values[2]));
  EXPECT_EQ(matrix.values[3], 2);
  EXPECT_THAT(
      FitError(*table, R"({"columns":{"size":[{"ordinal":{"order":["low"],"unknown":"error"}}]}})"),
      HasSubstr("column 'size': ordinal: the training part has the category 'high', which `order` "
                "does not list"));
}

TEST(FeatureGraph, DegenerateColumns) {
  std::shared_ptr<arrow::Table> table =
      MakeTable({Doubles("empty", {std::nullopt, std::nullopt}),
                 Texts("no_text", {std::nullopt, std::nullopt}), Doubles("constant", {7.0, 7.0}),
                 Doubles("infinite", {1.0, std::numeric_limits<double>::infinity()})});
  FeatureGraph graph = Fit(*table, R"({"default":{"numeric":[{"impute":"median"},"scale"]}})");
  EXPECT_THAT(graph.feature_names(),
              ElementsAre("empty", "no_text_missing", "constant", "infinite"));
  EXPECT_THAT(graph.Apply(*table)->values, ElementsAre(0, 1, 0, 0, 0, 1, 0, 0));
  EXPECT_THAT(graph.warnings(), ElementsAre(HasSubstr("column 'empty': has no values")));
}

TEST(FeatureGraph, FitErrorsNameColumnAndOperation) {
  std::shared_ptr<arrow::Table> table =
      MakeTable({Doubles("x", {-5.0, 2.0}), Texts("c", {"a", "b"}), Dates("d", {1, 2}),
                 Doubles("huge", {1.7e308, -1.7e308})});
  EXPECT_THAT(FitError(*table, R"({"columns":{"x":["log"]}})"),
              HasSubstr("column 'x': log: the smallest value is -5"));
  EXPECT_THAT(FitError(*table, R"({"columns":{"c":["scale"]}})"),
              HasSubstr("column 'c': scale: takes numbers, but here the column has text"));
  EXPECT_THAT(FitError(*table, R"({"columns":{"c":[{"impute":"mode"}]}})"),
              HasSubstr("its operations end in text"));
  EXPECT_THAT(FitError(*table, R"({"columns":{"d":["one_hot"]}})"),
              HasSubstr("column 'd': one_hot: takes numbers or text"));
  EXPECT_THAT(FitError(*table, R"({"columns":{"huge":["scale"]}})"),
              HasSubstr("column 'huge': scale: the values spread too far"));
  EXPECT_THAT(FitError(*table, R"({"columns":{"y":["log"]}})"),
              HasSubstr("columns: the table has no column 'y'"));
  EXPECT_THAT(FitError(*table, R"({"label":"X"})"),
              HasSubstr("label: the table has no column 'X'; did you mean 'x'?"));
  EXPECT_THAT(FitError(*table, R"({"default":"drop"})"), HasSubstr("no column is left"));
  EXPECT_THAT(FitError(*table->Slice(0, 0), "{}"), HasSubstr("no rows"));
}

TEST(FeatureGraph, TooManyCategoriesAskForAnotherOperation) {
  std::vector<std::optional<std::string>> ids;
  for (int i = 0; i < 10'001; ++i) ids.push_back(std::to_string(i));
  std::shared_ptr<arrow::Table> table = MakeTable({Texts("id", ids)});
  EXPECT_THAT(FitError(*table, "{}"), HasSubstr("column 'id': one_hot: 10001 categories"));
  EXPECT_EQ(Fit(*table, R"({"columns":{"id":[{"hash":16}]}})").feature_names().size(), 16u);
}

TEST(FeatureGraph, FeatureNamesAreUnique) {
  FeatureGraph graph = Fit(*MakeTable({Texts("a", {"b"}), Doubles("a_b", {1.0})}), "{}");
  EXPECT_THAT(graph.feature_names(), ElementsAre("a_b", "a_b__2"));
}

TEST(FeatureGraph, LabelledDataDropsRowsAndReadsWeights) {
  std::shared_ptr<arrow::Table> table =
      MakeTable({Doubles("x", {1.0, 2.0, 3.0}), Doubles("w", {0.5, 1.0, 2.0}),
                 Texts("y", {"no", std::nullopt, "yes"})});
  EXPECT_THAT(FitError(*table, R"({"label":"y"})"),
              HasSubstr("label 'y': is missing in 1 of 3 rows"));
  FeatureGraph graph = Fit(*table, R"({"label":"y","weight":"w","missing_label":"drop"})");
  LabelledData data = *graph.ApplyLabelled(*table);
  EXPECT_THAT(data.features.values, ElementsAre(1, 3));
  EXPECT_THAT(data.labels, ElementsAre(0, 1));
  EXPECT_THAT(data.weights, ElementsAre(0.5, 2));
  EXPECT_THAT(data.rows, ElementsAre(0, 2));
  Result<LabelledData> bad = graph.ApplyLabelled(
      *MakeTable({Doubles("x", {1.0}), Doubles("w", {-1.0}), Texts("y", {"no"})}));
  ASSERT_FALSE(bad.ok());
  EXPECT_THAT(bad.error().message(), HasSubstr("weight 'w': row 1 holds -1"));
}

TEST(FeatureGraph, OneRowThroughABinding) {
  FeatureGraph graph = Fit(*People(), R"({"label":"label"})");
  std::shared_ptr<arrow::RecordBatch> batch = *People()->Slice(1, 1)->CombineChunksToBatch();
  Result<Binding> binding = graph.Bind(*batch->schema());
  ASSERT_TRUE(binding.ok());
  std::vector<double> out(graph.feature_names().size());
  ASSERT_TRUE(graph.ApplyInto(*binding, *batch, out).ok());
  EXPECT_EQ(out, Row(*graph.Apply(*People()), 1));
}

TEST(FeatureGraph, EmptyTableGivesNoRows) {
  FeatureGraph graph = Fit(*People(), R"({"label":"label"})");
  Result<Matrix> matrix = graph.Apply(*People()->Slice(0, 0));
  ASSERT_TRUE(matrix.ok());
  EXPECT_EQ(matrix->row_count, 0);
  EXPECT_THAT(matrix->values, IsEmpty());
}

TEST(FeatureGraph, RefusesFilesThatDoNotFit) {
  FeatureGraph graph =
      Fit(*People(), R"({"label":"label","columns":{"income":[{"impute":"mean"},"scale"]}})");
  auto error_after = [&](auto change) {
    Json json = graph.ToJson();
    change(json);
    Result<FeatureGraph> loaded = FeatureGraph::FromJson(json);
    return loaded.ok() ? std::string("no error") : loaded.error().message();
  };
  EXPECT_THAT(error_after([](Json& json) { json["version"] = 2; }), HasSubstr("version 2"));
  EXPECT_THAT(error_after([](Json& json) { json["kind"] = "profile"; }),
              HasSubstr("no feature graph"));
  EXPECT_THAT(error_after([](Json& json) { json["features"].AsArray()[0] = "other"; }),
              HasSubstr("'features'"));
  EXPECT_THAT(error_after([](Json& json) { json["inputs"].AsArray()[0]["type"] = "float16"; }),
              HasSubstr("unknown type"));
  EXPECT_THAT(error_after([](Json& json) {
                json["chains"].AsArray()[2]["ops"].AsArray()[1]["factor"] = Json::MakeArray();
              }),
              HasSubstr("'factor' has 0 values; 1 are needed"));
  EXPECT_THAT(error_after([](Json& json) {
                json["chains"].AsArray()[1]["ops"].AsArray()[0]["op"] = "scale";
              }),
              HasSubstr("column 'city': scale: takes numbers"));
}

}  // namespace
}  // namespace sluice::features
