// Times as S3 writes them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::objects::internal {

/// "2026-11-21T14:03:07Z" or "2026-11-21T14:03:07.123Z" in milliseconds since epoch; nothing if it
/// is none.
std::optional<int64_t> ParseIsoUtc(std::string_view text);

}  // namespace sluice::objects::internal
