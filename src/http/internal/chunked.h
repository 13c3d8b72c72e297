// The chunked transfer coding (RFC 9112, 7.1), decoded as the bytes come.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::http::internal {

/// Extensions are skipped and trailer fields dropped, both within limits. One thread at a time.
class ChunkDecoder {
 public:
  static constexpr size_t kChunkLineBytesMax = 1024;
  static constexpr size_t kTrailerBytesMax = 8 << 10;

  enum class State : uint8_t { kMore, kDone, kBad, kTooLarge };
  /// Advances `bytes` past framing and at most `data_bytes_max` > 0 bytes of data, which `data`
  /// then points to; empty `data` with kMore: `bytes` is used up. After kDone the rest of `bytes`
  /// belongs to the next message. Never kTooLarge.
  State Next(std::string_view& bytes, std::string_view& data, size_t data_bytes_max);
  /// Decodes from the front of `bytes`, which is advanced past what was used, and appends to
  /// `body`. kTooLarge: `body` would pass `body_bytes_max`, by what the chunk's size announces.
  State Feed(std::string_view& bytes, std::string& body, int64_t body_bytes_max);
  /// Of the chunk begun: data that is still to come. Outsiders' word, below 2^60.
  uint64_t remaining_bytes() const { return part_ == Part::kData ? remaining_bytes_ : 0; }

 private:
  enum class Part : uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailer,
    kTrailerLf
  };
  State FeedByte(char c);

  Part part_ = Part::kSize;
  uint64_t remaining_bytes_ = 0;  ///< of this chunk's data
  size_t digit_count_ = 0;
  size_t line_bytes_ = 0;
  size_t trailer_bytes_ = 0;
  bool is_last_ = false;
};

}  // namespace sluice::http::internal
