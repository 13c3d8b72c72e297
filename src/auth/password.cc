// werkzeug's password hashes by OpenSSL, and the slots in front of them.
#include "auth/password.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "auth/user.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/hmac.h"
#include "base/slots.h"

namespace sluice::auth {
namespace {

constexpr int64_t kPasswordCharactersMin = 12;
constexpr size_t kPasswordBytesMax = 1000;
constexpr size_t kUsernameBytesMax = 255;
constexpr size_t kSaltLength = 16;
constexpr size_t kScryptBytes = 64;

/// "method$salt$hexadecimal digits" and the numbers inside the method.
struct ParsedHash {
  bool is_scrypt = false;
  uint64_t n = 0, r = 0, p = 0;    // scrypt
  const EVP_MD* digest = nullptr;  // pbkdf2
  int64_t iteration_count = 0;
  std::string_view salt;
  std::string_view hex;
};

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

template <typename Number>
bool ReadNumber(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && *number > 0;
}

std::optional<ParsedHash> Parse(std::string_view hash) {
  const std::vector<std::string_view> parts = Split(hash, '$');
  if (parts.size() != 3 || parts[2].empty()) return std::nullopt;
  const std::vector<std::string_view> method = Split(parts[0], ':');
  ParsedHash parsed;
  parsed.salt = parts[1];
  parsed.hex = parts[2];
  if (method[0] == "scrypt") {
    parsed.is_scrypt = true;
    parsed.n = 32768, parsed.r = 8, parsed.p = 1;
    if (method.size() != 1 &&
        (method.size() != 4 || !ReadNumber(method[1], &parsed.n) ||
         !ReadNumber(method[2], &parsed.r) || !ReadNumber(method[3], &parsed.p))) {
      return std::nullopt;
    }
    // 128 * n * r is the memory; p repeats the work. Divided, so that nothing overflows.
    constexpr auto kUnitsMax = static_cast<uint64_t>(kHashMemoryMaxBytes / 128);
    if (parsed.r > kUnitsMax || parsed.n > kUnitsMax / parsed.r || parsed.p > 4 || parsed.n < 2 ||
        (parsed.n & (parsed.n - 1)) != 0 || parsed.hex.size() != 2 * kScryptBytes) {
      return std::nullopt;
    }
    return parsed;
  }
  if (method[0] != "pbkdf2" || method.size() > 3) return std::nullopt;
  const std::string_view name = method.size() > 1 ? method[1] : "sha256";
  parsed.digest = name == "sha256"   ? EVP_sha256()
                  : name == "sha512" ? EVP_sha512()
                  : name == "sha1"   ? EVP_sha1()
                                     : nullptr;
  parsed.iteration_count = 1'000'000;  // werkzeug's own default, for hashes that do not say
  if (!parsed.digest || (method.size() == 3 && !ReadNumber(method[2], &parsed.iteration_count)) ||
      parsed.iteration_count > kPbkdf2IterationsMax ||
      parsed.hex.size() != 2 * static_cast<size_t>(EVP_MD_get_size(parsed.digest))) {
    return std::nullopt;
  }
  return parsed;
}

/// The hash of `password` under what `parsed` says, in hexadecimal; empty if OpenSSL refuses.
std::string Compute(std::string_view password, const ParsedHash& parsed) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  static_assert(sizeof bytes >= kScryptBytes);
  const size_t size = parsed.hex.size() / 2;
  const auto* salt = reinterpret_cast<const unsigned char*>(parsed.salt.data());
  int ok = 0;
  if (parsed.is_scrypt) {
    ok = EVP_PBE_scrypt(password.data(), password.size(), salt, parsed.salt.size(), parsed.n,
                        parsed.r, parsed.p, static_cast<uint64_t>(kHashMemoryMaxBytes) + (1 << 20),
                        bytes, size);
  } else {
    ok = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt,
                           static_cast<int>(parsed.salt.size()),
                           static_cast<int>(parsed.iteration_count), parsed.digest,
                           static_cast<int>(size), bytes);
  }
  if (ok != 1) return {};
  std::string hex = EncodeHex({reinterpret_cast<const char*>(bytes), size});
  OPENSSL_cleanse(bytes, sizeof bytes);
  return hex;
}

/// A hash that nobody has the password of: what an unknown user is checked against.
constexpr std::string_view kNobodysHash =
    "scrypt:32768:8:1$nobodynobodynobo$"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000";

}  // namespace

