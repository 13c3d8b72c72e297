// The digest that S3's protocol asks for beside SHA-256, by OpenSSL.
#pragma once

#include <string>
#include <string_view>

namespace sluice::objects::internal {

/// 16 raw bytes. Not for secrets: S3 names parts by it. Pure.
std::string Md5(std::string_view text);

}  // namespace sluice::objects::internal
