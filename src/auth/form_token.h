// The hidden field of the sign-up form, by which the server knows that the form is its own and was
// shown to the user who sends it: a page of another site can send a form in this user's name (the
// browser adds the credentials by itself) but cannot read ours. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/user.h"

namespace sluice::auth {

inline constexpr int64_t kFormTokenLifeMs = 3'600'000;

/// "<end in ms>.<HMAC-SHA256>" under the user's password hash: no key to configure, every replica
/// knows it, and it ends with the password.
std::string MakeFormToken(const User& user, int64_t now_ms);
/// Constant-time in the code.
bool IsFormToken(const User& user, std::string_view token, int64_t now_ms);

}  // namespace sluice::auth
