#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "base/testing/scratch_folder.h"
#include "http/server.h"
#include "objects/remote_s3.h"

namespace sluice::objects {
namespace {

using Variables = std::map<std::string, std::string>;

class S3Chain : public testing::Test {
 protected:
  /// The chain with these variables and nothing of this machine.
  std::unique_ptr<S3CredentialSource> Chain(Variables variables) {
    variables.try_emplace("HOME", scratch_.path());
    variables.try_emplace("AWS_EC2_METADATA_DISABLED", "true");
    return DefaultS3Credentials(
        [variables](const std::string& name) -> std::optional<std::string> {
          const auto found = variables.find(name);
          if (found == variables.end()) return std::nullopt;
          return found->second;
        },
        clock_);
  }
  void WriteFile(std::string_view name, std::string_view text) {
    std::ofstream(scratch_.Join(name)) << text;
  }

  ScratchFolder scratch_;
  ManualClock clock_;
};

TEST_F(S3Chain, EnvironmentComesFirst) {
  WriteFile("credentials", "[default]\naws_access_key_id = F\naws_secret_access_key = S\n");
  const S3Credentials credentials =
      Chain({{"AWS_ACCESS_KEY_ID", "E"},
             {"AWS_SECRET_ACCESS_KEY", "s"},
             {"AWS_SESSION_TOKEN", "t"},
             {"AWS_SHARED_CREDENTIALS_FILE", scratch_.Join("credentials")}})
          ->Get()
          .value();
  EXPECT_EQ(credentials.access_key_id, "E");
  EXPECT_EQ(credentials.session_token, "t");
  EXPECT_FALSE(Chain({{"AWS_ACCESS_KEY_ID", "E"}})->Get().ok());
}

TEST_F(S3Chain, FilesByProfile) {
  WriteFile("credentials", "[default]\naws_access_key_id = D\naws_secret_access_key = S\n");
  WriteFile("config",
            "[profile team]\naws_access_key_id = T\naws_secret_access_key = S\n"
            "[profile role]\nrole_arn = x\n");
  const Variables files = {{"AWS_SHARED_CREDENTIALS_FILE", scratch_.Join("credentials")},
                           {"AWS_CONFIG_FILE", scratch_.Join("config")}};
  const auto id_of = [&](const std::string& profile) {
    Variables variables = files;
    if (!profile.empty()) variables["AWS_PROFILE"] = profile;
    const Result<S3Credentials> credentials = Chain(variables)->Get();
    return credentials.ok() ? credentials->access_key_id
                            : "error: " + credentials.error().message();
  };
  EXPECT_EQ(id_of(""), "D");
  EXPECT_EQ(id_of("team"), "T");
  EXPECT_TRUE(id_of("role").starts_with("error: the profile 'role' (AWS_PROFILE) has no"));
  EXPECT_TRUE(id_of("none").starts_with("error: no profile 'none'"));
}

TEST_F(S3Chain, NoneAnywhereSaysWhereTheyWereSought) {
  const Result<S3Credentials> credentials = Chain({})->Get();
  ASSERT_FALSE(credentials.ok());
  EXPECT_EQ(credentials.error().code(), ErrorCode::kPermissionDenied);
  EXPECT_NE(credentials.error().message().find("~/.aws/credentials"), std::string::npos);
}

/// A machine's metadata service, version 2, and a container's endpoint.
class Metadata {
 public:
  explicit Metadata(ManualClock& clock) : clock_(clock) {
    const auto text = [](std::string body) { return http::Response::Text(200, std::move(body)); };
    const auto keys = [this](const http::Request& request) {
      const std::string* token = request.headers.Find("X-aws-ec2-metadata-token");
      const std::string* allowed = request.headers.Find("Authorization");
      if ((!token || *token != "session") && (!allowed || *allowed != "let me")) {
        return http::Response::Text(401, "");
      }
      ++count_;
      return http::Response::JsonText(
          200, "{\"AccessKeyId\": \"K" + std::to_string(count_.load()) +
                   "\", \"SecretAccessKey\": \"s\", \"Token\": \"t\", \"Expiration\": \"" +
                   FormatUtc(clock_.NowMs() + 3'600'000) + "\"}");
    };
    const std::string roles = "/latest/meta-data/iam/security-credentials/";
    server_ = http::Server::Start(
                  {}, http::Router({{http::Method::kPut, "/latest/api/token",
                                     [text](const http::Request&) { return text("session"); }, "a"},
                                    {http::Method::kGet, roles,
                                     [text](const http::Request&) { return text("role\n"); }, "b"},
                                    {http::Method::kGet, roles + "role", keys, "c"},
                                    {http::Method::kGet, "/container", keys, "d"}}))
                  .value();
  }
  std::string url() const { return server_->url(); }
  int count() const { return count_; }
  void Stop() { server_->Stop(0); }

 private:
  ManualClock& clock_;
  std::atomic<int> count_ = 0;
  std::unique_ptr<http::Server> server_;
};

TEST_F(S3Chain, OfAMachineAreFetchedAgainBeforeTheyExpire) {
  Metadata metadata(clock_);
  const std::unique_ptr<S3CredentialSource> chain =
      Chain({{"AWS_EC2_METADATA_DISABLED", "false"},
             {"AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url()}});
  EXPECT_EQ(chain->Get().value().access_key_id, "K1");
  EXPECT_EQ(chain->Get().value().session_token, "t");
  clock_.AdvanceMs(54 * 60'000);
  EXPECT_EQ(chain->Get().value().access_key_id, "K1");
  clock_.AdvanceMs(2 * 60'000);
  EXPECT_EQ(chain->Get().value().access_key_id, "K2");
  EXPECT_EQ(metadata.count(), 2);
  // While the old ones hold, a service that is away is no error.
  clock_.AdvanceMs(57 * 60'000);
  metadata.Stop();
  EXPECT_EQ(chain->Get().value().access_key_id, "K2");
  clock_.AdvanceMs(4 * 60'000);
  EXPECT_FALSE(chain->Get().ok());
}

TEST_F(S3Chain, OfAContainer) {
  Metadata metadata(clock_);
  WriteFile("token", "let me\n");
  EXPECT_EQ(Chain({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", metadata.url() + "/container"},
                   {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", scratch_.Join("token")}})
                ->Get()
                .value()
                .access_key_id,
            "K1");
  EXPECT_FALSE(
      Chain({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", metadata.url() + "/container"}})->Get().ok());
}

}  // namespace
}  // namespace sluice::objects
