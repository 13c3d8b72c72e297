// Layout: "1-" <64 bits of the search's SHA-256, hex> { "-" value }. A value is 'm' (missing), 'n'
// (NaN), 'd' <bits of the double, hex>, 'i' <integer> or 't' <text, hex>.
#include "tracking/internal/page_token.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>

#include "base/sha256.h"

namespace sluice::tracking::internal {
namespace {

std::string Fingerprint(std::string_view search) {
  Sha256 hash;
  hash.Update(search);
  return hash.Finish().ToHex().substr(0, 16);
}

std::string PrintValue(const OrderValue& value) {
  if (value.rank == OrderValue::kMissing) return "m";
  if (value.rank == OrderValue::kNan) return "n";
  if (value.number != 0) return fmt::format("d{:x}", std::bit_cast<uint64_t>(value.number));
  if (value.integer != 0) return fmt::format("i{}", value.integer);
  std::string text = "t";
  for (unsigned char c : value.text) text += fmt::format("{:02x}", c);
  return text;
}

std::optional<OrderValue> ParseValue(std::string_view text) {
  if (text.empty()) return std::nullopt;
  OrderValue value{.rank = OrderValue::kValue};
  const char kind = text[0];
  text.remove_prefix(1);
  auto take = [&](std::string_view part, auto& number, int base) {
    auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), number, base);
    return error == std::errc() && stop == part.data() + part.size();
  };
  switch (kind) {
    case 'm': value.rank = OrderValue::kMissing; break;
    case 'n': value.rank = OrderValue::kNan; break;
    case 'd': {
      uint64_t bits = 0;
      if (!take(text, bits, 16)) return std::nullopt;
      value.number = std::bit_cast<double>(bits);
      if (!std::isfinite(value.number)) return std::nullopt;
      return value;
    }
    case 'i': return take(text, value.integer, 10) ? std::optional(value) : std::nullopt;
    case 't':
      if (text.size() % 2 != 0) return std::nullopt;
      for (size_t i = 0; i < text.size(); i += 2) {
        uint8_t byte = 0;
        if (!take(text.substr(i, 2), byte, 16) || byte == 0) return std::nullopt;
        value.text += static_cast<char>(byte);
      }
      return value;
    default: return std::nullopt;
  }
  return text.empty() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string PrintPageToken(std::string_view search, const std::vector<OrderValue>& last) {
  std::string token = "1-" + Fingerprint(search);
  for (const OrderValue& value : last) token += "-" + PrintValue(value);
  return token;
}

Result<std::vector<OrderValue>> ParsePageToken(std::string_view search, std::string_view token,
                                               size_t value_count) {
  Error bad = InvalidArgument(
      "Invalid page token: it belongs to another search, or was changed. Ask for the first page "
      "without a token, then for each next one with the same experiments, filter, view and order.");
  std::string begin = "1-" + Fingerprint(search);
  if (token.substr(0, begin.size()) != begin) return bad;
  token.remove_prefix(begin.size());
  std::vector<OrderValue> values;
  while (!token.empty()) {
    if (token[0] != '-') return bad;
    // A negative integer has a dash of its own.
    size_t end = token.find('-', token.substr(1, 2) == "i-" ? 3 : 1);
    end = std::min(end, token.size());
    std::optional<OrderValue> value = ParseValue(token.substr(1, end - 1));
    if (!value) return bad;
    values.push_back(*std::move(value));
    token.remove_prefix(end);
  }
  if (values.size() != value_count) return bad;
  return values;
}

}  // namespace sluice::tracking::internal
