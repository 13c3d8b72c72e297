// The digests that S3's protocol asks for, by OpenSSL. All functions here are pure.
#pragma once

#include <string>
#include <string_view>

namespace sluice::objects::internal {

/// HMAC-SHA256 (RFC 2104): 32 raw bytes. `key` and `text` are bytes.
std::string HmacSha256(std::string_view key, std::string_view text);
/// 16 raw bytes. Not for secrets: S3 names parts by it.
std::string Md5(std::string_view text);
std::string EncodeHex(std::string_view bytes);
/// Nothing but pairs of hexadecimal digits, else "".
std::string DecodeHex(std::string_view digits);

}  // namespace sluice::objects::internal
