#include "registry/source.h"

#include <gtest/gtest.h>

#include <map>

#include "registry/internal/regex.h"
#include "sql/testing/test_database.h"

namespace sluice::registry {
namespace {

class Resolver : public SourceResolver {
 public:
  Result<std::string> GetRunArtifactUri(std::string_view run_id) override {
    auto found = runs.find(std::string(run_id));
    if (found == runs.end()) return NotFound("Run with id=" + std::string(run_id) + " not found");
    return found->second;
  }
  Result<LoggedModel> GetLoggedModel(std::string_view model_id) override {
    auto found = models.find(std::string(model_id));
    if (found == models.end()) return NotFound("no such model");
    return found->second;
  }

  std::map<std::string, std::string> runs{{"local", "/srv/mlruns/0/local/artifacts"},
                                          {"file", "file:///srv/mlruns/0/file/artifacts"},
                                          {"proxied", "mlflow-artifacts:/0/proxied/artifacts"},
                                          {"s3", "s3://bucket/0/s3/artifacts"}};
  std::map<std::string, LoggedModel> models{
      {"m-1", {"mlflow-artifacts:/0/models/m-1/artifacts", "r1"}},
      {"m-2", {"/srv/mlruns/0/models/m-2/artifacts", "r2"}}};
};

class Sources : public testing::Test {
 protected:
  void SetUp() override {
    db_ = sql::OpenTestDb(sql::TestEngine::kSqliteMemory);
    ASSERT_TRUE(sql::Migrate(*db_, Migrations()).ok());
    store_ = OpenStore(*db_);
  }
  Result<CheckedSource> Check(const std::string& source,
                              std::optional<std::string> run_id = std::nullopt,
                              std::optional<std::string> model_id = std::nullopt) {
    return CheckSource({.source = source, .run_id = run_id, .logged_model_id = model_id}, options_,
                       *store_, resolver_);
  }
  std::string WhyNot(const std::string& source, std::optional<std::string> run_id = std::nullopt,
                     std::optional<std::string> model_id = std::nullopt) {
    Result<CheckedSource> checked = Check(source, run_id, model_id);
    if (checked.ok()) return "it is taken";
    EXPECT_EQ(checked.error().code(), ErrorCode::kInvalidArgument) << source;
    return checked.error().message();
  }

