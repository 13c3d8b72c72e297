#include "data/profile.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <thread>

#include "base/random.h"
#include "data/testing/tables.h"

namespace sluice::data {
namespace {

using ::testing::ElementsAre;
using testing::MakeTable;
using testing::MakeTableOfCells;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

ColumnProfile ProfileOf(ColumnType type, const std::vector<std::string>& cells) {
  return ProfileTable(*MakeTable({{"x", type, cells}})).value().columns[0];
}

double QuantileAt(const ColumnProfile& column, double share) {
  for (size_t i = 0; i < kQuantileShares.size(); ++i) {
    if (kQuantileShares[i] != share) continue;
    const Cell& cell = column.quantiles[i];
    return std::holds_alternative<double>(cell) ? std::get<double>(cell)
                                                : static_cast<double>(std::get<int64_t>(cell));
  }
  return std::nan("");
}

// The expected numbers of the next two tests are pandas 3.1's: Series.mean/var/skew/kurt and
// quantile.
TEST(ProfileTest, DoublesAgreeWithPandas) {
  ColumnProfile x = ProfileOf(ColumnType::kDouble, {"3.5", "-1.25", "null", "0", "8.75", "2.5",
                                                    "2.5", "100.125", "-0.0", "1e-3"});
  const NumericStatistics& numeric = *x.numeric;
  EXPECT_EQ(x.null_count, 1);
  EXPECT_EQ(numeric.finite_count, 9);
  EXPECT_EQ(numeric.zero_count, 2);
  EXPECT_EQ(numeric.negative_count, 1);
  EXPECT_NEAR(numeric.sum, 116.126, 1e-12);
  EXPECT_NEAR(numeric.mean, 12.902888888888889, 1e-12);
  EXPECT_NEAR(numeric.variance, 1078.691218861111, 1e-10);
  EXPECT_NEAR(numeric.skewness, 2.9537505168871103, 1e-13);
  EXPECT_NEAR(numeric.kurtosis, 8.787615020567051, 1e-12);
  EXPECT_EQ(x.distinct_count, 7);  // 0 and -0 are one, 2.5 stands twice
  EXPECT_EQ(std::get<double>(x.min), -1.25);
  EXPECT_EQ(std::get<double>(x.max), 100.125);
  EXPECT_EQ(QuantileAt(x, 0.5), 2.5);
  EXPECT_EQ(QuantileAt(x, 0.25), 0);
  EXPECT_NEAR(QuantileAt(x, 0.9), 27.025, 1e-12);
  EXPECT_EQ(x.top_values[0].count, 2);
}

TEST(ProfileTest, IntegersAgreeWithPandas) {
  ColumnProfile x = ProfileOf(ColumnType::kInt64, {"1", "2", "3", "4", "10", "-7"});
  EXPECT_NEAR(x.numeric->mean, 2.1666666666666665, 1e-15);
  EXPECT_NEAR(x.numeric->standard_deviation, 5.49241901776136, 1e-13);
  EXPECT_NEAR(x.numeric->skewness, -0.5150243039761574, 1e-13);
  EXPECT_EQ(x.numeric->sum, 13);
  EXPECT_EQ(QuantileAt(x, 0.5), 2.5);
  EXPECT_EQ(QuantileAt(x, 0.25), 1.25);
  EXPECT_TRUE(x.is_likely_id);
}

TEST(ProfileTest, EmptyTableHasNoStatistics) {
  auto table = MakeTable({{"b", ColumnType::kBool, {}},
                          {"i", ColumnType::kInt64, {}},
                          {"d", ColumnType::kDouble, {}},
                          {"s", ColumnType::kString, {}},
                          {"t", ColumnType::kDate, {}},
                          {"u", ColumnType::kTimestamp, {}}});
  TableProfile profile = ProfileTable(*table).value();
  EXPECT_EQ(profile.row_count, 0);
  for (const ColumnProfile& column : profile.columns) {
    EXPECT_EQ(column.distinct_count, 0) << column.name;
    EXPECT_TRUE(std::holds_alternative<std::monostate>(column.min));
    EXPECT_TRUE(column.top_values.empty());
    EXPECT_FALSE(column.histogram.has_value());
    EXPECT_FALSE(column.is_constant || column.is_likely_id || column.is_likely_category);
  }
  EXPECT_TRUE(formats::ParseJson(formats::PrintJson(ProfileToJson(profile))).ok());
}

TEST(ProfileTest, AllNullColumnsAreConstant) {
  auto table = MakeTable({{"b", ColumnType::kBool, {"null", "null"}},
                          {"i", ColumnType::kInt64, {"null", "null"}},
                          {"d", ColumnType::kDouble, {"null", "null"}},
                          {"s", ColumnType::kString, {"null", "null"}}});
  TableProfile profile = ProfileTable(*table).value();
  for (const ColumnProfile& column : profile.columns) {
    EXPECT_EQ(column.null_count, 2);
    EXPECT_TRUE(column.is_constant);
    EXPECT_EQ(column.distinct_count, 0);
  }
  EXPECT_EQ(profile.columns[3].text->min_length, 0);
  EXPECT_EQ(profile.duplicate_row_count, 1);
  EXPECT_TRUE(std::isnan(profile.correlations[0][1]));
}

TEST(ProfileTest, NanAndInfinityAreCountedApart) {
  ColumnProfile x =
      ProfileOf(ColumnType::kDouble, {"NaN", "1", "Infinity", "-Infinity", "3", "NaN", "null"});
  EXPECT_EQ(x.numeric->nan_count, 2);
  EXPECT_EQ(x.numeric->positive_infinity_count, 1);
  EXPECT_EQ(x.numeric->negative_infinity_count, 1);
  EXPECT_EQ(x.numeric->finite_count, 2);
  EXPECT_EQ(x.numeric->mean, 2);
  EXPECT_EQ(std::get<double>(x.min), -kInfinity);
  EXPECT_EQ(std::get<double>(x.max), kInfinity);
  EXPECT_EQ(x.distinct_count, 5);
  EXPECT_EQ(QuantileAt(x, 1), 3);
  ColumnProfile odd = ProfileOf(ColumnType::kDouble, {"NaN", "Infinity"});
  EXPECT_TRUE(std::isnan(odd.numeric->mean));
  EXPECT_EQ(std::get<double>(odd.min), kInfinity);
  EXPECT_TRUE(odd.quantiles.empty());
}

TEST(ProfileTest, OneRow) {
  ColumnProfile x = ProfileOf(ColumnType::kInt64, {"5"});
  EXPECT_EQ(x.numeric->mean, 5);
  EXPECT_TRUE(std::isnan(x.numeric->variance));
  EXPECT_TRUE(x.is_constant);
  EXPECT_THAT(x.histogram->counts, ElementsAre(1));
}

TEST(ProfileTest, HugeIntegersStayExact) {
  ColumnProfile x = ProfileOf(ColumnType::kInt64, {"9007199254740993", "9223372036854775807",
                                                   "-9223372036854775808", "9007199254740993"});
  EXPECT_EQ(std::get<int64_t>(x.min), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(std::get<int64_t>(x.max), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(std::get<int64_t>(x.top_values[0].value), 9007199254740993);
  EXPECT_EQ(std::get<int64_t>(x.quantiles[6]), 9007199254740993);
  EXPECT_EQ(x.distinct_count, 3);
  ASSERT_TRUE(x.histogram.has_value());
  int64_t total =
      std::accumulate(x.histogram->counts.begin(), x.histogram->counts.end(), int64_t{0});
  EXPECT_EQ(total + x.histogram->below_count + x.histogram->above_count, 4);
}

TEST(ProfileTest, HugeDoublesDoNotOverflowTheMean) {
  ColumnProfile x = ProfileOf(ColumnType::kDouble, {"1.7e308", "1.7e308", "1.6e308"});
  EXPECT_NEAR(x.numeric->mean / 1e308, 5.0 / 3, 1e-9);
  EXPECT_TRUE(x.histogram.has_value());
}

TEST(ProfileTest, VarianceOfCloseNumbersKeepsItsDigits) {
  std::vector<Cell> cells;
  for (int i = 0; i < 30'000; ++i) cells.emplace_back(1e9 + i % 3);
  TableProfile profile =
      ProfileTable(*MakeTableOfCells({"x"}, {ColumnType::kDouble}, {cells})).value();
  EXPECT_NEAR(profile.columns[0].numeric->variance, 2.0 / 3 * 30'000 / 29'999, 1e-11);
  EXPECT_NEAR(profile.columns[0].numeric->kurtosis, -1.5, 1e-3);
}

TEST(ProfileTest, TextIsMeasuredInCharacters) {
  ColumnProfile x =
      ProfileOf(ColumnType::kString, {"größe", "", "  ", " a", "日本語", "null", "größe"});
  EXPECT_EQ(x.text->min_length, 0);
  EXPECT_EQ(x.text->max_length, 5);
  EXPECT_DOUBLE_EQ(x.text->mean_length, (5 + 0 + 2 + 2 + 3 + 5) / 6.0);
  EXPECT_EQ(x.text->empty_count, 1);
  EXPECT_EQ(x.text->blank_count, 1);
  EXPECT_EQ(x.text->padded_count, 2);
  EXPECT_EQ(std::get<std::string>(x.min), "");
  EXPECT_EQ(std::get<std::string>(x.max), "日本語");
  EXPECT_EQ(std::get<std::string>(x.top_values[0].value), "größe");
}

TEST(ProfileTest, LongTextIsCutBetweenCharacters) {
  std::string text(127, 'a');
  text += "ü and more";
  ColumnProfile x = ProfileOf(ColumnType::kString, {text});
  EXPECT_EQ(std::get<std::string>(x.max), std::string(127, 'a'));
  EXPECT_EQ(std::get<std::string>(x.top_values[0].value), std::string(127, 'a'));
  EXPECT_EQ(x.text->max_length, 137);
}

TEST(ProfileTest, BooleansAndDates) {
  ColumnProfile flag = ProfileOf(ColumnType::kBool, {"true", "null", "false", "true"});
  EXPECT_EQ(flag.true_count, 2);
  EXPECT_EQ(flag.distinct_count, 2);
  EXPECT_EQ(flag.top_values[0].count, 2);
  auto table =
      MakeTable({{"d", ColumnType::kDate, {"2020-01-01", "2020-01-31", "2020-01-11"}},
                 {"t", ColumnType::kTimestamp, {"2020-01-01T12:00", "2020-01-01T13:00", "null"}}});
  formats::Json json = ProfileToJson(ProfileTable(*table).value());
  const formats::Json& date = json.At("columns").At(0);
  EXPECT_EQ(date.At("min"), formats::Json("2020-01-01"));
  EXPECT_EQ(date.At("mean"), formats::Json("2020-01-14"));
  EXPECT_EQ(date.Find("numeric"), nullptr);
  EXPECT_EQ(json.At("columns").At(1).At("mean"), formats::Json("2020-01-01T12:30:00Z"));
}

TEST(ProfileTest, DuplicatesAndCorrelations) {
  auto table =
      MakeTable({{"a", ColumnType::kInt64, {"1", "2", "3", "1", "null", "null"}},
                 {"b", ColumnType::kDouble, {"2", "4", "6", "2", "1", "1"}},
                 {"c", ColumnType::kBool, {"true", "false", "false", "true", "true", "true"}}});
  TableProfile profile = ProfileTable(*table).value();
  EXPECT_EQ(profile.duplicate_row_count, 2);
  EXPECT_THAT(profile.correlation_columns, ElementsAre("a", "b", "c"));
  EXPECT_NEAR(profile.correlations[0][1], 1, 1e-15);
  EXPECT_NEAR(profile.correlations[0][2], -0.9045340337332909,
              1e-15);  // pandas: over the rows in which both are there
}

TEST(ProfileTest, HistogramHasRoundEdgesAndIgnoresFarOutliers) {
  std::vector<std::string> cells;
  for (int i = 0; i < 10'000; ++i) cells.push_back(std::to_string(i % 100) + ".5");
  cells.push_back("1e12");
  ColumnProfile x = ProfileOf(ColumnType::kDouble, cells);
  EXPECT_EQ(x.histogram->edges.front(), 0);
  EXPECT_EQ(x.histogram->above_count, 1);
  EXPECT_LE(x.histogram->counts.size(), 30);
  EXPECT_EQ(x.histogram->edges[1], std::floor(x.histogram->edges[1]));
  int64_t total =
      std::accumulate(x.histogram->counts.begin(), x.histogram->counts.end(), int64_t{0});
  EXPECT_EQ(total, 10'000);
}

/// Many rows of every kind: few and many values, nulls, NaN.
std::shared_ptr<arrow::Table> MakeLargeTable(int64_t rows) {
  Random random(3);
  std::vector<std::vector<Cell>> columns(5);
  for (int64_t i = 0; i < rows; ++i) {
    bool is_null = random.NextBelow(20) == 0;
    columns[0].emplace_back(i * 3);
    columns[1].push_back(is_null ? Cell() : Cell(std::exp(random.NextGaussian())));
    columns[2].emplace_back("k" + std::to_string(random.NextBelow(random.NextBelow(50) + 1)));
    columns[3].push_back(random.NextBelow(4) == 0
                             ? Cell(std::string("often"))
                             : Cell("text " + std::to_string(random.NextU64())));
    columns[4].push_back(random.NextBelow(100) == 0
                             ? Cell(std::nan(""))
                             : Cell(static_cast<double>(random.NextBelow(7000))));
  }
  return MakeTableOfCells({"id", "amount", "kind", "note", "number"},
                          {ColumnType::kInt64, ColumnType::kDouble, ColumnType::kString,
                           ColumnType::kString, ColumnType::kDouble},
                          columns);
}

TEST(ProfileTest, SketchesKeepTheirPromises) {
  constexpr int64_t kRows = 400'000;
  std::shared_ptr<arrow::Table> table = MakeLargeTable(kRows);
  TableProfile profile = ProfileTable(*table, 2).value();
  EXPECT_EQ(profile.duplicate_row_count, 0);
  EXPECT_FALSE(profile.columns[0].is_distinct_exact);
  EXPECT_NEAR(profile.columns[0].distinct_count, kRows, 0.03 * kRows);
  EXPECT_TRUE(profile.columns[0].is_likely_id);
  EXPECT_NEAR(profile.columns[4].distinct_count, 7001, 0.03 * 7000);
  EXPECT_TRUE(profile.columns[2].is_distinct_exact);
  EXPECT_TRUE(profile.columns[2].is_likely_category);

  const ColumnProfile& note = profile.columns[3];
  ASSERT_EQ(note.top_values.size(), 1);
  EXPECT_EQ(std::get<std::string>(note.top_values[0].value), "often");
  EXPECT_NEAR(static_cast<double>(note.top_values[0].count), 0.25 * kRows, 0.01 * kRows);

  std::vector<double> amounts;
  auto whole = table->CombineChunks().ValueOrDie();
  for (int64_t i = 0; i < kRows; ++i) {
    Cell cell = CellAt(*whole->column(1)->chunk(0), ColumnType::kDouble, i);
    if (const double* amount = std::get_if<double>(&cell)) amounts.push_back(*amount);
  }
  std::sort(amounts.begin(), amounts.end());
  for (double share : kQuantileShares) {
    double value = QuantileAt(profile.columns[1], share);
    auto rank = static_cast<double>(std::lower_bound(amounts.begin(), amounts.end(), value) -
                                    amounts.begin());
    EXPECT_NEAR(rank / static_cast<double>(amounts.size()), share, 0.006) << share;
  }
  const NumericStatistics& numeric = *profile.columns[1].numeric;
  long double sum = 0;
  for (double amount : amounts) sum += amount;
  auto mean = static_cast<double>(sum / static_cast<long double>(amounts.size()));
  long double squares = 0;
  for (double amount : amounts)
    squares += (amount - mean) * static_cast<long double>(amount - mean);
  EXPECT_NEAR(numeric.mean / mean, 1, 1e-14);
  EXPECT_NEAR(numeric.variance /
                  static_cast<double>(squares / static_cast<long double>(amounts.size() - 1)),
              1, 1e-13);
}

TEST(ProfileTest, EqualBytesForAnyThreadCountAndChunking) {
  std::shared_ptr<arrow::Table> table = MakeLargeTable(150'000);
  std::string one = formats::PrintJson(ProfileToJson(ProfileTable(*table, 1).value()));
  std::vector<std::shared_ptr<arrow::Table>> pieces;
  for (int64_t row = 0; row < table->num_rows(); row += 7'001)
    pieces.push_back(table->Slice(row, 7'001));
  auto chunked = arrow::ConcatenateTables(pieces).ValueOrDie();
  for (size_t threads : {2, 3, 8}) {
    EXPECT_EQ(formats::PrintJson(ProfileToJson(ProfileTable(*chunked, threads).value())), one)
        << threads;
  }
}

TEST(TableProfilerTest, BlocksMayComeInAnyOrderWithGaps) {
  std::shared_ptr<arrow::Table> table = MakeLargeTable(40'000);
  auto profile_in_order = [&](const std::vector<int64_t>& order) {
    auto profiler = TableProfiler::Create(*table->schema()).value();
    for (int64_t block : order) {
      profiler->Add(2 * block + 1, **table->Slice(block * 10'000, 10'000)->CombineChunksToBatch());
    }
    return formats::PrintJson(ProfileToJson(profiler->Finish(1)));
  };
  EXPECT_EQ(profile_in_order({0, 1, 2, 3}), profile_in_order({3, 1, 0, 2}));
}

TEST(TableProfilerTest, BeyondTheLimitDuplicatesAreEstimated) {
  std::vector<Cell> cells;
  for (int64_t i = 0; i < 200'000; ++i) cells.emplace_back(i / 2);
  auto table = MakeTableOfCells({"x"}, {ColumnType::kInt64}, {cells});
  TableProfile profile = ProfileTable(*table, 2, {.exact_duplicate_row_limit = 20'000}).value();
  EXPECT_FALSE(profile.are_duplicates_exact);
  EXPECT_NEAR(static_cast<double>(profile.duplicate_row_count), 100'000, 5'000);
  TableProfile again = ProfileTable(*table, 1, {.exact_duplicate_row_limit = 20'000}).value();
  EXPECT_EQ(again.duplicate_row_count, profile.duplicate_row_count);
}

TEST(ProfileTest, OptionsOfZeroGiveNothing) {
  auto table =
      MakeTable({{"a", ColumnType::kInt64, {"1", "2"}}, {"b", ColumnType::kInt64, {"1", "2"}}});
  TableProfile profile =
      ProfileTable(*table, 1,
                   {.top_value_count = 0, .histogram_bin_count = 0, .max_correlation_columns = 0})
          .value();
  EXPECT_TRUE(profile.columns[0].top_values.empty());
  EXPECT_FALSE(profile.columns[0].histogram.has_value());
  EXPECT_TRUE(profile.correlations.empty());
}

}  // namespace
}  // namespace sluice::data
