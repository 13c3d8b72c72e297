#include "api/internal/public_url.h"

#include <algorithm>

namespace sluice::api::internal {
namespace {

/// The first of a list, as the proxy nearest to the client wrote it.
std::string_view FirstOf(const std::string* field) {
  if (field == nullptr) return {};
  std::string_view text = *field;
  text = text.substr(0, text.find(','));
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsHostAndPort(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return IsAlphanumeric(c) || std::string_view("-._:[]").find(c) != std::string_view::npos;
  });
}

bool IsPrefix(std::string_view text) {
  return text.empty() || (text.starts_with('/') && std::ranges::all_of(text, [](char c) {
                            return IsAlphanumeric(c) ||
                                   std::string_view("-._~/%").find(c) != std::string_view::npos;
                          }));
}

}  // namespace

Result<std::string> PublicUrl(const http::Request& request, const ArtifactServiceOptions& options) {
  if (!options.public_url.empty()) {
    std::string url = options.public_url;
    while (url.ends_with('/')) url.pop_back();
    return url;
  }
  std::string_view scheme = FirstOf(request.headers.Find("X-Forwarded-Proto"));
  if (scheme != "http" && scheme != "https") scheme = options.is_tls ? "https" : "http";
  std::string_view host = FirstOf(request.headers.Find("X-Forwarded-Host"));
  if (host.empty()) host = FirstOf(request.headers.Find("Host"));
  std::string_view prefix = FirstOf(request.headers.Find("X-Forwarded-Prefix"));
  if (!IsHostAndPort(host) || !IsPrefix(prefix)) {
    return InvalidArgument("the request's Host or X-Forwarded-* fields name no host");
  }
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  return std::string(scheme) + "://" + std::string(host) + std::string(prefix);
}

}  // namespace sluice::api::internal
