// One client's connection: reads and checks requests, has them answered, writes replies. A state
// machine moved only by its loop's thread. While a handler runs on a pool, that thread alone
// touches request and response; while the state is kTransfer, a pool's thread has the socket as
// well, and all the loop may do to it is Transport::Abort.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/internal/chunked.h"
#include "http/internal/coding.h"
#include "http/internal/head.h"
#include "http/internal/loop.h"
#include "http/internal/memory_claim.h"
#include "http/internal/reply_writer.h"
#include "http/internal/request_body.h"
#include "http/internal/transport.h"
#include "http/message.h"
#include "http/router.h"

namespace sluice::http::internal {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Loop& loop, boost::asio::ip::tcp::socket socket);
  ~Connection();

  /// `is_one_too_many`: the answer is 503 and goodbye, whatever the client says.
  void Begin(Loop::Connections::iterator position, bool is_one_too_many);
  /// Between requests, with nothing received.
  bool is_idle() const {
    return state_ == State::kHandshake || (state_ == State::kHead && pending_.empty());
  }
  void CheckDeadline(int64_t now_ns);
  void Close();

 private:
  enum class State : uint8_t {
    kHandshake,  ///< of TLS
    kHead,       ///< reading a head, or waiting for one
    kBody,       ///< reading a body
    kHandler,    ///< the handler pool is at work on request_
    kTransfer,   ///< a pool's thread has the socket, too: it reads the body or writes the reply
    kWrite,      ///< the client is slow to take the reply
    kLinger,  ///< all said; discarding what still comes, so that the reply is not lost to a reset
    kClosed,
  };

  // Reading.
  void ContinueHandshake();
  void WaitFor(IoState wanted, void (Connection::*then)());
  /// Reads on: at once if TLS has something left, else when the socket is readable.
  void WaitReadable();
  void OnReadable();
  /// Moves on with `bytes` as far as they reach; what is left is kept in pending_.
  void Consume(std::string_view bytes);
  void ContinueWithPending();
  bool ConsumeHead(std::string_view& bytes);
  bool ConsumeBody(std::string_view& bytes);
  bool StartRequest();
  void SendContinue();

  // Answering.
  void Dispatch();
  void StartStreaming(std::string_view& bytes);
  void RunHandler(bool may_compress);
  void RunStreamingHandler();
  void Reply();
  void ReplyNow(Response response);
  void Refuse(const Refusal& refusal);
  void WriteReplyHead();

  // Writing.
  void Write();
  void WriteOnPool(ThreadPool& pool);
  ReplyWriter::Progress StepReply();
  void AfterStep(ReplyWriter::Progress progress);
  void OnWritable();
  void OnWritten();
  void EndReply(bool is_complete);

  // Ending.
  void Linger();
  void DiscardInput();
  void SetDeadline(int64_t timeout_ms, int64_t byte_count);

  Loop& loop_;
  ServerState& server_;
  boost::asio::ip::tcp::socket socket_;
  Transport transport_;
  Loop::Connections::iterator position_;
  std::string peer_;
  State state_ = State::kHead;
  bool is_consuming_ =
      false;              ///< inside Consume: a finished reply returns there instead of recursing
  std::string pending_;   ///< received and not yet used
  size_t head_scan_ = 0;  ///< FindHeadEnd's place in pending_
  int64_t deadline_ns_ = 0;
  int64_t phase_start_ns_ = 0;  ///< when this head, body or linger began
  int64_t received_bytes_ = 0;  ///< of this body, framing included

  // The request being read or answered.
  Head head_;
  Request request_;
  Router::Match match_;
  Coding request_coding_ = Coding::kIdentity;
  ChunkDecoder chunks_;
  int64_t body_bytes_max_ = 0;
  MemoryClaim memory_;
  std::unique_ptr<RequestBody> body_;  ///< where the route streams
  bool is_keep_alive_ = true;
  bool is_transfer_counted_ = false;
  int64_t complete_ns_ = 0;
  int64_t request_bytes_ = 0;

  // Its reply.
  Response response_;  ///< until writer_ has it
  ReplyWriter writer_;
  bool is_reply_open_ = false;  ///< begun, and not yet in any log
  Patience patience_;
  int64_t wait_start_ns_ = 0;
};

}  // namespace sluice::http::internal
