// One reply on its way out: the head, then a body from memory, a file or a source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/internal/transport.h"
#include "http/message.h"

namespace sluice::http::internal {

/// One thread at a time, not always the same.
class ReplyWriter {
 public:
  /// Where Step may run.
  enum class Place : uint8_t {
    kLoop,      ///< never blocks
    kFile,      ///< may wait for a disc
    kTransfer,  ///< may wait for as long as the source likes
  };
  enum class Progress : uint8_t {
    kDone,
    kAgain,  ///< a turn is over: others first, then Step again
    kWantRead,
    kWantWrite,
    kFailed,  ///< the connection is of no use any more
  };

  /// For the status line and all fields but the body's framing; empty, its memory kept from reply
  /// to reply.
  std::string& NewHead();
  struct Framing {
    bool is_announced = true;  ///< false where the status allows no body: no framing field either
    bool is_sent = true;       ///< false for HEAD: only announced
    int minor_version = 1;     ///< HTTP/1.0 has no chunks: there the connection's end is the body's
  };
  /// Completes the head that NewHead gave.
  void Begin(Response response, const Framing& framing);
  Place place() const { return place_; }
  int status() const { return response_.status; }

  /// Writes as much as goes without waiting for the client.
  Progress Step(Transport& transport);
  /// Drops the response, and closes its file or source. What is read below stays as it is.
  void End();

  int64_t written_bytes() const { return written_bytes_; }
  /// Of the body, without framing; of a piece under way as if it were out.
  int64_t body_bytes() const { return taken_bytes_; }
  /// Why it failed, if that was not the client's doing; for the log.
  const std::string& failure() const { return failure_; }

 private:
  Progress StepMemory(Transport& transport);
  Progress StepFile(Transport& transport);
  Progress StepSource(Transport& transport);
  /// Nothing once all of head_ and `body` is out, else why not.
  std::optional<Progress> Flush(Transport& transport, std::string_view body, bool has_more);
  /// Makes body_ the next piece; false on failure.
  bool Fill();

  Response response_;
  std::string head_;
  Place place_ = Place::kLoop;
  bool is_chunked_ = false;
  bool is_source_at_end_ = false;
  size_t flushed_bytes_ = 0;           ///< of head_ and what is flushed with it
  std::optional<int64_t> size_bytes_;  ///< of the body, where it is known
  int64_t taken_bytes_ = 0;            ///< of the body: from the file or the source
  int64_t written_bytes_ = 0;          ///< framing included
  std::vector<char> buffer_;
  std::string_view piece_;  ///< of buffer_: what is flushed now
  std::string failure_;
};

}  // namespace sluice::http::internal
