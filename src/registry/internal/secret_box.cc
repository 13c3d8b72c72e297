#include "registry/internal/secret_box.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <array>
#include <memory>

#include "base/base64.h"
#include "base/check.h"
#include "base/hmac.h"

namespace sluice::registry::internal {
namespace {

constexpr std::string_view kSealed = "aes256gcm:";
constexpr std::string_view kPlain = "plain:";
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
struct FreeKey {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data() == nullptr ? "" : text.data());
}
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
int Size(std::string_view text) { return static_cast<int>(text.size()); }

std::array<unsigned char, 32> DeriveKey(std::string_view key) {
  constexpr std::string_view kPurpose = "sluice webhook secret 1";
  std::array<unsigned char, 32> derived{};
  size_t size = derived.size();
  std::unique_ptr<EVP_PKEY_CTX, FreeKey> context(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
  CHECK(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
        EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) == 1 &&
        EVP_PKEY_CTX_set1_hkdf_key(context.get(), Bytes(key), Size(key)) == 1 &&
        EVP_PKEY_CTX_add1_hkdf_info(context.get(), Bytes(kPurpose), Size(kPurpose)) == 1 &&
        EVP_PKEY_derive(context.get(), derived.data(), &size) == 1);
  return derived;
}

}  // namespace

std::string SealSecret(std::string_view secret, std::string_view owner, std::string_view key) {
  if (secret.empty()) return {};
  if (key.empty()) return std::string(kPlain) + std::string(secret);
  std::string box(kNonceBytes + secret.size() + kTagBytes, '\0');
  unsigned char* const nonce = Bytes(box);
  unsigned char* const text = nonce + kNonceBytes;
  const std::array<unsigned char, 32> derived = DeriveKey(key);
  Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  CHECK(cipher != nullptr && RAND_bytes(nonce, kNonceBytes) == 1 &&
        EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, derived.data(), nonce) == 1 &&
        EVP_EncryptUpdate(cipher.get(), nullptr, &size, Bytes(owner), Size(owner)) == 1 &&
        EVP_EncryptUpdate(cipher.get(), text, &size, Bytes(secret), Size(secret)) == 1 &&
        EVP_EncryptFinal_ex(cipher.get(), text + size, &size) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, text + secret.size()) ==
            1);
  return std::string(kSealed) + EncodeBase64(box);
}

Result<std::string> OpenSecret(std::string_view sealed, std::string_view owner,
                               std::string_view key) {
  if (sealed.empty()) return std::string();
  if (sealed.starts_with(kPlain)) return std::string(sealed.substr(kPlain.size()));
  const Error failed = FailedPrecondition(
      "the webhook's secret was kept under another MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY; start the "
      "server with that one, or give the webhook its secret again");
  if (!sealed.starts_with(kSealed) || key.empty()) return failed;
  std::optional<std::string> box = DecodeBase64(sealed.substr(kSealed.size()));
  if (!box || box->size() < kNonceBytes + kTagBytes) return failed;
  unsigned char* const nonce = Bytes(*box);
  std::string secret(box->size() - kNonceBytes - kTagBytes, '\0');
  const std::array<unsigned char, 32> derived = DeriveKey(key);
  Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  bool is_right =
      cipher != nullptr &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, derived.data(), nonce) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, Bytes(owner), Size(owner)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), Bytes(secret), &size, nonce + kNonceBytes, Size(secret)) ==
          1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes,
                          nonce + kNonceBytes + secret.size()) == 1;
  unsigned char rest[16];
  is_right = is_right && EVP_DecryptFinal_ex(cipher.get(), rest, &size) == 1;
  if (!is_right) return failed;
  return secret;
}

std::string SignDelivery(std::string_view secret, std::string_view delivery_id,
                         std::string_view timestamp, std::string_view payload) {
  const std::string text = fmt::format("{}.{}.{}", delivery_id, timestamp, payload);
  return "v1," + EncodeBase64(BytesOf(ComputeHmacSha256(secret, text)));
}

}  // namespace sluice::registry::internal
