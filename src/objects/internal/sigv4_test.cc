#include "objects/internal/sigv4.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "objects/internal/s3_digest.h"

namespace sluice::objects::internal {
namespace {

// The account, bucket and time of the examples in the Amazon S3 API Reference.
constexpr int64_t kNowMs = 1'369'353'600'000;  // 2013-05-24T00:00:00Z
const SigningKey kKey = {.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                         .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                         .region = "us-east-1"};
constexpr std::string_view kHost = "examplebucket.s3.amazonaws.com";

std::string Authorization(const UnsignedRequest& request) {
  for (const NameValue& field : SignHeaders(request, kKey, kNowMs)) {
    if (field.first == "Authorization") return field.second;
  }
  return "none";
}

TEST(SigV4, GetObjectAsPublished) {
  const UnsignedRequest request = {.host = std::string(kHost),
                                   .path = "/test.txt",
                                   .headers = {{"Range", "bytes=0-9"}},
                                   .payload_hash = ComputeSha256("").ToHex()};
  EXPECT_EQ(Authorization(request),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4, PutObjectAsPublished) {
  const UnsignedRequest request = {.method = "PUT",
                                   .host = std::string(kHost),
                                   .path = "/test$file.text",
                                   .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                               {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                                   .payload_hash = ComputeSha256("Welcome to Amazon S3.").ToHex()};
  EXPECT_TRUE(Authorization(request).ends_with(
      "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST(SigV4, QueriesAsPublished) {
  UnsignedRequest request = {.host = std::string(kHost),
                             .query = {{"lifecycle", ""}},
                             .payload_hash = ComputeSha256("").ToHex()};
  EXPECT_TRUE(Authorization(request).ends_with(
      "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  request.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_TRUE(Authorization(request).ends_with(
      "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(SigV4, PresignedAsPublished) {
  const UnsignedRequest request = {.host = std::string(kHost), .path = "/test.txt"};
  EXPECT_EQ(SignQuery(request, kKey, kNowMs, 86'400),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(SigV4, SessionTokensAreSentAndSigned) {
  SigningKey key = kKey;
  key.session_token = "to/ken=";
  const UnsignedRequest request = {.host = std::string(kHost), .path = "/a"};
  bool has_token = false;
  for (const NameValue& field : SignHeaders(request, key, kNowMs)) {
    has_token |= field == NameValue{"x-amz-security-token", "to/ken="};
    if (field.first != "Authorization") continue;
    EXPECT_NE(field.second.find("x-amz-date;x-amz-security-token"), std::string::npos);
  }
  EXPECT_TRUE(has_token);
  EXPECT_NE(SignQuery(request, key, kNowMs, 1).find("X-Amz-Security-Token=to%2Fken%3D"),
            std::string::npos);
}

TEST(SigV4, EncodesWhatIsNotUnreserved) {
  EXPECT_EQ(EncodeForSigning("a b/c+ä~", true), "a%20b/c%2B%C3%A4~");
  EXPECT_EQ(EncodeForSigning("a/b", false), "a%2Fb");
  EXPECT_EQ(EncodeQuery({{"b", "2"}, {"a", "x y"}, {"b", "1"}}), "a=x%20y&b=1&b=2");
}

TEST(S3Digest, KnownAnswers) {
  EXPECT_EQ(EncodeHex(Md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
}

}  // namespace
}  // namespace sluice::objects::internal
