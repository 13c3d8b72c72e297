#include "formats/json_text.h"

#include "base/utf8.h"

namespace sluice::formats {
namespace {

/// ASCII that stands for itself.
constexpr bool IsPlain(unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

void AppendEscaped(unsigned char c, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    case '\b': out += "\\b"; break;
    case '\f': out += "\\f"; break;
    default:
      out += "\\u00";
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
  }
}

}  // namespace

void AppendJsonText(std::string_view text, std::string& out) {
  out += '"';
  size_t at = 0;
  while (at < text.size()) {
    size_t end = at;
    while (end < text.size() && IsPlain(static_cast<unsigned char>(text[end]))) ++end;
    out.append(text, at, end - at);
    if (end == text.size()) break;
    const auto c = static_cast<unsigned char>(text[end]);
    if (c < 0x80) {
      AppendEscaped(c, out);
      at = end + 1;
      continue;
    }
    const size_t size = Utf8CharacterSize(text.substr(end));
    out += size == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(end, size);
    at = end + (size == 0 ? 1 : size);
  }
  out += '"';
}

}  // namespace sluice::formats
