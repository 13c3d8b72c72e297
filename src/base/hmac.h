// HMAC-SHA256 (RFC 2104): who knows the key wrote the text. By OpenSSL.
#pragma once

#include <string_view>

#include "base/sha256.h"

namespace sluice {

/// `key` and `text` are bytes. Compare codes with EqualInConstantTime. Pure.
Digest ComputeHmacSha256(std::string_view key, std::string_view text);

/// The raw bytes of a digest: a key of the next code, or something to encode. `digest` must outlive
/// them.
inline std::string_view BytesOf(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

/// Takes as long wherever they differ; not so for different lengths, which are no secret. Pure.
bool EqualInConstantTime(std::string_view a, std::string_view b);

}  // namespace sluice
