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
#include <string>
#include <thread>

#include "base/thread_pool.h"
#include "http/server.h"

namespace sluice::http::internal {

class Connection;

/// What all loops and connections of one server share.
struct ServerState {
  ServerState(ServerOptions server_options, Router routes)
      : options(std::move(server_options)),
        router(std::move(routes)),
        handlers({.name = "http",
                  .thread_count = options.handler_thread_count,
                  .queue_capacity = options.handler_queue_capacity}) {}

  const ServerOptions options;
  const Router router;
  ThreadPool handlers;
  std::atomic<bool> is_stopping = false;
  std::atomic<int64_t> connection_count = 0;
  std::atomic<int64_t> request_count = 0;
  std::atomic<int64_t> refused_count = 0;
};

class Loop {
 public:
  using Connections = std::list<std::shared_ptr<Connection>>;

  explicit Loop(ServerState& server);
  ~Loop();

  void Start();
  /// Thread-safe. See Server::Stop. Join waits for it.
  void Stop(int64_t drain_ms);
  void Join();

  boost::asio::io_context& io() { return io_; }
  ServerState& server() { return server_; }
  /// Bytes just read; free for reuse as soon as the reader returns.
  std::array<char, 64 << 10>& scratch() { return scratch_; }
  /// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", made anew once a second.
  const std::string& DateField();

  void Adopt(boost::asio::ip::tcp::socket socket);
  void Forget(Connections::iterator position);

 private:
  void Run();
  void ScheduleSweep();
  void Sweep();

  ServerState& server_;
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
