// The words of a gate rule. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::evaluate::internal {

/// kBad: `text` says what is wrong at `begin`.
enum class TokenKind : uint8_t { kName, kNumber, kText, kSign, kEnd, kBad };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  ///< name, sign, or the content of a quoted text
  double number = 0;
  size_t begin = 0;  ///< byte offsets in the rule
  size_t end = 0;
};

/// The token at or after byte `from`; kEnd at the end of the rule.
Token ReadToken(std::string_view rule, size_t from);

}  // namespace sluice::evaluate::internal
