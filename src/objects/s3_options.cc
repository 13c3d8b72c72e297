// Settings of a bucket, from the environment and the AWS config file.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "formats/json.h"
#include "io/fs.h"
#include "objects/internal/aws_profile.h"
#include "objects/remote_s3.h"

namespace sluice::objects {
namespace {

constexpr int64_t kFileBytesMax = 1 << 20;

/// boto3's names of upload arguments, which MLFLOW_S3_UPLOAD_EXTRA_ARGS uses, and S3's fields.
/// Encryption with a customer's own key is not among them: then every reader would need the key.
struct Argument {
  std::string_view name;
  std::string_view field;
};
constexpr auto kArguments = std::to_array<Argument>({
    {"ACL", "x-amz-acl"},
    {"BucketKeyEnabled", "x-amz-server-side-encryption-bucket-key-enabled"},
    {"CacheControl", "Cache-Control"},
    {"ContentDisposition", "Content-Disposition"},
    {"ContentEncoding", "Content-Encoding"},
    {"ContentLanguage", "Content-Language"},
    {"ContentType", "Content-Type"},
    {"Expires", "Expires"},
    {"GrantFullControl", "x-amz-grant-full-control"},
    {"GrantRead", "x-amz-grant-read"},
    {"GrantReadACP", "x-amz-grant-read-acp"},
    {"GrantWriteACP", "x-amz-grant-write-acp"},
    {"ObjectLockLegalHoldStatus", "x-amz-object-lock-legal-hold"},
    {"ObjectLockMode", "x-amz-object-lock-mode"},
    {"ObjectLockRetainUntilDate", "x-amz-object-lock-retain-until-date"},
    {"RequestPayer", "x-amz-request-payer"},
    {"SSEKMSEncryptionContext", "x-amz-server-side-encryption-context"},
    {"SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id"},
    {"ServerSideEncryption", "x-amz-server-side-encryption"},
    {"StorageClass", "x-amz-storage-class"},
    {"Tagging", "x-amz-tagging"},
    {"WebsiteRedirectLocation", "x-amz-website-redirect-location"},
});

constexpr std::string_view kArgumentsVariable = "MLFLOW_S3_UPLOAD_EXTRA_ARGS";

bool IsFieldValue(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

Result<std::string> ArgumentText(std::string_view name, const formats::Json& value) {
  std::string text;
  if (value.is_string())
    text = value.AsString();
  else if (value.is_integer())
    text = std::to_string(value.AsInteger());
  else if (value.is_bool())
    text = value.AsBool() ? "true" : "false";
  if (text.empty() || !IsFieldValue(text)) {
    return InvalidArgument(
        fmt::format("{}: the value of '{}' must be a text, a number or true or false",
                    kArgumentsVariable, name));
  }
  return text;
}

Result<std::vector<std::pair<std::string, std::string>>> ParseUploadArguments(
    const std::string& text) {
  std::vector<std::pair<std::string, std::string>> fields;
  ASSIGN_OR_RETURN(const formats::Json json,
                   formats::ParseJson(text, {.file = std::string(kArgumentsVariable)}));
  if (!json.is_object()) {
    return InvalidArgument(fmt::format("{} must be a JSON object", kArgumentsVariable));
  }
  for (const auto& [name, value] : json.AsObject()) {
    if (name == "Metadata" && value.is_object()) {
      for (const auto& [key, one] : value.AsObject()) {
        ASSIGN_OR_RETURN(std::string metadata, ArgumentText(key, one));
        fields.emplace_back("x-amz-meta-" + key, std::move(metadata));
      }
      continue;
    }
    const auto* const found = std::ranges::find(kArguments, name, &Argument::name);
    if (found == kArguments.end()) {
      return InvalidArgument(fmt::format("{} has '{}', which is not supported for uploads here",
                                         kArgumentsVariable, name));
    }
    ASSIGN_OR_RETURN(std::string field, ArgumentText(name, value));
    fields.emplace_back(found->field, std::move(field));
  }
  return fields;
}

Result<S3Options::Addressing> ParseAddressing(std::string_view variable, std::string_view text) {
  if (text.empty() || text == "auto") return S3Options::Addressing::kAuto;
  if (text == "path") return S3Options::Addressing::kPath;
  if (text == "virtual") return S3Options::Addressing::kVirtualHost;
  return InvalidArgument(
      fmt::format("{} is '{}'; it must be auto, path or virtual", variable, text));
}

bool IsTrue(std::string_view text) {
  return text == "true" || text == "True" || text == "TRUE" || text == "1";
}

/// The first of the variables that is set and not empty.
std::string FirstOf(const Environment& environment,
                    std::initializer_list<std::string_view> variables) {
  for (const std::string_view variable : variables) {
    const std::optional<std::string> value = environment(std::string(variable));
    if (value && !value->empty()) return *value;
  }
  return {};
}

}  // namespace

Result<S3Options> S3OptionsFrom(const Environment& environment) {
  S3Options options;
  options.endpoint_url =
      FirstOf(environment, {"MLFLOW_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  options.region = FirstOf(environment, {"AWS_REGION", "AWS_DEFAULT_REGION"});
  options.ca_file = FirstOf(environment, {"AWS_CA_BUNDLE"});
  options.verifies_tls = !IsTrue(FirstOf(environment, {"MLFLOW_S3_IGNORE_TLS"}));
  options.expected_bucket_owner = FirstOf(environment, {"MLFLOW_S3_EXPECTED_BUCKET_OWNER"});
  std::string addressing = FirstOf(environment, {"MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE"});

  std::string config = FirstOf(environment, {"AWS_CONFIG_FILE"});
  if (config.empty()) config = io::JoinPath(FirstOf(environment, {"HOME"}), ".aws/config");
  if (const Result<std::string> text = io::RealFs().ReadFile(config, kFileBytesMax); text.ok()) {
    const internal::AwsProfiles profiles = internal::ParseAwsFile(*text);
    std::string profile = FirstOf(environment, {"AWS_PROFILE"});
    if (profile.empty()) profile = "default";
    const auto fill = [&](std::string& option, std::initializer_list<std::string_view> settings) {
      for (const std::string_view setting : settings) {
        if (option.empty()) {
          option = internal::FindSetting(profiles, profile, setting).value_or(std::string());
        }
      }
    };
    fill(options.region, {"region"});
    fill(options.endpoint_url, {"s3.endpoint_url", "endpoint_url"});
    fill(options.ca_file, {"ca_bundle"});
    fill(addressing, {"s3.addressing_style"});
  }
  ASSIGN_OR_RETURN(options.addressing,
                   ParseAddressing("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", addressing));
  if (const std::string arguments = FirstOf(environment, {kArgumentsVariable});
      !arguments.empty()) {
    ASSIGN_OR_RETURN(options.upload_headers, ParseUploadArguments(arguments));
  }
  if (!options.endpoint_url.empty() && !options.endpoint_url.starts_with("http://") &&
      !options.endpoint_url.starts_with("https://")) {
    return InvalidArgument(fmt::format("the S3 endpoint '{}' must begin with http:// or https://",
                                       options.endpoint_url));
  }
  return options;
}

}  // namespace sluice::objects
