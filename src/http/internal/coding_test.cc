#include "http/internal/coding.h"

#include <gtest/gtest.h>
#include <zstd.h>

namespace sluice::http::internal {
namespace {

std::string MakeText(size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i)
    text += "{\"key\": \"metric" + std::to_string(i) + "\"},";
  return text.substr(0, size);
}

std::string Gunzip(std::string bytes) {
  EXPECT_TRUE(DecodeGzip(bytes, 1 << 30, [](int64_t) { return Ok(); }).ok());
  return bytes;
}

class PieceSource final : public BodySource {
 public:
  PieceSource(std::string bytes, size_t piece) : bytes_(std::move(bytes)), piece_(piece) {}
  Result<size_t> Read(std::span<char> into) override {
    const size_t count = bytes_.copy(into.data(), std::min(piece_, into.size()), used_);
    used_ += count;
    return count;
  }

 private:
  const std::string bytes_;
  const size_t piece_;
  size_t used_ = 0;
};

TEST(CodingTest, ChoosesByWeight) {
  const std::vector<std::pair<std::string, Coding>> cases = {
      {"", Coding::kIdentity},
      {"gzip", Coding::kGzip},
      {"gzip, deflate, br, zstd", Coding::kZstd},
      {"gzip, deflate", Coding::kGzip},
      {"GZIP;q=0.5 , zstd ; q=0.4", Coding::kGzip},
      {"gzip;q=0, zstd;q=0.0", Coding::kIdentity},
      {"gzip;q=0.5, identity", Coding::kIdentity},
      {"gzip;q=1, identity;q=0.5", Coding::kGzip},
      {"*", Coding::kZstd},
      {"*;q=0", Coding::kIdentity},
      {"gzip;q=1.0, *;q=0", Coding::kGzip},
      {"zstd;q=0, *", Coding::kGzip},
      {"identity", Coding::kIdentity},
      {"br", Coding::kIdentity},
      {"gzip;q=2", Coding::kIdentity},
      {"gzip;q=x", Coding::kIdentity},
      {"gzip;x=1", Coding::kIdentity},
      {",,;q=1,", Coding::kIdentity},
  };
  for (const auto& [field, coding] : cases) EXPECT_EQ(ChooseCoding(field), coding) << field;
}

TEST(CodingTest, RoundTrips) {
  const std::string text = MakeText(300'000);
  const std::string gzip = Compress(Coding::kGzip, text).value();
  EXPECT_LT(gzip.size(), text.size() / 3);
  EXPECT_TRUE(Gunzip(gzip) == text);
  EXPECT_TRUE(Gunzip(gzip + gzip) == text + text);  // members
  const std::string zstd = Compress(Coding::kZstd, text).value();
  std::string back(text.size(), '\0');
  EXPECT_EQ(ZSTD_decompress(back.data(), back.size(), zstd.data(), zstd.size()), text.size());
  EXPECT_TRUE(back == text);
  EXPECT_FALSE(Compress(Coding::kGzip, "x").has_value());  // it would only grow
  for (size_t piece : {size_t{1}, size_t{1000}, size_t{1 << 20}}) {
    PieceSource coded(gzip + gzip, piece);
    const auto source = MakeGzipSource(coded, 1 << 20);
    std::string out;
    std::string buffer(777, '\0');
    while (true) {
      const Result<size_t> count = source->Read(buffer);
      ASSERT_TRUE(count.ok()) << count.error().message();
      if (*count == 0) break;
      out.append(buffer, 0, *count);
    }
    EXPECT_TRUE(out == text + text) << piece;
  }
}

TEST(CodingTest, BombsAndBrokenStreamsAreErrors) {
  const std::string bomb = Compress(Coding::kGzip, std::string(50 << 20, 'a')).value();
  EXPECT_LT(bomb.size(), size_t{1} << 20);
  int64_t reserved_bytes = 0;
  std::string bytes = bomb;
  const Status decoded = DecodeGzip(bytes, 1 << 20, [&](int64_t more) {
    reserved_bytes += more;
    return Ok();
  });
  EXPECT_EQ(decoded.error().code(), ErrorCode::kResourceExhausted);
  EXPECT_LT(reserved_bytes, 8 << 20);
  PieceSource coded(bomb, 1000);
  const auto source = MakeGzipSource(coded, 1 << 20);
  std::string buffer(100'000, '\0');
  Result<size_t> count = size_t{1};
  while (count.ok() && *count > 0) count = source->Read(buffer);
  ASSERT_FALSE(count.ok());
  EXPECT_EQ(count.error().code(), ErrorCode::kResourceExhausted);

  const std::string good = Compress(Coding::kGzip, MakeText(10'000)).value();
  std::string flipped = good;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x55);
  for (const std::string& bad :
       {std::string("plain text"), good.substr(0, 100), good.substr(0, good.size() - 1), flipped,
        good + "trailing rubbish"}) {
    std::string copy = bad;
    const Status status = DecodeGzip(copy, 1 << 20, [](int64_t) { return Ok(); });
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code(), ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace sluice::http::internal
