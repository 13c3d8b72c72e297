// The oddities of real public files. They are not part of the project: the folder is
// SLUICE_TEST_DATA, else shared/data beside the checkout; without it these tests are skipped.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "io/fs.h"
#include "table/read.h"

namespace sluice::table {
namespace {

class RealDataTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("SLUICE_TEST_DATA");
    folder_ = folder != nullptr ? folder : SLUICE_SOURCE_DIR "/../shared/data";
    if (!io::RealFs().Stat(folder_).value()) GTEST_SKIP() << "no real data at " << folder_;
  }

  ReadOutcome Read(const std::vector<std::string>& names, const ReadOptions& options = {}) const {
    std::vector<std::string> paths;
    for (const std::string& name : names) paths.push_back(io::JoinPath(folder_, name));
    Result<ReadOutcome> outcome = ReadTable(paths, options);
    CHECK_MSG(outcome.ok(), outcome.error().ToString());
    return std::move(outcome).value();
  }
  static std::string TypeOf(const ReadOutcome& outcome, const std::string& column) {
    return outcome.table->GetColumnByName(column)->type()->ToString();
  }
  static int64_t NullCount(const ReadOutcome& outcome, const std::string& column) {
    return outcome.table->GetColumnByName(column)->null_count();
  }

  std::string folder_;
};

TEST_F(RealDataTest, AdultHasNoHeaderBlanksBehindCommasAndQuestionMarks) {
  ReadOptions options;
  options.csv.has_header = false;
  options.csv.trim_blanks = true;
  options.csv.added_null_spellings = {"?"};
  options.csv.column_names = {
      "age",          "workclass",    "fnlwgt",         "education",      "education_num",
      "marital",      "occupation",   "relationship",   "race",           "sex",
      "capital_gain", "capital_loss", "hours_per_week", "native_country", "income"};
  ReadOutcome train = Read({"adult/adult.data"}, options);
  EXPECT_EQ(train.facts.row_count, 32561);
  EXPECT_EQ(NullCount(train, "workclass"), 1836);
  EXPECT_EQ(NullCount(train, "occupation"), 1843);
  EXPECT_EQ(NullCount(train, "native_country"), 583);
  EXPECT_EQ(TypeOf(train, "age"), "int64");
  EXPECT_EQ(TypeOf(train, "income"), "string");

  options.bad_rows = BadRowPolicy::kSkip;
  ReadOutcome test = Read({"adult/adult.test"}, options);
  EXPECT_EQ(test.facts.row_count, 16281);
  ASSERT_EQ(test.facts.bad_row_count, 1);
  EXPECT_EQ(test.facts.bad_rows[0].line, 1);
  EXPECT_EQ(test.facts.bad_rows[0].text, "|1x3 Cross validator");
  options.bad_rows = BadRowPolicy::kFail;
  options.csv.skip_line_count = 1;
  EXPECT_EQ(Read({"adult/adult.test"}, options).facts.row_count, 16281);
}

TEST_F(RealDataTest, BankMarketingIsQuotedAndSemicolons) {
  ReadOutcome bank = Read({"bank-marketing/bank-additional-full.csv"});
  EXPECT_EQ(bank.facts.row_count, 41188);
  EXPECT_EQ(bank.facts.files[0].delimiter, ';');
  EXPECT_EQ(TypeOf(bank, "emp.var.rate"), "double");
  EXPECT_EQ(NullCount(bank, "default"), 0);
  ReadOptions options;
  options.csv.added_null_spellings = {"unknown"};
  EXPECT_EQ(NullCount(Read({"bank-marketing/bank-additional-full.csv"}, options), "default"), 8597);
}

TEST_F(RealDataTest, TelcoHasBlankCellsAmongNumbers) {
  ReadOutcome telco = Read({"telco-churn/Telco-Customer-Churn.csv"});
  EXPECT_EQ(telco.facts.row_count, 7043);
  EXPECT_EQ(TypeOf(telco, "TotalCharges"), "double");
  EXPECT_EQ(NullCount(telco, "TotalCharges"), 11);
}

TEST_F(RealDataTest, BikeSharingEndsLinesWithBoth) {
  ReadOutcome bikes = Read({"bike-sharing/hour.csv"});
  EXPECT_EQ(bikes.facts.row_count, 17379);
  EXPECT_EQ(TypeOf(bikes, "dteday"), "date32[day]");
  EXPECT_EQ(TypeOf(bikes, "cnt"), "int64");
}

TEST_F(RealDataTest, GreenTaxiTypesDriftBetweenMonths) {
  ReadOptions options;
  options.allow_missing_columns = true;
  ReadOutcome taxi = Read({"nyc-green-taxi/green_tripdata_2021-01.parquet",
                           "nyc-green-taxi/green_tripdata_2023-01.parquet"},
                          options);
  EXPECT_EQ(taxi.facts.row_count, 73908 + 68211);
  EXPECT_EQ(TypeOf(taxi, "PULocationID"), "string");
  EXPECT_EQ(TypeOf(taxi, "lpep_pickup_datetime"), "timestamp[us]");
  options.columns = {"PULocationID", "trip_distance"};
  ReadOutcome mixed = Read({"nyc-green-taxi/green_tripdata_2021-02.csv",
                            "nyc-green-taxi/green_tripdata_2023-01.parquet"},
                           options);
  EXPECT_EQ(TypeOf(mixed, "PULocationID"), "int64");
  EXPECT_EQ(TypeOf(mixed, "trip_distance"), "double");
  EXPECT_EQ(mixed.facts.row_count, 61921 + 68211);
}

}  // namespace
}  // namespace sluice::table
