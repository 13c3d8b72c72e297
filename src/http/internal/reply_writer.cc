#include "http/internal/reply_writer.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::http::internal {
namespace {

constexpr int64_t kBytesPerTurn = 8 << 20;
constexpr size_t kPieceBytes = 256 << 10;
constexpr size_t kSizeLineBytes = 18;  ///< sixteen digits, CR LF
constexpr std::string_view kLastChunk = "0\r\n\r\n";

using Progress = ReplyWriter::Progress;

Progress FromIo(IoState state) {
  switch (state) {
    case IoState::kWantRead: return Progress::kWantRead;
    case IoState::kWantWrite: return Progress::kWantWrite;
    default: return Progress::kFailed;
  }
}

}  // namespace

std::string& ReplyWriter::NewHead() {
  head_.clear();
  return head_;
}

void ReplyWriter::Begin(Response response, const Framing& framing) {
  response_ = std::move(response);
  place_ = Place::kLoop;
  is_chunked_ = false;
  is_source_at_end_ = false;
  flushed_bytes_ = 0;
  taken_bytes_ = 0;
  written_bytes_ = 0;
  piece_ = {};
  failure_.clear();
  size_bytes_ = response_.file     ? response_.file->size_bytes
                : response_.stream ? response_.stream_bytes
                                   : std::optional(static_cast<int64_t>(response_.body.size()));
  if (framing.is_announced) {
    if (size_bytes_) {
      fmt::format_to(std::back_inserter(head_), "Content-Length: {}\r\n", *size_bytes_);
    } else if (framing.minor_version > 0) {
      head_ += "Transfer-Encoding: chunked\r\n";
      is_chunked_ = true;
    }
  }
  head_ += "\r\n";
  if (!framing.is_announced || !framing.is_sent) {
    response_.body.clear();
    response_.file.reset();
    response_.stream.reset();
    size_bytes_ = 0;
  }
  if (response_.file) {
    place_ = Place::kFile;
  } else if (response_.stream) {
    place_ = Place::kTransfer;
  }
}

Progress ReplyWriter::Step(Transport& transport) {
  switch (place_) {
    case Place::kFile: return StepFile(transport);
    case Place::kTransfer: return StepSource(transport);
    case Place::kLoop: break;
  }
  return StepMemory(transport);
}

void ReplyWriter::End() {
  response_.body = std::string();
  response_.file.reset();
  response_.stream.reset();
  response_.headers = Headers();
  buffer_ = std::vector<char>();
}

std::optional<Progress> ReplyWriter::Flush(Transport& transport, std::string_view body,
                                           bool has_more) {
  const size_t total = head_.size() + body.size();
  while (flushed_bytes_ < total) {
    const size_t head_done = std::min(flushed_bytes_, head_.size());
    const IoOutcome outcome = transport.Write(std::string_view(head_).substr(head_done),
                                              body.substr(flushed_bytes_ - head_done), has_more);
    if (outcome.state != IoState::kOk) return FromIo(outcome.state);
    flushed_bytes_ += outcome.byte_count;
    written_bytes_ += static_cast<int64_t>(outcome.byte_count);
  }
  return std::nullopt;
}

/// Head and body in one system call where the kernel takes them.
Progress ReplyWriter::StepMemory(Transport& transport) {
  const std::optional<Progress> stopped = Flush(transport, response_.body, false);
  taken_bytes_ =
      flushed_bytes_ > head_.size() ? static_cast<int64_t>(flushed_bytes_ - head_.size()) : 0;
  return stopped.value_or(Progress::kDone);
}

Progress ReplyWriter::StepFile(Transport& transport) {
  const FileBody& body = *response_.file;
  if (const auto stopped = Flush(transport, {}, body.size_bytes > 0)) return *stopped;
  int64_t turn_bytes = 0;
  while (taken_bytes_ < body.size_bytes) {
    if (turn_bytes >= kBytesPerTurn) return Progress::kAgain;
    const int64_t wanted = std::min(body.size_bytes - taken_bytes_, kBytesPerTurn);
    const IoOutcome outcome = transport.SendFile(body.file.get(), body.offset + taken_bytes_,
                                                 static_cast<size_t>(wanted));
    if (outcome.state == IoState::kFileEnded) {
      failure_ = fmt::format("the file ended after {} of {} bytes", taken_bytes_, body.size_bytes);
      return Progress::kFailed;
    }
    if (outcome.state != IoState::kOk) return FromIo(outcome.state);
    taken_bytes_ += static_cast<int64_t>(outcome.byte_count);
    written_bytes_ += static_cast<int64_t>(outcome.byte_count);
    turn_bytes += static_cast<int64_t>(outcome.byte_count);
  }
  return Progress::kDone;
}

Progress ReplyWriter::StepSource(Transport& transport) {
  int64_t turn_bytes = 0;
  while (true) {
    // The head goes out with the first piece.
    if (!piece_.empty() || is_source_at_end_) {
      if (const auto stopped = Flush(transport, piece_, false)) return *stopped;
      head_.clear();
      flushed_bytes_ = 0;
      turn_bytes += static_cast<int64_t>(piece_.size());
      piece_ = {};
      if (is_source_at_end_) return Progress::kDone;
      if (turn_bytes >= kBytesPerTurn) return Progress::kAgain;
    }
    if (!Fill()) return Progress::kFailed;
  }
}

bool ReplyWriter::Fill() {
  if (buffer_.empty()) buffer_.resize(kSizeLineBytes + kPieceBytes + 2);
  size_t wanted = kPieceBytes;
  if (size_bytes_) {
    wanted = static_cast<size_t>(
        std::min<int64_t>(*size_bytes_ - taken_bytes_, static_cast<int64_t>(kPieceBytes)));
    if (wanted == 0) {
      is_source_at_end_ = true;
      return true;
    }
  }
  const Result<size_t> count =
      response_.stream->Read(std::span(buffer_).subspan(kSizeLineBytes, wanted));
  if (!count.ok()) {
    failure_ = count.error().message();
    return false;
  }
  if (*count == 0) {
    is_source_at_end_ = true;
    if (size_bytes_) {
      failure_ = fmt::format("the body ended after {} of {} bytes", taken_bytes_, *size_bytes_);
      return false;
    }
    if (is_chunked_) piece_ = kLastChunk;
    return true;
  }
  taken_bytes_ += static_cast<int64_t>(*count);
  char* begin = buffer_.data() + kSizeLineBytes;
  if (!is_chunked_) {
    piece_ = {begin, *count};
    return true;
  }
  const std::string size_line = fmt::format("{:x}\r\n", *count);
  std::copy(size_line.begin(), size_line.end(), begin - size_line.size());
  std::copy_n("\r\n", 2, begin + *count);
  piece_ = {begin - size_line.size(), size_line.size() + *count + 2};
  return true;
}

}  // namespace sluice::http::internal
