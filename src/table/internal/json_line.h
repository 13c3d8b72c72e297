// One line of JSON Lines: an object with plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::table::internal {

enum class JsonKind : uint8_t { kNull, kTrue, kFalse, kNumber, kString, kNested };

/// A value as it stands in the text: strings without their quotes, still escaped.
struct JsonCell {
  JsonKind kind = JsonKind::kNull;
  bool has_escapes = false;
  std::string_view text;
};

struct JsonMember {
  bool key_has_escapes = false;
  std::string_view key;  // still escaped
  JsonCell value;
};

struct JsonProblem {
  size_t offset = 0;
  std::string reason;
};

/// Checks a whole line (valid UTF-8) against RFC 8259 and appends its members in order; values that
/// are objects or arrays are checked too, to a depth of 64. Nothing returned: all is well. Pure.
/// O(bytes).
std::optional<JsonProblem> ParseJsonLine(std::string_view line, std::vector<JsonMember>& members);

/// The text that a checked string means.
void UnescapeJson(std::string_view text, std::string& out);

}  // namespace sluice::table::internal
