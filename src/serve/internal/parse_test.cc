#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "model/rows_json.h"
#include "serve/internal/parse_rows.h"

namespace sluice::serve::internal {
namespace {

using table::ColumnType;

model::Signature TestSignature() {
  return {.inputs = {{.name = "d", .type = ColumnType::kDouble},
                     {.name = "l", .type = ColumnType::kInt64},
                     {.name = "s", .type = ColumnType::kString},
                     {.name = "b", .type = ColumnType::kBool},
                     {.name = "t", .type = ColumnType::kTimestamp},
                     {.name = "day", .type = ColumnType::kDate},
                     {.name = "o", .type = ColumnType::kInt64, .is_required = false}}};
}

constexpr int64_t kManyRows = 1000;

/// The rows as dataframe_split data, or the error.
std::string Json(std::string_view body, int64_t row_count_max = kManyRows) {
  const model::Signature signature = TestSignature();
  const auto request = ParseJsonRequest(signature, body, row_count_max);
  const auto usual = ParseUsualJsonRequest(signature, body, row_count_max);
  if (!request.ok()) {
    EXPECT_FALSE(usual) << "the short way took what is wrong: " << body;
    return request.error().message();
  }
  EXPECT_TRUE(request->rows->ValidateFull().ok());
  const std::string printed = model::PrintSplitJson(*request->rows).value();
  if (usual) {
    EXPECT_TRUE(usual->rows->ValidateFull().ok());
    EXPECT_EQ(model::PrintSplitJson(*usual->rows).value(), printed) << body;
  }
  return printed.substr(printed.find("\"data\":") + 7,
                        printed.rfind('}') - printed.find("\"data\":") - 7);
}

std::string Csv(std::string_view body, int64_t row_count_max = kManyRows) {
  const model::Signature signature = TestSignature();
  const auto request = ParseCsvRequest(signature, body, row_count_max);
  if (!request.ok()) return request.error().message();
  EXPECT_TRUE(request->rows->ValidateFull().ok());
  const std::string printed = model::PrintSplitJson(*request->rows).value();
  return printed.substr(printed.find("\"data\":") + 7,
                        printed.rfind('}') - printed.find("\"data\":") - 7);
}

/// One record with member `name` set to `value`, all others good.
std::string RecordWith(std::string_view name, std::string_view value) {
  const std::vector<std::pair<std::string, std::string>> good = {{"d", "1.5"},
                                                                 {"l", "3"},
                                                                 {"s", "\"x\""},
                                                                 {"b", "true"},
                                                                 {"t", "\"2020-01-02\""},
                                                                 {"day", "\"2020-01-02\""},
                                                                 {"o", "4"}};
  std::string body = R"({"dataframe_records": [{)";
  for (const auto& [key, usual] : good) {
    body += (body.back() == '{' ? "\"" : ", \"") + key +
            "\": " + (key == name ? std::string(value) : usual);
  }
  return body + "}]}";
}

std::string FailedToConvert(std::string_view column, std::string_view type, std::string_view rest) {
  return "Invalid input. Data is not compatible with model signature. Failed to convert column " +
         std::string(column) + " to type '" + std::string(type) + "'. Error: '" +
         std::string(rest) + "'";
}

constexpr std::string_view kGood = R"([[1.5,3,"x",true,"2020-01-02T00:00:00","2020-01-02",4]])";

TEST(ParseJsonTest, TakesEveryForm) {
  const std::string row =
      R"({"d":1.5,"l":3,"s":"x","b":true,"t":"2020-01-02","day":"2020-01-02","o":4})";
  const std::string list = R"([1.5,3,"x",true,"2020-01-02","2020-01-02",4])";
  const std::string names = R"(["d","l","s","b","t","day","o"])";
  const std::string columns =
      R"({"d":[1.5],"l":[3],"s":["x"],"b":[true],"t":["2020-01-02"],"day":["2020-01-02"],"o":[4]})";
  for (const std::string& body : {
           R"({"dataframe_records":[)" + row + "]}",
           R"({"dataframe_split":{"columns":)" + names + R"(,"data":[)" + list + "]}}",
           R"({"dataframe_split":{"data":[)" + list + R"(],"columns":)" + names + "}}",
           R"({"dataframe_split":{"columns":)" + names + R"(,"index":[0],"data":[)" + list + "]}}",
           R"({"dataframe_split":{"columns":)" + names + R"(,"index":null,"data":[)" + list + "]}}",
           R"({"instances":[)" + row + "]}",
           R"({"inputs":[)" + row + "]}",
           R"({"inputs":)" + columns + "}",
           R"({"inputs":)" + row + "}",
           R"({"other":1,"inputs":)" + row + R"(,"params":null})",
       }) {
    EXPECT_EQ(Json(body), kGood) << body;
  }
}

TEST(ParseJsonTest, ConvertsCellsAsPandasWhereNothingIsLost) {
  struct Case {
    std::string column, value, expected;
  };
  const auto now = [](std::string_view from, std::string_view to) {
    std::string text(kGood);
    return text.replace(text.find(from), from.size(), to);
  };
  const std::vector<Case> cases = {
      {"d", "2", now("1.5", "2.0")},
      {"d", "\"3.5\"", now("1.5", "3.5")},
      {"d", "\" +1e3 \"", now("1.5", "1000.0")},
      {"d", "true", now("1.5", "1.0")},
      {"d", "null", now("1.5", "null")},
      {"d", "NaN", now("1.5", "null")},
      {"d", "\"nan\"", now("1.5", "null")},
      {"d", "1152921504606846976", now("1.5", "1152921504606846976.0")},
      {"d", "0.1", now("1.5", "0.1")},
      {"d", "5e-324", now("1.5", "5e-324")},
      {"d", "\"abc\"", FailedToConvert("d", "float64", "\"abc\" is no double")},
      {"d", "\"\"", FailedToConvert("d", "float64", "\"\" is no double")},
      {"d", "\"0x10\"", FailedToConvert("d", "float64", "\"0x10\" is no double")},
      {"d", "\"+-1\"", FailedToConvert("d", "float64", "\"+-1\" is no double")},
      {"d", "[1]", FailedToConvert("d", "float64", "a list or an object is no double")},
      {"d", "{}", FailedToConvert("d", "float64", "a list or an object is no double")},
      {"l", "2.0", now(",3,", ",2,")},
      {"l", "\"7\"", now(",3,", ",7,")},
      {"l", "false", now(",3,", ",0,")},
      {"l", "-9223372036854775808", now(",3,", ",-9223372036854775808,")},
      {"l", "2.5", FailedToConvert("l", "int64", "2.5 is no int64")},
      {"l", "9223372036854775808",
       FailedToConvert("l", "int64", "9223372036854775808.0 is no int64")},
      {"l", "\"x\"", FailedToConvert("l", "int64", "\"x\" is no int64")},
      {"l", "null",
       FailedToConvert("l", "int64",
                       "a missing value is no int64, and the model signature says that none is "
                       "missing there")},
      {"o", "null", now(",4]", ",null]")},
      {"o", "NaN", now(",4]", ",null]")},
      {"s", "1", now("\"x\"", "\"1\"")},
      {"s", "1.5", now("\"x\"", "\"1.5\"")},
      {"s", "true", now("\"x\"", "\"True\"")},
      {"s", "null", now("\"x\"", "null")},
      {"s", R"("\u00e9\n\"")", now("\"x\"", R"("é\n\"")")},
      {"s", "\"日本\"", now("\"x\"", "\"日本\"")},
      {"s", "[\"a\"]", FailedToConvert("s", "object", "a list or an object is no string")},
      {"b", "0", now("true", "false")},
      {"b", "1.0", now("true", "true")},
      {"b", "\"False\"", now("true", "false")},
      {"b", "2", FailedToConvert("b", "bool", "2 is no bool")},
      {"b", "\"yes\"", FailedToConvert("b", "bool", "\"yes\" is no bool")},
      {"t", "\"2020-01-02T03:04:05.5\"", now("2020-01-02T00:00:00", "2020-01-02T03:04:05.500000")},
      {"t", "\"2020-01-02T03:04:05+02:00\"", now("2020-01-02T00:00:00", "2020-01-02T01:04:05")},
      {"t", "null", now("\"2020-01-02T00:00:00\"", "null")},
      {"t", "1577836800",
       FailedToConvert("t", "datetime64[ns]",
                       "1577836800 is no timestamp; send times as text, '2024-05-01T13:45:00'")},
      {"t", "\"01/02/2020\"",
       FailedToConvert(
           "t", "datetime64[ns]",
           "\"01/02/2020\" is no timestamp; send times as text, '2024-05-01T13:45:00'")},
      {"day", "\"2020-01-02T00:00:00\"", std::string(kGood)},
      {"day", "\"2020-01-02T00:00:01\"",
       FailedToConvert("day", "datetime64[ns]",
                       "\"2020-01-02T00:00:01\" is no date; send dates as text, '2024-05-01'")},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(Json(RecordWith(one.column, one.value)), one.expected)
        << one.column << " " << one.value;
  }
}

TEST(ParseJsonTest, SaysWhatIsWrongInMlflowsWords) {
  const std::string required =
      "The input must be a JSON dictionary with exactly one of the input fields "
      "{'dataframe_records', 'dataframe_split', 'inputs', 'instances'}. ";
  const std::string schema =
      "Failed to enforce schema of data with schema '['d': double (required), 'l': long "
      "(required), 's': string (required), 'b': boolean (required), 't': datetime (required), "
      "'day': datetime (required), 'o': double (optional)]'. Error: Model is missing inputs ";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[1]", "Invalid input. " + required + "Received a list."},
      {"\"x\"", "Invalid input. " + required + "Received unexpected input type '<class 'str'>."},
      {"null",
       "Invalid input. " + required + "Received unexpected input type '<class 'NoneType'>."},
      {"{}", required + "Received dictionary with input fields: []."},
      {R"({"foo":1,"params":{}})",
       required + "Received dictionary with input fields: ['foo', 'params']."},
      {R"({"inputs":1,"instances":2})",
       required + "Received dictionary with input fields: ['inputs', 'instances']."},
      {R"({"dataframe_records":{"a":1}})",
       "Invalid input. Dataframe records format must be a list of records. Got dictionary."},
      {R"({"dataframe_records":"x"})",
       "Invalid input. Dataframe records format must be a list of records. Got type <class "
       "'str'>."},
      {R"({"dataframe_records":[1]})",
       "Invalid input. Provided dataframe_records field is not a valid dataframe representation in "
       "'records' format. Error: 'record 0 is no dictionary but a int'"},
      {R"({"dataframe_records":[]})", schema + "['d', 'l', 's', 'b', 't', 'day']."},
      {R"({"dataframe_records":[{"d":1,"zz":2,"s":"x","b":true,"t":null,"day":null}]})",
       schema + "['l']. Note that there were extra inputs: ['zz']."},
      {R"({"dataframe_split":[1]})",
       "Invalid input. Dataframe split format must be a dictionary. Got list."},
      {R"({"dataframe_split":{"columns":["d"]}})",
       "Invalid input. Dataframe split format must have 'data' field and optionally 'columns' and "
       "'index' fields. Got {'columns'}.'"},
      {R"({"dataframe_split":{"data":[],"x":1}})",
       "Invalid input. Dataframe split format must have 'data' field and optionally 'columns' and "
       "'index' fields. Got {'data', 'x'}.'"},
      {R"({"dataframe_split":{"columns":["d"],"data":[[1,2]]}})",
       "Invalid input. Provided dataframe_split field is not a valid dataframe representation in "
       "'split' format. Error: '1 columns passed, passed data had 2 columns'"},
      {R"({"dataframe_split":{"columns":["d","d"],"data":[[1,2]]}})",
       "Invalid input. The input column 'd' is there twice."},
      {R"({"dataframe_split":{"data":[[1,2]]}})",
       schema + "['d', 'l', 's', 'b', 't', 'day']. Note that there were extra inputs: ['0', '1']."},
      {R"({"dataframe_split":{"columns":["d"],"index":[1,2],"data":[[1]]}})",
       "Invalid input. Provided dataframe_split field is not a valid dataframe representation in "
       "'split' format. Error: 'index and data are not of one length'"},
      {R"({"inputs":{"d":[1,2],"l":[1]}})",
       "This model contains a column-based signature, which suggests a DataFrame input. There was "
       "an error casting the input data to a DataFrame: All arrays must be of the same length"},
      {R"({"inputs":3})",
       "Invalid input. 'inputs' must be a list or a dictionary. Got type <class 'int'>."},
      {R"({"instances":[[1,2]]})",
       schema + "['d', 'l', 's', 'b', 't', 'day']. Note that there were extra inputs: ['0', '1']."},
      {R"({"inputs":{},"params":[1]})", "Parameters must be a dictionary. Got type 'list'."},
      {R"({"inputs":{},"params":{"predict_method":"x"}})",
       "Invalid parameters found: predict_method is 'predict' or 'predict_proba'."},
  };
  for (const auto& [body, expected] : cases) EXPECT_EQ(Json(body), expected) << body;
  for (const std::string& body : {std::string(), std::string("{"), std::string("{\"a\":1}x"),
                                  std::string("{\"a\":\"\xff\"}"), std::string(1000, '[')}) {
    EXPECT_TRUE(Json(body).starts_with(
        "Invalid input. Ensure that input is a valid JSON formatted string. Error: 'body:"))
        << Json(body);
  }
  EXPECT_EQ(Json(RecordWith("d", "1"), 0), "Invalid input. One request may have 0 rows at most.");
}

