#include "registry/webhook_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "registry/internal/uri.h"

namespace sluice::registry {
namespace {

/// `bits` leading bits of `address` are those of `prefix`.
struct Network {
  std::array<uint8_t, 16> prefix;
  int bits;
};

// IANA's registries of special addresses (RFC 6890 and its successors): what is not "globally
// reachable", and multicast.
constexpr Network kPrivateIpv4[] = {
    {{0}, 8},             // this network
    {{10}, 8},            // private
    {{100, 64}, 10},      // shared (CGNAT)
    {{127}, 8},           // loopback
    {{169, 254}, 16},     // link-local, cloud metadata
    {{172, 16}, 12},      // private
    {{192, 0, 0}, 24},    // protocol assignments
    {{192, 0, 2}, 24},    // documentation
    {{192, 88, 99}, 24},  // 6to4 relays
    {{192, 168}, 16},     // private
    {{198, 18}, 15},      // benchmarks
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},  // documentation
    {{224}, 4},           // multicast
    {{240}, 4},           // reserved, broadcast
};
// Of 2000::/3, the only block that is given out; all others are refused.
constexpr Network kGlobalIpv6 = {{0x20}, 3};
constexpr Network kPrivateIpv6[] = {
    {{0x20, 0x01, 0x00}, 23},        // protocol assignments, Teredo
    {{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    {{0x3f, 0xff, 0x00}, 20},        // documentation
};
constexpr Network kMapped = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
constexpr Network kNat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};
constexpr Network kSixToFour = {{0x20, 0x02}, 16};

bool IsIn(const Network& network, const uint8_t* address) {
  int whole = network.bits / 8;
  if (std::memcmp(network.prefix.data(), address, static_cast<size_t>(whole)) != 0) return false;
  int rest = network.bits % 8;
  if (rest == 0) return true;
  int mask = 0xff & (0xff << (8 - rest));
  return (network.prefix[static_cast<size_t>(whole)] & mask) == (address[whole] & mask);
}

template <size_t kCount>
bool IsInAny(const Network (&networks)[kCount], const uint8_t* address) {
  return std::any_of(std::begin(networks), std::end(networks),
                     [&](const Network& network) { return IsIn(network, address); });
}

bool IsPublicIpv6(const uint8_t* address) {
  if (IsIn(kMapped, address) || IsIn(kNat64, address)) return !IsInAny(kPrivateIpv4, address + 12);
  if (IsIn(kSixToFour, address)) return !IsInAny(kPrivateIpv4, address + 2);
  return IsIn(kGlobalIpv6, address) && !IsInAny(kPrivateIpv6, address);
}

Error Refused(std::string_view why) { return InvalidArgument(std::string(why)); }

}  // namespace

bool IsPublicAddress(std::string_view address) {
  const std::string text(address);
  std::array<uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1)
    return !IsInAny(kPrivateIpv4, bytes.data());
  return inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1 && IsPublicIpv6(bytes.data());
}

Result<std::vector<std::string>> ResolveHost(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  int code = getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, freeaddrinfo);
  if (code == EAI_AGAIN) return Unavailable(gai_strerror(code));
  if (code != 0) return NotFound(gai_strerror(code));
  std::vector<std::string> addresses;
  for (const addrinfo* entry = raw; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST] = {};
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text);
    }
  }
  return addresses;
}

Status CheckWebhookUrl(std::string_view url, const WebhookOptions& options) {
  if (url.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return Refused(fmt::format("Webhook URL cannot be empty or just whitespace: '{}'", url));
  if (url.size() > kWebhookUrlLengthMax) {
    return Refused(
        fmt::format("'url' exceeds the maximum length of {} characters", kWebhookUrlLengthMax));
  }
  if (std::any_of(url.begin(), url.end(), [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '\\';
      })) {
    return Refused(
        fmt::format("Invalid webhook URL '{}': blanks, control characters and backslashes must be "
                    "percent-encoded.",
                    url));
  }
  const internal::Uri uri = internal::SplitUri(url);
  const std::vector<std::string>& schemes = options.allowed_schemes;
  if (std::find(schemes.begin(), schemes.end(), uri.scheme) == schemes.end()) {
    return Refused(fmt::format("Invalid webhook URL scheme: '{}'. Allowed schemes are: {}.",
                               uri.scheme, fmt::join(schemes, ", ")));
  }
  const internal::HostAndPort address = internal::SplitAuthority(uri.authority);
  if (address.is_malformed) {
    return Refused(
        fmt::format("Invalid webhook URL '{}': '{}' is no host and port.", url, uri.authority));
  }
  if (address.host.empty())
    return Refused(fmt::format("Webhook URL must include a hostname: '{}'", url));
  if (options.allow_private_ips) return Ok();
  Result<std::vector<std::string>> addresses = options.resolve(address.host);
  if (!addresses.ok()) {
    return Refused(fmt::format("Cannot resolve Webhook URL hostname '{}': {}", address.host,
                               addresses.error().message()));
  }
  for (const std::string& ip : *addresses) {
    if (IsPublicAddress(ip)) continue;
    return Refused(
        fmt::format("Webhook URL must not resolve to a non-public IP address. '{}' resolves to {}.",
                    address.host, ip));
  }
  return Ok();
}

}  // namespace sluice::registry
