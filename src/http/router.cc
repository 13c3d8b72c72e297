#include "http/router.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/check.h"

namespace sluice::http {

/// A tree over path segments. `rows` holds the routes that end here, one per method at most.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> param;  ///< {name}
  std::unique_ptr<Node> rest;   ///< {name...}
  std::vector<size_t> rows;
};

namespace {

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> segments;
  path.remove_prefix(1);
  while (true) {
    const size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool IsParam(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}
bool IsRest(std::string_view segment) { return IsParam(segment) && segment.ends_with("...}"); }

/// "id" of "{id}" and of "{id...}".
std::string_view ParamName(std::string_view segment) {
  segment = segment.substr(1, segment.size() - 2);
  return segment.ends_with("...") ? segment.substr(0, segment.size() - 3) : segment;
}

}  // namespace

Response DefaultAnswer(const Request& request, std::string_view allow) {
  Response response;
  if (allow.empty() && request.path != "*") {
    return ErrorResponse(
        404, "ENDPOINT_NOT_FOUND",
        "No API found for '" + std::string(MethodName(request.method)) + " " + request.path + "'");
  }
  if (request.method == Method::kOptions) {
    response.status = 204;
  } else {
    response =
        ErrorResponse(405, "METHOD_NOT_ALLOWED",
                      request.path + " does not answer " + std::string(MethodName(request.method)) +
                          "; it answers " + std::string(allow));
  }
  if (!allow.empty()) response.headers.Add("Allow", std::string(allow));
  return response;
}

std::string MergeSlashes(std::string_view path) {
  std::string merged;
  for (char c : path) {
    if (c != '/' || !merged.ends_with('/')) merged += c;
  }
  return merged;
}

Router::Router(std::vector<Route> routes, Fallback fallback)
    : routes_(std::move(routes)), fallback_(std::move(fallback)), root_(std::make_unique<Node>()) {
  for (size_t row = 0; row < routes_.size(); ++row) {
    const Route& route = routes_[row];
    CHECK_MSG(route.pattern.starts_with('/') && route.handler, route.pattern);
    Node* node = root_.get();
    bool has_rest = false;
    for (std::string_view segment : SplitPath(route.pattern)) {
      CHECK_MSG(!has_rest, route.pattern + ": {name...} must be the last segment");
      has_rest = IsRest(segment);
      std::unique_ptr<Node>& next = has_rest           ? node->rest
                                    : IsParam(segment) ? node->param
                                                       : node->literals[std::string(segment)];
      if (!next) next = std::make_unique<Node>();
      node = next.get();
    }
    for (size_t other : node->rows) {
      CHECK_MSG(routes_[other].method != route.method,
                std::string(MethodName(route.method)) + " " + route.pattern + " twice");
    }
    node->rows.push_back(row);
  }
}

Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

const std::vector<Route>& Router::routes() const { return routes_; }

Router::Match Router::Find(Method method, std::string_view path) const {
  Match match;
  if (!path.starts_with('/')) return match;
  const std::vector<std::string_view> segments = SplitPath(path);
  // Depth first: literal, then {name}, then {name...}. The first node with a row for the method
  // wins; nodes with rows for other methods only are remembered for `allow`.
  const Node* with_path = nullptr;
  const auto find_row = [&](const Node& node) -> const Route* {
    const Route* as_get = nullptr;
    for (size_t row : node.rows) {
      if (routes_[row].method == method) return &routes_[row];
      if (method == Method::kHead && routes_[row].method == Method::kGet) as_get = &routes_[row];
    }
    return as_get;
  };
  const auto try_node = [&](const Node* node) {
    if (node->rows.empty()) return false;
    match.route = find_row(*node);
    if (!match.route && !with_path) with_path = node;
    return match.route != nullptr;
  };
  const auto descend = [&](const auto& self, const Node* node, size_t index) -> bool {
    if (index == segments.size()) return try_node(node);
    const std::string_view segment = segments[index];
    if (const auto found = node->literals.find(segment); found != node->literals.end()) {
      if (self(self, found->second.get(), index + 1)) return true;
    }
    if (node->param && !segment.empty() && self(self, node->param.get(), index + 1)) return true;
    // What remains must not be empty, but may begin with a slash: then its handler refuses it.
    const bool has_rest = !segment.empty() || index + 1 < segments.size();
    return node->rest && has_rest && try_node(node->rest.get());
  };
  descend(descend, root_.get(), 0);

  if (match.route) {
    const std::vector<std::string_view> pattern = SplitPath(match.route->pattern);
    for (size_t i = 0; i < pattern.size(); ++i) {
      if (!IsParam(pattern[i])) continue;
      const std::string_view value =
          IsRest(pattern[i]) ? path.substr(static_cast<size_t>(segments[i].data() - path.data()))
                             : segments[i];
      match.path_params.emplace_back(ParamName(pattern[i]), value);
    }
  } else if (with_path) {
    std::vector<std::string_view> names;
    for (size_t row : with_path->rows) {
      names.push_back(MethodName(routes_[row].method));
      if (routes_[row].method == Method::kGet) names.push_back("HEAD");
    }
    names.push_back("OPTIONS");
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (std::string_view name : names) {
      if (!match.allow.empty()) match.allow += ", ";
      match.allow += name;
    }
  }
  return match;
}

}  // namespace sluice::http
