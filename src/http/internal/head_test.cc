#include "http/internal/head.h"

#include <gtest/gtest.h>

#include "http/internal/chunked.h"

namespace sluice::http::internal {
namespace {

/// The status a head is refused with; 0 if it is taken.
int StatusOf(std::string_view text, Head* out = nullptr) {
  size_t scan = 0;
  const size_t end = FindHeadEnd(text, scan);
  if (end == std::string_view::npos) return 400;
  if (end == 0) return -1;
  Head head;
  const auto refusal = ParseHead(text.substr(0, end), head);
  if (out) *out = head;
  return refusal ? refusal->status : 0;
}

TEST(HeadTest, TakesAnOrdinaryRequest) {
  Head head;
  ASSERT_EQ(
      StatusOf("POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nX:  y z \t\r\n\r\n", &head),
      0);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/a?b");
  EXPECT_EQ(head.content_length, 12);
  EXPECT_FALSE(head.is_chunked);
  EXPECT_TRUE(head.is_keep_alive);
  EXPECT_EQ(*head.headers.Find("x"), "y z");
}

TEST(HeadTest, KeepsConnectionsAliveByVersion) {
  const auto is_kept = [](std::string_view text) {
    Head head;
    EXPECT_EQ(StatusOf(text, &head), 0) << text;
    return head.is_keep_alive;
  };
  EXPECT_TRUE(is_kept("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_FALSE(is_kept("GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n"));
  EXPECT_FALSE(is_kept("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(is_kept("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
}

// The shapes by which requests are smuggled, and what else two parsers may read in two ways.
TEST(HeadTest, RefusesAmbiguousHeads) {
  struct Case {
    std::string rest;  ///< after "POST / HTTP/1.1\r\nHost: x\r\n"
    int status;
  };
  const std::vector<Case> cases = {
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", 400},
      {"Content-Length: 5\r\ncontent-length: 6\r\n", 400},
      {"Content-Length: 5, 5\r\n", 400},
      {"Content-Length: +5\r\n", 400},
      {"Content-Length: -5\r\n", 400},
      {"Content-Length: -0\r\n", 400},
      {"Content-Length: 0x5\r\n", 400},
      {"Content-Length: 5 5\r\n", 400},
      {"Content-Length: \r\n", 400},
      {"Content-Length: 99999999999999999999\r\n", 400},
      {"Content-Length : 5\r\n", 400},
      {"Content-Length\t: 5\r\n", 400},
      {" Content-Length: 5\r\n", 400},
      {"X: a\r\n b\r\n", 400},
      {"X: a\r\n\tb\r\n", 400},
      {"X: a\nY: b\r\n", 400},
      {"X: a\rY: b\r\n", 400},
      {std::string("X: a\0b\r\n", 8), 400},
      {"X: a\x01\r\n", 400},
      {"X: a\x7f\r\n", 400},
      {"X\r\n", 400},
      {": a\r\n", 400},
      {"X Y: a\r\n", 400},
      {"X(: a\r\n", 400},
      {"Transfer-Encoding: gzip\r\n", 501},
      {"Transfer-Encoding: gzip, chunked\r\n", 501},
      {"Transfer-Encoding: chunked, chunked\r\n", 501},
      {"Transfer-Encoding: xchunked\r\n", 501},
      {"Transfer-Encoding: \"chunked\"\r\n", 501},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding:\x0b"
       "chunked\r\n",
       400},
      {"Transfer-Encoding\r\n: chunked\r\n", 400},
      {"Host: y\r\n", 400},
      {"Expect: 200-ok\r\n", 417},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nHost: x\r\n" + one.rest + "\r\n"), one.status)
        << one.rest;
  }
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: CHUNKED\r\n\r\n"), 0);
  EXPECT_EQ(StatusOf("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(HeadTest, RefusesBadRequestLines) {
  const std::vector<std::pair<std::string, int>> cases = {
      {"GET / HTTP/1.1\r\n\r\n", 400},  // no Host
      {"GET /\r\nHost: x\r\n\r\n", 400},
      {"GET\r\nHost: x\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
      {" GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
      {"GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505},
      {"GET / http/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/11\r\nHost: x\r\n\r\n", 400},
      {"PRI * HTTP/2.0\r\n\r\n", 505},
      {"GET / HTTP/1.1\nHost: x\n\n", 400},
  };
  for (const auto& [text, status] : cases) EXPECT_EQ(StatusOf(text), status) << text;
}

TEST(HeadTest, LimitsTheNumberOfFields) {
  std::string text = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (size_t i = 1; i < kFieldCountMax; ++i) text += "X: y\r\n";
  EXPECT_EQ(StatusOf(text + "\r\n"), 0);
  EXPECT_EQ(StatusOf(text + "X: y\r\n\r\n"), 431);
}

TEST(HeadTest, FindsTheEndHoweverTheBytesCome) {
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n\r\nrest";
  size_t scan = 0;
  for (size_t size = 0; size + 4 < text.size(); ++size) {
    EXPECT_EQ(FindHeadEnd(std::string_view(text).substr(0, size), scan), 0u) << size;
  }
  EXPECT_EQ(FindHeadEnd(text, scan), text.size() - 4);
}

struct Decoded {
  ChunkDecoder::State state;
  std::string body;
  std::string rest;
};

Decoded Decode(std::string_view text, size_t step, int64_t limit = 1000) {
  ChunkDecoder decoder;
  Decoded out{ChunkDecoder::State::kMore, {}, {}};
  while (!text.empty() && out.state == ChunkDecoder::State::kMore) {
    std::string_view part = text.substr(0, step);
    const size_t size = part.size();
    out.state = decoder.Feed(part, out.body, limit);
    text.remove_prefix(size - part.size());
  }
  out.rest = text;
  return out;
}

TEST(ChunkDecoderTest, DecodesHoweverTheBytesCome) {
  const std::string text =
      "4;ext=\"v\"\r\nWiki\r\n5\r\npedia\r\n0A\r\n0123456789\r\n000\r\nTrailer: x\r\n\r\nNEXT";
  for (size_t step = 1; step <= text.size(); ++step) {
    const Decoded decoded = Decode(text, step);
    EXPECT_EQ(decoded.state, ChunkDecoder::State::kDone) << step;
    EXPECT_EQ(decoded.body, "Wikipedia0123456789") << step;
    EXPECT_EQ(decoded.rest, "NEXT") << step;
  }
}

TEST(ChunkDecoderTest, RefusesMalformedFraming) {
  const std::vector<std::string> bad = {
      "\r\n",
      "x\r\n",
      "-1\r\n",
      "+1\r\n",
      "0x1\r\n",
      " 1\r\na\r\n",
      "1 \r\na\r\n",
      "1\na\n",
      "1\r\nab\r\n",
      "1\r\na\n",
      "1\r\na\rb",
      ";x\r\n",
      "1;a\nb\r\n",
      std::string("1;a\0\r\n", 6),
      "0000000000000001\r\na\r\n",
      "FFFFFFFFFFFFFFFF\r\n",
      "0\r\n folded\r\n\r\n",
      "0\r\nA: b\n\r\n",
      "0\r\nA: \x01\r\n\r\n",
      "0\r\n\rx",
      "1;" + std::string(2000, 'a') + "\r\n",
      "0\r\n" + std::string(10'000, 'a'),
  };
  for (const std::string& text : bad) {
    for (size_t step : {size_t{1}, size_t{3}, text.size()}) {
      EXPECT_EQ(Decode(text, step).state, ChunkDecoder::State::kBad) << text.substr(0, 40);
    }
  }
}

TEST(ChunkDecoderTest, StopsAtTheLimitBeforeTakingTheData) {
  EXPECT_EQ(Decode("3\r\nabc\r\n0\r\n\r\n", 100, 3).state, ChunkDecoder::State::kDone);
  EXPECT_EQ(Decode("4\r\n", 100, 3).state, ChunkDecoder::State::kTooLarge);
  EXPECT_EQ(Decode("2\r\nab\r\n2\r\n", 100, 3).state, ChunkDecoder::State::kTooLarge);
  EXPECT_EQ(Decode("FFFFFFFFFFFFFFF\r\n", 100, 3).state, ChunkDecoder::State::kTooLarge);
}

}  // namespace
}  // namespace sluice::http::internal
