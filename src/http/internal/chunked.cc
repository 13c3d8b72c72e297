#include "http/internal/chunked.h"

#include <algorithm>

#include "http/internal/text.h"

namespace sluice::http::internal {

ChunkDecoder::State ChunkDecoder::Next(std::string_view& bytes, std::string_view& data,
                                       size_t data_bytes_max) {
  data = {};
  while (!bytes.empty()) {
    if (part_ == Part::kData) {
      const size_t count =
          static_cast<size_t>(std::min<uint64_t>({remaining_bytes_, bytes.size(), data_bytes_max}));
      data = bytes.substr(0, count);
      bytes.remove_prefix(count);
      remaining_bytes_ -= count;
      if (remaining_bytes_ == 0) part_ = Part::kDataCr;
      return State::kMore;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    const State state = FeedByte(c);
    if (state != State::kMore) return state;
  }
  return State::kMore;
}

ChunkDecoder::State ChunkDecoder::Feed(std::string_view& bytes, std::string& body,
                                       int64_t body_bytes_max) {
  const auto limit = static_cast<uint64_t>(body_bytes_max);
  while (true) {
    std::string_view data;
    const State state = Next(bytes, data, bytes.size());
    if (state != State::kMore) return state;
    if (data.size() + remaining_bytes() > limit - body.size()) return State::kTooLarge;
    if (data.empty()) return State::kMore;
    body.append(data);
  }
}

ChunkDecoder::State ChunkDecoder::FeedByte(char c) {
  switch (part_) {
    case Part::kSize:
      if (const int digit = HexValue(c); digit >= 0) {
        // Sixteen digits would already be more bytes than any body has.
        if (++digit_count_ > 15) return State::kBad;
        remaining_bytes_ = remaining_bytes_ * 16 + static_cast<uint64_t>(digit);
        return State::kMore;
      }
      if (digit_count_ == 0) return State::kBad;
      if (c == ';') {
        part_ = Part::kExtension;
        line_bytes_ = 0;
        return State::kMore;
      }
      if (c != '\r') return State::kBad;
      part_ = Part::kSizeLf;
      return State::kMore;
    case Part::kExtension:
      if (c == '\r') {
        part_ = Part::kSizeLf;
        return State::kMore;
      }
      return IsControl(c) || ++line_bytes_ > kChunkLineBytesMax ? State::kBad : State::kMore;
    case Part::kSizeLf:
      if (c != '\n') return State::kBad;
      is_last_ = remaining_bytes_ == 0;
      part_ = is_last_ ? Part::kTrailer : Part::kData;
      digit_count_ = 0;
      line_bytes_ = 0;
      return State::kMore;
    case Part::kDataCr: part_ = Part::kDataLf; return c == '\r' ? State::kMore : State::kBad;
    case Part::kDataLf: part_ = Part::kSize; return c == '\n' ? State::kMore : State::kBad;
    case Part::kTrailer:
      if (++trailer_bytes_ > kTrailerBytesMax) return State::kBad;
      if (c == '\r') {
        part_ = Part::kTrailerLf;
        return State::kMore;
      }
      // The first byte of a line must begin a field name: no folding here either.
      if (line_bytes_++ == 0 ? !IsTokenChar(c) : IsControl(c)) return State::kBad;
      return State::kMore;
    case Part::kTrailerLf:
      if (c != '\n') return State::kBad;
      if (line_bytes_ == 0) return State::kDone;
      line_bytes_ = 0;
      part_ = Part::kTrailer;
      return State::kMore;
    case Part::kData: break;  // handled by Feed
  }
  return State::kBad;
}

}  // namespace sluice::http::internal