Status CheckPassword(std::string_view password) {
  // Characters, as Python counts: bytes that do not continue one.
  const auto character_count = std::count_if(password.begin(), password.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  });
  if (character_count < kPasswordCharactersMin) {
    return InvalidArgument("Password must be at least 12 characters.");
  }
  if (password.size() > kPasswordBytesMax) {
    return InvalidArgument(fmt::format("Password must be at most {} bytes.", kPasswordBytesMax));
  }
  if (LooksLikeToken(password)) {
    return InvalidArgument("This password has the form of an API token; choose another one.");
  }
  return Ok();
}

Status CheckUsername(std::string_view username) {
  if (username.empty()) return InvalidArgument("Username cannot be empty.");
  if (username.size() > kUsernameBytesMax) {
    return InvalidArgument(fmt::format("Username is {} bytes long; at most {} are allowed.",
                                       username.size(), kUsernameBytesMax));
  }
  if (username == kTokenUsername) {
    return InvalidArgument(fmt::format("Username '{}' is reserved for API tokens.", username));
  }
  for (char letter : username) {
    if (letter == ':' || static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) {
      return InvalidArgument(
          fmt::format("Username '{}' has a colon or a control character, which HTTP Basic "
                      "authentication cannot carry.",
                      username));
    }
  }
  return Ok();
}

std::string HashPassword(std::string_view password, std::string_view salt) {
  const std::string digits(2 * kScryptBytes, '0');
  const ParsedHash parsed{
      .is_scrypt = true, .n = 32768, .r = 8, .p = 1, .salt = salt, .hex = digits};
  const std::string hex = Compute(password, parsed);
  CHECK(!hex.empty());
  return fmt::format("scrypt:32768:8:1${}${}", salt, hex);
}

bool VerifyPassword(std::string_view password, std::string_view hash) {
  const std::optional<ParsedHash> parsed = Parse(hash);
  if (!parsed) return false;
  const std::string hex = Compute(password, *parsed);
  return EqualInConstantTime(hex, parsed->hex);
}

bool IsKnownPasswordHash(std::string_view hash) { return Parse(hash).has_value(); }

std::string NewRandomText(size_t length) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  while (text.size() < length) {
    unsigned char bytes[64];
    const ssize_t count = getrandom(bytes, sizeof bytes, 0);
    CHECK(count > 0 || errno == EINTR);
    for (ssize_t i = 0; i < count && text.size() < length; ++i) {
      // Bytes from 248 on are left out, so that each of the 62 letters is as likely.
      if (bytes[i] < 248) text.push_back(kLetters[bytes[i] % 62]);
    }
  }
  return text;
}

std::string NewPassword() { return NewRandomText(24); }

class PasswordHasher::Slot {
 public:
  /// Errors: kUnavailable.
  static Result<Slot> Take(Slots& slots) {
    if (!slots.Take()) {
      return Unavailable("Too many passwords are being verified at once. Try again in a moment.");
    }
    return Slot(slots);
  }
  Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
  Slot& operator=(Slot&&) = delete;
  ~Slot() {
    if (slots_ != nullptr) slots_->Give();
  }

 private:
  explicit Slot(Slots& slots) : slots_(&slots) {}

  Slots* slots_;
};

PasswordHasher::PasswordHasher(Options options)
    : slots_(std::make_unique<Slots>(
          Slots::Options{.count = options.concurrent_count,
                         .waiting_count_max = options.waiting_count_max,
                         .wait_timeout = std::chrono::milliseconds(options.wait_timeout_ms)})) {}
PasswordHasher::~PasswordHasher() = default;

Result<std::string> PasswordHasher::Hash(std::string_view password) {
  ASSIGN_OR_RETURN(const Slot slot, Slot::Take(*slots_));
  return HashPassword(password, NewRandomText(kSaltLength));
}

Result<bool> PasswordHasher::Verify(std::string_view password, std::string_view hash) {
  if (password.size() > kPasswordBytesMax) return false;
  ASSIGN_OR_RETURN(const Slot slot, Slot::Take(*slots_));
  return VerifyPassword(password, hash);
}

Status PasswordHasher::VerifyNothing(std::string_view password) {
  ASSIGN_OR_RETURN(const bool is_right, Verify(password, kNobodysHash));
  CHECK(!is_right);
  return Ok();
}

}  // namespace sluice::auth
