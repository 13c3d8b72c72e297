#include "registry/internal/page_token.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/random.h"

namespace sluice::registry::internal {
namespace {

using formats::Json;

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr size_t kTokenBytesMax = 16 * 1024;

std::string Encode(std::string_view bytes) {
  std::string text;
  uint32_t bits = 0;
  int bit_count = 0;
  for (char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (bit_count += 8; bit_count >= 6; bit_count -= 6)
      text += kAlphabet[(bits >> (bit_count - 6)) & 63];
  }
  if (bit_count > 0) text += kAlphabet[(bits << (6 - bit_count)) & 63];
  return text;
}

std::optional<std::string> Decode(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int bit_count = 0;
  for (char c : text) {
    size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<uint32_t>(value);
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      bytes += static_cast<char>((bits >> bit_count) & 255);
    }
  }
  return bytes;
}

std::string HashOf(const std::vector<std::string>& request) {
  uint64_t hash = 0;
  for (const std::string& part : request) hash = StableHash64(part, hash + 1);
  return fmt::format("{:016x}", hash);
}

}  // namespace

std::string MakePageToken(const std::vector<std::string>& request, const Json& position) {
  return Encode(
      formats::PrintJson(Json::MakeObject({{"of", HashOf(request)}, {"after", position}})));
}

Result<Json::Array> ReadPageToken(std::string_view token, const std::vector<std::string>& request,
                                  size_t value_count) {
  if (token.size() > kTokenBytesMax) return InvalidArgument("Invalid page token: it is too long");
  std::optional<std::string> text = Decode(token);
  if (!text) return InvalidArgument("Invalid page token, could not base64-decode");
  Result<Json> json = formats::ParseJson(*text, {.file = "page token", .max_depth = 4});
  if (!json.ok() || !json->is_object())
    return InvalidArgument("Invalid page token: it is none of this server's");
  const Json* after = json->Find("after");
  if (json->StringOr("of", "") != HashOf(request) || after == nullptr || !after->is_array() ||
      after->size() != value_count) {
    return InvalidArgument(
        "Invalid page token: it belongs to a search with another filter or order; begin with the "
        "first page");
  }
  return after->AsArray();
}

}  // namespace sluice::registry::internal
