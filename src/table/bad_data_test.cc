// Every case of tests/e2e/bad_data/cases.json gets its message, and none a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/check.h"
#include "formats/json.h"
#include "io/fs.h"
#include "table/open.h"
#include "table/read.h"
#include "table/scan.h"
#include "table/testing/fixtures.h"

namespace sluice::table {
namespace {

using formats::Json;
using ::testing::HasSubstr;

const Json& Cases() {
  static const Json cases = [] {
    std::string path = SLUICE_SOURCE_DIR "/tests/e2e/bad_data/cases.json";
    return formats::ParseJson(io::RealFs().ReadFile(path).value(), {.file = path}).value();
  }();
  return cases;
}

std::string BytesOf(const Json& pieces) {
  std::string bytes;
  for (const Json& piece : pieces.AsArray()) {
    std::string part;
    if (const Json* hex = piece.Find("hex")) {
      const std::string& digits = hex->AsString();
      for (size_t i = 0; i < digits.size(); i += 2)
        part += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
    } else {
      part = piece.At("text").AsString();
    }
    for (int64_t n = piece.IntegerOr("times", 1); n > 0; --n) bytes += part;
  }
  return bytes;
}

std::vector<std::string> Strings(const Json& value) {
  std::vector<std::string> strings;
  for (const Json& item : value.AsArray()) strings.push_back(item.AsString());
  return strings;
}

ReadOptions OptionsOf(const Json& json) {
  ReadOptions options;
  const std::map<std::string, std::function<void(const Json&)>> setters = {
      {"delimiter", [&](const Json& v) { options.csv.delimiter = v.AsString()[0]; }},
      {"has_header", [&](const Json& v) { options.csv.has_header = v.AsBool(); }},
      {"column_names", [&](const Json& v) { options.csv.column_names = Strings(v); }},
      {"skip_line_count", [&](const Json& v) { options.csv.skip_line_count = v.AsInteger(); }},
      {"date_formats", [&](const Json& v) { options.csv.date_formats = Strings(v); }},
      {"decimal_point", [&](const Json& v) { options.csv.decimal_point = v.AsString()[0]; }},
      {"columns", [&](const Json& v) { options.columns = Strings(v); }},
      {"max_column_count", [&](const Json& v) { options.limits.max_column_count = v.AsInteger(); }},
      {"max_row_bytes", [&](const Json& v) { options.limits.max_row_bytes = v.AsInteger(); }},
      {"max_field_bytes", [&](const Json& v) { options.limits.max_field_bytes = v.AsInteger(); }},
      {"types",
       [&](const Json& v) {
         for (const auto& [name, type] : v.AsObject())
           options.types.emplace(name, FindColumnType(type.AsString()).value());
       }},
  };
  if (json.is_object()) {
    for (const auto& [key, value] : json.AsObject()) setters.at(key)(value);
  }
  return options;
}

/// What ReadTable says, without the folder's name.
std::string MessageOf(const std::string& path, const std::string& folder,
                      const ReadOptions& options) {
  Result<ReadOutcome> outcome = ReadTable({path}, options);
  if (outcome.ok()) return "no error";
  std::string message = outcome.error().ToString();
  for (size_t at = message.find(folder); at != std::string::npos; at = message.find(folder))
    message.erase(at, folder.size());
  return message;
}

TEST(BadDataTest, ThereAreEnoughCases) { EXPECT_GE(Cases().size(), 80u); }

TEST(BadDataTest, EveryCaseGetsItsMessage) {
  for (const Json& bad : Cases().AsArray()) {
    SCOPED_TRACE(bad.At("name").AsString());
    testing::ScratchFolder folder;
    std::string path = folder.Write(bad.At("file").AsString(), BytesOf(bad.At("content")));
    ReadOptions options = OptionsOf(bad.Find("options") != nullptr ? bad.At("options") : Json());
    std::string message = MessageOf(path, folder.Path(""), options);
    EXPECT_THAT(message, HasSubstr(bad.At("message").AsString()));
    // Small chunks on several threads say exactly the same.
    options.thread_count = 3;
    for (size_t chunk_bytes : {17, 4096}) {
      options.chunk_size_bytes = chunk_bytes;
      EXPECT_EQ(MessageOf(path, folder.Path(""), options), message) << "chunks of " << chunk_bytes;
    }
    // Setting rows aside must not crash either, whatever comes of it.
    options.bad_rows = BadRowPolicy::kSkip;
    MessageOf(path, folder.Path(""), options);
  }
}

TEST(BadDataTest, WhatIsNoFile) {
  testing::ScratchFolder folder;
  EXPECT_EQ(ReadTable({folder.Path("missing.csv")}).error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(ReadTable({folder.Path("missing.csv")}).error().message(),
              HasSubstr("missing.csv': No such file"));
  EXPECT_EQ(ReadTable({folder.Path("")}).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(ReadTable({folder.Path("")}).error().message(), HasSubstr("is not a regular file"));
  EXPECT_THAT(ReadTable({}).error().message(), HasSubstr("no files to read"));
  EXPECT_THAT(OpenTable(folder.Path("")).error().message(),
              HasSubstr("holds no table: it has no data.arrow"));
}

}  // namespace
}  // namespace sluice::table