TEST(ParseJsonTest, FillsGapsLikePandas) {
  const std::string body =
      R"({"dataframe_records":[{"d":1,"l":1,"s":"x","b":true,"t":"2020-01-02","day":"2020-01-02"},)"
      R"({"l":2,"b":false,"o":5}]})";
  EXPECT_EQ(Json(body), R"([[1.0,1,"x",true,"2020-01-02T00:00:00","2020-01-02",null],)"
                        R"([null,2,null,false,null,null,5]])");
  // `instances` wants every required column in every row.
  std::string instances = body;
  instances.replace(instances.find("dataframe_records"), 17, "instances");
  EXPECT_EQ(Json(instances),
            "Invalid input. The length of values for each input/column name are not the same");
  // Of two members of one name the last counts, as in Python.
  EXPECT_EQ(Json(RecordWith("d", "9, \"d\": 1.5")), kGood);
}

TEST(ParseJsonTest, ASingleColumnNeedsNoName) {
  const model::Signature one{.inputs = {{.name = "x", .type = ColumnType::kDouble}}};
  for (const char* body : {R"({"inputs":[1,2.5]})", R"({"instances":[1,2.5]})",
                           R"({"dataframe_split":{"columns":["x"],"data":[1,2.5]}})"}) {
    const auto request = ParseJsonRequest(one, body, kManyRows);
    ASSERT_TRUE(request.ok()) << request.error().message();
    EXPECT_EQ(model::PrintSplitJson(*request->rows).value(),
              R"({"columns":["x"],"data":[[1.0],[2.5]]})");
  }
}

