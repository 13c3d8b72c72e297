#include "base/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/hex.h"

namespace sluice {

std::string Digest::ToHex() const {
  return EncodeHex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Result<Digest> Digest::FromHex(std::string_view hex) {
  Digest digest;
  if (hex.size() == 64) {
    bool is_hex = true;
    for (size_t i = 0; i < 64 && is_hex; ++i) {
      char c = hex[i];
      int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      is_hex = value >= 0;
      digest.bytes[i / 2] = static_cast<uint8_t>((digest.bytes[i / 2] << 4) | (value & 15));
    }
    if (is_hex) return digest;
  }
  return InvalidArgument(
      fmt::format("'{}' is not a SHA-256 digest: expected 64 lower-case hexadecimal digits",
                  hex.substr(0, 80)));
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  CHECK(context_ != nullptr);
  CHECK(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_.get()), EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Free::operator()(void* context) const {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context));
}

void Sha256::Update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_.get()), bytes.data(), bytes.size()) ==
        1);
}

Digest Sha256::Finish() {
  Digest digest;
  unsigned int size_bytes = 0;
  CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_.get()), digest.bytes.data(),
                           &size_bytes) == 1);
  CHECK(size_bytes == digest.bytes.size());
  return digest;
}

Digest ComputeSha256(std::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Finish();
}

}  // namespace sluice
