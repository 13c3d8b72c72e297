// AWS Signature Version 4, for S3. All functions here are pure: the time is an argument.
//
// Source: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API Reference; its four
// examples of headers and its example of a query are tests beside this.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::objects::internal {

using NameValue = std::pair<std::string, std::string>;

struct SigningKey {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  ///< empty: none
  std::string region;
  std::string service = "s3";
};

/// In place of the body's digest where the body is not hashed.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

struct UnsignedRequest {
  std::string method = "GET";
  std::string host;                ///< as the Host field will say it: with the port if not default
  std::string path = "/";          ///< not encoded; EncodePath makes what is sent
  std::vector<NameValue> query;    ///< not encoded
  std::vector<NameValue> headers;  ///< all of these are signed; without Host and what signing adds
  std::string payload_hash{kUnsignedPayload};  ///< or 64 hexadecimal digits
};

/// The fields to send besides request.headers: x-amz-date, x-amz-content-sha256,
/// x-amz-security-token where there is one, and Authorization.
std::vector<NameValue> SignHeaders(const UnsignedRequest& request, const SigningKey& key,
                                   int64_t now_ms);

/// The query to send, encoded, that carries the signature: whoever has it may send the request
/// until it expires, with request.headers if there are any.
std::string SignQuery(const UnsignedRequest& request, const SigningKey& key, int64_t now_ms,
                      int64_t expires_s);

/// All but unreserved characters as %XX; with `keeps_slashes` also not '/'.
std::string EncodeForSigning(std::string_view text, bool keeps_slashes);
/// "a=1&b=x%20y", sorted by encoded name and value, as it is signed and should be sent.
std::string EncodeQuery(const std::vector<NameValue>& query);

}  // namespace sluice::objects::internal
