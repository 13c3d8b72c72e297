#include "http/internal/loop.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "http/internal/connection.h"
#include "http/ranges.h"

namespace sluice::http::internal {

ServerState::ServerState(ServerOptions server_options, Router routes)
    : options(std::move(server_options)),
      router(std::move(routes)),
      handlers({.name = "http",
                .thread_count = options.handler_thread_count,
                .queue_capacity = options.handler_queue_capacity}),
      transfers({.name = "http-transfer",
                 .thread_count = options.transfer_thread_count,
                 .queue_capacity = options.transfer_queue_capacity + options.connection_count_max}),
      files({.name = "http-file",
             .thread_count = options.file_thread_count,
             .queue_capacity = options.connection_count_max}) {}

Loop::Loop(ServerState& server, size_t index)
    : server_(server), index_(index), io_(1), work_(io_.get_executor()), sweep_timer_(io_) {}

Loop::~Loop() = default;

void Loop::Start() {
  ScheduleSweep();
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "http-loop");
}

void Loop::Run() {
  while (true) {
    try {
      io_.run();
      return;
    } catch (const std::exception& error) {
      // Memory ran out, say. The connection concerned is closed by its deadline; the others go on.
      Log(LogLevel::kError, "http event loop: {}", error.what());
    }
  }
}

void Loop::Stop(int64_t drain_ms) {
  boost::asio::post(io_, [this, drain_ms] {
    if (drain_deadline_ns_ >= 0) return;
    drain_deadline_ns_ = SystemClock().MonotonicNs() + drain_ms * 1'000'000;
    Sweep();
  });
}

void Loop::Join() {
  if (thread_.joinable()) thread_.join();
}

void Loop::ScheduleSweep() {
  const ServerOptions& options = server_.options;
  const int64_t shortest_ms =
      std::min({options.idle_timeout_ms, options.header_timeout_ms, options.transfer_timeout_ms});
  const int64_t interval_ms =
      drain_deadline_ns_ >= 0 ? 2 : std::clamp<int64_t>(shortest_ms / 4, 5, 250);
  sweep_timer_.expires_after(std::chrono::milliseconds(interval_ms));
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Sweep();
  });
}

/// Deadlines are looked at in passing instead of each being a timer: arming one per request would
/// cost more than the rest of a small request's bookkeeping.
void Loop::Sweep() {
  const int64_t now_ns = SystemClock().MonotonicNs();
  const bool is_draining = drain_deadline_ns_ >= 0;
  const bool is_over = is_draining && now_ns >= drain_deadline_ns_;
  for (auto next = connections_.begin(); next != connections_.end();) {
    const std::shared_ptr<Connection> connection = *next++;  // closing takes it off the list
    if (is_over || (is_draining && connection->is_idle())) {
      connection->Close();
    } else {
      connection->CheckDeadline(now_ns);
    }
  }
  if (is_draining && connections_.empty()) {
    sweep_timer_.cancel();
    work_.reset();  // nothing is left to wait for: run() returns
    return;
  }
  ScheduleSweep();
}

const std::string& Loop::DateField() {
  const int64_t now_s = SystemClock().NowMs() / 1000;
  if (now_s != date_s_) {
    date_s_ = now_s;
    date_field_ = "Date: " + PrintHttpDate(now_s) + "\r\n";
  }
  return date_field_;
}

void Loop::Adopt(boost::asio::ip::tcp::socket socket) {
  if (drain_deadline_ns_ >= 0) return;  // the socket closes itself
  const bool is_full =
      server_.connection_count.load() >= static_cast<int64_t>(server_.options.connection_count_max);
  auto connection = std::make_shared<Connection>(*this, std::move(socket));
  connections_.push_front(connection);
  connection->Begin(connections_.begin(), is_full);
}

void Loop::Forget(Connections::iterator position) { connections_.erase(position); }

}  // namespace sluice::http::internal
