#include <arrow/table.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "table/open.h"
#include "table/read.h"
#include "table/scan.h"
#include "table/testing/fixtures.h"
#include "table/write.h"

namespace sluice::table {
namespace {

using ::testing::HasSubstr;
using testing::RandomTable;
using testing::ReadShown;
using testing::ScratchFolder;
using testing::ShowTable;

TEST(ReadCsvTest, InfersTypes) {
  EXPECT_EQ(ReadShown("b,i,d,s,day,at,zip,none\n"
                      "true,1,1.5,x,2021-03-04,2021-03-04 05:06:07,02134,\n"
                      "False,-20,2,\"y,z\",2021-03-05,2021-03-04T05:06:07.5Z,90210,NA\n"
                      ",,,,,,,\n"),
            "b:bool i:int64 d:double s:string day:date at:timestamp zip:string none:string\n"
            "true|1|1.5|x|2021-03-04|2021-03-04 05:06:07|02134|NULL\n"
            "false|-20|2.0|y,z|2021-03-05|2021-03-04 05:06:07.5|90210|NULL\n"
            "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL\n");
}

TEST(ReadCsvTest, NeverDamagesCodes) {
  EXPECT_EQ(ReadShown("phone,id,mixed,big,huge,fine\n"
                      "+4915112345678,99999999999999999999,1,99999999999999999999,1e400,2021-01-01 "
                      "00:00:00.1234567\n"
                      "+4915112345679,99999999999999999998,a,1.5,1,2021-01-01 00:00:00\n"),
            "phone:string id:string mixed:string big:double huge:string fine:string\n"
            "+4915112345678|99999999999999999999|1|1e+20|1e400|2021-01-01 00:00:00.1234567\n"
            "+4915112345679|99999999999999999998|a|1.5|1|2021-01-01 00:00:00\n");
}

TEST(ReadCsvTest, WidensWhenLateValuesDoNotFit) {
  std::string text = "a,b,c,d\n";
  for (int i = 0; i < 5000; ++i) text += "1,,2021-01-01,true\n";
  text += "2.5,7,2021-01-01 10:00,maybe\n";
  for (size_t chunk_bytes : {size_t{100}, size_t{10'000}, size_t{1} << 20}) {
    ReadOptions options;
    options.chunk_size_bytes = chunk_bytes;
    options.thread_count = 3;
    std::string shown = ReadShown(text, options);
    EXPECT_THAT(
        shown,
        HasSubstr("a:double b:int64 c:timestamp d:string\n1.0|NULL|2021-01-01 00:00:00|true\n"));
    EXPECT_THAT(shown, HasSubstr("2.5|7|2021-01-01 10:00:00|maybe\n"));
  }
}

TEST(ReadCsvTest, DetectsDelimiters) {
  EXPECT_EQ(ReadShown("a;b\n1,5;2\n"), "a:string b:int64\n1,5|2\n");
  EXPECT_EQ(ReadShown("a\tb, c\n1\t2\n"), "a:int64 b, c:int64\n1|2\n");
  EXPECT_EQ(ReadShown("a|b|c\n1|2|3\n"), "a:int64 b:int64 c:int64\n1|2|3\n");
  EXPECT_EQ(ReadShown("a\n1\n2\n"), "a:int64\n1\n2\n");
}

TEST(ReadCsvTest, QuotesDelimitersAndLineEnds) {
  EXPECT_EQ(ReadShown("a,b\n\"x\ny\",\"say \"\"hi\"\"\"\n5\" pipe,\"\"\n"),
            "a:string b:string\nx\ny|say \"hi\"\n5\" pipe|\n");
  EXPECT_EQ(ReadShown("a,b\r\n1,2\r\n\r\n\"3\",\"4\"\r\n"), "a:int64 b:int64\n1|2\n3|4\n");
  EXPECT_EQ(ReadShown("a,b\r1,2\r3,4"), "a:int64 b:int64\n1|2\n3|4\n");
  EXPECT_EQ(ReadShown("a,b\n1,2\n\n   \n3,4\n\n\n"), "a:int64 b:int64\n1|2\n3|4\n");
  ReadOptions options;
  options.csv.quote.reset();
  EXPECT_EQ(ReadShown("a,b\n\"x,y\"\n", options), "a:string b:string\n\"x|y\"\n");
  options.csv.quote = '\'';
  EXPECT_EQ(ReadShown("a,b\n'x,y','it''s'\n", options), "a:string b:string\nx,y|it's\n");
  options.csv.quote = '"';
  options.csv.escape = '\\';
  EXPECT_EQ(ReadShown("a,b\n\"x\\\"y\",\"1\\\\\"\n", options), "a:string b:string\nx\"y|1\\\n");
}

TEST(ReadCsvTest, NullSpellings) {
  EXPECT_EQ(ReadShown("a,b,c\nNA,1,x\nnull,NaN,\"NA\"\n\"\",2,\"\"\n"),
            "a:string b:int64 c:string\nNULL|1|x\nNULL|NULL|NA\n|2|\n");
  ReadOptions options;
  options.csv.added_null_spellings = {"?", "-999"};
  EXPECT_EQ(ReadShown("a,b\n?,-999\n\"?\",5\n", options), "a:string b:int64\nNULL|NULL\nNULL|5\n");
  options.csv.quoted_nulls = true;
  EXPECT_EQ(ReadShown("a,b\n\"\",x\n\"NA\",y\n", options), "a:string b:string\nNULL|x\nNULL|y\n");
  EXPECT_EQ(ReadShown("a,b\n 1 , \n2,x\n"), "a:int64 b:string\n1| \n2|x\n")
      << "blanks are kept in strings";
  EXPECT_EQ(ReadShown("a,b\n1, \n2,3.5\n"), "a:int64 b:double\n1|NULL\n2|3.5\n")
      << "a blank cell among numbers is null";
}

TEST(ReadCsvTest, HeadersNamesSkipsAndComments) {
  ReadOptions options;
  options.csv.has_header = false;
  EXPECT_EQ(ReadShown("1,x\n2,y\n", options), "column_1:int64 column_2:string\n1|x\n2|y\n");
  options.csv.column_names = {"n", "t"};
  EXPECT_EQ(ReadShown("1,x\n2,y\n", options), "n:int64 t:string\n1|x\n2|y\n");
  options.csv.has_header = true;
  EXPECT_EQ(ReadShown("a,b\n2,y\n", options), "n:int64 t:string\n2|y\n");
  options = {};
  options.csv.skip_line_count = 2;
  options.csv.comment_prefix = "#";
  EXPECT_EQ(
      ReadShown("made \"by us\nin 2021\n# a \" comment\n\na,b\n1,2 # no comment\n#3,\"4\n5,6\n",
                options),
      "a:int64 b:string\n1|2 # no comment\n5|6\n");
  EXPECT_EQ(ReadShown(",a\n1,2\n"), "column_1:int64 a:int64\n1|2\n");
  EXPECT_EQ(ReadShown("a,b\n"), "a:string b:string\n");
}

TEST(ReadCsvTest, TrimsBlanks) {
  ReadOptions options;
  options.csv.trim_blanks = true;
  EXPECT_EQ(ReadShown(" a, b ,c\n 1 , x y , \"q, \" \n2,\t?,z\n", options),
            "a:int64 b:string c:string\n1|x y|q, \n2|?|z\n");
}

TEST(ReadCsvTest, NumbersOfOtherLands) {
  ReadOptions options;
  options.csv.decimal_point = ',';
  options.csv.thousands_separator = '.';
  EXPECT_EQ(ReadShown("a;b;c\n1.234,5;1.000;1.00\n-7;12;3\n", options),
            "a:double b:int64 c:string\n1234.5|1000|1.00\n-7.0|12|3\n");
  options = {};
  options.csv.thousands_separator = ',';
  EXPECT_EQ(ReadShown("a|b\n1,234,567|12,34\n1,000.25|5\n", options),
            "a:double b:string\n1234567.0|12,34\n1000.25|5\n");
}

TEST(ReadCsvTest, GivenFormatsTypesAndSpellings) {
  ReadOptions options;
  options.csv.date_formats = {"%d.%m.%Y", "%Y%m%d", "%d/%m/%Y %H:%M"};
  EXPECT_EQ(
      ReadShown(
          "a,b,c\n04.03.2021,20210304,04/03/2021 05:06\n5.3.2021,20210305,2021-03-05 00:00:00\n",
          options),
      "a:date b:date c:timestamp\n2021-03-04|2021-03-04|2021-03-04 "
      "05:06:00\n2021-03-05|2021-03-05|2021-03-05 00:00:00\n");
  options = {};
  options.types = {{"zip", ColumnType::kInt64},
                   {"n", ColumnType::kString},
                   {"yes", ColumnType::kBool},
                   {"t", ColumnType::kTimestamp}};
  options.csv.true_spellings = {"1", "yes"};
  options.csv.false_spellings = {"0", "no"};
  EXPECT_EQ(
      ReadShown(
          "zip,n,yes,t,also\n02134,007,1,2021-03-04,yes\n1,8,no,2021-03-04 01:00:00.1234567,no\n",
          options),
      "zip:int64 n:string yes:bool t:timestamp also:bool\n2134|007|true|2021-03-04 00:00:00|true\n"
      "1|8|false|2021-03-04 01:00:00.123456|false\n");
}

TEST(ReadCsvTest, Encodings) {
  ReadOptions options;
  EXPECT_EQ(ReadShown("\xEF\xBB\xBFn\xC3\xA4me\n\xC3\xA9\n"), "näme:string\né\n");
  EXPECT_EQ(ReadShown(std::string_view("\xFF\xFE"
                                       "a\0\n\0\xE9\0\n\0=\xD8\0\xDE\n\0",
                                       16)),
            "a:string\né\n😀\n");
  EXPECT_EQ(ReadShown(std::string_view("\xFE\xFF\0a\0\n\0\xE9\0\n", 10)), "a:string\né\n");
  options.csv.encoding = Encoding::kLatin1;
  EXPECT_EQ(ReadShown("a\n\xE9\x80\n", options), "a:string\né\xC2\x80\n");
  options.csv.encoding = Encoding::kWindows1252;
  EXPECT_EQ(ReadShown("a\n\xE9\x80\n", options), "a:string\né€\n");
  options.csv.encoding = Encoding::kUtf16Le;
  EXPECT_EQ(ReadShown(std::string_view("a\0\n\0"
                                       "1\0\n\0",
                                       8),
                      options),
            "a:int64\n1\n");
}

TEST(ReadCsvTest, SetsBadRowsAside) {
  ScratchFolder folder;
  std::string path = folder.Write("data.csv",
                                  "a,b\n1,2\n3\n4,5,6\n\"x\"y,1\n7,zero\n\"two\nlines\",8\n9,"
                                  "\xFF\n10,\"open\n quote\"\n11,12\n");
  ReadOptions options;
  options.types = {{"b", ColumnType::kInt64}};
  options.bad_rows = BadRowPolicy::kSkip;
  for (size_t chunk_bytes : {1, 3, 10, 1000}) {
    options.chunk_size_bytes = chunk_bytes;
    Result<ReadOutcome> outcome = ReadTable({path}, options);
    ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
    EXPECT_EQ(ShowTable(*outcome->table), "a:string b:int64\n1|2\ntwo\nlines|8\n11|12\n");
    EXPECT_EQ(outcome->facts.row_count, 3);
    EXPECT_EQ(outcome->facts.bad_row_count, 6);
    std::string shown;
    for (const BadRow& row : outcome->facts.bad_rows) {
      shown += std::to_string(row.line) + " " + row.column.value_or("-") + " " +
               row.reason.substr(0, 32) + " [" + row.text + "]\n";
    }
    EXPECT_EQ(shown,
              "3 - expected 2 fields, found 1 [3]\n"
              "4 - expected 2 fields, found 3 [4,5,6]\n"
              "5 - text after the closing quote of  [\"x\"y,1]\n"
              "6 b 'zero' is not of type int64 [7,zero]\n"
              "9 - byte 0xFF at position 3 is not U [9,\xEF\xBF\xBD]\n"
              "10 b 'open  quote' is not of type int [10,\"open  quote\"]\n");
  }
  options.max_bad_row_samples = 2;
  Result<ReadOutcome> outcome = ReadTable({path}, options);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->facts.bad_rows.size(), 2u);
  EXPECT_EQ(outcome->facts.bad_row_count, 6);
  options.bad_rows = BadRowPolicy::kFail;
  EXPECT_THAT(ReadTable({path}, options).error().ToString(),
              HasSubstr("data.csv:3:1: expected 2 fields, found 1"));
}

TEST(ReadCsvTest, BadRowsDoNotDecideTypes) {
  ReadOptions options;
  options.bad_rows = BadRowPolicy::kSkip;
  EXPECT_EQ(ReadShown("a,b\n1,2\nx,y,z\n\"u\"v,3\n4,5\n", options), "a:int64 b:int64\n1|2\n4|5\n");
  options.types = {{"b", ColumnType::kInt64}};
  EXPECT_EQ(ReadShown("a,b\n1,2\nword,none\n4,5\n", options), "a:int64 b:int64\n1|2\n4|5\n");
}

TEST(ReadCsvTest, KeepsChosenColumnsInGivenOrder) {
  ReadOptions options;
  options.columns = {"c", "a"};
  EXPECT_EQ(ReadShown("a,b,c\n1,x,2021-01-01\n", options), "c:date a:int64\n2021-01-01|1\n");
  options.columns = {"agee"};
  EXPECT_THAT(ReadShown("age,b\n1,x\n", options),
              HasSubstr("unknown column 'agee' in the columns to keep; did you mean 'age'?"));
  options.columns.clear();
  options.types = {{"prize", ColumnType::kDouble}};
  EXPECT_THAT(ReadShown("price\n1\n", options),
              HasSubstr("unknown column 'prize' in the given types; did you mean 'price'?"));
}

TEST(ReadCsvTest, SeveralFilesAreOneTable) {
  ScratchFolder folder;
  std::vector<std::string> paths = {folder.Write("1.csv", "a,b,c\n1,x,1\n"),
                                    folder.Write("2.csv", "c;b;a\n2.5;2021-01-01;3\n"),
                                    folder.Write("3.csv", "b,c,a\n")};
  Result<ReadOutcome> outcome = ReadTable(paths);
  ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
  EXPECT_EQ(ShowTable(*outcome->table), "a:int64 b:string c:double\n1|x|1.0\n3|2021-01-01|2.5\n");
  EXPECT_EQ(outcome->facts.files[1].row_count, 1);
  EXPECT_EQ(outcome->facts.files[1].delimiter, ';');
  paths.push_back(folder.Write("4.csv", "a,c,extra\n4,4,e\n"));
  EXPECT_THAT(ReadTable(paths).error().message(),
              HasSubstr("1.csv' has no column 'extra', which another file has"));
  ReadOptions options;
  options.allow_missing_columns = true;
  outcome = ReadTable(paths, options);
  ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
  EXPECT_EQ(ShowTable(*outcome->table),
            "a:int64 b:string c:double "
            "extra:string\n1|x|1.0|NULL\n3|2021-01-01|2.5|NULL\n4|NULL|4.0|e\n");
}

/// The same rows, types and facts whatever the threads and chunks.
TEST(ReadCsvTest, NothingDependsOnThreadsOrChunks) {
  ScratchFolder folder;
  Random random(5);
  for (int round = 0; round < 6; ++round) {
    std::shared_ptr<arrow::Table> table = RandomTable(random, 60);
    std::string path = folder.Path("random.csv");
    ASSERT_TRUE(WriteCsv(*table, path).ok());
    std::string wanted = ShowTable(*table);
    for (size_t thread_count : {1, 2, 4}) {
      for (size_t chunk_bytes : {1, 7, 64, 301, 1 << 20}) {
        ReadOptions options;
        options.thread_count = thread_count;
        options.chunk_size_bytes = chunk_bytes;
        Result<ReadOutcome> outcome = ReadTable({path}, options);
        ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
        ASSERT_EQ(ShowTable(*outcome->table), wanted)
            << thread_count << " threads, chunks of " << chunk_bytes;
      }
    }
  }
}

TEST(OpenBatchesTest, GivesTheWholeTableInPieces) {
  ScratchFolder folder;
  Random random(6);
  std::shared_ptr<arrow::Table> table = RandomTable(random, 500);
  std::string path = folder.Path("random.csv");
  ASSERT_TRUE(WriteCsv(*table, path).ok());
  ReadOptions options;
  options.chunk_size_bytes = 1000;
  Result<std::unique_ptr<BatchReader>> reader = OpenBatches({path}, options);
  ASSERT_TRUE(reader.ok()) << reader.error().ToString();
  arrow::RecordBatchVector batches;
  for (;;) {
    Result<std::shared_ptr<arrow::RecordBatch>> batch = (*reader)->Next();
    ASSERT_TRUE(batch.ok());
    if (*batch == nullptr) break;
    batches.push_back(*batch);
  }
  EXPECT_GT(batches.size(), 10u);
  EXPECT_EQ((*reader)->facts().row_count, 500);
  EXPECT_EQ(ShowTable(*arrow::Table::FromRecordBatches((*reader)->schema(), batches).ValueOrDie()),
            ShowTable(*table));
}

TEST(OpenBatchesTest, FindsTypesInTheWholeFileFirst) {
  ScratchFolder folder;
  std::string text = "a\n";
  for (int i = 0; i < 1000; ++i) text += "1\n";
  std::string path = folder.Write("late.csv", text + "x\n");
  ReadOptions options;
  options.chunk_size_bytes = 100;
  Result<std::unique_ptr<BatchReader>> reader = OpenBatches({path}, options);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->schema()->field(0)->type()->ToString(), "string");
  options.types = {{"a", ColumnType::kInt64}};
  reader = OpenBatches({path}, options);
  ASSERT_TRUE(reader.ok());
  Result<std::shared_ptr<arrow::RecordBatch>> batch = (*reader)->Next();
  while (batch.ok() && *batch != nullptr) batch = (*reader)->Next();
  ASSERT_FALSE(batch.ok());
  EXPECT_THAT(batch.error().ToString(),
              HasSubstr("late.csv:1002:1: column 'a': 'x' is not of type int64"));
}

TEST(ScanTableTest, VisitsEachChunkOnceAndRestartsAtMostOnce) {
  struct Counter : ScanVisitor {
    void Begin(const std::shared_ptr<arrow::Schema>&, size_t chunk_count) override {
      ++begin_count;
      rows.assign(chunk_count, 0);
    }
    void Visit(size_t chunk_index, const std::shared_ptr<arrow::RecordBatch>& batch) override {
      rows.at(chunk_index) += batch->num_rows();
    }
    int begin_count = 0;
    std::vector<int64_t> rows;
  };
  ScratchFolder folder;
  std::string text = "a,b,c\n";
  for (int i = 0; i < 2000; ++i) text += "1,2,3\n";
  ReadOptions options;
  options.chunk_size_bytes = 500;
  Counter plain;
  ASSERT_TRUE(ScanTable({folder.Write("plain.csv", text)}, options, plain).ok());
  EXPECT_EQ(plain.begin_count, 1);
  Counter widened;
  Result<ScanOutcome> outcome = ScanTable(
      {folder.Write("wide.csv", text + "1.5,x,3\n1,2.5,2021-01-01\nw,1,1\n")}, options, widened);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(widened.begin_count, 2);
  int64_t rows = 0;
  for (int64_t count : widened.rows) rows += count;
  EXPECT_EQ(rows, 2003);
}

}  // namespace
}  // namespace sluice::table
