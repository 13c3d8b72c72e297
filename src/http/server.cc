#include "http/server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>

#include "base/log.h"
#include "http/internal/connection.h"
#include "http/internal/loop.h"
#include "http/internal/tls.h"
#include "http/internal/transport.h"
#include "http/metrics.h"

namespace sluice::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr int kAcceptRetryMs = 100;

Error ListenError(const ServerOptions& options, const error_code& error) {
  std::string message =
      fmt::format("listen on {}:{}: {}", options.host, options.port, error.message());
  if (error == asio::error::address_in_use) {
    return Unavailable(std::move(message) + "; choose another port, or 0 for any free one");
  }
  if (error == asio::error::access_denied) return PermissionDenied(std::move(message));
  if (error.category() == asio::error::get_netdb_category()) return NotFound(std::move(message));
  return Unavailable(std::move(message));
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, Router router) : state_(std::move(options), std::move(router)) {
    for (size_t i = 0; i < std::max<size_t>(state_.options.loop_thread_count, 1); ++i) {
      loops_.push_back(std::make_unique<internal::Loop>(state_, i));
    }
    acceptor_ = std::make_unique<Tcp::acceptor>(loops_.front()->io());
    retry_timer_ = std::make_unique<asio::steady_timer>(loops_.front()->io());
  }

  void AttachMetrics() {
    std::vector<std::string> names;
    for (const Route& route : state_.router.routes()) names.push_back(route.name);
    state_.options.metrics->Attach(names, std::max<size_t>(state_.options.loop_thread_count, 1),
                                   [this] { return stats(); });
  }

  Stats stats() {
    return {.connection_count = state_.connection_count.load(),
            .request_count = state_.request_count.load(),
            .refused_count = state_.refused_count.load(),
            .handler_queue_count = static_cast<int64_t>(state_.handlers.QueuedCount()),
            .transfer_count = state_.transfer_count.load(),
            .buffered_body_bytes = state_.buffered_body_bytes.load()};
  }

  Status Listen() {
    const ServerOptions& options = state_.options;
    if (!options.tls_certificate_file.empty() || !options.tls_key_file.empty()) {
      ASSIGN_OR_RETURN(state_.tls,
                       internal::LoadServerTls(options.tls_certificate_file, options.tls_key_file));
    }
    error_code error;
    Tcp::resolver resolver(loops_.front()->io());
    const auto found = resolver.resolve(state_.options.host, std::to_string(state_.options.port),
                                        Tcp::resolver::passive, error);
    if (error) return ListenError(state_.options, error);
    const Tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
    if (error) return ListenError(state_.options, error);
    bound_ = acceptor_->local_endpoint(error);
    if (error) return ListenError(state_.options, error);
    if (options.metrics) AttachMetrics();
    Accept();
    for (auto& loop : loops_) loop->Start();
    return Ok();
  }

  /// On the first loop: takes one connection, gives it to the next loop in turn, and again.
  void Accept() {
    internal::Loop& loop = *loops_[next_loop_++ % loops_.size()];
    acceptor_->async_accept(loop.io(), [this, &loop](const error_code& error, Tcp::socket socket) {
      if (error == asio::error::operation_aborted || !acceptor_->is_open()) return;
      if (error) {
        // Out of file descriptors, most likely: trying again at once would spin.
        Log(LogLevel::kWarning, "http: accept: {}", error.message());
        retry_timer_->expires_after(std::chrono::milliseconds(kAcceptRetryMs));
        retry_timer_->async_wait([this](const error_code& wait_error) {
          if (!wait_error && acceptor_->is_open()) Accept();
        });
        return;
      }
      asio::post(loop.io(),
                 [&loop, moved = std::move(socket)]() mutable { loop.Adopt(std::move(moved)); });
      Accept();
    });
  }

  void Stop(int64_t drain_ms) {
    if (is_stopped_.exchange(true)) return;
    state_.is_stopping = true;
    asio::post(loops_.front()->io(), [this] {
      error_code ignored;
      acceptor_->close(ignored);
      retry_timer_->cancel();
    });
    for (auto& loop : loops_) loop->Stop(drain_ms);
    for (auto& loop : loops_) loop->Join();
    // Handlers still at work after the drain finish here; nobody reads their answers. Their sockets
    // are shut down, so none waits for a client.
    state_.handlers.Shutdown();
    state_.transfers.Shutdown();
    state_.files.Shutdown();
    if (state_.options.metrics) state_.options.metrics->Detach();
  }

  ~Impl() {
    Stop(0);
    // What a late handler posted dies with its loop, before the state that it refers to.
    acceptor_.reset();
    retry_timer_.reset();
    loops_.clear();
  }

  internal::ServerState state_;
  std::vector<std::unique_ptr<internal::Loop>> loops_;
  std::unique_ptr<Tcp::acceptor> acceptor_;
  std::unique_ptr<asio::steady_timer> retry_timer_;
  Tcp::endpoint bound_;
  size_t next_loop_ = 0;
  std::atomic<bool> is_stopped_ = false;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Router router) {
  const internal::BlockSigpipe block_sigpipe;  // inherited by every thread started here
  auto impl = std::make_unique<Impl>(std::move(options), std::move(router));
  // Loops that never started have no thread to join: a failure here just drops them.
  if (Status status = impl->Listen(); !status.ok()) {
    impl->is_stopped_ = true;
    return std::move(status).error();
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

uint16_t Server::port() const { return impl_->bound_.port(); }

std::string Server::url() const {
  const std::string address = impl_->bound_.address().to_string();
  return fmt::format("{}://{}:{}", impl_->state_.tls ? "https" : "http",
                     impl_->bound_.address().is_v6() ? "[" + address + "]" : address, port());
}

void Server::Stop(int64_t drain_ms) { impl_->Stop(drain_ms); }

Server::Stats Server::stats() const { return impl_->stats(); }

}  // namespace sluice::http
