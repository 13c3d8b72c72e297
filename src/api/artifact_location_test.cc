#include "api/artifact_location.h"

#include <gtest/gtest.h>

namespace sluice::api {
namespace {

TEST(ArtifactLocation, WhereUrisLead) {
  struct Row {
    std::string_view uri;
    ArtifactScheme scheme;
    std::string_view bucket;
    std::string_view path;
  };
  using enum ArtifactScheme;
  for (const Row& row : {
           Row{"mlflow-artifacts:/1/r/artifacts", kProxied, "", "1/r/artifacts"},
           Row{"mlflow-artifacts:/", kProxied, "", ""},
           Row{"mlflow-artifacts:", kProxied, "", ""},
           Row{"MLflow-Artifacts://host:5000/1/r", kProxied, "", "1/r"},
           Row{"mlflow-artifacts:/1/r?query#x", kProxied, "", "1/r"},
           Row{"http://h:1/api/2.0/mlflow-artifacts/artifacts/1/r", kProxied, "", "1/r"},
           Row{"https://h/team/api/2.0/mlflow-artifacts/artifacts/1/r/", kProxied, "", "1/r"},
           Row{"https://h/api/2.0/mlflow-artifacts/artifacts", kProxied, "", ""},
           Row{"/data/ml", kFolder, "", "/data/ml"},
           Row{"./mlruns", kFolder, "", "./mlruns"},
           Row{"", kFolder, "", ""},
           Row{"C:/data", kFolder, "", "C:/data"},
           Row{"file:///data/a%20b", kFolder, "", "/data/a b"},
           Row{"file:/data", kFolder, "", "/data"},
           Row{"file://localhost/data", kFolder, "", "/data"},
           Row{"s3://bucket/a/b/", kS3, "bucket", "a/b"},
           Row{"s3://bucket", kS3, "bucket", ""},
       }) {
    const Result<ArtifactLocation> location = ParseArtifactLocation(row.uri);
    ASSERT_TRUE(location.ok()) << row.uri << ": " << location.error().message();
    EXPECT_EQ(location->scheme, row.scheme) << row.uri;
    EXPECT_EQ(location->bucket, row.bucket) << row.uri;
    EXPECT_EQ(location->path, row.path) << row.uri;
  }
}

TEST(ArtifactLocation, WhatIsNotServed) {
  for (const std::string_view uri :
       {"gs://b/x", "dbfs:/x", "http://h/x", "http://h/api/2.0/mlflow-artifacts/artifactsx/y",
        "file://elsewhere/x", "s3:///x", "s3:x", "mlflow-artifacts:/../x",
        "mlflow-artifacts:/a/%2e%2e/%2e%2e/x", "mlflow-artifacts://h/a/../../x",
        "http://h/api/2.0/mlflow-artifacts/artifacts/../x", "s3://b/../x",
        "mlflow-artifacts:/.sluice-uploads/x"}) {
    const Result<ArtifactLocation> location = ParseArtifactLocation(uri);
    ASSERT_FALSE(location.ok()) << uri;
    EXPECT_EQ(location.error().code(), ErrorCode::kInvalidArgument);
  }
}

TEST(ArtifactUriScheme, LettersBeforeAColon) {
  EXPECT_EQ(ArtifactUriScheme("S3://x"), "s3");
  EXPECT_EQ(ArtifactUriScheme("mlflow-artifacts:/x"), "mlflow-artifacts");
  EXPECT_EQ(ArtifactUriScheme("/a:b"), "");
  EXPECT_EQ(ArtifactUriScheme("C:\\x"), "");
  EXPECT_EQ(ArtifactUriScheme("x"), "");
}

}  // namespace
}  // namespace sluice::api