TEST(ParseJsonTest, ReadsThePredictMethod) {
  const std::string row = RecordWith("d", "1");
  const auto wants = [&](std::string params) {
    const std::string body = row.substr(0, row.size() - 1) + ",\"params\":" + params + "}";
    const auto request = ParseJsonRequest(TestSignature(), body, kManyRows);
    EXPECT_TRUE(request.ok()) << request.error().message();
    return request->wants_probabilities;
  };
  EXPECT_TRUE(wants(R"({"predict_method":"predict_proba"})"));
  EXPECT_FALSE(wants(R"({"predict_method":"predict"})"));
  EXPECT_FALSE(wants(R"({"something":1})"));
  EXPECT_FALSE(wants("null"));
}

// The short way is used for the usual request, and never differs.
TEST(ParseUsualTest, TakesTheUsualRequests) {
  const model::Signature signature = TestSignature();
  for (
      const std::string& body : std::vector<std::string>{
          RecordWith("d", "-1.25e-3"), RecordWith("s", "null"), RecordWith("zz", "1"),
          std::string(R"({"dataframe_split":{"columns":["o","day","t","b","s","extra","l","d"],)"
                      R"("data":[[null,"2020-01-02","2020-01-02",false,"x",7,1,0.5],)"
                      R"([1,"2020-01-02",null,true,"",null,-5,3]]}})"),
          std::string(
              R"( { "dataframe_split" : { "columns" : ["o","day","t","b","s","l","d"] , "data" : [ ] } } )")}) {
    EXPECT_TRUE(ParseUsualJsonRequest(signature, body, kManyRows)) << body;
    Json(body);
  }
}

