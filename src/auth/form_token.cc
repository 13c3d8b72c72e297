#include "auth/form_token.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <charconv>

#include "base/check.h"
#include "base/sha256.h"

namespace sluice::auth {
namespace {

std::string CodeOf(const User& user, int64_t end_ms) {
  const std::string text = fmt::format("sign-up form {} {}", user.id, end_ms);
  Digest code;
  unsigned size = 0;
  CHECK(HMAC(EVP_sha256(), user.password_hash.data(), static_cast<int>(user.password_hash.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), code.bytes.data(),
             &size) != nullptr);
  return code.ToHex();
}

}  // namespace

std::string MakeFormToken(const User& user, int64_t now_ms) {
  const int64_t end_ms = now_ms + kFormTokenLifeMs;
  return fmt::format("{}.{}", end_ms, CodeOf(user, end_ms));
}

bool IsFormToken(const User& user, std::string_view token, int64_t now_ms) {
  int64_t end_ms = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), end_ms);
  if (error != std::errc() || end == token.data() + token.size() || *end != '.') return false;
  if (now_ms >= end_ms || end_ms > now_ms + kFormTokenLifeMs) return false;
  const std::string_view code(end + 1, static_cast<size_t>(token.data() + token.size() - end - 1));
  const std::string expected = CodeOf(user, end_ms);
  return code.size() == expected.size() &&
         CRYPTO_memcmp(code.data(), expected.data(), code.size()) == 0;
}

}  // namespace sluice::auth
