#include "registry/internal/uri.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"

namespace sluice::registry::internal {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Uri SplitUri(std::string_view text) {
  Uri uri;
  // As browsers and Python do: blanks around, and line breaks and tabs anywhere, are not there.
  std::string clean;
  for (char c : text) {
    if (c != '\t' && c != '\n' && c != '\r') clean += c;
  }
  std::string_view rest = clean;
  while (!rest.empty() && static_cast<unsigned char>(rest.front()) <= ' ') rest.remove_prefix(1);
  size_t colon = rest.find(':');
  if (colon != std::string_view::npos && colon > 0 && IsLetter(rest[0]) &&
      std::all_of(rest.begin(), rest.begin() + static_cast<ptrdiff_t>(colon), [](char c) {
        return IsLetter(c) || IsDigit(c) || c == '+' || c == '-' || c == '.';
      })) {
    uri.scheme = ToLower(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
  }
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    size_t end = std::min(rest.find_first_of("/?#"), rest.size());
    uri.authority = rest.substr(0, end);
    rest.remove_prefix(end);
  }
  rest = rest.substr(0, rest.find('#'));
  rest = rest.substr(0, rest.find('?'));
  uri.path = rest;
  return uri;
}

HostAndPort SplitAuthority(std::string_view authority) {
  HostAndPort result;
  // Some clients end a host where others go on: such a text names no host one could trust.
  if (authority.find('\\') != std::string_view::npos ||
      std::any_of(authority.begin(), authority.end(),
                  [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; })) {
    result.is_malformed = true;
  }
  size_t at = authority.rfind('@');
  if (at != std::string_view::npos) authority.remove_prefix(at + 1);
  std::string_view port;
  if (authority.starts_with('[')) {
    size_t end = authority.find(']');
    if (end == std::string_view::npos) {
      result.is_malformed = true;
      return result;
    }
    result.host = ToLower(authority.substr(1, end - 1));
    std::string_view rest = authority.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') result.is_malformed = true;
    port = rest.empty() ? rest : rest.substr(1);
  } else {
    size_t colon = authority.find(':');
    result.host = ToLower(authority.substr(0, colon));
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  if (!port.empty()) {
    int number = 0;
    auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc() || end != port.data() + port.size() || number < 0 || number > 65535) {
      result.is_malformed = true;
    } else {
      result.port = number;
    }
  }
  return result;
}

std::string Unquote(std::string_view text, bool plus_is_space) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
        HexValue(text[i + 2]) >= 0) {
      plain += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      plain += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

std::string UnquoteWholly(std::string_view text, bool plus_is_space) {
  std::string plain(text);
  // Each round that changes anything shortens the text or ends its pluses.
  while (true) {
    std::string next = Unquote(plain, plus_is_space);
    if (next == plain) return plain;
    plain = std::move(next);
  }
}

std::vector<std::string> NormalParts(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    size_t slash = std::min(path.find('/'), path.size());
    std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.emplace_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return parts;
}

bool IsWithin(const std::vector<std::string>& path, const std::vector<std::string>& root) {
  return path.size() >= root.size() && std::equal(root.begin(), root.end(), path.begin());
}

}  // namespace sluice::registry::internal
