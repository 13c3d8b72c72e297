#include "registry/internal/page_token.h"

#include <fmt/format.h>

#include <optional>

#include "base/base64.h"
#include "base/random.h"

namespace sluice::registry::internal {
namespace {

using formats::Json;

constexpr size_t kTokenBytesMax = 16 * 1024;

std::string HashOf(const std::vector<std::string>& request) {
  uint64_t hash = 0;
  for (const std::string& part : request) hash = StableHash64(part, hash + 1);
  return fmt::format("{:016x}", hash);
}

}  // namespace

std::string MakePageToken(const std::vector<std::string>& request, const Json& position) {
  return EncodeBase64(
      formats::PrintJson(Json::MakeObject({{"of", HashOf(request)}, {"after", position}})));
}

Result<Json::Array> ReadPageToken(std::string_view token, const std::vector<std::string>& request,
                                  size_t value_count) {
  if (token.size() > kTokenBytesMax) return InvalidArgument("Invalid page token: it is too long");
  std::optional<std::string> text = DecodeBase64(token);
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
