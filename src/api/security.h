// What a browser must not be made to do: MLflow's security middleware.
//
//  * Host: a name that an attacker's DNS points at us is not one of ours (DNS rebinding). Refused
//    with 403 unless on the list.
//  * Origin: writes that a page of another site starts are refused with 403. There are no session
//    cookies, but browsers add Basic credentials by themselves, so the origin is what tells.
//  * CORS: pages of listed origins may read answers; preflights are answered here.
//  * Headers that forbid framing and sniffing.
//
// /health and /version are exempt from the list of hosts, for probes that know no name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace sluice::api {

struct SecurityOptions {
  bool is_enabled = true;  ///< --disable-security-middleware
  /// Names as in "mlflow.example.org", "*.example.org", "10.0.0.1:5000"; without a port any port
  /// will do; "*": everything. Empty: this machine's loopback names and private addresses.
  std::vector<std::string> allowed_hosts;
  /// "https://app.example.org", "https://*.example.org", "*" (then without credentials).
  std::vector<std::string> allowed_origins;
  std::string x_frame_options = "SAMEORIGIN";  ///< "NONE": no field
  std::string static_prefix;                   ///< see ServiceOptions
};

/// Immutable, so thread-safe.
class Security {
 public:
  explicit Security(SecurityOptions options) : options_(std::move(options)) {}

  /// The answer that keeps the request from its handler: 403, or the one to a preflight. Else
  /// nothing.
  std::optional<http::Response> Answer(const http::Request& request) const;
  /// Adds the fields that every answer carries.
  void Decorate(const http::Request& request, http::Response& response) const;

  bool IsAllowedHost(std::string_view host) const;
  /// May a page of this origin read what we answer?
  bool IsTrustedOrigin(std::string_view origin) const;

 private:
  const SecurityOptions options_;
};

}  // namespace sluice::api
