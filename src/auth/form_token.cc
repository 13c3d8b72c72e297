#include "auth/form_token.h"

#include <fmt/format.h>

#include <charconv>

#include "base/hmac.h"

namespace sluice::auth {
namespace {

std::string CodeOf(const User& user, int64_t end_ms) {
  const std::string text = fmt::format("sign-up form {} {}", user.id, end_ms);
  return ComputeHmacSha256(user.password_hash, text).ToHex();
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
  return EqualInConstantTime(code, CodeOf(user, end_ms));
}

}  // namespace sluice::auth
