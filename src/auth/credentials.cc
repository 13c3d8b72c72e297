#include "auth/credentials.h"

#include <cstdint>

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

int SextetOf(char letter) {
  if (letter >= 'A' && letter <= 'Z') return letter - 'A';
  if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26;
  if (letter >= '0' && letter <= '9') return letter - '0' + 52;
  if (letter == '+') return 62;
  if (letter == '/') return 63;
  return -1;
}

}  // namespace

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 4) {
    const bool is_last = i + 4 == text.size();
    size_t padding = 0;
    if (is_last && text[i + 3] == '=') padding = text[i + 2] == '=' ? 2 : 1;
    uint32_t block = 0;
    for (size_t j = 0; j < 4; ++j) {
      const int sextet = j >= 4 - padding ? 0 : SextetOf(text[i + j]);
      if (sextet < 0) return std::nullopt;
      block = (block << 6) | static_cast<uint32_t>(sextet);
    }
    for (size_t j = 0; j < 3 - padding; ++j) {
      bytes.push_back(static_cast<char>((block >> (16 - 8 * j)) & 0xFF));
    }
  }
  return bytes;
}

std::optional<Credentials> ParseAuthorization(std::string_view field) {
  if (field.size() > kFieldBytesMax) return std::nullopt;
  if (StartsWithScheme(field, "bearer")) {
    const std::string_view token = TrimSpaces(field.substr(6));
    if (token.empty() || token.find(' ') != std::string_view::npos) return std::nullopt;
    return Credentials{.is_bearer = true, .username = {}, .secret = std::string(token)};
  }
  if (!StartsWithScheme(field, "basic")) return std::nullopt;
  const std::optional<std::string> pair = DecodeBase64(TrimSpaces(field.substr(5)));
  if (!pair || !IsUtf8(*pair)) return std::nullopt;
  const size_t colon = pair->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{
      .is_bearer = false, .username = pair->substr(0, colon), .secret = pair->substr(colon + 1)};
}

}  // namespace sluice::auth