  std::shared_ptr<sql::Db> db_;
  std::unique_ptr<Store> store_;
  Resolver resolver_;
  SourceOptions options_;
};

TEST_F(Sources, TakesStoresThatNeedNoOwner) {
  for (const char* source : {"s3://bucket/path", "s3:/bucket/path", "gs://b/a//b/", "dbfs:/a/b",
                             "wasbs://c@acc.blob.core.windows.net/x", "s3://b/a+b c"}) {
    Result<CheckedSource> checked = Check(source);
    ASSERT_TRUE(checked.ok()) << checked.error().message();
    EXPECT_EQ(checked->source, source);
    EXPECT_EQ(checked->storage_location, "");
  }
}

TEST_F(Sources, LocalPathsMustLieInTheRunTheyName) {
  EXPECT_TRUE(Check("/srv/mlruns/0/local/artifacts/model", "local").ok());
  EXPECT_TRUE(Check("file:///srv/mlruns/0/local/artifacts", "local").ok());
  EXPECT_TRUE(Check("/srv/mlruns/0/file/artifacts/./m", "file").ok());
  EXPECT_TRUE(Check("/srv/mlruns/0/models/m-2/artifacts", std::nullopt, "m-2").ok());
  for (const char* source :
       {"/etc", "/", "", "relative/model", "file:///etc/passwd", "/srv/mlruns/0/local/artifacts2",
        "/srv/mlruns/0/local/artifacts/../../other", "/srv/mlruns/0/local/artifacts/%2e%2e/x",
        "file:///srv/mlruns/0/local/artifacts/..%2F..", "//srv/../etc", "C:\\models"}) {
    EXPECT_NE(WhyNot(source, "local").find("the run_id request parameter has to be specified"),
              std::string::npos)
        << source << ": " << WhyNot(source, "local");
    EXPECT_NE(WhyNot(source).find("Invalid model version source"), std::string::npos);
  }
  EXPECT_NE(WhyNot("/srv/mlruns/0/s3/artifacts", "s3"), "it is taken");
  EXPECT_NE(WhyNot("/srv/x", "absent").find("The run_id request parameter must identify"),
            std::string::npos);
  EXPECT_NE(WhyNot("file://elsewhere/srv/mlruns/0/local/artifacts", "local"), "it is taken");
  EXPECT_NE(WhyNot("/srv/mlruns/0/local/artifacts", "local", "m-2")
                .find("the model_id request parameter has to be specified"),
            std::string::npos);
}

TEST_F(Sources, RefusesClimbingInEverySpelling) {
  for (const char* source :
       {"s3://bucket/a/../b", "s3://bucket/..", "s3:/bucket/a/../../b", "s3://bucket/%2e%2e/b",
        "s3://bucket/..%2f..%2fb", "s3://bucket/%252e%252e/b", "s3://bucket/a%00",
        "s3://bucket/./a", "s3://bucket", "s3://bucket/", "dbfs:relative", "mlflow-artifacts:/../x",
        "gs://b/a/.%2e/c", "runs:/r/../x", "models:/m-1/../m-2"}) {
    EXPECT_NE(WhyNot(source, "proxied").find("Invalid model version source"), std::string::npos)
        << source;
  }
}

TEST_F(Sources, RunsAndProxiedSourcesNeedTheirOwner) {
  EXPECT_TRUE(Check("runs:/r1/model", "r1").ok());
  EXPECT_EQ(WhyNot("runs:/r1/model"),
            "Invalid model version source: 'runs:/r1/model'. The run_id request parameter must "
            "identify the resource that contains the source.");
  EXPECT_NE(WhyNot("runs:/r1/model", "r2"), "it is taken");
  EXPECT_NE(WhyNot("runs://r1/model", "r1"), "it is taken");
  EXPECT_NE(WhyNot("runs:/r1/model", std::nullopt, "m-1"), "it is taken");
  EXPECT_TRUE(Check("mlflow-artifacts:/0/proxied/artifacts/model", "proxied").ok());
  EXPECT_NE(WhyNot("mlflow-artifacts:/0/proxied/artifactsX", "proxied"), "it is taken");
  EXPECT_NE(WhyNot("mlflow-artifacts:/0/other/artifacts/model", "proxied"), "it is taken");
  EXPECT_NE(WhyNot("mlflow-artifacts:/0/proxied/artifacts"), "it is taken");
  EXPECT_TRUE(Check("mlflow-artifacts:/0/models/m-1/artifacts", std::nullopt, "m-1").ok());
  options_.allowed_host_schemes = {"http"};
  EXPECT_NE(WhyNot("http://h/api/2.0/mlflow-artifacts/artifacts/0/x"), "it is taken");
}

TEST_F(Sources, LoggedModelsBringLocationAndRun) {
  CheckedSource checked = Check("models:/m-1", std::nullopt, "m-1").value();
  EXPECT_EQ(checked.storage_location, "mlflow-artifacts:/0/models/m-1/artifacts");
  EXPECT_EQ(checked.run_id, "r1");
  EXPECT_EQ(Check("models:/m-1", "r9", "m-1").value().run_id, "r9");
  EXPECT_NE(WhyNot("models:/m-1").find("The model_id request parameter must identify"),
            std::string::npos);
  EXPECT_NE(WhyNot("models:/m-1", std::nullopt, "m-2"), "it is taken");
  EXPECT_NE(WhyNot("models://h/m-1", std::nullopt, "m-1"), "it is taken");
  EXPECT_EQ(Check("s3://b/x", std::nullopt, "m-1").value().run_id, "r1");
}

TEST_F(Sources, VersionsOfVersionsComeFromTheSameRun) {
  ASSERT_TRUE(store_->CreateVersion({.name = "a", .source = "s3://b/x", .run_id = "r1"}).ok());
  ASSERT_TRUE(store_->SetAlias({.name = "a", .alias = "live", .version = 1}).ok());
  for (const char* source : {"models:/a/1", "models:/a@live", "models:/a/latest"}) {
    CheckedSource checked = Check(source).value();
    EXPECT_EQ(checked.source, "models:/a/1");
    EXPECT_EQ(checked.storage_location, "s3://b/x");
    EXPECT_EQ(checked.run_id, "r1");
  }
  EXPECT_TRUE(Check("models:/a/1", "r1").ok());
  EXPECT_NE(WhyNot("models:/a/1", "r2").find("must match the referenced model version"),
            std::string::npos);
  EXPECT_EQ(Check("models:/a/7").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(Check("models:/b/1").error().message(), "Registered Model with name=b not found");
  EXPECT_EQ(WhyNot("models:/a@other"), "Registered model alias other not found.");
  EXPECT_NE(WhyNot("models:/a/x/1"), "it is taken");
  ASSERT_TRUE(store_->CreateModel("p", "", {{std::string(kIsPromptTag), "True"}}).ok());
  EXPECT_NE(WhyNot("models:/p/1").find("Prompt versions cannot be used"), std::string::npos);
}

TEST_F(Sources, PromptsHaveOnlyPlaceholders) {
  auto check = [&](const char* source) {
    return CheckSource({.source = source, .is_prompt = true}, options_, *store_, resolver_);
  };
  EXPECT_TRUE(check("dummy-source").ok());
  EXPECT_TRUE(check("prompt-template").ok());
  EXPECT_NE(check("/etc/passwd").error().message().find("Invalid prompt source: '/etc/passwd'."),
            std::string::npos);
}

TEST_F(Sources, SchemesThatNameAHostAreRefusedUnlessItIsOurs) {
  auto refused = [&](const char* uri) {
    return !CheckHostAddressedUri(uri, "source", options_).ok();
  };
  for (const char* uri :
       {"http://h/x", "https://h/x", "HTTP://h/x", "ftp://h/x", "sftp://h/x", "hdfs://h/x",
        "viewfs://h/x", "r2://b@h/x", "b2://b@h/x", "abfss://f@h/x", "mlflow-artifacts://h/x",
        "ftp:///x", "http:/x", "ht\ntp://h/x", " http://h/x"}) {
    EXPECT_TRUE(refused(uri)) << uri;
  }
  for (const char* uri : {"s3://b/x", "gs://b/x", "mlflow-artifacts:/x", "/x", "dbfs:/x", "c:/x"})
    EXPECT_FALSE(refused(uri)) << uri;
  EXPECT_TRUE(CheckHostAddressedUri("http://h/x", "source", options_)
                  .error()
                  .message()
                  .starts_with("'source' cannot use the 'http' scheme: "));
  options_.server_artifact_root = "hdfs://name:9000/mlflow";
  options_.artifacts_destination = "https://store.example/x";
  EXPECT_FALSE(refused("viewfs://NAME:9000/other"));
  EXPECT_TRUE(refused("hdfs://name/x"));
  EXPECT_TRUE(refused("hdfs://evil:9000/x"));
  EXPECT_TRUE(refused("hdfs://name:9000@evil:9000/x"));
  EXPECT_FALSE(refused("https://store.example:443/y"));
  EXPECT_TRUE(refused("http://store.example/y"));
  EXPECT_TRUE(refused("https://store.example\\@evil/y"));
  options_.allowed_host_schemes = {"ftp"};
  EXPECT_FALSE(refused("ftp://any/x"));
}

TEST_F(Sources, MayHaveToMatchAnExpression) {
  options_.required_regex = "^s3://models/\\w+";
  EXPECT_TRUE(Check("s3://models/x").ok());
  EXPECT_EQ(WhyNot("s3://other/x"), "Invalid model version source: 's3://other/x'.");
  EXPECT_TRUE(CheckSourceRegex("(?i)^a(?=b)\\d*").ok());
  EXPECT_FALSE(CheckSourceRegex("(a").ok());
  // Work without end is an end: not taken.
  EXPECT_FALSE(internal::HoldsMatch("(a+)+$", std::string(40, 'a') + "b").ok());
  EXPECT_NE(WhyNot("s3://models/" + std::string(kSourceLengthMax, 'x')).find("maximum length"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::registry