TEST(ParseUsualTest, NeverDiffersFromTheFullParser) {
  const std::vector<std::string> values = {"1",
                                           "-1",
                                           "0",
                                           "-0",
                                           "-0.0",
                                           "01",
                                           "1.",
                                           ".5",
                                           "1e5",
                                           "1E+2",
                                           "1e400",
                                           "1e-400",
                                           "9223372036854775807",
                                           "9223372036854775808",
                                           "NaN",
                                           "Infinity",
                                           "null",
                                           "nul",
                                           "true",
                                           "false",
                                           "\"\"",
                                           "\"x\"",
                                           "\"1\"",
                                           "\"a\\u0041\"",
                                           "\"\\n\"",
                                           "\"é\"",
                                           "\"\xff\"",
                                           "\"a\nb\"",
                                           "[1]",
                                           "{}",
                                           "\"2020-01-02\"",
                                           "\"2020-01-02T10:00:00\"",
                                           "",
                                           "+1",
                                           "1 2",
                                           "0x1",
                                           "1.5.5",
                                           "\"unterminated",
                                           "\"\x7f\""};
  for (const char* column : {"d", "l", "s", "b", "t", "day", "o", "none"}) {
    for (const std::string& value : values) Json(RecordWith(column, value));
  }
  // Random damage to good requests.
  Random random(11);
  const std::vector<std::string> seeds = {
      RecordWith("d", "1"),
      R"({"dataframe_split":{"columns":["d","l","s","b","t","day","o"],"data":)" +
          std::string(kGood) + "}}"};
  constexpr std::string_view kBytes = "\"\\{}[]:,01.e-+ntf \xc3";
  for (int i = 0; i < 20'000; ++i) {
    std::string body = seeds[random.NextBelow(seeds.size())];
    for (uint64_t edits = 1 + random.NextBelow(3); edits > 0; --edits) {
      const size_t at = random.NextBelow(body.size());
      switch (random.NextBelow(3)) {
        case 0: body[at] = kBytes[random.NextBelow(kBytes.size())]; break;
        case 1: body.erase(at, 1 + random.NextBelow(4)); break;
        default: body.insert(at, 1, kBytes[random.NextBelow(kBytes.size())]);
      }
      if (body.empty()) body = "{";
    }
    Json(body);
  }
}

