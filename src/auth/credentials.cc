#include "auth/credentials.h"

#include "base/base64.h"
#include "base/utf8.h"

namespace sluice::auth {
namespace {

constexpr size_t kFieldBytesMax = 4096;

bool StartsWithScheme(std::string_view field, std::string_view scheme) {
  if (field.size() <= scheme.size() || field[scheme.size()] != ' ') return false;
  for (size_t i = 0; i < scheme.size(); ++i) {
    const char letter =
        field[i] >= 'A' && field[i] <= 'Z' ? static_cast<char>(field[i] + 32) : field[i];
    if (letter != scheme[i]) return false;
  }
  return true;
}

std::string_view TrimSpaces(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<Credentials> ParseAuthorization(std::string_view field) {
  if (field.size() > kFieldBytesMax) return std::nullopt;
  if (StartsWithScheme(field, "bearer")) {
    const std::string_view token = TrimSpaces(field.substr(6));
    if (token.empty() || token.find(' ') != std::string_view::npos) return std::nullopt;
    return Credentials{.is_bearer = true, .username = {}, .secret = std::string(token)};
  }
  if (!StartsWithScheme(field, "basic")) return std::nullopt;
  const std::optional<std::string> pair = DecodeBase64(TrimSpaces(field.substr(5)));
  // A NUL at a password's end would not change its scrypt hash: HMAC pads its key with them.
  if (!pair || !IsUtf8(*pair) || pair->find('\0') != std::string::npos) return std::nullopt;
  const size_t colon = pair->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{
      .is_bearer = false, .username = pair->substr(0, colon), .secret = pair->substr(colon + 1)};
}

}  // namespace sluice::auth
