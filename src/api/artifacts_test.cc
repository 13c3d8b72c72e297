// The artifact routes over a real socket, with a folder behind them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "api/artifact_service.h"
#include "api/endpoint.h"
#include "api/internal/artifact_answers.h"
#include "base/testing/scratch_folder.h"
#include "formats/json.h"
#include "http/client.h"
#include "http/server.h"
#include "objects/testing/remotes.h"
#include "registry/store.h"
#include "sql/migrator.h"
#include "sql/testing/test_database.h"
#include "tracking/logged_models.h"
#include "tracking/store.h"

namespace sluice::api {
namespace {

using http::Method;

constexpr std::string_view kProxy = "/api/2.0/mlflow-artifacts/artifacts/";
constexpr std::string_view kMpu = "/api/2.0/mlflow-artifacts/mpu/";

class ArtifactRoutes : public testing::Test {
 protected:
  void SetUp() override { Start({.destination = scratch_.Join("dest")}, true); }

  void Start(ArtifactServiceOptions options, bool serves_artifacts) {
    server_.reset();
    db_ = sql::OpenTestDb(sql::TestEngine::kSqliteMemory);
    std::vector<sql::Migration> migrations = tracking::Migrations();
    for (sql::Migration& migration : registry::Migrations()) {
      migrations.push_back(std::move(migration));
    }
    ASSERT_TRUE(sql::Migrate(*db_, migrations, SystemClock()).ok());
    tracking_ = tracking::OpenStore(*db_, {.artifact_root = "mlflow-artifacts:/"}).value();
    logged_models_ = std::make_unique<tracking::LoggedModelStore>(*db_);
    registry_ = registry::OpenStore(*db_);
    artifacts_ = ArtifactService::Open(std::move(options)).value();
    services_.tracking = tracking_.get();
    services_.logged_models = logged_models_.get();
    services_.registry = registry_.get();
    services_.artifacts = artifacts_.get();
    services_.options.serves_artifacts = serves_artifacts;
    server_ = http::Server::Start({}, BuildRouter(services_)).value();
  }

  http::Response Send(Method method, const std::string& target, std::string body = {},
                      std::vector<http::Headers::Field> fields = {}) {
    http::Client::Call call = {.method = method, .target = target, .body = std::move(body)};
    for (auto& [name, value] : fields) call.headers.Add(name, value);
    auto client = http::Client::Connect("127.0.0.1", server_->port()).value();
    Result<http::Response> response = client->Send(call);
    if (!response.ok()) return http::Response::Text(-1, response.error().message());
    return std::move(response).value();
  }
  http::Response Post(const std::string& target, std::string body) {
    return Send(Method::kPost, target, std::move(body), {{"Content-Type", "application/json"}});
  }
  static std::string Field(const http::Response& response, std::string_view name) {
    const std::string* const value = response.headers.Find(name);
    return value == nullptr ? "none" : *value;
  }
  std::string OnDisk(std::string_view path) {
    std::ifstream file(scratch_.Join("dest/" + std::string(path)));
    return file ? std::string(std::istreambuf_iterator<char>(file), {}) : "absent";
  }
  static std::string Proxy(std::string_view path) {
    return std::string(kProxy) + std::string(path);
  }
  std::string NewRun(const std::string& location = {}) {
    const std::string experiment =
        tracking_->CreateExperiment({.name = "e" + location, .artifact_location = location})
            .value();
    return tracking_->CreateRun({.experiment_id = experiment}).value().info.run_id;
  }

