#include "http/internal/request_body.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "base/clock.h"

namespace sluice::http::internal {
namespace {

constexpr size_t kRawBytes = 256 << 10;
constexpr size_t kSkipBytes = 32 << 10;

}  // namespace

RequestBody::RequestBody(Transport& transport, Options options)
    : transport_(transport), options_(std::move(options)) {
  is_complete_ = !options_.is_chunked && options_.content_length == 0;
}

Error RequestBody::Fail(Error error) {
  error_ = std::move(error);
  return *error_;
}

Result<size_t> RequestBody::Read(std::span<char> into) {
  CHECK(!into.empty());
  return ReadSome(into, true);
}

Result<size_t> RequestBody::ReadSome(std::span<char> into, bool waits) {
  if (error_) return *error_;
  if (is_complete_) return size_t{0};
  if (options_.expects_continue && waits) RETURN_IF_ERROR(SendContinue());
  Result<size_t> count = options_.is_chunked ? ReadChunked(into, waits) : ReadPlain(into, waits);
  if (count.ok()) read_bytes_ += static_cast<int64_t>(*count);
  return count;
}

/// A client that has begun to send does not wait for it any more.
Status RequestBody::SendContinue() {
  options_.expects_continue = false;
  if (!options_.buffered.empty()) return Ok();
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  // Nothing else is being written now, so the kernel's buffer has room for a line.
  const IoOutcome outcome = transport_.Write(kContinue, {});
  if (outcome.state != IoState::kOk || outcome.byte_count != kContinue.size()) {
    return Fail(Unavailable("the client went away before it sent the body"));
  }
  return Ok();
}

Result<size_t> RequestBody::ReadPlain(std::span<char> into, bool waits) {
  const auto missing = static_cast<size_t>(options_.content_length - read_bytes_);
  into = into.first(std::min(into.size(), missing));
  size_t count = std::min(into.size(), options_.buffered.size() - buffered_used_);
  if (count > 0) {
    std::memcpy(into.data(), options_.buffered.data() + buffered_used_, count);
    buffered_used_ += count;
  } else {
    ASSIGN_OR_RETURN(count, Receive(into, waits));
  }
  is_complete_ = count == missing;
  return count;
}

Result<size_t> RequestBody::ReadChunked(std::span<char> into, bool waits) {
  if (raw_.empty()) {
    raw_.resize(std::max(kRawBytes, options_.buffered.size()));
    std::memcpy(raw_.data(), options_.buffered.data(), options_.buffered.size());
    raw_end_ = options_.buffered.size();
  }
  size_t filled = 0;
  while (true) {
    std::string_view bytes(raw_.data() + raw_begin_, raw_end_ - raw_begin_);
    std::string_view data;
    ChunkDecoder::State state = ChunkDecoder::State::kMore;
    while (filled < into.size() && state == ChunkDecoder::State::kMore) {
      state = chunks_.Next(bytes, data, into.size() - filled);
      if (data.empty()) break;
      std::memcpy(into.data() + filled, data.data(), data.size());
      filled += data.size();
    }
    raw_begin_ = raw_end_ - bytes.size();
    if (state == ChunkDecoder::State::kBad) {
      return Fail(InvalidArgument("the chunked body is malformed"));
    }
    const auto allowed = static_cast<uint64_t>(options_.bytes_max - read_bytes_);
    if (filled > allowed || chunks_.remaining_bytes() > allowed - filled) {
      return Fail(ResourceExhausted("the body is larger than " +
                                    std::to_string(options_.bytes_max) + " bytes"));
    }
    is_complete_ = state == ChunkDecoder::State::kDone;
    if (filled > 0 || is_complete_) return filled;
    raw_begin_ = raw_end_ = 0;
    ASSIGN_OR_RETURN(raw_end_, Receive(raw_, waits));
    if (raw_end_ == 0) return size_t{0};
  }
}

Result<size_t> RequestBody::Receive(std::span<char> into, bool waits) {
  while (true) {
    const IoOutcome outcome = transport_.Read(into);
    switch (outcome.state) {
      case IoState::kOk:
        received_bytes_ += static_cast<int64_t>(outcome.byte_count);
        return outcome.byte_count;
      case IoState::kWantRead:
      case IoState::kWantWrite: break;
      default: return Fail(Unavailable("the client went away in the middle of the body"));
    }
    if (!waits) return size_t{0};
    const int64_t left_ns = options_.patience.LeftNs(received_bytes_);
    const int64_t start_ns = SystemClock().MonotonicNs();
    if (left_ns <= 0 ||
        !WaitForSocket(transport_.descriptor(), outcome.state, left_ns / 1'000'000 + 1)) {
      return Fail(Unavailable("the client sent the body too slowly"));
    }
    options_.patience.CountWait(SystemClock().MonotonicNs() - start_ns);
  }
}

void RequestBody::SkipWhatIsThere(int64_t bytes_max) {
  std::array<char, kSkipBytes> scratch;
  while (!is_complete_ && !error_ && bytes_max > 0) {
    const Result<size_t> count = ReadSome(scratch, false);
    if (!count.ok() || *count == 0) return;
    bytes_max -= static_cast<int64_t>(*count);
  }
}

std::string RequestBody::TakeRest() {
  CHECK(is_complete_);
  if (raw_.empty()) return options_.buffered.substr(buffered_used_);
  return std::string(raw_.data() + raw_begin_, raw_end_ - raw_begin_);
}

}  // namespace sluice::http::internal
