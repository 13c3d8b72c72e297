// A bucket of S3, or of anything that speaks its protocol, as a destination.
//
// Requests are signed here (AWS Signature Version 4) and sent by http/fetch.h. Uploads are streamed
// in bounded memory: what is larger than one part goes in parts. What fails with 5xx, 429 or
// SlowDown, or breaks off, is tried again with back-off.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "objects/remote.h"

namespace sluice::objects {

/// How a variable of the environment is read; nothing if it is not set. Tests give their own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> ProcessEnvironment(const std::string& name);

struct S3Options {
  std::string endpoint_url;  ///< empty: AWS itself. Without a path
  std::string region;        ///< empty: us-east-1
  enum class Addressing : uint8_t {
    kAuto,         ///< path-style for another endpoint and names that are no DNS label
    kPath,         ///< http://endpoint/bucket/key
    kVirtualHost,  ///< http://bucket.endpoint/key
  } addressing = Addressing::kAuto;
  bool verifies_tls = true;
  std::string ca_file;
  std::string expected_bucket_owner;  ///< an account; empty: not checked
  /// Fields of every upload: encryption, ACL, storage class, ...
  std::vector<std::pair<std::string, std::string>> upload_headers;
  int attempt_count_max = 5;     ///< of one request
  int64_t back_off_ms = 200;     ///< before the second attempt, doubled for each further one
  int64_t part_bytes = 8 << 20;  ///< in memory for each upload under way; grows with long ones
};

/// Reads MLFLOW_S3_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION,
/// AWS_DEFAULT_REGION, MLFLOW_S3_IGNORE_TLS, AWS_CA_BUNDLE, MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE,
/// MLFLOW_S3_EXPECTED_BUCKET_OWNER, MLFLOW_S3_UPLOAD_EXTRA_ARGS (boto3's names, as JSON), and what
/// the profile of the AWS config file says of region, endpoint_url and addressing_style. Errors:
/// kInvalidArgument, naming the variable; an argument of uploads that has no field is refused.
Result<S3Options> S3OptionsFrom(const Environment& environment);

struct S3Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  ///< empty: none
  std::optional<int64_t> expires_ms;
};

/// Where credentials come from, asked before each request. Thread-safe.
class S3CredentialSource {
 public:
  virtual ~S3CredentialSource() = default;
  /// Errors: kPermissionDenied when there are none, saying where they were looked for;
  /// kUnavailable when a place that has them does not answer.
  virtual Result<S3Credentials> Get() = 0;
};

/// In this order, as AWS's own programs: the environment, the profile in the AWS credentials and
/// config files (AWS_PROFILE), the container's endpoint, the machine's metadata service. What
/// expires is fetched again before it does.
std::unique_ptr<S3CredentialSource> DefaultS3Credentials(Environment environment, Clock& clock);

/// "s3://bucket/prefix". Asks nobody: a bucket that is not there is found out by its first use.
/// Errors: kInvalidArgument for a URI without a proper bucket name.
Result<std::unique_ptr<Remote>> OpenS3Remote(std::string_view uri, S3Options options,
                                             std::unique_ptr<S3CredentialSource> credentials,
                                             Clock& clock = SystemClock());

}  // namespace sluice::objects