  ScratchFolder scratch_;
  std::shared_ptr<sql::Db> db_;
  std::unique_ptr<tracking::Store> tracking_;
  std::unique_ptr<tracking::LoggedModelStore> logged_models_;
  std::unique_ptr<registry::Store> registry_;
  std::unique_ptr<ArtifactService> artifacts_;
  Services services_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(ArtifactRoutes, FilesGoUpAndComeDown) {
  const std::string text = objects::PatternBytes(3'000'000, 1);
  http::Response put = Send(Method::kPut, Proxy("0/r/artifacts/a.txt"), text);
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(put.body, "");
  EXPECT_EQ(OnDisk("0/r/artifacts/a.txt"), text);

  const http::Response whole = Send(Method::kGet, Proxy("0/r/artifacts/a.txt"));
  EXPECT_EQ(whole.status, 200);
  EXPECT_TRUE(whole.body == text);
  EXPECT_EQ(whole.content_type, "text/plain");
  EXPECT_EQ(Field(whole, "Content-Disposition"), "attachment; filename=a.txt");
  EXPECT_EQ(Field(whole, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(Field(whole, "Accept-Ranges"), "bytes");
  EXPECT_NE(Field(whole, "Last-Modified"), "none");

  const http::Response part =
      Send(Method::kGet, Proxy("0/r/artifacts/a.txt"), {}, {{"Range", "bytes=10-19"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, text.substr(10, 10));
  EXPECT_EQ(Field(part, "Content-Range"), "bytes 10-19/3000000");

  const http::Response same = Send(Method::kGet, Proxy("0/r/artifacts/a.txt"), {},
                                   {{"If-None-Match", Field(whole, "ETag")}});
  EXPECT_EQ(same.status, 304);
  const http::Response head = Send(Method::kHead, Proxy("0/r/artifacts/a.txt"));
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(Field(head, "Content-Length"), "3000000");
}

TEST_F(ArtifactRoutes, DirectoriesAreListedAndDeleted) {
  for (const std::string path : {"0/r/artifacts/m/MLmodel", "0/r/artifacts/m/d/x", "0/r/y.txt"}) {
    ASSERT_EQ(Send(Method::kPut, Proxy(path), "12345").status, 200);
  }
  const std::string list = "/api/2.0/mlflow-artifacts/artifacts?path=";
  EXPECT_EQ(Send(Method::kGet, list + "0%2Fr%2Fartifacts%2Fm").body,
            R"({"files":[{"path":"MLmodel","is_dir":false,"file_size":5},)"
            R"({"path":"d","is_dir":true}]})");
  EXPECT_EQ(Send(Method::kGet, list + "0/r/y.txt").body, "{}");
  EXPECT_EQ(Send(Method::kGet, list + "0/absent").body, "{}");
  EXPECT_EQ(Send(Method::kGet, "/api/2.0/mlflow-artifacts/artifacts").body,
            R"({"files":[{"path":"0","is_dir":true}]})");
  EXPECT_EQ(Send(Method::kGet, "/ajax-api/2.0/mlflow-artifacts/artifacts?path=0/r/artifacts").body,
            R"({"files":[{"path":"m","is_dir":true}]})");

  const http::Response directory = Send(Method::kGet, Proxy("0/r/artifacts/m"));
  EXPECT_EQ(directory.status, 400);
  EXPECT_EQ(directory.body,
            R"({"detail":"Artifact path refers to a directory, not a file: '0/r/artifacts/m'"})");
  const http::Response absent = Send(Method::kGet, Proxy("0/r/none"));
  EXPECT_EQ(absent.status, 404);
  EXPECT_NE(absent.body.find("RESOURCE_DOES_NOT_EXIST"), std::string::npos);
  EXPECT_NE(absent.body.find("No such artifact: '0/r/none'"), std::string::npos);

  EXPECT_EQ(Send(Method::kDelete, Proxy("0/r/artifacts")).body, "{}");
  EXPECT_EQ(OnDisk("0/r/artifacts/m/MLmodel"), "absent");
  EXPECT_EQ(Send(Method::kDelete, Proxy("0/r/artifacts")).status, 200);
  EXPECT_EQ(Send(Method::kPut, Proxy("0/r/"), "x").status, 400);
  EXPECT_EQ(Send(Method::kPut, Proxy("0/r"), "x").status, 400);
  EXPECT_EQ(OnDisk("0/r/y.txt"), "12345");
}

TEST_F(ArtifactRoutes, NothingLeavesTheDestination) {
  const std::string run_id = NewRun();
  std::filesystem::create_directories(scratch_.Join("secret"));
  std::ofstream(scratch_.Join("secret/password")) << "hunter2";
  std::filesystem::create_directories(scratch_.Join("dest/0"));
  std::filesystem::create_directory_symlink(scratch_.Join("secret"), scratch_.Join("dest/0/out"));
  const std::string secret = scratch_.Join("secret/password");
  const std::string own = scratch_.Join("dest/1/" + run_id + "/artifacts/0");
  std::filesystem::create_directories(own);
  std::filesystem::create_directory_symlink(scratch_.Join("secret"), own + "/out");

  const std::vector<std::string> paths = {"../secret/password",
                                          "0/../../secret/password",
                                          "%2e%2e/secret/password",
                                          "%2E%2E%2fsecret%2fpassword",
                                          "..%2fsecret%2fpassword",
                                          "%252e%252e/secret/password",
                                          "%252e%252e%252fsecret%252fpassword",
                                          "0/%25252e%25252e/%25252e%25252e/secret/password",
                                          secret,
                                          "/" + secret,
                                          "%2f" + secret.substr(1),
                                          "%252f" + secret.substr(1),
                                          "file://" + secret,
                                          "file:" + secret,
                                          "FILE%3A" + secret,
                                          "..%5csecret%5cpassword",
                                          "..%255csecret%255cpassword",
                                          "C:%5csecret",
                                          "C:/secret",
                                          "0/out/password",
                                          "0/out",
                                          "0%00/x",
                                          "0/x%2500",
                                          "0/x%23y",
                                          "0/%ff",
                                          "0/%25ff",
                                          ".sluice-uploads/x",
                                          "%252esluice-uploads/x"};
  struct Attempt {
    Method method;
    std::string before, after, body;
  };
  const std::string json =
      R"({"path": "x", "num_parts": 1, "upload_id": "a", "parts": [{"part_number": 1, "etag": "e"}]})";
  const std::vector<Attempt> attempts = {
      {Method::kGet, std::string(kProxy), "", ""},
      {Method::kHead, std::string(kProxy), "", ""},
      {Method::kPut, std::string(kProxy), "", "written"},
      {Method::kDelete, std::string(kProxy), "", ""},
      {Method::kGet, "/api/2.0/mlflow-artifacts/artifacts?path=", "", ""},
      {Method::kGet, "/api/2.0/mlflow-artifacts/presigned/", "", ""},
      {Method::kPost, std::string(kMpu) + "create/", "", json},
      {Method::kPost, std::string(kMpu) + "complete/", "", json},
      {Method::kPost, std::string(kMpu) + "abort/", "", json},
      {Method::kPut, std::string(kMpu) + "part/", "?upload_id=a&part_number=1", "written"},
      {Method::kGet, std::string(kMpu) + "parts/", "?upload_id=a", ""},
      {Method::kGet, "/api/2.0/mlflow/artifacts/list?run_id=" + run_id + "&path=", "", ""},
      {Method::kGet, "/get-artifact?run_id=" + run_id + "&path=", "", ""},
      {Method::kPost, "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=" + run_id + "&path=", "",
       "written"},
      {Method::kGet, "/model-versions/get-artifact?name=m&version=1&path=", "", ""},
      {Method::kGet,
       "/api/2.0/mlflow/logged-models/m-1/artifacts/directories?artifact_directory_path=", "", ""},
      {Method::kGet,
       "/ajax-api/2.0/mlflow/logged-models/m-1/artifacts/files?artifact_file_path=", "", ""},
  };
  for (const Attempt& attempt : attempts) {
    for (const std::string& path : paths) {
      const std::string target = attempt.before + path + attempt.after;
      std::vector<http::Headers::Field> fields;
      if (attempt.body == json) fields.emplace_back("Content-Type", "application/json");
      const http::Response response = Send(attempt.method, target, attempt.body, fields);
      const bool is_delete = attempt.method == Method::kDelete;
      // Parts are not written there yet; completing is refused.
      const bool is_prepared = attempt.before.find("abort") != std::string::npos ||
                               attempt.before.find("create") != std::string::npos;
      const bool is_list = attempt.before.find("list") != std::string::npos ||
                           attempt.before.find("artifacts?") != std::string::npos;
      // A link that leads out is refused, or as good as absent.
      const bool is_link = path.starts_with("0/out");
      if (is_link && (is_delete || is_prepared || is_list || response.status == 501)) {
        EXPECT_EQ(response.body.find("password\""), std::string::npos) << target;
      } else if (response.status == 501) {
        EXPECT_NE(target.find("presigned"), std::string::npos) << target;
      } else {
        EXPECT_TRUE(response.status == 400 || response.status == 404)
            << http::MethodName(attempt.method) << " " << target << " → " << response.status << " "
            << response.body;
      }
      EXPECT_EQ(response.body.find("hunter2"), std::string::npos) << target;
      EXPECT_EQ(response.body.find(scratch_.path()), std::string::npos) << target << response.body;
    }
    std::error_code ignored;
    std::filesystem::create_directory_symlink(scratch_.Join("secret"), scratch_.Join("dest/0/out"),
                                              ignored);
  }
  std::ifstream file(secret);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "hunter2");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch_.Join("secret")), {}), 1);
  EXPECT_FALSE(std::filesystem::exists(scratch_.Join("x")));
}

TEST_F(ArtifactRoutes, AnUploadInPartsDoesNotLeaveByALink) {
  std::filesystem::create_directories(scratch_.Join("secret"));
  std::filesystem::create_directories(scratch_.Join("dest/0"));
  std::filesystem::create_directory_symlink(scratch_.Join("secret"), scratch_.Join("dest/0/out"));
  const formats::Json upload =
      formats::ParseJson(Post(std::string(kMpu) + "create/0/out", R"({"path": "x"})").body).value();
  const std::string url =
      upload.At("credentials").At(0).At("url").AsString().substr(server_->url().size());
  const std::string etag = Field(Send(Method::kPut, url, "x"), "ETag");
  const formats::Json part = formats::Json::MakeObject({{"part_number", 1}, {"etag", etag}});
  const formats::Json request = formats::Json::MakeObject({{"path", "x"},
                                                           {"upload_id", upload.At("upload_id")},
                                                           {"parts", formats::Json::Array{part}}});
  EXPECT_EQ(Post(std::string(kMpu) + "complete/0/out", formats::PrintJson(request)).status, 400);
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.Join("secret")));
}

TEST_F(ArtifactRoutes, UploadsInPartsResume) {
  const http::Response created = Post(std::string(kMpu) +
                                          "create/0/r/artifacts/sub dir"
                                          "",
                                      R"({"path": "/home/user/big file.bin", "num_parts": 3})");
  ASSERT_EQ(created.status, 400);  // a blank in a target is none
  const http::Response create = Post(std::string(kMpu) + "create/0/r/artifacts/sub%20dir",
                                     R"({"path": "C:\\Users\\u\\big file.bin", "num_parts": 3})");
  ASSERT_EQ(create.status, 200) << create.body;
  const formats::Json upload = formats::ParseJson(create.body).value();
  const std::string id = upload.At("upload_id").AsString();
  const std::string base = server_->url();
  std::vector<std::string> etags;
  for (size_t i = 0; i < 3; ++i) {
    const formats::Json& credential = upload.At("credentials").At(i);
    EXPECT_EQ(credential.At("part_number").AsInteger(), static_cast<int64_t>(i + 1));
    EXPECT_TRUE(credential.At("headers").is_object());
    const std::string url = credential.At("url").AsString();
    ASSERT_TRUE(url.starts_with(base + "/")) << url;
    if (i == 1) continue;  // interrupted
    const http::Response put = Send(Method::kPut, url.substr(base.size()), std::string(i + 1, 'a'));
    ASSERT_EQ(put.status, 200) << put.body;
  }
  const std::string parts_url =
      std::string(kMpu) + "parts/0/r/artifacts/sub%20dir/big%20file.bin?upload_id=" + id;
  formats::Json parts = formats::ParseJson(Send(Method::kGet, parts_url).body).value();
  ASSERT_EQ(parts.At("parts").size(), 2u);
  EXPECT_EQ(parts.At("parts").At(1).At("part_number").AsInteger(), 3);
  EXPECT_EQ(parts.At("parts").At(1).At("size").AsInteger(), 3);

  // The stock client sends the parts as it got them; a missing one is named.
  const std::string complete_url = std::string(kMpu) + "complete/0/r/artifacts/sub%20dir";
  const http::Response early =
      Post(complete_url, R"({"path": "big file.bin", "upload_id": ")" + id +
                             R"(", "parts": [{"part_number": 2, "etag": "x"}]})");
  EXPECT_EQ(early.status, 400);
  EXPECT_NE(early.body.find("part 2"), std::string::npos) << early.body;
  const std::string second = upload.At("credentials").At(1).At("url").AsString();
  EXPECT_EQ(Send(Method::kPut, second.substr(base.size()), "old").status, 200);
  EXPECT_EQ(Send(Method::kPut, second.substr(base.size()), "bb").status, 200);
  parts = formats::ParseJson(Send(Method::kGet, parts_url).body).value();
  formats::Json request = formats::Json::MakeObject({{"path", "big file.bin"}, {"upload_id", id}});
  for (const formats::Json& part : parts.At("parts").AsArray()) request["parts"].Append(part);
  for (int i = 0; i < 2; ++i) {  // an answer that was lost is asked for again
    const http::Response complete = Post(complete_url, formats::PrintJson(request));
    EXPECT_EQ(complete.status, 200) << complete.body;
    EXPECT_EQ(complete.body, "{}");
  }
  EXPECT_EQ(OnDisk("0/r/artifacts/sub dir/big file.bin"), "abbaaa");
  EXPECT_EQ(Send(Method::kPut, second.substr(base.size()), "late").status, 404);
}

