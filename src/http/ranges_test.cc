#include "http/ranges.h"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

const Representation kWhat = {.size_bytes = 1000, .etag = "\"abc\"", .modified_s = 784111777};

Selection Select(std::vector<std::pair<std::string, std::string>> fields,
                 const Representation& what = kWhat, Method method = Method::kGet) {
  Request request;
  request.method = method;
  for (auto& [name, value] : fields) request.headers.Add(std::move(name), std::move(value));
  return SelectRange(request, what);
}

std::string ContentRange(const Selection& selection) {
  const std::string* found = selection.headers.Find("Content-Range");
  return found ? *found : "";
}

TEST(RangesTest, SelectsOneRange) {
  struct Case {
    std::string range;
    int status;
    int64_t offset;
    int64_t size_bytes;
    std::string content_range;
  };
  const std::vector<Case> cases = {
      {"bytes=0-99", 206, 0, 100, "bytes 0-99/1000"},
      {"bytes=0-0", 206, 0, 1, "bytes 0-0/1000"},
      {"BYTES = 10-19", 206, 10, 10, "bytes 10-19/1000"},
      {"bytes=900-", 206, 900, 100, "bytes 900-999/1000"},
      {"bytes=900-5000", 206, 900, 100, "bytes 900-999/1000"},
      {"bytes=-100", 206, 900, 100, "bytes 900-999/1000"},
      {"bytes=-5000", 206, 0, 1000, "bytes 0-999/1000"},
      {"bytes=1000-", 416, 0, 0, "bytes */1000"},
      {"bytes=5000-6000", 416, 0, 0, "bytes */1000"},
      {"bytes=-0", 416, 0, 0, "bytes */1000"},
      // What is malformed, or asks for several, is answered with the whole.
      {"bytes=5-2", 200, 0, 1000, ""},
      {"bytes=0-1,5-6", 200, 0, 1000, ""},
      {"bytes=a-b", 200, 0, 1000, ""},
      {"bytes=--5", 200, 0, 1000, ""},
      {"bytes=1--5", 200, 0, 1000, ""},
      {"bytes=", 200, 0, 1000, ""},
      {"bytes", 200, 0, 1000, ""},
      {"lines=0-1", 200, 0, 1000, ""},
      {"bytes=99999999999999999999-", 200, 0, 1000, ""},
  };
  for (const Case& one : cases) {
    const Selection selection = Select({{"Range", one.range}});
    EXPECT_EQ(selection.status, one.status) << one.range;
    EXPECT_EQ(selection.offset, one.offset) << one.range;
    EXPECT_EQ(selection.size_bytes, one.size_bytes) << one.range;
    EXPECT_EQ(ContentRange(selection), one.content_range) << one.range;
    EXPECT_EQ(*selection.headers.Find("Accept-Ranges"), "bytes");
  }
  EXPECT_EQ(Select({{"Range", "bytes=0-9"}}, kWhat, Method::kHead).status, 200);
  EXPECT_EQ(Select({{"Range", "bytes=0-"}}, {.size_bytes = 0}).status, 416);
  EXPECT_EQ(Select({{"Range", "bytes=-1"}}, {.size_bytes = 0}).status, 416);
}

TEST(RangesTest, Preconditions) {
  const std::string date = "Sun, 06 Nov 1994 08:49:37 GMT";
  const std::string earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
  const std::vector<std::pair<std::vector<std::pair<std::string, std::string>>, int>> cases = {
      {{{"If-None-Match", "\"abc\""}}, 304},
      {{{"If-None-Match", "W/\"abc\""}}, 304},
      {{{"If-None-Match", "\"x,y\", \"abc\""}}, 304},
      {{{"If-None-Match", "*"}}, 304},
      {{{"If-None-Match", "\"x\""}}, 200},
      {{{"If-None-Match", "abc"}}, 200},
      {{{"If-None-Match", "\"x\""}, {"If-Modified-Since", date}}, 200},
      {{{"If-Modified-Since", date}}, 304},
      {{{"If-Modified-Since", earlier}}, 200},
      {{{"If-Modified-Since", "yesterday"}}, 200},
      {{{"If-Match", "\"abc\""}}, 200},
      {{{"If-Match", "W/\"abc\""}}, 412},
      {{{"If-Match", "\"x\""}}, 412},
      {{{"If-Unmodified-Since", earlier}}, 412},
      {{{"If-Unmodified-Since", date}}, 200},
      {{{"Range", "bytes=0-9"}, {"If-Range", "\"abc\""}}, 206},
      {{{"Range", "bytes=0-9"}, {"If-Range", "\"x\""}}, 200},
      {{{"Range", "bytes=0-9"}, {"If-Range", "W/\"abc\""}}, 200},
      {{{"Range", "bytes=0-9"}, {"If-Range", date}}, 206},
      {{{"Range", "bytes=0-9"}, {"If-Range", earlier}}, 200},
      {{{"Range", "bytes=0-9"}, {"If-None-Match", "\"abc\""}}, 304},
  };
  for (const auto& [fields, status] : cases) {
    EXPECT_EQ(Select(fields).status, status) << fields[0].first << ": " << fields[0].second;
  }
  EXPECT_EQ(*Select({}).headers.Find("ETag"), "\"abc\"");
  EXPECT_EQ(*Select({}).headers.Find("Last-Modified"), date);
}

TEST(RangesTest, DatesInAllThreeForms) {
  EXPECT_EQ(PrintHttpDate(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994"), 784111777);
  for (const char* bad : {"", "0", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49:37 GMT+1"}) {
    EXPECT_EQ(ParseHttpDate(bad), std::nullopt) << bad;
  }
}

TEST(ContentDispositionTest, QuotesAndEncodesByNeed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a.txt", "attachment; filename=a.txt"},
      {"a b.txt", "attachment; filename=\"a b.txt\""},
      {"a\"b", "attachment; filename=\"a\\\"b\""},
      {"..\\x/y\r\nZ: 1", "attachment; filename=\".._x_y__Z: 1\""},
      {"\xC3\xA4\xE4\xBD\xA0.txt",
       "attachment; filename=\"__.txt\"; filename*=UTF-8''%C3%A4%E4%BD%A0.txt"},
      {"100%.txt", "attachment; filename=100%.txt"},
      {"a b%20", "attachment; filename=\"a b%20\"; filename*=UTF-8''a%20b%2520"},
      {"", "attachment; filename=\"\""},
  };
  for (const auto& [name, want] : cases) EXPECT_EQ(ContentDisposition(name), want);
  EXPECT_EQ(ContentDisposition("a", "inline"), "inline; filename=a");
}

}  // namespace
}  // namespace sluice::http
