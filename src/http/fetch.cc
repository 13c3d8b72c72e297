#include "http/fetch.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <vector>

#include "base/guarded.h"
#include "http/internal/fetch_session.h"

namespace sluice::http {
namespace {

constexpr size_t kReadBytes = 64 << 10;

void InitialiseCurlOnce() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

class Fetcher::Impl : public std::enable_shared_from_this<Fetcher::Impl> {
 public:
  using Session = internal::FetchSession;

  explicit Impl(FetcherOptions options) : options_(std::move(options)) {}

  /// A session that is through with its transfer goes back to the shelf.
  struct Return {
    std::shared_ptr<Impl> impl;
    void operator()(Session* session) const { impl->Keep(std::unique_ptr<Session>(session)); }
  };
  using Loan = std::unique_ptr<Session, Return>;

  Result<Loan> Start(const FetchRequest& request, bool is_limited_to_head) {
    ASSIGN_OR_RETURN(const internal::Origin origin, internal::ParseOrigin(request.url));
    Loan session(Take(origin.Print()).release(), Return{shared_from_this()});
    RETURN_IF_ERROR(session->Start(request, options_, origin, is_limited_to_head));
    return session;
  }

 private:
  /// The one used last for the same origin, whose connection is the likeliest to be alive.
  std::unique_ptr<Session> Take(const std::string& origin) {
    std::unique_ptr<Session> found = kept_.With([&](auto& kept) -> std::unique_ptr<Session> {
      const auto last = std::find_if(kept.rbegin(), kept.rend(),
                                     [&](const auto& one) { return one->origin() == origin; });
      if (last == kept.rend()) return nullptr;
      std::unique_ptr<Session> session = std::move(*last);
      kept.erase(std::next(last).base());
      return session;
    });
    return found ? std::move(found) : std::make_unique<Session>();
  }

  void Keep(std::unique_ptr<Session> session) {
    session->Finish();
    // Closing connections says goodbye to servers: not under the lock.
    std::unique_ptr<Session> dropped;
    kept_.With([&](auto& kept) {
      kept.push_back(std::move(session));
      if (kept.size() <= options_.kept_connection_count_max) return;
      dropped = std::move(kept.front());
      kept.erase(kept.begin());
    });
  }

  const FetcherOptions options_;
  Guarded<std::vector<std::unique_ptr<Session>>> kept_;  ///< the last is the most recently used
};

namespace {

template <typename Loan>
class SessionBody final : public BodySource {
 public:
  explicit SessionBody(Loan session) : session_(std::move(session)) {}
  Result<size_t> Read(std::span<char> into) override { return session_->Read(into); }

 private:
  Loan session_;
};

}  // namespace

Fetcher::Fetcher(FetcherOptions options) {
  InitialiseCurlOnce();
  impl_ = std::make_shared<Impl>(std::move(options));
}
Fetcher::~Fetcher() = default;

Result<FetchResponse> Fetcher::Fetch(const FetchRequest& request) {
  ASSIGN_OR_RETURN(Impl::Loan session, impl_->Start(request, false));
  FetchResponse response{.status = session->status(), .headers = session->headers(), .body = {}};
  std::array<char, kReadBytes> buffer;
  while (true) {
    ASSIGN_OR_RETURN(const size_t count, session->Read(buffer));
    if (count == 0) return response;
    response.body.append(buffer.data(), count);
    if (static_cast<int64_t>(response.body.size()) > request.response_bytes_max) {
      return ResourceExhausted(session->origin() + ": the answer is larger than " +
                               std::to_string(request.response_bytes_max) + " bytes");
    }
  }
}

Result<FetchStream> Fetcher::Open(const FetchRequest& request) {
  ASSIGN_OR_RETURN(Impl::Loan session, impl_->Start(request, true));
  FetchStream stream;
  stream.status = session->status();
  stream.headers = session->headers();
  stream.size_bytes = session->size_bytes();
  stream.body = std::make_unique<SessionBody<Impl::Loan>>(std::move(session));
  return stream;
}

}  // namespace sluice::http
