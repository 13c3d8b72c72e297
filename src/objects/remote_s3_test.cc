#include "objects/remote_s3.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "base/id.h"
#include "base/testing/scratch_folder.h"
#include "objects/internal/aws_profile.h"
#include "objects/internal/s3_client.h"
#include "objects/internal/s3_upload.h"
#include "objects/internal/utc_time.h"
#include "objects/testing/remotes.h"

namespace sluice::objects {
namespace {

using Variables = std::map<std::string, std::string>;

Environment With(Variables variables) {
  // Whatever this machine has in its home folder stays out of it.
  variables.try_emplace("HOME", "/nonexistent");
  variables.try_emplace("AWS_EC2_METADATA_DISABLED", "true");
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

TEST(RemoteS3, LargeUploadsGoInParts) {
  RemoteUnderTest under_test = FreshBucket();
  if (under_test.remote == nullptr) GTEST_SKIP() << under_test.skipped_because;
  Remote& remote = *under_test.remote;
  for (const size_t size : {size_t{5 << 20}, size_t{(5 << 20) + 1}, size_t{13'000'000}}) {
    for (const bool announced : {false, true}) {
      const std::string bytes = PatternBytes(size, size);
      const Result<RemoteStat> put = remote.Put(
          "large", *SourceOf(bytes), {.size_bytes = announced ? static_cast<int64_t>(size) : -1});
      ASSERT_TRUE(put.ok()) << put.error().ToString();
      EXPECT_EQ(put->size_bytes, static_cast<int64_t>(size));
      const std::unique_ptr<RemoteReader> reader = remote.Open("large").value();
      EXPECT_EQ(reader->stat().etag, put->etag);
      std::string back(size + 1, '\0');
      const std::unique_ptr<http::BodySource> source =
          reader->Read(0, static_cast<int64_t>(size)).value();
      size_t have = 0;
      while (const size_t count = source->Read(std::span(back).subspan(have)).value())
        have += count;
      back.resize(have);
      EXPECT_TRUE(back == bytes);
    }
  }
}

TEST(RemoteS3, AReplacedObjectIsNotReadAsTheOldOne) {
  RemoteUnderTest under_test = FreshBucket();
  if (under_test.remote == nullptr) GTEST_SKIP() << under_test.skipped_because;
  Remote& remote = *under_test.remote;
  ASSERT_TRUE(remote.Put("f", *SourceOf("first"), {}).ok());
  const std::unique_ptr<RemoteReader> reader = remote.Open("f").value();
  ASSERT_TRUE(remote.Put("f", *SourceOf("other"), {}).ok());
  const Result<std::unique_ptr<http::BodySource>> source = reader->Read(0, 5);
  ASSERT_FALSE(source.ok());
  EXPECT_EQ(source.error().code(), ErrorCode::kFailedPrecondition);
}

TEST(RemoteS3, ManyFilesAreListedAndDeletedPageByPage) {
  RemoteUnderTest under_test = FreshBucket();
  if (under_test.remote == nullptr) GTEST_SKIP() << under_test.skipped_because;
  Remote& remote = *under_test.remote;
  constexpr int kCount = 1'050;
  for (int i = 0; i < kCount; ++i) {
    ASSERT_TRUE(remote.Put("many/" + std::to_string(i), *SourceOf("x"), {}).ok());
  }
  EXPECT_EQ(remote.List("many").value().size(), size_t{kCount});
  ASSERT_TRUE(remote.Delete("many").ok());
  EXPECT_FALSE(remote.Stat("many").value().has_value());
}

TEST(S3Address, AmazonByHostOthersByPath) {
  const auto address = [](S3Options options, const std::string& bucket) {
    const internal::S3Address at = internal::AddressOf(options, "eu-west-1", bucket).value();
    return at.scheme + "://" + at.host + at.prefix;
  };
  using enum S3Options::Addressing;
  EXPECT_EQ(address({}, "models"), "https://models.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(address({}, "a.b"), "https://s3.eu-west-1.amazonaws.com/a.b");
  EXPECT_EQ(address({.addressing = kPath}, "models"), "https://s3.eu-west-1.amazonaws.com/models");
  EXPECT_EQ(address({.endpoint_url = "http://minio:9000/"}, "models"), "http://minio:9000/models");
  EXPECT_EQ(address({.endpoint_url = "http://minio:80"}, "models"), "http://minio/models");
  EXPECT_EQ(address({.endpoint_url = "https://s3.local", .addressing = kVirtualHost}, "models"),
            "https://models.s3.local");
  for (const std::string url : {"https://", "https://h/path", "https://u:p@h", "h:9000"}) {
    EXPECT_FALSE(internal::AddressOf({.endpoint_url = url}, "r", "models").ok()) << url;
  }
}

TEST(S3Parts, TenThousandOfThemHoldEverything) {
  constexpr int64_t kMiB = 1 << 20;
  EXPECT_EQ(internal::S3PartBytes(8 * kMiB, 400 * kMiB, 1), 8 * kMiB);
  EXPECT_EQ(internal::S3PartBytes(8 * kMiB, 1'000'000 * kMiB, 1), 100 * kMiB);
  EXPECT_EQ(internal::S3PartBytes(8 * kMiB, -1, 1), 8 * kMiB);
  int64_t total_bytes = 0;
  for (int part = 1; part <= kPartNumberMax; ++part) {
    total_bytes += internal::S3PartBytes(8 * kMiB, -1, part);
  }
  EXPECT_GT(total_bytes, int64_t{5} << 40);  // the greatest object of S3
}

TEST(S3Parts, TagOfTheWhole) {
  // Two parts "a" and "b": the MD5 of their MD5s.
  EXPECT_EQ(internal::EtagOfParts({{1, "\"0cc175b9c0f1b6a831c399e269772661\"", 1},
                                   {2, "92eb5ffee6ae2fec3ad71c777531578f", 1}}),
            "\"96e024ba2074fe77e8e965ba43a704be-2\"");
  EXPECT_EQ(internal::EtagOfParts({{1, "\"something-else\"", 1}}), "");
}

TEST(S3OptionsFrom, EnvironmentThenProfile) {
  ScratchFolder scratch;
  std::ofstream(scratch.Join("config"))
      << "[default]\nregion = eu-north-1\n\n[profile team]\nregion=eu-central-1\n"
         "s3 =\n  addressing_style = virtual\nendpoint_url = https://s3.team.example\n";
  S3Options options = S3OptionsFrom(With({{"AWS_CONFIG_FILE", scratch.Join("config")}})).value();
  EXPECT_EQ(options.region, "eu-north-1");
  EXPECT_EQ(options.endpoint_url, "");
  options = S3OptionsFrom(With({{"AWS_CONFIG_FILE", scratch.Join("config")},
                                {"AWS_PROFILE", "team"},
                                {"MLFLOW_S3_IGNORE_TLS", "true"}}))
                .value();
  EXPECT_EQ(options.region, "eu-central-1");
  EXPECT_EQ(options.endpoint_url, "https://s3.team.example");
  EXPECT_EQ(options.addressing, S3Options::Addressing::kVirtualHost);
  EXPECT_FALSE(options.verifies_tls);
  options = S3OptionsFrom(With({{"AWS_CONFIG_FILE", scratch.Join("config")},
                                {"AWS_PROFILE", "team"},
                                {"AWS_ENDPOINT_URL", "http://b"},
                                {"MLFLOW_S3_ENDPOINT_URL", "http://a"},
                                {"AWS_DEFAULT_REGION", "r"}}))
                .value();
  EXPECT_EQ(options.region, "r");
  EXPECT_EQ(options.endpoint_url, "http://a");
}

TEST(S3OptionsFrom, UploadArgumentsBecomeFields) {
  const auto headers = [](const std::string& json) {
    return S3OptionsFrom(With({{"MLFLOW_S3_UPLOAD_EXTRA_ARGS", json}}));
  };
  EXPECT_EQ(headers(R"({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k", "ACL": "private",
                        "StorageClass": "STANDARD_IA", "Metadata": {"team": "x"}})")
                .value()
                .upload_headers,
            (std::vector<std::pair<std::string, std::string>>{
                {"x-amz-server-side-encryption", "aws:kms"},
                {"x-amz-server-side-encryption-aws-kms-key-id", "k"},
                {"x-amz-acl", "private"},
                {"x-amz-storage-class", "STANDARD_IA"},
                {"x-amz-meta-team", "x"}}));
  for (const std::string json : {"[]", "{", R"({"Unheard": "x"})", R"({"ACL": ["a"]})",
                                 R"({"ACL": "a\r\nHost: b"})", R"({"SSECustomerKey": "k"})"}) {
    EXPECT_FALSE(headers(json).ok()) << json;
  }
}

TEST(AwsProfile, ReadsWhatAwsReads) {
  const internal::AwsProfiles profiles = internal::ParseAwsFile(
      "x = before any section\n# comment\n[default]\naws_access_key_id = A\r\n"
      "AWS_Secret_Access_Key=s=1\n; comment\n[profile  dev ]\ns3=\n  a = 1\n\tb=2\n c=3\n"
      "region = r\n   ignored = 4\nnonsense\n[empty");
  EXPECT_EQ(internal::FindSetting(profiles, "default", "aws_access_key_id"), "A");
  EXPECT_EQ(internal::FindSetting(profiles, "default", "aws_secret_access_key"), "s=1");
  EXPECT_EQ(internal::FindSetting(profiles, "dev", "s3.b"), "2");
  EXPECT_EQ(internal::FindSetting(profiles, "dev", "region"), "r");
  EXPECT_EQ(internal::FindSetting(profiles, "dev", "s3.ignored"), std::nullopt);
  EXPECT_EQ(internal::FindSetting(profiles, "other", "region"), std::nullopt);
}

TEST(UtcTime, IsoAsS3WritesIt) {
  EXPECT_EQ(internal::ParseIsoUtc("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(internal::ParseIsoUtc("2013-05-24T00:00:00.250Z"), 1'369'353'600'250);
  for (const std::string_view text :
       {"", "2013-05-24", "2013-05-24T00:00:00", "2013-13-24T00:00:00Z", "2013-02-30T00:00:00Z",
        "2013-05-24T24:00:00Z", "2013-05-24 00:00:00Z", "-013-05-24T00:00:00Z"}) {
    EXPECT_EQ(internal::ParseIsoUtc(text), std::nullopt) << text;
  }
}

TEST(S3Uri, NamesABucket) {
  for (const std::string uri :
       {"s3://", "s3:///x", "s3://ab", "s3://a b c", "s3://a..b", "http://x"}) {
    EXPECT_FALSE(OpenS3Remote(uri, {}, std::make_unique<FixedCredentials>()).ok()) << uri;
  }
  const std::unique_ptr<Remote> remote =
      OpenS3Remote("s3://models/a", {}, std::make_unique<FixedCredentials>()).value();
  const PresignedUrl url = remote->Presign(PresignedMethod::kGet, "x y/z", 60, "").value();
  EXPECT_TRUE(url.url.starts_with(
      "https://models.s3.us-east-1.amazonaws.com/a/x%20y/z?X-Amz-Algorithm=AWS4-HMAC-SHA256"))
      << url.url;
}

}  // namespace
}  // namespace sluice::objects
