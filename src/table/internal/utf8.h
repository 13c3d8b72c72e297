// Whether bytes are UTF-8, and other encodings into it. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::table::internal {

/// The offset of the first byte that is not part of valid UTF-8 (no overlong forms, no surrogates,
/// at most U+10FFFF); nothing if all is well.
std::optional<size_t> FindInvalidUtf8(std::string_view text);

/// Appends the UTF-8 of one code point (below 0x110000, no surrogate).
void AppendUtf8(char32_t code_point, std::string& out);

/// At most `max_bytes` of the text, not cut inside a character, with what is not UTF-8 as U+FFFD
/// and control characters as blanks: for showing.
std::string ShownText(std::string_view text, size_t max_bytes);

}  // namespace sluice::table::internal
