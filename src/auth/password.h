// Passwords at rest: werkzeug's format, so that the users of an MLflow server come along with
// theirs.
//
//   scrypt:32768:8:1$<salt>$<128 hexadecimal digits>       made and verified
//   scrypt$<salt>$..., scrypt:N:r:p$...                    verified, with bounds on N, r and p
//   pbkdf2:sha256:600000$<salt>$<hex>, pbkdf2:sha256$...   verified (sha1, sha256, sha512)
//
// A hash costs about 50 ms and 32 MiB (128 * N * r bytes) on purpose, so PasswordHasher bounds how
// many run at once: a flood of logins waits or is turned away, it does not take the machine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/slots.h"

namespace sluice::auth {

/// MLflow's rule. Errors: kInvalidArgument for fewer than 12 characters, more than 1,000 bytes, or
/// the prefix of an API token (a token given as a password must not be taken for one).
Status CheckPassword(std::string_view password);
/// Errors: kInvalidArgument for an empty name, more than 255 bytes, a colon (Basic credentials end
/// the name there), control characters.
Status CheckUsername(std::string_view username);

/// Made for a salt of 16 letters and digits; pure.
std::string HashPassword(std::string_view password, std::string_view salt);
/// Constant-time in the password. False for a hash of a form not listed above, and for parameters
/// beyond kHashMemoryMaxBytes or kPbkdf2IterationsMax: a row of the database must not stop the
/// server. Pure, slow.
bool VerifyPassword(std::string_view password, std::string_view hash);
/// Is it a hash that VerifyPassword can check? For importers.
bool IsKnownPasswordHash(std::string_view hash);

inline constexpr int64_t kHashMemoryMaxBytes = 64 << 20;
inline constexpr int64_t kPbkdf2IterationsMax = 5'000'000;

/// A password nobody can guess: 24 letters and digits from the kernel's random source.
std::string NewPassword();
/// `length` letters and digits, likewise.
std::string NewRandomText(size_t length);

struct PasswordHasherOptions {
  int concurrent_count = 2;    ///< hashes at once
  int waiting_count_max = 16;  ///< more callers than that are turned away at once
  int64_t wait_timeout_ms = 5'000;
};

/// HashPassword and VerifyPassword behind a gate. Thread-safe.
class PasswordHasher {
 public:
  using Options = PasswordHasherOptions;
  explicit PasswordHasher(Options options = {});
  ~PasswordHasher();
  PasswordHasher(const PasswordHasher&) = delete;
  PasswordHasher& operator=(const PasswordHasher&) = delete;

  /// Errors, both: kUnavailable when too many others wait or the wait was too long.
  Result<std::string> Hash(std::string_view password);
  Result<bool> Verify(std::string_view password, std::string_view hash);
  /// Costs what Verify costs: for a user that does not exist.
  Status VerifyNothing(std::string_view password);

 private:
  class Slot;
  const std::unique_ptr<Slots> slots_;
};

}  // namespace sluice::auth