TEST_F(ArtifactRoutes, AnAbortedUploadIsGone) {
  const formats::Json upload =
      formats::ParseJson(
          Post(std::string(kMpu) + "create/0/r", R"({"path": "x", "num_parts": 1})").body)
          .value();
  const std::string id = upload.At("upload_id").AsString();
  const std::string url =
      upload.At("credentials").At(0).At("url").AsString().substr(server_->url().size());
  EXPECT_EQ(Send(Method::kPut, url, "x").status, 200);
  const http::Response abort =
      Post(std::string(kMpu) + "abort/0/r", R"({"path": "x", "upload_id": ")" + id + "\"}");
  EXPECT_EQ(abort.status, 200) << abort.body;
  EXPECT_EQ(Send(Method::kPut, url, "x").status, 404);
  for (const std::string body :
       {R"({"path": "x", "num_parts": 0})", R"({"path": "x", "num_parts": 10001})",
        R"({"num_parts": 1})", R"({"path": "a/..", "num_parts": 1})",
        R"({"path": "a/", "num_parts": 1})"}) {
    EXPECT_EQ(Post(std::string(kMpu) + "create/0/r", body).status, 400) << body;
  }
}

TEST_F(ArtifactRoutes, PartUrlsFollowTheProxyInFront) {
  const auto url = [&](std::vector<http::Headers::Field> fields) {
    fields.emplace_back("Content-Type", "application/json");
    const http::Response response = Send(Method::kPost, std::string(kMpu) + "create/0/r",
                                         R"({"path": "x", "num_parts": 1})", fields);
    if (response.status != 200) return std::to_string(response.status);
    const std::string all =
        formats::ParseJson(response.body)->At("credentials").At(0).At("url").AsString();
    return all.substr(0, all.find("/api/"));
  };
  EXPECT_EQ(url({}), server_->url());
  EXPECT_EQ(url({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "ml.example.com, inner"}}),
            "https://ml.example.com");
  EXPECT_EQ(url({{"X-Forwarded-Host", "h"}, {"X-Forwarded-Prefix", "/team/"}}), "http://h/team");
  EXPECT_EQ(url({{"X-Forwarded-Host", "h/x?"}}), "400");
  Start({.destination = scratch_.Join("dest"), .public_url = "https://p.example/x/"}, true);
  EXPECT_EQ(url({{"X-Forwarded-Host", "h"}}), "https://p.example/x");
}

