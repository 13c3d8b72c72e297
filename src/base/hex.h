// Bytes as hexadecimal digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// Two lower-case digits for each byte.
std::string EncodeHex(std::string_view bytes);

/// Digits of either case; nothing for anything else, or an odd number of them.
std::optional<std::string> DecodeHex(std::string_view digits);

}  // namespace sluice
