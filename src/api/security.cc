#include "api/security.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/ascii.h"
#include "base/log.h"

namespace sluice::api {

namespace {

using http::Method;
using http::Request;
using http::Response;

/// '*' stands for any text; everything else for itself. O(pattern * text).
bool MatchesPattern(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

/// "a:5000" → "a", "[::1]:5000" → "[::1]". Nothing for what is no host with an optional port.
std::optional<std::string_view> HostnameOf(std::string_view host) {
  const size_t end_of_name =
      host.starts_with('[') ? host.find(']') + 1 : std::min(host.find(':'), host.size());
  if (end_of_name == 0) return std::nullopt;
  const std::string_view name = host.substr(0, end_of_name);
  std::string_view rest = host.substr(end_of_name);
  if (rest.empty()) return name;
  rest.remove_prefix(1);
  const bool is_port = host[end_of_name] == ':' && !rest.empty() && rest.size() <= 5 &&
                       rest.find_first_not_of("0123456789") == std::string_view::npos;
  if (!is_port) return std::nullopt;
  return name;
}

bool IsLoopbackName(std::string_view name) {
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]";
}

/// An address that only those near us can be reached under: RFC 1918, RFC 4193. The whole name must
/// be the address: "10.example.org" is a name anybody can register.
bool IsPrivateAddress(std::string_view name) {
  if (name.starts_with('[')) {
    in6_addr address{};
    const std::string text(name.substr(1, name.size() - 2));
    if (inet_pton(AF_INET6, text.c_str(), &address) != 1) return false;
    return (address.s6_addr[0] & 0xFE) == 0xFC;
  }
  in_addr address{};
  if (inet_pton(AF_INET, std::string(name).c_str(), &address) != 1) return false;
  const uint32_t bits = ntohl(address.s_addr);
  return (bits >> 24) == 10 || (bits >> 20) == 0xAC1 || (bits >> 16) == 0xC0A8 ||
         (bits >> 24) == 127;
}

bool IsWrite(Method method) {
  return method == Method::kPost || method == Method::kPut || method == Method::kPatch ||
         method == Method::kDelete;
}

/// "https://a:1" → "a:1".
std::string_view HostOfOrigin(std::string_view origin) {
  const size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
}

bool IsSameOrigin(const Request& request, std::string_view origin) {
  const std::string* host = request.headers.Find("Host");
  return host && !host->empty() && ToLower(*host) == ToLower(HostOfOrigin(origin));
}

bool Contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

bool Security::IsAllowedHost(std::string_view host) const {
  const std::string lower = ToLower(host);
  const std::optional<std::string_view> name = HostnameOf(lower);
  if (!name) return false;
  if (options_.allowed_hosts.empty()) {
    return IsLoopbackName(*name) || *name == "0.0.0.0" || IsPrivateAddress(*name);
  }
  for (const std::string& allowed : options_.allowed_hosts) {
    const std::string pattern = ToLower(allowed);
    if (MatchesPattern(pattern, lower) || MatchesPattern(pattern, *name)) return true;
  }
  return false;
}

bool Security::IsTrustedOrigin(std::string_view origin) const {
  const std::string lower = ToLower(origin);
  const std::optional<std::string_view> name = HostnameOf(HostOfOrigin(lower));
  if (!name) return false;  // "null", of sandboxed pages, too
  if (IsLoopbackName(*name)) return true;
  return std::any_of(
      options_.allowed_origins.begin(), options_.allowed_origins.end(),
      [&](const std::string& allowed) { return MatchesPattern(ToLower(allowed), lower); });
}

std::optional<Response> Security::Answer(const Request& request) const {
  if (!options_.is_enabled) return std::nullopt;
  const bool is_probe = request.path == options_.static_prefix + "/health" ||
                        request.path == options_.static_prefix + "/version" ||
                        request.path == "/health" || request.path == "/version";
  const std::string* host = request.headers.Find("Host");
  if (!is_probe && !Contains(options_.allowed_hosts, "*") && (!host || !IsAllowedHost(*host))) {
    Log(LogLevel::kWarning,
        "{} refused a request with the Host field '{}'; to allow it, name it in --allowed-hosts",
        request.id, host ? *host : "");
    return Response::Text(403, "Invalid Host header - possible DNS rebinding attack detected");
  }
  const bool is_open = Contains(options_.allowed_origins, "*");
  const std::string* origin = request.headers.Find("Origin");
  if (IsWrite(request.method) && !is_open) {
    const std::string* site = request.headers.Find("Sec-Fetch-Site");
    const bool is_foreign = origin ? !IsSameOrigin(request, *origin) && !IsTrustedOrigin(*origin)
                                   : site && (*site == "cross-site" || *site == "same-site");
    if (is_foreign) {
      Log(LogLevel::kWarning,
          "{} refused a cross-origin {} of origin '{}'; to allow it, name it in "
          "--cors-allowed-origins",
          request.id, http::MethodName(request.method), origin ? *origin : "");
      return Response::Text(403, "Cross-origin request blocked");
    }
  }
  if (request.method != Method::kOptions || !origin ||
      !request.headers.Find("Access-Control-Request-Method")) {
    return std::nullopt;
  }
  if (!is_open && !IsSameOrigin(request, *origin) && !IsTrustedOrigin(*origin)) {
    return Response::Text(403, "Cross-origin request blocked");
  }
  Response preflight;
  preflight.status = 204;
  preflight.headers.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS, PATCH");
  if (const std::string* asked = request.headers.Find("Access-Control-Request-Headers")) {
    preflight.headers.Set("Access-Control-Allow-Headers", *asked);
  }
  preflight.headers.Set("Access-Control-Max-Age", "600");
  return preflight;
}

void Security::Decorate(const Request& request, Response& response) const {
  if (!options_.is_enabled) return;
  response.headers.Set("X-Content-Type-Options", "nosniff");
  const std::string frames = ToLower(options_.x_frame_options);
  if (!frames.empty() && frames != "none") {
    response.headers.Set("X-Frame-Options", frames == "deny" ? "DENY" : "SAMEORIGIN");
  }
  const std::string* origin = request.headers.Find("Origin");
  if (!origin) return;
  if (Contains(options_.allowed_origins, "*")) {
    // Without credentials: a browser would not take both together, and should not.
    response.headers.Set("Access-Control-Allow-Origin", "*");
  } else {
    response.headers.Add("Vary", "Origin");
    if (!IsTrustedOrigin(*origin)) return;
    response.headers.Set("Access-Control-Allow-Origin", *origin);
    response.headers.Set("Access-Control-Allow-Credentials", "true");
  }
  response.headers.Set("Access-Control-Expose-Headers",
                       "Content-Disposition, Content-Range, ETag, Retry-After");
}

}  // namespace sluice::api