TEST_F(ArtifactRoutes, OfRunsAndLoggedModels) {
  const std::string run_id = NewRun();
  EXPECT_EQ(
      Send(Method::kPost,
           "/ajax-api/2.0/mlflow/upload-artifact?path=d/a%20b.txt&run_uuid=" + run_id, "hello")
          .status,
      200);
  EXPECT_EQ(OnDisk("1/" + run_id + "/artifacts/d/a b.txt"), "hello");
  const std::string root = "mlflow-artifacts:/1/" + run_id + "/artifacts";
  const std::string list = "/api/2.0/mlflow/artifacts/list?run_id=" + run_id;
  EXPECT_EQ(Send(Method::kGet, list).body,
            "{\"root_uri\":\"" + root + "\",\"files\":[{\"path\":\"d\",\"is_dir\":true}]}");
  EXPECT_EQ(Send(Method::kGet, list + "&path=d").body,
            "{\"root_uri\":\"" + root +
                "\",\"files\":[{\"path\":\"d/a b.txt\",\"is_dir\":false,\"file_size\":5}]}");
  const std::string get = "/get-artifact?run_uuid=" + run_id + "&path=";
  EXPECT_EQ(Send(Method::kGet, get + "d%2Fa%20b.txt").body, "hello");
  EXPECT_EQ(Send(Method::kGet, get + "d").status, 400);
  EXPECT_EQ(Send(Method::kGet, get + "e").status, 404);
  EXPECT_EQ(Send(Method::kGet, "/get-artifact?run_id=" + run_id).status, 400);
  EXPECT_EQ(Send(Method::kGet, "/get-artifact?run_id=none&path=x").status, 404);
  const std::string upload =
      "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=" + run_id + "&path=big";
  const http::Response big = Send(Method::kPost, upload, std::string(10 * 1024 * 1024 + 1, 'x'));
  EXPECT_EQ(big.status, 400);
  EXPECT_NE(big.body.find("Artifact size is too large. Max size is 10MB."), std::string::npos);
  EXPECT_EQ(Send(Method::kPost, upload).status, 400);
}

