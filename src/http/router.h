// The table of routes and how a path finds its row.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace sluice::http {

/// Must be thread-safe. What it throws is caught by the server: 500, with the request id and
/// nothing else.
using Handler = std::function<Response(const Request&)>;

/// One row. GET rows also answer HEAD (same fields, no body); OPTIONS is answered from the table.
struct Route {
  Method method = Method::kGet;
  /// "/runs/{id}/files/{path...}": literal segments, {name} for one segment (never empty), and as
  /// the last one {name...} for the rest, slashes included. A literal wins over {name}, {name} over
  /// {name...}.
  std::string pattern;
  Handler handler;
  std::string name;  ///< for logs and metrics: "serve.invocations"
  /// Requests with at most this many body bytes run on the event loop itself: no hand-over between
  /// threads, but every other connection of that loop waits. Only for work of some ten microseconds
  /// that never blocks; their answers are not compressed. Negative: never.
  int64_t inline_body_bytes_max = -1;
  /// Overrides the server's limit. Negative: the server's; kUnlimited: none.
  int64_t body_bytes_max = -1;
  /// The handler starts when the head is complete, on a thread of the transfer pool, and reads
  /// Request::body_stream itself. For uploads and for handlers that wait for another server: slow
  /// ones never keep ordinary requests from their pool.
  bool streams_body = false;
};
inline constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

/// Answers a request that no row answers, in the place of DefaultAnswer. `allow`: the methods of
/// the rows that have this path, "GET, HEAD, OPTIONS"; empty: no row has it. Runs on the handler
/// pool, with the request's body complete.
using Fallback = std::function<Response(const Request&, std::string_view allow)>;

/// 204 with Allow for OPTIONS of a path that some row has (and of "*"), 405 with Allow for other
/// methods, else 404 "No API found for 'GET /path'"; errors in MLflow's shape.
Response DefaultAnswer(const Request& request, std::string_view allow);

/// "//runs//get" → "/runs/get".
std::string MergeSlashes(std::string_view path);

/// Immutable once built, so thread-safe.
class Router {
 public:
  /// Bad or doubled patterns are a bug of the table's author (CHECK).
  explicit Router(std::vector<Route> routes, Fallback fallback = {});
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  struct Match {
    const Route* route = nullptr;  ///< null: no row for this method
    std::vector<std::pair<std::string, std::string>> path_params;
    /// For a path that some row has: the methods it answers, "GET, HEAD, OPTIONS". Empty: no row
    /// has the path. Only filled where `route` is null.
    std::string allow;
  };
  /// `path` is decoded. O(segments) for literal paths; at worst the nodes of the whole table's
  /// tree.
  Match Find(Method method, std::string_view path) const;

  const std::vector<Route>& routes() const;
  /// Empty if there is none.
  const Fallback& fallback() const { return fallback_; }

 private:
  struct Node;
  std::vector<Route> routes_;
  Fallback fallback_;
  std::unique_ptr<Node> root_;
};

}  // namespace sluice::http
