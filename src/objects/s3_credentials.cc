// Where the credentials of a bucket come from: the chain that AWS's own programs walk.
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "base/guarded.h"
#include "formats/json.h"
#include "http/fetch.h"
#include "io/fs.h"
#include "objects/internal/aws_profile.h"
#include "objects/internal/sigv4.h"
#include "objects/internal/utc_time.h"
#include "objects/internal/xml.h"
#include "objects/remote_s3.h"

namespace sluice::objects {
namespace {

using internal::AwsProfiles;
using internal::FindSetting;

constexpr int64_t kRefreshBeforeMs = 5 * 60 * 1000;
constexpr int64_t kFileBytesMax = 1 << 20;
/// The metadata service is a hop away or not there at all.
constexpr int64_t kMetadataTimeoutMs = 2'000;
constexpr int64_t kTokenServiceTimeoutMs = 10'000;

/// Nothing: this place has none; go on to the next.
using Found = Result<std::optional<S3Credentials>>;

Found None() { return std::optional<S3Credentials>(); }

class Chain final : public S3CredentialSource {
 public:
  Chain(Environment environment, Clock& clock)
      : environment_(std::move(environment)), clock_(clock) {}

  Result<S3Credentials> Get() override {
    const std::optional<S3Credentials> kept =
        kept_.With([](std::optional<S3Credentials>& value) { return value; });
    const int64_t now_ms = clock_.NowMs();
    if (kept && (!kept->expires_ms || now_ms < *kept->expires_ms - kRefreshBeforeMs)) return *kept;
    // Several threads may fetch at once; that is rare and harmless, and nobody waits under a lock.
    Result<S3Credentials> fetched = Fetch();
    if (!fetched.ok()) {
      if (kept && now_ms < *kept->expires_ms) return *kept;
      return fetched;
    }
    kept_.With([&](std::optional<S3Credentials>& value) { value = *fetched; });
    return fetched;
  }

 private:
  Result<S3Credentials> Fetch() {
    constexpr auto kPlaces = std::to_array<Found (Chain::*)()>(
        {&Chain::FromEnvironment, &Chain::FromWebIdentity, &Chain::FromFiles, &Chain::FromContainer,
         &Chain::FromMachine});
    for (const auto place : kPlaces) {
      ASSIGN_OR_RETURN(std::optional<S3Credentials> found, (this->*place)());
      if (found) return *std::move(found);
    }
    return PermissionDenied(
        "no credentials for S3 were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
        "put them into ~/.aws/credentials (AWS_PROFILE chooses the profile), or run the server "
        "where a container or machine role is given");
  }

  std::string Variable(const std::string& name) const {
    return environment_(name).value_or(std::string());
  }
  std::string HomeFile(const std::string& variable, std::string_view name) const {
    const std::string named = Variable(variable);
    return named.empty() ? io::JoinPath(Variable("HOME"), name) : named;
  }
  static std::optional<std::string> ReadIfThere(const std::string& path) {
    Result<std::string> text = io::RealFs().ReadFile(path, kFileBytesMax);
    if (!text.ok()) return std::nullopt;
    return std::move(text).value();
  }