TEST_F(ArtifactRoutes, OnlyServedFoldersAreReadByPath) {
  const std::string inside = NewRun(scratch_.Join("dest/own"));
  const std::string outside = NewRun("file://" + scratch_.Join("secret"));
  std::filesystem::create_directories(scratch_.Join("secret/" + outside + "/artifacts"));
  EXPECT_EQ(Send(Method::kGet, "/api/2.0/mlflow/artifacts/list?run_id=" + inside).status, 200);
  const http::Response refused =
      Send(Method::kGet, "/api/2.0/mlflow/artifacts/list?run_id=" + outside);
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("--default-artifact-root"), std::string::npos);
}

TEST_F(ArtifactRoutes, PresignedUrlsNeedABucket) {
  ASSERT_EQ(Send(Method::kPut, Proxy("0/r/x"), "x").status, 200);
  const http::Response presigned = Send(Method::kGet, "/api/2.0/mlflow-artifacts/presigned/0/r/x");
  EXPECT_EQ(presigned.status, 501);
  EXPECT_NE(presigned.body.find(
                "Multipart download is not supported for the current artifact repository"),
            std::string::npos);
  const std::string run_id = NewRun();
  const http::Response upload = Post("/api/2.0/mlflow/artifacts/presigned-upload-url",
                                     R"({"run_id": ")" + run_id + R"(", "path": "x"})");
  EXPECT_EQ(upload.status, 400);
  EXPECT_NE(upload.body.find("Presigned upload is not supported for proxied artifact storage "
                             "(artifact URI scheme: mlflow-artifacts). This endpoint requires a "
                             "direct cloud storage artifact URI."),
            std::string::npos)
      << upload.body;
  const http::Response download = Post("/api/2.0/mlflow/artifacts/presigned-download-url",
                                       R"({"run_id": ")" + run_id + R"(", "path": "x"})");
  EXPECT_NE(download.body.find("Presigned download is not supported for runs with proxied artifact "
                               "storage (artifact URI scheme: mlflow-artifacts). This endpoint "
                               "requires a run with a direct cloud storage artifact URI."),
            std::string::npos)
      << download.body;
}

