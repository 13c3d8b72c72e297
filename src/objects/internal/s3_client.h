// One bucket's requests: addressed, signed, sent, tried again, and their errors told.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "http/fetch.h"
#include "objects/internal/sigv4.h"
#include "objects/remote_s3.h"

namespace sluice::objects::internal {

/// How to address a bucket. Pure.
struct S3Address {
  std::string scheme;  ///< "https"
  std::string host;    ///< with a port that is not the scheme's own
  std::string prefix;  ///< of every path: "/bucket" or ""
};
/// Errors: kInvalidArgument for an endpoint that is no URL of a host.
Result<S3Address> AddressOf(const S3Options& options, const std::string& region,
                            const std::string& bucket);

struct S3Request {
  std::string method = "GET";
  std::string key;  ///< "" is the bucket
  std::vector<NameValue> query;
  std::vector<NameValue> headers;
  std::string_view body;  ///< hashed, signed, sent again at each attempt
  /// Instead of `body`: streamed, not hashed, sent once.
  http::BodySource* stream = nullptr;
  int64_t stream_bytes = 0;
};

/// Thread-safe.
class S3Client {
 public:
  S3Client(std::string bucket, S3Options options, std::unique_ptr<S3CredentialSource> credentials,
           Clock& clock);

  /// The answer, if its status is a success; what can be tried again is. Errors: kNotFound
  /// (NoSuchKey, NoSuchUpload, any other 404 but NoSuchBucket), kFailedPrecondition (NoSuchBucket,
  /// 412), kInvalidArgument (a part or a size that S3 refuses), kPermissionDenied, kUnavailable,
  /// kDataLoss. Messages name bucket, key, S3's code and what to do.
  Result<http::FetchResponse> Send(const S3Request& request);
  /// As Send, with the body still to be read.
  Result<http::FetchStream> Open(const S3Request& request);

  Result<PresignedUrl> Presign(const S3Request& request, int64_t expires_s);

  const S3Options& options() const { return options_; }
  const std::string& bucket() const { return bucket_; }

 private:
  Result<http::FetchRequest> Prepare(const S3Request& request);
  Result<SigningKey> Key();
  UnsignedRequest Unsigned(const S3Request& request, const S3Address& address) const;
  /// Whether to try again, after having waited.
  bool WaitToRepeat(const S3Request& request, int attempt, int status, std::string_view code,
                    const http::Headers& headers);
  Error ErrorOf(const S3Request& request, int status, std::string_view body) const;
  std::string Named(const S3Request& request) const;

  const std::string bucket_;
  const S3Options options_;
  const std::unique_ptr<S3CredentialSource> credentials_;
  Clock& clock_;
  http::Fetcher fetcher_;
  Guarded<std::string> region_;  ///< corrected when S3 names another
};

}  // namespace sluice::objects::internal
