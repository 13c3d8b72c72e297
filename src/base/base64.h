// Base64 with padding (RFC 4648, section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

std::string EncodeBase64(std::string_view bytes);

/// Nothing for anything that EncodeBase64 would not print: other characters, blanks, missing
/// padding, or bits left over.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace sluice
