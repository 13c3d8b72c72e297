// The Authorization field of a request, taken apart. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::auth {

/// Exactly one of the two forms.
struct Credentials {
  bool is_bearer = false;
  std::string username;  ///< Basic only
  std::string secret;    ///< password or token
};

/// "Basic <base64 of name:password>" or "Bearer <token>"; the scheme in any case (RFC 9110, 11.1).
/// Nothing for anything else: no scheme, broken base64, no colon, bytes that are not UTF-8, more
/// than 4 KiB.
std::optional<Credentials> ParseAuthorization(std::string_view field);

}  // namespace sluice::auth
