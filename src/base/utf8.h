// UTF-8 well-formedness and cutting. All functions are pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice {

/// The bytes of the well-formed character that `text` begins with, 1 to 4; 0 if there is none:
/// RFC 3629 knows no overlong forms, no surrogates and nothing past U+10FFFF.
inline size_t Utf8CharacterSize(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  if (text.empty()) return 0;
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  for (size_t i = 2; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return size;
}

/// True if all of it is well-formed.
bool IsUtf8(std::string_view text);

/// The longest beginning of `text` that has at most `max_bytes` and does not end inside a
/// character. Of text that is not UTF-8, some beginning of at most that size.
std::string_view CutUtf8(std::string_view text, size_t max_bytes);

}  // namespace sluice
