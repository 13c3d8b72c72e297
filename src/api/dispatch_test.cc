// What the dispatcher does around every handler, over stores in memory.
#include <gtest/gtest.h>

#include <memory>

#include "api/endpoint.h"
#include "formats/json.h"
#include "registry/store.h"
#include "sql/migrator.h"
#include "sql/sqlite.h"
#include "tracking/logged_models.h"
#include "tracking/metric_history.h"
#include "tracking/purge.h"
#include "tracking/search.h"
#include "tracking/store.h"

namespace sluice::api {
namespace {

using http::Method;
using http::Request;
using http::Response;

/// Lets nobody in, and counts who tried.
class ClosedDoor final : public Authorization {
 public:
  Identity Identify(const Request&) override {
    ++knock_count;
    return {nullptr, Response::Text(401, "who?")};
  }
  std::optional<Response> Check(Services&, const Access&, Call&) override { return std::nullopt; }
  int knock_count = 0;
};

class DispatchTest : public ::testing::Test {
 protected:
  DispatchTest() : db_(sql::OpenSqlite(":memory:").value()) {
    std::vector<sql::Migration> migrations = tracking::Migrations();
    for (sql::Migration& one : registry::Migrations()) migrations.push_back(one);
    CHECK(sql::Migrate(*db_, migrations).ok());
    tracking_ = tracking::OpenStore(*db_, {.artifact_root = "mlflow-artifacts:/"}).value();
    registry_ = registry::OpenStore(*db_);
    logged_models_ = std::make_unique<tracking::LoggedModelStore>(*db_);
    history_ = std::make_unique<tracking::MetricHistory>(*db_);
    purger_ = std::make_unique<tracking::Purger>(*db_);
    search_ = std::make_unique<tracking::Search>(*db_);
    services_.tracking = tracking_.get();
    services_.registry = registry_.get();
    services_.logged_models = logged_models_.get();
    services_.history = history_.get();
    services_.purger = purger_.get();
    services_.search = search_.get();
    services_.tracking_db = db_.get();
    services_.registry_db = db_.get();
  }

  Response Send(Method method, std::string path, std::string body = "",
                std::string type = "application/json", http::Headers headers = {}) {
    const http::Router router = BuildRouter(services_);
    Request request;
    request.method = method;
    const size_t question = path.find('?');
    request.path = path.substr(0, question);
    if (question != std::string::npos) request.query = path.substr(question + 1);
    request.body = std::move(body);
    request.id = "0123456789abcdef";
    request.headers = std::move(headers);
    if (!type.empty()) request.headers.Add("Content-Type", type);
    http::Router::Match match = router.Find(method, request.path);
    if (!match.route) return router.fallback()(request, match.allow);
    request.path_params = std::move(match.path_params);
    return match.route->handler(request);
  }

  static std::string ErrorCodeOf(const Response& response) {
    const auto json = formats::ParseJson(response.body);
    return json.ok() ? json->StringOr("error_code", "") : response.body;
  }

  std::unique_ptr<sql::Db> db_;
  std::unique_ptr<tracking::Store> tracking_;
  std::unique_ptr<registry::Store> registry_;
  std::unique_ptr<tracking::LoggedModelStore> logged_models_;
  std::unique_ptr<tracking::MetricHistory> history_;
  std::unique_ptr<tracking::Purger> purger_;
  std::unique_ptr<tracking::Search> search_;
  Services services_;
};

TEST_F(DispatchTest, EveryRowHasItsTwinBehindTheStaticPrefix) {
  services_.options.static_prefix = "/team";
  const std::string get = "/experiments/get?experiment_id=0";
  EXPECT_EQ(Send(Method::kGet, "/api/2.0/mlflow" + get).status, 200);
  EXPECT_EQ(Send(Method::kGet, "/team/ajax-api/2.0/mlflow" + get).status, 200);
  EXPECT_EQ(Send(Method::kGet, "/ajax-api/2.0/mlflow" + get).status, 404);
  EXPECT_EQ(Send(Method::kGet, "/health").status, 200);
  EXPECT_EQ(Send(Method::kGet, "/team/health").status, 200);
}

TEST_F(DispatchTest, PostsMustSayThatTheySendJson) {
  const std::string create = "/api/2.0/mlflow/experiments/create";
  for (const char* type : {"application/json", "application/json; charset=utf-8"}) {
    EXPECT_EQ(Send(Method::kPost, create, std::string(R"({"name": ")") + type + "\"}", type).status,
              200);
  }
  for (const char* type : {"text/plain", "", "application/jsonp", "nonsense"}) {
    const Response response = Send(Method::kPost, create, R"({"name": "x"})", type);
    EXPECT_EQ(response.status, 400) << type;
    EXPECT_EQ(ErrorCodeOf(response), "INVALID_PARAMETER_VALUE") << type;
  }
  // As in MLflow, the other methods are not asked.
  EXPECT_EQ(
      Send(Method::kPost, "/api/2.0/mlflow/registered-models/create", R"({"name": "m"})").status,
      200);
  EXPECT_EQ(
      Send(Method::kDelete, "/api/2.0/mlflow/registered-models/delete", R"({"name": "m"})", "")
          .status,
      200);
}

TEST_F(DispatchTest, WorkspacesAreRefusedWithoutA5xx) {
  http::Headers headers;
  headers.Add("X-MLFLOW-WORKSPACE", "default");
  const Response response =
      Send(Method::kGet, "/api/2.0/mlflow/experiments/get?experiment_id=0", "", "", headers);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(ErrorCodeOf(response), "FEATURE_DISABLED");
}

TEST_F(DispatchTest, UnknownPathsAndMethodsAreJson) {
  const Response unknown = Send(Method::kGet, "/api/2.0/mlflow/nope");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(ErrorCodeOf(unknown), "ENDPOINT_NOT_FOUND");
  EXPECT_EQ(Send(Method::kPut, "/api/2.0/mlflow/experiments/get", "{}").status, 405);
}

TEST_F(DispatchTest, WithUsersAllButPublicRowsAreBehindTheDoor) {
  ClosedDoor door;
  services_.authorization = &door;
  EXPECT_EQ(Send(Method::kGet, "/health").status, 200);
  EXPECT_EQ(Send(Method::kGet, "/api/3.0/mlflow/server-info").status, 200);
  EXPECT_EQ(door.knock_count, 0);
  int private_row_count = 0;
  for (const Endpoint& row : AllEndpoints(services_)) {
    if (row.access.form() == Access::Form::kPublic) continue;
    std::string path(row.path);
    for (size_t at; (at = path.find('{')) != std::string::npos;) {
      path.replace(at, path.find('}') - at + 1, "x");
    }
    EXPECT_EQ(Send(row.method, path, "{}").status, 401) << row.path;
    ++private_row_count;
  }
  EXPECT_EQ(door.knock_count, private_row_count);
  EXPECT_EQ(Send(Method::kGet, "/api/2.0/mlflow/nope").status, 401);
}

TEST_F(DispatchTest, AnArtifactServerHasNoTracking) {
  services_.options.artifacts_only = true;
  const Response response = Send(Method::kGet, "/api/2.0/mlflow/experiments/get?experiment_id=0");
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.body.find("`--artifacts-only`"), std::string::npos);
  EXPECT_EQ(Send(Method::kGet, "/health").status, 200);
}

}  // namespace
}  // namespace sluice::api
