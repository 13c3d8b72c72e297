#include "objects/remote_path.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/utf8.h"

namespace sluice::objects {
namespace {

/// More layers than this are an attack, not a name.
constexpr int kDecodeRoundsMax = 10;

Error InvalidPath() { return InvalidArgument("Invalid path"); }

/// Percent escapes undone once; what only looks like one stays.
std::string DecodeOnce(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = HexValue(text[i + 1]);
      const int low = HexValue(text[i + 2]);
      if (high >= 0 && low >= 0) {
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    decoded += text[i];
  }
  return decoded;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string EscapeControls(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (!IsControl(c)) {
      escaped += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    escaped += '%';
    escaped += kDigits[byte >> 4];
    escaped += kDigits[byte & 15];
  }
  return escaped;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool BeginsWithFileScheme(std::string_view text) {
  constexpr std::string_view kScheme = "file:";
  return text.size() >= kScheme.size() &&
         std::equal(kScheme.begin(), kScheme.end(), text.begin(),
                    [](char want, char have) { return want == Lower(have); });
}

bool BeginsWithDrive(std::string_view text) {
  return text.size() >= 3 && text[1] == ':' && text[2] == '/' && Lower(text[0]) >= 'a' &&
         Lower(text[0]) <= 'z';
}

}  // namespace

Result<std::string> NormalRemotePath(std::string_view text) {
  if (text.size() > kRemotePathBytesMax) return InvalidPath();
  std::string path(text);
  for (int round = 0;; ++round) {
    std::string decoded = DecodeOnce(path);
    if (decoded == path) break;
    if (round == kDecodeRoundsMax) return InvalidPath();
    path = std::move(decoded);
  }
  if (path.find('\0') != std::string::npos || path.find_first_of("\\#") != std::string::npos ||
      !IsUtf8(path)) {
    return InvalidPath();
  }
  path = EscapeControls(path);
  if (BeginsWithFileScheme(path)) path.erase(0, 5);
  if (path.starts_with('/') || BeginsWithDrive(path)) return InvalidPath();

  std::string normal;
  size_t depth = 0;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view name = std::string_view(path).substr(begin, end - begin);
    begin = end + 1;
    if (name.empty() || name == ".") continue;
    if (name == ".." || name.size() > kRemoteNameBytesMax || ++depth > kRemotePathDepthMax ||
        (depth == 1 && name == kRemoteReservedName)) {
      return InvalidPath();
    }
    if (!normal.empty()) normal += '/';
    normal += name;
  }
  if (normal.size() > kRemotePathBytesMax) return InvalidPath();
  return normal;
}

bool NamesAFile(std::string_view text) {
  return !text.empty() && !text.ends_with('/') && text != "." && !text.ends_with("/.");
}

std::string JoinRemotePath(std::string_view base, std::string_view tail) {
  std::string joined(base);
  if (!base.empty() && !tail.empty()) joined += '/';
  joined += tail;
  return joined;
}

std::string_view RemoteBaseName(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::string_view RemoteDirName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace sluice::objects
