// The character classes of HTTP (RFC 9110, 5.6). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/ascii.h"

namespace sluice::http::internal {

/// Blanks and tabs at both ends.
inline std::string_view TrimBlanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

inline constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> table{};
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) table[c] = table[c + ('a' - 'A')] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

inline bool IsTokenChar(char c) { return kTokenChars[static_cast<unsigned char>(c)]; }

inline bool IsToken(std::string_view text) {
  for (char c : text) {
    if (!IsTokenChar(c)) return false;
  }
  return !text.empty();
}

/// Control bytes but for the tab; 0x80 and above are allowed in field values.
inline bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7F;
}

/// True if one of the bytes IsControl. Eight bytes a step: this looks at every byte of every head.
inline bool HasControl(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighBits = 0x8080808080808080;
  while (text.size() >= sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    // The high bit of each byte below 0x20, and of each that is 0x7F; of others perhaps, too, where
    // a borrow came in from a lower byte that was found itself.
    const uint64_t deletes = word ^ (kOnes * 0x7F);
    const uint64_t found = ((word - kOnes * 0x20) & ~word) | ((deletes - kOnes) & ~deletes);
    if ((found & kHighBits) != 0) {  // perhaps only a tab
      for (char c : text.substr(0, sizeof word)) {
        if (IsControl(c)) return true;
      }
    }
    text.remove_prefix(sizeof word);
  }
  for (char c : text) {
    if (IsControl(c)) return true;
  }
  return false;
}

}  // namespace sluice::http::internal