TEST(ParseCsvTest, ReadsTypedColumns) {
  const std::string header = "d,l,s,b,t,day,o\n";
  EXPECT_EQ(Csv(header + "1.5,3,x,True,2020-01-02,2020-01-02,4\n"), kGood);
  EXPECT_EQ(Csv("\xEF\xBB\xBF" + header + "1.5,3,x,true,2020-01-02 00:00:00,2020-01-02,4.0"),
            kGood);
  EXPECT_EQ(
      Csv("o,extra,d,l,s,b,t,day\r\n4,\"a,\r\nb\",1.5,3,\"x\",1,2020-01-02,2020-01-02\r\n\r\n"),
      kGood);
  EXPECT_EQ(Csv("d,l,s,b,t,day\n,3,\"a\"\"b, c\",False,NaT?,2020-01-02\n").substr(0, 6), "line 2");
  EXPECT_EQ(Csv("d,l,s,b,t,day\nNA,3,\"a\"\"b, c\",False,,2020-01-02\n"),
            R"([[null,3,"a\"b, c",false,null,"2020-01-02",null]])");
  EXPECT_EQ(Csv(header), "[]");
}

TEST(ParseCsvTest, SaysWhatIsWrong) {
  const std::string header = "d,l,s,b,t,day,o\n";
  const auto error = [](const std::string& why) {
    return "Failed to parse input as a Pandas DataFrame. Ensure that the input is a valid "
           "CSV-formatted Pandas DataFrame produced using the `pandas.DataFrame.to_csv()` method. "
           "Error: '" +
           why + "'";
  };
  EXPECT_EQ(Csv(""), error("No columns to parse from file"));
  EXPECT_EQ(Csv("\n\n"), error("No columns to parse from file"));
  EXPECT_EQ(Csv(header + "1,2\n"), error("Expected 7 fields in line 2, saw 2"));
  EXPECT_EQ(Csv(header + "\n1,2,3,4,5,6,7,8\n"), error("Expected 7 fields in line 3, saw 8"));
  EXPECT_EQ(Csv(header + "1,2,\"x"), error("the quote in line 2 does not end"));
  EXPECT_EQ(Csv(header + "1,2,\"x\"y,true,,,\n"), error("text after a closing quote in line 2"));
  EXPECT_EQ(Csv("d,d\n1,2\n"), error("the column 'd' is there twice"));
  EXPECT_NE(Csv("d,l\n1,2\n").find("Model is missing inputs ['s', 'b', 't', 'day']."),
            std::string::npos);
  EXPECT_EQ(Csv(header + "abc,3,x,true,,2020-01-02,\n"),
            "line 2: " + FailedToConvert("d", "float64", "\"abc\" is no double"));
  EXPECT_NE(Csv(header + "1,,x,true,,2020-01-02,\n").find("a missing value is no int64"),
            std::string::npos);
  EXPECT_EQ(Csv(header + "1,3,\xff,true,,2020-01-02,\n"),
            "Invalid input. Ensure that input is a valid UTF-8 encoded string.");
  EXPECT_EQ(Csv(header + "1.5,3,x,True,2020-01-02,2020-01-02,4\n", 0),
            error("one request may have 0 rows at most"));
}

}  // namespace
}  // namespace sluice::serve::internal
