#include "objects/internal/s3_digest.h"

#include <openssl/evp.h>

#include <array>

#include "base/check.h"

namespace sluice::objects::internal {

std::string Md5(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) == 1);
  return std::string(reinterpret_cast<const char*>(digest.data()), size);
}

}  // namespace sluice::objects::internal
