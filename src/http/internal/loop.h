// One event loop: a thread, its io_context and the connections it holds. Everything but Start, Stop
// and Join happens on the loop's own thread.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "base/thread_pool.h"
#include "http/internal/tls.h"
#include "http/server.h"

namespace sluice::http::internal {

class Connection;

/// What all loops and connections of one server share.
struct ServerState {
  /// The pools' threads take over that SIGPIPE is blocked in the calling one (BlockSigpipe).
  ServerState(ServerOptions server_options, Router routes);

  const ServerOptions options;
  const Router router;
  SslContext tls;  ///< null: plain HTTP
  ThreadPool handlers;
  /// Handlers that read their bodies, and replies' sources. Its queue has room for one task of
  /// every connection: only new streams are refused, by transfer_count.
  ThreadPool transfers;
  ThreadPool files;
  std::atomic<int64_t> transfer_count = 0;
  std::atomic<int64_t> buffered_body_bytes = 0;
  std::atomic<bool> is_stopping = false;
  std::atomic<int64_t> connection_count = 0;
  std::atomic<int64_t> request_count = 0;
  std::atomic<int64_t> refused_count = 0;
};

class Loop {
 public:
  using Connections = std::list<std::shared_ptr<Connection>>;

  Loop(ServerState& server, size_t index);
  ~Loop();

  void Start();
  /// Thread-safe. See Server::Stop. Join waits for it.
  void Stop(int64_t drain_ms);
  void Join();

  boost::asio::io_context& io() { return io_; }
  ServerState& server() { return server_; }
  size_t index() const { return index_; }  ///< among the server's loops
  /// Bytes just read; free for reuse as soon as the reader returns.
  std::span<char> scratch() { return scratch_; }
  /// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", made anew once a second.
  const std::string& DateField();

  void Adopt(boost::asio::ip::tcp::socket socket);
  void Forget(Connections::iterator position);

 private:
  void Run();
  void ScheduleSweep();
  void Sweep();

  ServerState& server_;
  const size_t index_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer sweep_timer_;
  Connections connections_;
  std::array<char, 64 << 10> scratch_;
  std::string date_field_;
  int64_t date_s_ = -1;
  int64_t drain_deadline_ns_ = -1;  ///< of MonotonicNs; negative while not stopping
  std::thread thread_;
};

}  // namespace sluice::http::internal
