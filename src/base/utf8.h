// UTF-8 well-formedness. Pure.
#pragma once

#include <string_view>

namespace sluice {

/// RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF.
bool IsUtf8(std::string_view text);

}  // namespace sluice
