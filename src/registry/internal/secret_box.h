// Secrets of webhooks: kept, and used to sign.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::registry::internal {

/// "aes256gcm:<base64 of nonce, ciphertext and tag>" under a key derived from `key` (HKDF-SHA256),
/// bound to `owner`; without a key "plain:<secret>"; of an empty secret nothing.
std::string SealSecret(std::string_view secret, std::string_view owner, std::string_view key);
/// Errors: kFailedPrecondition if it was sealed with another key, or for another owner.
Result<std::string> OpenSecret(std::string_view sealed, std::string_view owner,
                               std::string_view key);

/// MLflow's X-MLflow-Signature: "v1," and the base64 of HMAC-SHA256 over "id.timestamp.payload".
std::string SignDelivery(std::string_view secret, std::string_view delivery_id,
                         std::string_view timestamp, std::string_view payload);

}  // namespace sluice::registry::internal
