#include "table/internal/utf8.h"

#include <cstdint>
#include <cstring>

#include "base/utf8.h"

namespace sluice::table::internal {

std::optional<size_t> FindInvalidUtf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    while (text.size() - at >= 16) {  // plain ASCII goes sixteen bytes a step
      uint64_t words[2];
      std::memcpy(words, text.data() + at, sizeof words);
      if (((words[0] | words[1]) & 0x8080808080808080) != 0) break;
      at += 16;
    }
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
    while (at < text.size() && static_cast<unsigned char>(text[at]) >= 0x80) {
      size_t size = Utf8CharacterSize(text.substr(at));
      if (size == 0) return at;
      at += size;
    }
  }
  return std::nullopt;
}

void AppendUtf8(char32_t code_point, std::string& out) {
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xC0 | (code_point >> 6));
    out += static_cast<char>(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xE0 | (code_point >> 12));
    out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code_point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code_point >> 18));
    out += static_cast<char>(0x80 | ((code_point >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code_point & 0x3F));
  }
}

std::string ShownText(std::string_view text, size_t max_bytes) {
  std::string shown;
  while (!text.empty()) {
    size_t size = Utf8CharacterSize(text);
    std::string_view piece = size == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, size);
    if (size == 1 && (static_cast<unsigned char>(piece[0]) < 0x20 || piece[0] == 0x7F)) piece = " ";
    if (shown.size() + piece.size() > max_bytes) break;
    shown += piece;
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return shown;
}

}  // namespace sluice::table::internal
