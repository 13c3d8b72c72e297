// From the Authorization field of a request to who is asking.
//
// Verifying a password costs 50 ms, so what was verified is remembered for a while: keyed by an
// HMAC of the field under a key of this process, so the memory holds no password. A remembered
// answer is trusted for `recheck_interval_ms`, then the user's row is read again (the password hash
// must still be the one that was verified); a change made through this process's Store is seen at
// once. So a changed password, a revoked token and a deleted user stop working here immediately and
// on other replicas within `recheck_interval_ms`.
//
// Equal credentials that arrive together are verified once. Failed attempts are counted by
// user and peer, by user, and by peer; over the limit, only credentials already verified pass.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "auth/store.h"

namespace sluice::auth {

struct AuthenticatorOptions {
  int64_t cache_ttl_ms = 300'000;  ///< 0: verify every request in full
  int64_t recheck_interval_ms = 1'000;
  size_t cache_count_max = 10'000;
  int64_t throttle_window_ms = 60'000;
  int user_and_peer_failure_max = 10;  ///< per window
  int user_failure_max = 100;
  int peer_failure_max = 200;
  size_t throttle_count_max = 20'000;  ///< counters kept; the oldest go first
};

/// Thread-safe.
class Authenticator {
 public:
  using Options = AuthenticatorOptions;
  /// `store` and `hasher` must outlive it.
  Authenticator(Store& store, PasswordHasher& hasher, Clock& clock = SystemClock(),
                Options options = {});
  ~Authenticator();

  /// `authorization` is the field's value, "" if there is none: "Basic <base64 of name:password>"
  /// (the password may be a token, the name then its user's or "__token__") or "Bearer <token>".
  /// `peer` is an address without port. Errors: kPermissionDenied for missing, malformed or wrong
  /// credentials (401, whatever the reason); kResourceExhausted when throttled (429); kUnavailable
  /// when too many logins are being verified (503); those of the store.
  Result<Principal> Authenticate(std::string_view authorization, std::string_view peer);

  struct Stats {
    int64_t hit_count = 0;     ///< answered from memory
    int64_t verify_count = 0;  ///< passwords hashed
    int64_t failure_count = 0;
    int64_t throttled_count = 0;
  };
  Stats stats() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::auth
