#include "base/hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"

namespace sluice {

Digest ComputeHmacSha256(std::string_view key, std::string_view text) {
  Digest code;
  unsigned int size_bytes = 0;
  // OpenSSL takes a null key for none given.
  const char* const key_data = key.empty() ? "" : key.data();
  CHECK(HMAC(EVP_sha256(), key_data, static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), code.bytes.data(),
             &size_bytes) != nullptr);
  CHECK(size_bytes == code.bytes.size());
  return code;
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace sluice
