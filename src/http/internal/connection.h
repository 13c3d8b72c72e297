// One client's connection: reads and checks requests, has them answered, writes replies. A state
// machine moved only by its loop's thread; while a handler runs on the pool, that thread alone
// touches request and response.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/internal/chunked.h"
#include "http/internal/head.h"
#include "http/internal/loop.h"
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
  bool is_idle() const { return state_ == State::kHead && pending_.empty(); }
  void CheckDeadline(int64_t now_ns);
  void Close();

 private:
  enum class State : uint8_t {
    kHead,     ///< reading a head, or waiting for one
    kBody,     ///< reading a body
    kHandler,  ///< the pool is at work on request_
    kWrite,    ///< the client is slow to take the reply
    kLinger,   ///< all said; discarding what still comes, so that the reply is not lost to a reset
    kClosed,
  };

  void WaitReadable();
  void OnReadable();
  /// Moves on with `bytes` as far as they reach; what is left is kept in pending_.
  void Consume(std::string_view bytes);
  void ContinueWithPending();
  bool ConsumeHead(std::string_view& bytes);
  bool ConsumeBody(std::string_view& bytes);
  bool StartRequest();
  void SendContinue();
  void Dispatch();
  void RunHandler();
  void Reply();
  void ReplyNow(Response response);
  void Refuse(const Refusal& refusal);
  void WriteReplyHead();
  void Write();
  void OnWritten();
  void Linger();
  void SetDeadline(int64_t timeout_ms, int64_t byte_count);

  Loop& loop_;
  ServerState& server_;
  boost::asio::ip::tcp::socket socket_;
  Loop::Connections::iterator position_;
  std::string peer_;
  State state_ = State::kHead;
  bool is_consuming_ =
      false;              ///< inside Consume: a finished reply returns there instead of recursing
  std::string pending_;   ///< received and not yet used
  size_t head_scan_ = 0;  ///< FindHeadEnd's place in pending_
  int64_t deadline_ns_ = 0;
  int64_t phase_start_ns_ = 0;  ///< when this head, body or write began
  int64_t received_bytes_ = 0;  ///< of this body, framing included

  // The request being read or answered.
  Head head_;
  Request request_;
  Router::Match match_;
  Response response_;
  ChunkDecoder chunks_;
  int64_t body_bytes_max_ = 0;
  bool is_keep_alive_ = true;
  int64_t complete_ns_ = 0;

  std::string out_head_;
  size_t written_bytes_ = 0;
  bool is_body_sent_ = true;
};

}  // namespace sluice::http::internal
