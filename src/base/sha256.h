// SHA-256, the name of every object: the same digests as `sha256sum` and OCI. FIPS 180-4, by
// OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice {

/// A SHA-256 digest. A plain value; persisted and sent as 64 lower-case hexadecimal digits.
struct Digest {
  std::array<uint8_t, 32> bytes{};

  std::string ToHex() const;
  /// The first 12 digits, for people.
  std::string ToShort() const { return ToHex().substr(0, 12); }
  /// Errors: kInvalidArgument unless `hex` is 64 lower-case hexadecimal digits.
  static Result<Digest> FromHex(std::string_view hex);

  friend auto operator<=>(const Digest&, const Digest&) = default;
};

/// Hashes bytes as they come. One thread at a time; Finish ends it.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(std::string_view bytes);
  /// Call once.
  Digest Finish();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

/// The digest of one byte string. Pure.
Digest ComputeSha256(std::string_view bytes);

}  // namespace sluice

template <>
struct std::hash<sluice::Digest> {
  size_t operator()(const sluice::Digest& digest) const noexcept {
    size_t value = 0;
    for (size_t i = 0; i < sizeof value; ++i) value = (value << 8) | digest.bytes[i];
    return value;
  }
};
