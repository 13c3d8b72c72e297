// JSON Lines, Parquet and Arrow IPC in, all formats out.
#include <arrow/api.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "io/fs.h"
#include "table/internal/atomic_output.h"
#include "table/open.h"
#include "table/read.h"
#include "table/testing/fixtures.h"
#include "table/write.h"

namespace sluice::table {
namespace {

using ::testing::HasSubstr;
using testing::RandomTable;
using testing::ReadShown;
using testing::ScratchFolder;
using testing::ShowTable;

std::string FileBytes(const std::string& path) { return io::RealFs().ReadFile(path).value(); }

TEST(JsonLinesTest, InfersColumnsAndTypes) {
  EXPECT_EQ(
      ReadShown("{\"a\": 1, \"b\": \"x\", \"day\": \"2021-03-04\", \"t\": true}\n\n"
                " {\"b\":\"\\u00e9\\n\\ud83d\\ude00\",\"a\":2.5,\"late\":null, \"day\": null}\r\n"
                "{\"t\": false, \"code\": \"02134\", \"late\": 12345678901234567890, \"a\": NaN}\n",
                {}, "data.jsonl"),
      "a:double b:string day:date t:bool late:string code:string\n"
      "1.0|x|2021-03-04|true|NULL|NULL\n"
      "2.5|é\n😀|NULL|NULL|NULL|NULL\n"
      "NULL|NULL|NULL|false|12345678901234567890|02134\n");
}

TEST(JsonLinesTest, MixedKindsKeepTheirText) {
  EXPECT_EQ(
      ReadShown("{\"a\": 1.50}\n{\"a\": \"x\"}\n{\"a\": true}\n{\"a\": \"\"}\n", {}, "d.ndjson"),
      "a:string\n1.50\nx\ntrue\n\n");
}

TEST(JsonLinesTest, RefusesNestedUnlessNotKept) {
  const char* text = "{\"a\": 1, \"n\": {\"x\": [1, 2]}}\n";
  EXPECT_THAT(ReadShown(text, {}, "d.jsonl"),
              HasSubstr("d.jsonl:1:15: column 'n' holds objects or arrays"));
  ReadOptions options;
  options.columns = {"a"};
  EXPECT_EQ(ReadShown(text, options, "d.jsonl"), "a:int64\n1\n");
}

TEST(JsonLinesTest, BadLinesAreBadRows) {
  ReadOptions options;
  options.bad_rows = BadRowPolicy::kSkip;
  options.types = {{"a", ColumnType::kInt64}};
  options.thread_count = 2;
  ScratchFolder folder;
  std::string path = folder.Write(
      "d.jsonl", "{\"a\":1}\n{\"a\":}\n[1]\n{\"a\":\"5\"}\n{\"a\":\"x\"}\n{\"a\":2} 3\n{\"a\":6}");
  for (size_t chunk_bytes : {1, 9, 1000}) {
    options.chunk_size_bytes = chunk_bytes;
    Result<ReadOutcome> outcome = ReadTable({path}, options);
    ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
    EXPECT_EQ(ShowTable(*outcome->table), "a:int64\n1\n5\n6\n");
    ASSERT_EQ(outcome->facts.bad_rows.size(), 4u);
    EXPECT_EQ(outcome->facts.bad_rows[0].line, 2);
    EXPECT_EQ(outcome->facts.bad_rows[0].reason, "expected a value");
    EXPECT_EQ(outcome->facts.bad_rows[1].reason, "expected an object, '{...}'");
    EXPECT_EQ(outcome->facts.bad_rows[2].reason, "'x' is not of type int64");
    EXPECT_EQ(outcome->facts.bad_rows[3].line, 6);
  }
}

class RoundTripTest : public ::testing::TestWithParam<const char*> {};

TEST_P(RoundTripTest, EveryValueComesBack) {
  ScratchFolder folder;
  Random random(3);
  for (int64_t row_count : {0, 1, 300}) {
    std::shared_ptr<arrow::Table> table = RandomTable(random, row_count);
    std::string path = folder.Path(std::string("table") + GetParam());
    ASSERT_TRUE(WriteTable(*table, path).ok());
    ReadOptions options;
    if (row_count == 0) {  // text shows no types without values
      for (const std::shared_ptr<arrow::Field>& field : table->schema()->fields()) {
        options.types.emplace(field->name(), *CanonicalType(*field->type()));
      }
    }
    Result<ReadOutcome> outcome = ReadTable({path}, options);
    if (row_count == 0 && std::string_view(GetParam()) == ".jsonl") {
      EXPECT_FALSE(outcome.ok()) << "an empty file has no columns";
      continue;
    }
    ASSERT_TRUE(outcome.ok()) << outcome.error().ToString();
    EXPECT_EQ(ShowTable(*outcome->table), ShowTable(*table));
    EXPECT_TRUE(outcome->table->schema()->Equals(*table->schema(), false));
  }
}
INSTANTIATE_TEST_SUITE_P(Formats, RoundTripTest,
                         ::testing::Values(".csv", ".tsv", ".jsonl", ".parquet", ".arrow"));

TEST(WriteTest, BytesDoNotDependOnChunks) {
  ScratchFolder folder;
  Random random(4);
  std::shared_ptr<arrow::Table> table = RandomTable(random, 70'000);
  std::shared_ptr<arrow::Table> cut =
      arrow::ConcatenateTables({table->Slice(0, 1), table->Slice(1, 333), table->Slice(334)})
          .ValueOrDie();
  for (const char* extension : {".csv", ".jsonl", ".parquet", ".arrow"}) {
    std::string one = folder.Path(std::string("one") + extension);
    std::string two = folder.Path(std::string("two") + extension);
    ASSERT_TRUE(WriteTable(*table, one).ok());
    ASSERT_TRUE(WriteTable(*cut, two).ok());
    EXPECT_TRUE(FileBytes(one) == FileBytes(two)) << extension;
  }
  std::shared_ptr<arrow::Table> mapped = OpenTable(folder.Path("one.arrow")).value();
  EXPECT_EQ(mapped->column(0)->num_chunks(), 2);
  EXPECT_EQ(mapped->column(0)->chunk(0)->length(), kIpcBatchRows);
}

TEST(WriteTest, NothingIsLeftAfterAFailure) {
  ScratchFolder folder;
  Random random(4);
  std::shared_ptr<arrow::Table> table = RandomTable(random, 10);
  EXPECT_EQ(WriteIpc(*table, folder.Path("none/table.arrow")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(WriteCsv(*table, folder.Path("")).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(WriteTable(*table, folder.Path("x.docx")).error().code(), ErrorCode::kInvalidArgument);
  {
    Result<std::unique_ptr<IpcFileWriter>> writer =
        IpcFileWriter::Open(folder.Path("half.arrow"), table->schema());
    ASSERT_TRUE(writer.ok());
  }
  EXPECT_TRUE(io::RealFs().ListDirectory(folder.Path("")).value().empty());
}

TEST(WriteTest, CsvQuotesWhatWouldReadBackDifferently) {
  ScratchFolder folder;
  arrow::StringBuilder builder;
  ASSERT_TRUE(
      builder.AppendValues({"plain", "", "NA", " x", "a,b", "say \"hi\"", "two\nlines"}).ok());
  ASSERT_TRUE(builder.AppendNull().ok());
  std::shared_ptr<arrow::Table> table = arrow::Table::Make(
      arrow::schema({arrow::field("s", arrow::utf8())}), {builder.Finish().ValueOrDie()});
  std::string path = folder.Path("s.csv");
  ASSERT_TRUE(WriteCsv(*table, path).ok());
  EXPECT_EQ(FileBytes(path),
            "s\nplain\n\"\"\n\"NA\"\n\" x\"\n\"a,b\"\n\"say \"\"hi\"\"\"\n\"two\nlines\"\nNA\n");
  EXPECT_EQ(ShowTable(*OpenTable(path).value()), ShowTable(*table));
}

std::shared_ptr<arrow::Array> Cast(const std::shared_ptr<arrow::Array>& array,
                                   const std::shared_ptr<arrow::DataType>& type) {
  EXPECT_TRUE(arrow::compute::Initialize().ok());
  return arrow::compute::Cast(*array, type).ValueOrDie();
}

std::shared_ptr<arrow::Array> Ints(std::vector<int64_t> values) {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Table> OneColumn(const std::shared_ptr<arrow::Array>& array) {
  return arrow::Table::Make(arrow::schema({arrow::field("x", array->type())}), {array});
}

TEST(CanonicaliseTest, MakesTheSixTypes) {
  auto shown = [](const std::shared_ptr<arrow::Array>& array) -> std::string {
    Result<std::shared_ptr<arrow::Table>> table = Canonicalise(OneColumn(array));
    return table.ok() ? ShowTable(**table) : "ERROR: " + table.error().message();
  };
  std::shared_ptr<arrow::Array> ints = Ints({1, 2});
  for (const auto& type : {arrow::int8(), arrow::uint16(), arrow::int32(), arrow::uint64()}) {
    EXPECT_EQ(shown(Cast(ints, type)), "x:int64\n1\n2\n") << type->ToString();
  }
  EXPECT_EQ(shown(Cast(ints, arrow::float32())), "x:double\n1.0\n2.0\n");
  EXPECT_EQ(shown(Cast(ints, arrow::decimal128(21, 2))), "x:double\n1.0\n2.0\n");
  EXPECT_EQ(shown(Cast(ints, arrow::large_utf8())), "x:string\n1\n2\n");
  EXPECT_EQ(shown(Cast(ints, arrow::timestamp(arrow::TimeUnit::SECOND, "Europe/Lisbon"))),
            "x:timestamp\n1970-01-01 00:00:01\n1970-01-01 00:00:02\n");
  EXPECT_EQ(shown(Cast(Ints({-1, 1999}), arrow::timestamp(arrow::TimeUnit::NANO))),
            "x:timestamp\n1969-12-31 23:59:59.999999\n1970-01-01 00:00:00.000001\n");
  EXPECT_EQ(shown(arrow::MakeArrayOfNull(arrow::null(), 2).ValueOrDie()), "x:string\nNULL\nNULL\n");
  arrow::StringDictionaryBuilder dictionary;
  for (const char* value : {"a", "b", "a"}) EXPECT_TRUE(dictionary.Append(value).ok());
  EXPECT_EQ(shown(dictionary.Finish().ValueOrDie()), "x:string\na\nb\na\n");
  EXPECT_THAT(shown(arrow::MakeArrayOfNull(arrow::list(arrow::int64()), 1).ValueOrDie()),
              HasSubstr("ERROR: column 'x' has type list<item: int64>, which is not supported"));
  std::shared_ptr<arrow::Table> canonical = OneColumn(ints);
  EXPECT_EQ(Canonicalise(canonical).value(), canonical);
}

TEST(ParquetTest, TypesThatDriftBetweenFilesAreReconciled) {
  ScratchFolder folder;
  auto write = [&](const std::string& name, const std::shared_ptr<arrow::Table>& table) {
    std::string path = folder.Path(name);
    std::unique_ptr<internal::AtomicOutput> output = internal::AtomicOutput::Open(path).value();
    EXPECT_TRUE(
        parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), output->stream(), 1).ok());
    EXPECT_TRUE(output->Commit().ok());
    return path;
  };
  std::shared_ptr<arrow::Array> ints = Ints({43, 151});
  std::string as_text = write("1.parquet", OneColumn(Cast(ints, arrow::utf8())));
  std::string as_int64 = write("2.parquet", OneColumn(ints));
  std::string as_int32 = write("3.parquet", OneColumn(Cast(ints, arrow::int32())));
  std::string as_double = write("4.parquet", OneColumn(Cast(ints, arrow::float64())));
  EXPECT_EQ(ShowTable(*ReadTable({as_int64, as_int32})->table), "x:int64\n43\n151\n43\n151\n");
  EXPECT_EQ(ShowTable(*ReadTable({as_int32, as_double})->table),
            "x:double\n43.0\n151.0\n43.0\n151.0\n");
  EXPECT_EQ(ShowTable(*ReadTable({as_text, as_int32})->table), "x:string\n43\n151\n43\n151\n");
  std::string csv = folder.Write("5.csv", "x\n7.5\n");
  EXPECT_EQ(ShowTable(*ReadTable({as_int64, csv})->table), "x:double\n43.0\n151.0\n7.5\n");
  ReadOptions options;
  options.types = {{"x", ColumnType::kString}};
  EXPECT_EQ(ShowTable(*ReadTable({as_int64, csv}, options)->table), "x:string\n43\n151\n7.5\n");
  options.types = {{"x", ColumnType::kDate}};
  EXPECT_THAT(ReadTable({as_int64}, options).error().message(),
              HasSubstr("column 'x' of type int64 cannot become date"));
}

TEST(OpenTableTest, MapsWithoutCopying) {
  ScratchFolder folder;
  Random random(9);
  std::shared_ptr<arrow::Table> table = RandomTable(random, 100);
  ASSERT_TRUE(WriteIpc(*table, folder.Path(kTableFileName)).ok());
  int64_t before = arrow::default_memory_pool()->bytes_allocated();
  std::shared_ptr<arrow::Table> opened = OpenTable(folder.Path("")).value();
  EXPECT_LT(arrow::default_memory_pool()->bytes_allocated() - before, 1000);
  EXPECT_EQ(ShowTable(*opened), ShowTable(*table));
  EXPECT_EQ(OpenTable(folder.Path(""), {"int64 \"col\""}).value()->num_columns(), 1);
  EXPECT_THAT(OpenTable(folder.Path(""), {"int65"}).error().message(),
              HasSubstr("unknown column 'int65'"));
  EXPECT_EQ(OpenTable(folder.Path("none")).error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace sluice::table