TEST_F(ArtifactRoutes, APathBelongsToWhomItsArtifactsBelongTo) {
  const std::string own = NewRun("mlflow-artifacts:/team/own");
  const std::string run_id = NewRun();
  const auto owner = [&](const std::string& path, bool is_deleting = false) -> std::string {
    http::Request request;
    request.path_params = {{"path", path}};
    RequestFields fields;
    OpenCaller caller;
    Call call = {request, fields.fields(), caller};
    const Result<std::vector<Resource>> found = is_deleting
                                                    ? internal::OwnersOfProxiedTree(services_, call)
                                                    : internal::OwnerOfProxiedPath(services_, call);
    if (!found.ok()) return found.error().message();
    std::string text;
    for (const Resource& resource : *found) {
      text += (text.empty() ? "" : ",") + resource.id + ":" + std::string(resource.part);
    }
    return text;
  };
  EXPECT_EQ(owner("7/" + run_id + "/artifacts/x"), "7:run");
  EXPECT_EQ(owner("7/" + run_id), "7:run");
  EXPECT_EQ(owner("7/models/m-1/artifacts/x"), "7:logged_model");
  EXPECT_EQ(owner("7/traces/tr-1/artifacts"), "7:trace");
  EXPECT_EQ(owner("7"), "7:");
  EXPECT_EQ(owner("7/notes.txt"), "7:");
  EXPECT_EQ(owner("7", true), "7:run,7:trace,7:logged_model");
  EXPECT_EQ(owner("7/notes.txt", true), "7:run");
  // However it is written, what the handler will use counts.
  EXPECT_EQ(owner("./7//x/artifacts"), "7:run");
  EXPECT_EQ(owner("%37/x/artifacts"), "7:run");
  EXPECT_EQ(owner("8/../7/x"), "Invalid path");
  // Elsewhere only where a run's artifacts really are.
  const std::string experiment = tracking_->GetRun(own).value().info.experiment_id;
  EXPECT_EQ(owner("team/own/" + own + "/artifacts/x"), experiment + ":run");
  EXPECT_EQ(owner("team/own/" + run_id + "/artifacts/x"), ":");
  EXPECT_EQ(owner("other/" + own + "/artifacts/x"), ":");
  EXPECT_EQ(owner("team/own"), ":");
  EXPECT_EQ(owner("team/m-1/artifacts"), ":");
}

TEST_F(ArtifactRoutes, SwitchedOffTheySaySo) {
  Start({}, false);
  for (const std::string& target :
       {Proxy("0/x"), std::string("/api/2.0/mlflow-artifacts/artifacts"),
        std::string("/api/2.0/mlflow-artifacts/presigned/x")}) {
    const http::Response response = Send(Method::kGet, target);
    EXPECT_EQ(response.status, 503);
    EXPECT_NE(response.body.find("--no-serve-artifacts"), std::string::npos);
  }
  EXPECT_EQ(Send(Method::kPut, Proxy("0/x"), "x").status, 503);
}

}  // namespace
}  // namespace sluice::api
