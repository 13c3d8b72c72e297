// Attempts over http::Fetcher.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"
#include "http/fetch.h"
#include "registry/internal/uri.h"
#include "registry/webhook_address.h"
#include "registry/webhook_delivery.h"

namespace sluice::registry {
namespace {

constexpr size_t kKeptBodyBytes = 1024;

bool IsWorthAnother(int status) { return status == 408 || status == 429 || status >= 500; }

/// Seconds; dates are left to our own delays.
int64_t RetryAfterMs(const http::Headers& headers) {
  const std::string* value = headers.Find("Retry-After");
  int64_t seconds = 0;
  if (value == nullptr) return 0;
  auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), seconds);
  if (error != std::errc() || end != value->data() + value->size() || seconds < 0) return 0;
  return std::min<int64_t>(seconds, 86'400) * 1000;
}

/// The beginning of an answer; what is wrong with the rest does not matter.
std::string ReadBeginning(http::BodySource& body) {
  std::string text;
  std::array<char, kKeptBodyBytes> piece;
  while (text.size() < kKeptBodyBytes) {
    Result<size_t> size = body.Read(std::span(piece.data(), kKeptBodyBytes - text.size()));
    if (!size.ok() || *size == 0) break;
    text.append(piece.data(), *size);
  }
  std::string_view cut = CutUtf8(text, kKeptBodyBytes);
  return IsUtf8(cut) ? std::string(cut) : std::string("(binary)");
}

DeliveryAttempt Send(http::Fetcher& fetcher, const WebhookOptions& options,
                     const OutgoingRequest& request) {
  DeliveryAttempt attempt;
  const std::string scheme = internal::SplitUri(request.url).scheme;
  const std::vector<std::string>& allowed = options.allowed_schemes;
  if (std::find(allowed.begin(), allowed.end(), scheme) == allowed.end()) {
    attempt.error = fmt::format("the scheme '{}' is not allowed", scheme);
    attempt.is_final = true;
    return attempt;
  }
  http::FetchRequest fetch;
  fetch.method = "POST";
  fetch.url = request.url;
  for (const auto& [name, value] : request.headers) fetch.headers.Set(name, value);
  fetch.body = request.body;
  fetch.timeout_ms = request.timeout_ms;
  fetch.connect_timeout_ms = std::min<int64_t>(request.timeout_ms, 10'000);
  fetch.stall_timeout_ms = request.timeout_ms;
  fetch.approve_address = [&](const std::string& address, uint16_t /*port*/) -> Status {
    if (options.allow_private_ips || IsPublicAddress(address)) return Ok();
    return PermissionDenied(fmt::format("{} is not a public IP address", address));
  };
  Result<http::FetchStream> answer = fetcher.Open(fetch);
  if (!answer.ok()) {
    attempt.error = answer.error().message();
    attempt.is_final = answer.error().code() == ErrorCode::kInvalidArgument;
    return attempt;
  }
  attempt.http_status = answer->status;
  attempt.response_body = ReadBeginning(*answer->body);
  attempt.is_success = answer->status >= 200 && answer->status < 300;
  if (!attempt.is_success) {
    attempt.error = fmt::format("the receiver answered {}", answer->status);
    attempt.is_final = !IsWorthAnother(answer->status);
    attempt.retry_after_ms = RetryAfterMs(answer->headers);
  }
  return attempt;
}

}  // namespace

SendFunction HttpSender(const WebhookOptions& options) {
  http::FetcherOptions fetcher_options;
  fetcher_options.user_agent = "sluice-webhooks";
  fetcher_options.uses_environment_proxies = false;
  // Shared: SendFunction is copied.
  auto fetcher = std::make_shared<http::Fetcher>(fetcher_options);
  return [fetcher, options](const OutgoingRequest& request) {
    return Send(*fetcher, options, request);
  };
}

}  // namespace sluice::registry
