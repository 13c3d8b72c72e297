#include "objects/internal/s3_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "base/id.h"
#include "base/sha256.h"
#include "objects/internal/xml.h"

namespace sluice::objects::internal {
namespace {

constexpr std::string_view kDefaultRegion = "us-east-1";
constexpr int64_t kBackOffMsMax = 10'000;
constexpr int64_t kErrorBodyBytesMax = 64 << 10;
/// Of one request whose body is in memory; a stream has only the stall limit.
constexpr int64_t kRequestTimeoutMs = 120'000;

bool IsDnsLabel(std::string_view bucket) {
  return bucket.find('.') == std::string_view::npos && std::ranges::all_of(bucket, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

struct S3Fault {
  std::string code;
  std::string message;
};

S3Fault FaultOf(std::string_view body) {
  const Result<XmlElement> root = ParseXml(body);
  if (!root.ok() || root->name != "Error") return {};
  return {.code = std::string(root->TextOf("Code")),
          .message = std::string(root->TextOf("Message")).substr(0, 500)};
}

bool IsAnyOf(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

bool IsTransient(int status, std::string_view code) {
  return status == 408 || status == 429 || status == 500 || status >= 502 ||
         IsAnyOf(code, {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable",
                        "Throttling"});
}

std::string ReadAll(http::BodySource& body) {
  std::string text(static_cast<size_t>(kErrorBodyBytesMax), '\0');
  size_t size = 0;
  while (size < text.size()) {
    const Result<size_t> count = body.Read(std::span(text).subspan(size));
    if (!count.ok() || *count == 0) break;
    size += *count;
  }
  text.resize(size);
  return text;
}

}  // namespace

Result<S3Address> AddressOf(const S3Options& options, const std::string& region,
                            const std::string& bucket) {
  S3Address address;
  if (options.endpoint_url.empty()) {
    address.scheme = "https";
    address.host =
        fmt::format("s3.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
  } else {
    const size_t colon = options.endpoint_url.find("://");
    if (colon == std::string::npos) {
      return InvalidArgument(fmt::format("the S3 endpoint '{}' is no URL", options.endpoint_url));
    }
    address.scheme = options.endpoint_url.substr(0, colon);
    address.host = options.endpoint_url.substr(colon + 3);
    while (address.host.ends_with('/')) address.host.pop_back();
    if (address.host.empty() || address.host.find_first_of("/?#@ ") != std::string::npos) {
      return InvalidArgument(fmt::format(
          "the S3 endpoint must be http(s)://host[:port], without path or user, not '{}://...'",
          address.scheme));
    }
    // curl leaves a default port out of Host, and what is signed must be what is sent.
    const std::string_view usual = address.scheme == "https" ? ":443" : ":80";
    if (address.host.ends_with(usual)) address.host.resize(address.host.size() - usual.size());
  }
  const bool is_path = options.addressing == S3Options::Addressing::kPath ||
                       (options.addressing == S3Options::Addressing::kAuto &&
                        (!options.endpoint_url.empty() || !IsDnsLabel(bucket)));
  if (is_path) {
    address.prefix = "/" + bucket;
  } else {
    address.host = bucket + "." + address.host;
  }
  return address;
}

S3Client::S3Client(std::string bucket, S3Options options,
                   std::unique_ptr<S3CredentialSource> credentials, Clock& clock)
    : bucket_(std::move(bucket)),
      options_(std::move(options)),
      credentials_(std::move(credentials)),
      clock_(clock),
      fetcher_({.ca_file = options_.ca_file, .verifies_tls = options_.verifies_tls}),
      region_(options_.region.empty() ? std::string(kDefaultRegion) : options_.region) {}

Result<SigningKey> S3Client::Key() {
  ASSIGN_OR_RETURN(S3Credentials credentials, credentials_->Get());
  return SigningKey{.access_key_id = std::move(credentials.access_key_id),
                    .secret_access_key = std::move(credentials.secret_access_key),
                    .session_token = std::move(credentials.session_token),
                    .region = region_.With([](std::string& region) { return region; })};
}

UnsignedRequest S3Client::Unsigned(const S3Request& request, const S3Address& address) const {
  UnsignedRequest unsigned_request = {.method = request.method,
                                      .host = address.host,
                                      .path = address.prefix + "/" + request.key,
                                      .query = request.query,
                                      .headers = request.headers};
  // A bucket by path has no slash behind it where there is no key.
  if (request.key.empty() && !address.prefix.empty()) unsigned_request.path.pop_back();
  return unsigned_request;
}

Result<http::FetchRequest> S3Client::Prepare(const S3Request& request) {
  ASSIGN_OR_RETURN(const SigningKey key, Key());
  ASSIGN_OR_RETURN(const S3Address address, AddressOf(options_, key.region, bucket_));
  UnsignedRequest unsigned_request = Unsigned(request, address);
  if (!options_.expected_bucket_owner.empty()) {
    unsigned_request.headers.emplace_back("x-amz-expected-bucket-owner",
                                          options_.expected_bucket_owner);
  }
  if (request.stream == nullptr) {
    unsigned_request.payload_hash = ComputeSha256(request.body).ToHex();
  }
  http::FetchRequest fetch;
  fetch.method = request.method;
  fetch.url = address.scheme + "://" + address.host + EncodeForSigning(unsigned_request.path, true);
  if (!request.query.empty()) fetch.url += "?" + EncodeQuery(request.query);
  for (const NameValue& field : unsigned_request.headers) {
    fetch.headers.Add(field.first, field.second);
  }
  for (NameValue& field : SignHeaders(unsigned_request, key, clock_.NowMs())) {
    fetch.headers.Add(std::move(field.first), std::move(field.second));
  }
  fetch.body = request.body;
  fetch.timeout_ms = kRequestTimeoutMs;
  if (request.stream != nullptr) {
    fetch.body_source = request.stream;
    fetch.body_source_bytes = request.stream_bytes;
    fetch.timeout_ms = 0;
  }
  return fetch;
}

bool S3Client::WaitToRepeat(const S3Request& request, int attempt, int status,
                            std::string_view code, const http::Headers& headers) {
  if (request.stream != nullptr || attempt + 1 >= options_.attempt_count_max) return false;
  // A bucket elsewhere says so; the next attempt is signed for that region.
  const std::string* const region = headers.Find("x-amz-bucket-region");
  if (region != nullptr && (status == 301 || status == 307 || status == 400 || status == 403)) {
    const bool is_new = region_.With([&](std::string& known) {
      if (known == *region) return false;
      known = *region;
      return true;
    });
    if (is_new) return true;
  }
  if (!IsTransient(status, code)) return false;
  // Half fixed, half by chance, so that many do not come back together.
  const int64_t full_ms = std::min(options_.back_off_ms << attempt, kBackOffMsMax);
  const auto chance = static_cast<int64_t>(std::stoul(NewRandomHex(4), nullptr, 16));
  std::this_thread::sleep_for(
      std::chrono::milliseconds(full_ms / 2 + full_ms / 2 * chance / 65'536));
  return true;
}

Result<http::FetchResponse> S3Client::Send(const S3Request& request) {
  for (int attempt = 0;; ++attempt) {
    ASSIGN_OR_RETURN(const http::FetchRequest fetch, Prepare(request));
    Result<http::FetchResponse> response = fetcher_.Fetch(fetch);
    if (!response.ok()) {
      if (response.error().code() == ErrorCode::kUnavailable &&
          WaitToRepeat(request, attempt, 503, {}, {})) {
        continue;
      }
      return std::move(response).error().With(Named(request));
    }
    S3Fault fault;
    int status = response->status;
    if (!response->is_success()) {
      fault = FaultOf(response->body);
    } else if (response->body.find("<Error>") != std::string::npos) {
      // Completing an upload may begin with 200 and then turn out as an error.
      fault = FaultOf(response->body);
      if (!fault.code.empty()) status = IsTransient(200, fault.code) ? 503 : 400;
    }
    if (response->is_success() && fault.code.empty()) return response;
    if (WaitToRepeat(request, attempt, status, fault.code, response->headers)) continue;
    return ErrorOf(request, status, response->body);
  }
}

Result<http::FetchStream> S3Client::Open(const S3Request& request) {
  for (int attempt = 0;; ++attempt) {
    ASSIGN_OR_RETURN(const http::FetchRequest fetch, Prepare(request));
    Result<http::FetchStream> stream = fetcher_.Open(fetch);
    if (!stream.ok()) {
      if (stream.error().code() == ErrorCode::kUnavailable &&
          WaitToRepeat(request, attempt, 503, {}, {})) {
        continue;
      }
      return std::move(stream).error().With(Named(request));
    }
    if (stream->status >= 200 && stream->status < 300) return stream;
    const std::string body = ReadAll(*stream->body);
    if (WaitToRepeat(request, attempt, stream->status, FaultOf(body).code, stream->headers)) {
      continue;
    }
    return ErrorOf(request, stream->status, body);
  }
}

Result<PresignedUrl> S3Client::Presign(const S3Request& request, int64_t expires_s) {
  ASSIGN_OR_RETURN(const SigningKey key, Key());
  ASSIGN_OR_RETURN(const S3Address address, AddressOf(options_, key.region, bucket_));
  UnsignedRequest unsigned_request = Unsigned(request, address);
  if (!options_.expected_bucket_owner.empty()) {
    // In the query, so that a browser can follow the URL.
    unsigned_request.query.emplace_back("x-amz-expected-bucket-owner",
                                        options_.expected_bucket_owner);
  }
  PresignedUrl url;
  url.url = address.scheme + "://" + address.host + EncodeForSigning(unsigned_request.path, true) +
            "?" + SignQuery(unsigned_request, key, clock_.NowMs(), expires_s);
  url.headers = request.headers;
  return url;
}

std::string S3Client::Named(const S3Request& request) const {
  return request.key.empty() ? fmt::format("S3 bucket '{}'", bucket_)
                             : fmt::format("S3 bucket '{}', key '{}'", bucket_, request.key);
}

Error S3Client::ErrorOf(const S3Request& request, int status, std::string_view body) const {
  const S3Fault fault = FaultOf(body);
  const std::string said = fault.code.empty()
                               ? fmt::format("HTTP {}", status)
                               : fmt::format("{}: {} (HTTP {})", fault.code, fault.message, status);
  const auto message = [&](std::string_view next) {
    return fmt::format("{}: {}. {}", Named(request), said, next);
  };
  if (fault.code == "NoSuchBucket") {
    return FailedPrecondition(message("Create the bucket or correct the artifact URI"));
  }
  if (IsAnyOf(fault.code, {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "EntityTooLarge",
                           "InvalidArgument", "KeyTooLongError", "BadDigest"})) {
    return InvalidArgument(message("Send the part again, or begin a new upload"));
  }
  if (IsAnyOf(fault.code, {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken",
                           "InvalidToken", "TokenRefreshRequired"})) {
    return PermissionDenied(message("Check the server's S3 credentials and their region"));
  }
  switch (status) {
    case 401:
    case 403:
      return PermissionDenied(
          message("Check that the server's S3 credentials allow " + request.method + " there"));
    case 404: return NotFound(message("It is not there, or not any more"));
    case 412: return FailedPrecondition(message("It was replaced meanwhile: read it again"));
    case 416: return DataLoss(message("It became shorter meanwhile"));
    case 301:
    case 307: return FailedPrecondition(message("Set AWS_REGION to the bucket's region"));
    default: break;
  }
  if (IsTransient(status, fault.code)) return Unavailable(message("Try again later"));
  return FailedPrecondition(message("Check the S3 endpoint and the bucket's settings"));
}

}  // namespace sluice::objects::internal