  Found FromEnvironment() {
    S3Credentials credentials = {.access_key_id = Variable("AWS_ACCESS_KEY_ID"),
                                 .secret_access_key = Variable("AWS_SECRET_ACCESS_KEY"),
                                 .session_token = Variable("AWS_SESSION_TOKEN")};
    if (credentials.access_key_id.empty()) return None();
    if (credentials.secret_access_key.empty()) {
      return InvalidArgument("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
    }
    return std::optional(std::move(credentials));
  }

  Found FromFiles() {
    const std::optional<std::string> credentials_text =
        ReadIfThere(HomeFile("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"));
    const std::optional<std::string> config_text =
        ReadIfThere(HomeFile("AWS_CONFIG_FILE", ".aws/config"));
    const std::string named = Variable("AWS_PROFILE");
    const std::string profile = named.empty() ? "default" : named;
    bool has_profile = false;
    for (const std::optional<std::string>* text : {&credentials_text, &config_text}) {
      if (!*text) continue;
      const AwsProfiles profiles = internal::ParseAwsFile(**text);
      has_profile |= profiles.contains(profile);
      std::optional<std::string> id = FindSetting(profiles, profile, "aws_access_key_id");
      std::optional<std::string> secret = FindSetting(profiles, profile, "aws_secret_access_key");
      if (!id || !secret) continue;
      return std::optional(S3Credentials{
          .access_key_id = *std::move(id),
          .secret_access_key = *std::move(secret),
          .session_token =
              FindSetting(profiles, profile, "aws_session_token").value_or(std::string())});
    }
    if (!named.empty()) {
      return PermissionDenied(fmt::format(
          "{} profile '{}' (AWS_PROFILE) {}", has_profile ? "the" : "no", named,
          has_profile ? "has no aws_access_key_id and aws_secret_access_key; profiles with roles, "
                        "single sign-on or credential_process are not followed: export their "
                        "credentials into the environment"
                      : "is in the AWS credentials and config files"));
    }
    return None();
  }

  /// A role of a Kubernetes service account: a signed token in a file, exchanged at AWS.
  Found FromWebIdentity() {
    const std::string token_file = Variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    const std::string role = Variable("AWS_ROLE_ARN");
    if (token_file.empty() || role.empty()) return None();
    const std::optional<std::string> token = ReadIfThere(token_file);
    if (!token) {
      return PermissionDenied("the file of AWS_WEB_IDENTITY_TOKEN_FILE cannot be read");
    }
    const std::string session = Variable("AWS_ROLE_SESSION_NAME");
    const std::string region = Variable("AWS_REGION");
    std::string endpoint = Variable("AWS_ENDPOINT_URL_STS");
    if (endpoint.empty()) {
      endpoint = region.empty() ? "https://sts.amazonaws.com"
                                : fmt::format("https://sts.{}.amazonaws.com", region);
    }
    http::FetchRequest request;
    request.method = "POST";
    request.url = endpoint + "/";
    request.headers.Add("Content-Type", "application/x-www-form-urlencoded");
    const std::string body =
        internal::EncodeQuery({{"Action", "AssumeRoleWithWebIdentity"},
                               {"Version", "2011-06-15"},
                               {"RoleArn", role},
                               {"RoleSessionName", session.empty() ? "sluice" : session},
                               {"WebIdentityToken", *token}});
    request.body = body;
    request.timeout_ms = kTokenServiceTimeoutMs;
    ASSIGN_OR_RETURN(const http::FetchResponse response, fetcher_.Fetch(request));
    if (!response.is_success()) {
      return PermissionDenied(fmt::format(
          "the role of AWS_ROLE_ARN was not given to the token of AWS_WEB_IDENTITY_TOKEN_FILE "
          "(HTTP {})",
          response.status));
    }
    ASSIGN_OR_RETURN(const internal::XmlElement root, internal::ParseXml(response.body));
    const internal::XmlElement* result = root.Find("AssumeRoleWithWebIdentityResult");
    const internal::XmlElement* given = result ? result->Find("Credentials") : nullptr;
    if (given == nullptr) return DataLoss("the token service's answer has no credentials");
    return std::optional(
        S3Credentials{.access_key_id = std::string(given->TextOf("AccessKeyId")),
                      .secret_access_key = std::string(given->TextOf("SecretAccessKey")),
                      .session_token = std::string(given->TextOf("SessionToken")),
                      .expires_ms = internal::ParseIsoUtc(given->TextOf("Expiration"))});
  }

  Found FromContainer() {
    std::string url = Variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (const std::string path = Variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        !path.empty()) {
      url = "http://169.254.170.2" + path;
    }
    if (url.empty()) return None();
    http::FetchRequest request;
    request.url = url;
    std::string token = Variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (const std::string file = Variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        !file.empty()) {
      token = ReadIfThere(file).value_or(std::string());
      while (token.ends_with('\n')) token.pop_back();
    }
    if (!token.empty()) request.headers.Add("Authorization", token);
    request.timeout_ms = kMetadataTimeoutMs;
    ASSIGN_OR_RETURN(const http::FetchResponse response, metadata_.Fetch(request));
    if (!response.is_success()) {
      return Unavailable(
          fmt::format("the container's credential endpoint answered HTTP {}", response.status));
    }
    return FromJson(response.body, "the container's credential endpoint");
  }

  /// EC2's metadata service, version 2: a session token first, which a forged request from inside
  /// cannot get.
  Found FromMachine() {
    if (Variable("AWS_EC2_METADATA_DISABLED") == "true") return None();
    std::string base = Variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (base.empty()) base = "http://169.254.169.254";
    while (base.ends_with('/')) base.pop_back();
    http::FetchRequest request;
    request.method = "PUT";
    request.url = base + "/latest/api/token";
    request.headers.Add("X-aws-ec2-metadata-token-ttl-seconds", "21600");
    request.connect_timeout_ms = kMetadataTimeoutMs;
    request.timeout_ms = kMetadataTimeoutMs;
    const Result<http::FetchResponse> token = metadata_.Fetch(request);
    if (!token.ok() || !token->is_success()) return None();  // no such machine
    request.method = "GET";
    request.headers = {};
    request.headers.Add("X-aws-ec2-metadata-token", token->body);
    request.url = base + "/latest/meta-data/iam/security-credentials/";
    const std::string roles_url = request.url;
    ASSIGN_OR_RETURN(const http::FetchResponse roles, metadata_.Fetch(request));
    if (!roles.is_success()) return None();  // a machine without a role
    request.url = roles_url + roles.body.substr(0, roles.body.find('\n'));
    ASSIGN_OR_RETURN(const http::FetchResponse response, metadata_.Fetch(request));
    if (!response.is_success()) {
      return Unavailable(
          fmt::format("the machine's metadata service answered HTTP {}", response.status));
    }
    return FromJson(response.body, "the machine's metadata service");
  }

  static Found FromJson(const std::string& text, std::string_view where) {
    const Result<formats::Json> json = formats::ParseJson(text);
    if (!json.ok() || !json->is_object()) {
      return DataLoss(fmt::format("{} answered something else than credentials", where));
    }
    S3Credentials credentials = {
        .access_key_id = json->StringOr("AccessKeyId", ""),
        .secret_access_key = json->StringOr("SecretAccessKey", ""),
        .session_token = json->StringOr("Token", ""),
        .expires_ms = internal::ParseIsoUtc(json->StringOr("Expiration", ""))};
    if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
      return DataLoss(fmt::format("{} answered without an access key", where));
    }
    return std::optional(std::move(credentials));
  }

  const Environment environment_;
  Clock& clock_;
  http::Fetcher fetcher_;
  http::Fetcher metadata_{http::FetcherOptions{.uses_environment_proxies = false}};
  Guarded<std::optional<S3Credentials>> kept_;
};

}  // namespace

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::unique_ptr<S3CredentialSource> DefaultS3Credentials(Environment environment, Clock& clock) {
  return std::make_unique<Chain>(std::move(environment), clock);
}

}  // namespace sluice::objects
