// Every chain of testing/sklearn_golden.json gives what scikit-learn, numpy and pandas give
// (testing/make_golden.py).
#include <arrow/table.h>
#include <gtest/gtest.h>

#include <cmath>

#include "features/graph.h"
#include "features/testing/tables.h"
#include "io/fs.h"

namespace sluice::features {
namespace {

using formats::Json;

testing::Column MakeColumn(const std::string& type, const Json& values) {
  std::vector<std::optional<double>> numbers;
  std::vector<std::optional<std::string>> texts;
  std::vector<std::optional<int64_t>> times;
  for (const Json& value : values.AsArray()) {
    if (type == "text") {
      texts.push_back(value.is_null() ? std::nullopt : std::optional(value.AsString()));
    } else if (type == "timestamp") {
      times.push_back(value.is_null() ? std::nullopt : std::optional(value.AsInteger()));
    } else {
      numbers.push_back(value.is_null() ? std::nullopt : std::optional(value.AsDouble()));
    }
  }
  if (type == "text") return testing::Texts("x", texts);
  if (type == "timestamp") return testing::Timestamps("x", times);
  return testing::Doubles("x", numbers);
}

TEST(FeatureGolden, AgreesWithScikitLearn) {
  std::string path = SLUICE_SOURCE_DIR "/src/features/testing/sklearn_golden.json";
  Result<std::string> text = io::RealFs().ReadFile(path);
  ASSERT_TRUE(text.ok()) << text.error().ToString();
  Result<Json> golden = formats::ParseJson(*text);
  ASSERT_TRUE(golden.ok()) << golden.error().ToString();
  for (const Json& test_case : golden->At("cases").AsArray()) {
    SCOPED_TRACE(test_case.At("name").AsString());
    const std::string& type = test_case.At("type").AsString();
    Json spec_json =
        Json::MakeObject({{"columns", Json::MakeObject({{"x", test_case.At("ops")}})}});
    Result<FeatureSpec> spec = FeatureSpec::FromJson(spec_json);
    ASSERT_TRUE(spec.ok()) << spec.error().ToString();
    Result<FeatureGraph> graph =
        FeatureGraph::Fit(*testing::MakeTable({MakeColumn(type, test_case.At("train"))}), *spec);
    ASSERT_TRUE(graph.ok()) << graph.error().ToString();
    Result<Matrix> matrix =
        graph->Apply(*testing::MakeTable({MakeColumn(type, test_case.At("test"))}));
    ASSERT_TRUE(matrix.ok()) << matrix.error().ToString();
    const Json& expected = test_case.At("expected");
    ASSERT_EQ(matrix->row_count, static_cast<int64_t>(expected.size()));
    ASSERT_EQ(matrix->column_count, static_cast<int64_t>(expected.At(size_t{0}).size()));
    for (size_t row = 0; row < expected.size(); ++row) {
      for (size_t c = 0; c < expected.At(row).size(); ++c) {
        const Json& cell = expected.At(row).At(c);
        double actual = matrix->values[row * expected.At(row).size() + c];
        if (cell.is_null()) {
          EXPECT_TRUE(std::isnan(actual)) << "row " << row << " column " << c << ": " << actual;
        } else {
          EXPECT_NEAR(actual, cell.AsDouble(), 1e-12 * std::max(1.0, std::abs(cell.AsDouble())))
              << "row " << row << " column " << c;
        }
      }
    }
  }
}

}  // namespace
}  // namespace sluice::features
