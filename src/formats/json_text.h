// A text as JSON writes it, for printers that make no Json of what they print.
#pragma once

#include <string>
#include <string_view>

namespace sluice::formats {

/// Appends `text` in quotes, with escapes. Bytes that are no UTF-8 become U+FFFD. Thread-safe.
void AppendJsonText(std::string_view text, std::string& out);

}  // namespace sluice::formats
