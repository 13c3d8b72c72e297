// Walks the whole table of endpoints: no row may be forgotten. Each is called without credentials,
// with too little permission, and with just enough, over all its paths; what is open to every user
// is listed here by name, so that opening something is a change of this file.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "api/artifact_service.h"
#include "api/authorization.h"
#include "api/endpoint.h"
#include "api/internal/auth_rows.h"
#include "base/testing/scratch_folder.h"
#include "http/metrics.h"
#include "http/target.h"
#include "registry/store.h"
#include "registry/webhook_delivery.h"
#include "registry/webhooks.h"
#include "sql/testing/test_database.h"
#include "tracking/logged_models.h"
#include "tracking/metric_history.h"
#include "tracking/purge.h"
#include "tracking/search.h"
#include "tracking/store.h"

namespace sluice::api {
namespace {

using auth::Permission;
using http::Method;

/// Answered without credentials.
const std::set<std::string_view> kPublic = {"server.health", "server.info", "server.features"};
/// Answered to whoever knows the id of an upload under way, as a presigned URL of a bucket is:
/// clients send parts without credentials.
const std::set<std::string_view> kByUploadId = {"artifacts.mpu_part"};
/// Open to every user; searches leave out what the user may not read.
const std::set<std::string_view> kSignedIn = {"server.version",
                                              "server.metrics",
                                              "server.ui_telemetry",
                                              "traces.search",
                                              "gateway.endpoints",
                                              "gateway.secrets",
                                              "gateway.proxy",
                                              "runs.create_promptlab",
                                              "experiments.search",
                                              "runs.search",
                                              "datasets.search",
                                              "logged_models.search",
                                              "registered_models.search",
                                              "model_versions.search",
                                              "users.current",
                                              "users.list",
                                              "users.current.permissions"};
const std::set<std::string_view> kCreates = {"experiments.create", "registered_models.create"};

class NoBody final : public http::BodySource {
 public:
  Result<size_t> Read(std::span<char>) override { return size_t{0}; }
};

/// A server with one of everything, and users who may do this and that with it.
class World {
 public:
  explicit World(const std::string& folder) {
    std::vector<sql::Migration> migrations = tracking::Migrations();
    for (auto&& more : {registry::Migrations(), auth::Migrations()}) {
      migrations.insert(migrations.end(), more.begin(), more.end());
    }
    CHECK(sql::Migrate(*db_, migrations).ok());
    tracking_ = tracking::OpenStore(*db_, {.artifact_root = "mlflow-artifacts:/"}).value();
    registry_ = registry::OpenStore(*db_);
    artifacts_ = ArtifactService::Open({.destination = folder}).value();
    registry::SendFunction send = [](const registry::OutgoingRequest&) {
      return registry::DeliveryAttempt{};
    };
    webhooks_ = registry::OpenWebhooks(*db_, {}, send);
    authorization_ = std::make_unique<UserAuthorization>(users_, authenticator_, *registry_,
                                                         Permission::kNoPermissions);
    services_.tracking = tracking_.get();
    services_.logged_models = &logged_models_;
    services_.history = &history_;
    services_.purger = &purger_;
    services_.search = &search_;
    services_.registry = registry_.get();
    services_.tracking_db = db_.get();
    services_.registry_db = db_.get();
    services_.webhooks = webhooks_.get();
    services_.metrics = &metrics_;
    services_.artifacts = artifacts_.get();
    services_.auth = &users_;
    services_.authorization = authorization_.get();
    router_ = std::make_unique<http::Router>(BuildRouter(services_));

    experiment_id_ = tracking_->CreateExperiment({.name = "hidden thing"}).value();
    run_id_ = tracking_->CreateRun({.experiment_id = experiment_id_}).value().info.run_id;
    model_id_ = logged_models_.Create({.experiment_id = experiment_id_}).value().model_id;
    CHECK(registry_->CreateModel("hidden model", "", {}).ok());
    CHECK(registry_->CreateVersion({.name = "hidden model", .source = "s3://bucket/x"}).ok());
    MakeUser("root", true);
    MakeUser("victim");
  }

  Services& services() { return services_; }
  auth::Store& users() { return users_; }
  const std::string& experiment_id() const { return experiment_id_; }

  auth::User MakeUser(const std::string& name, bool is_admin = false) {
    return users_
        .ImportUser(name,
                    "pbkdf2:sha256:1$salt$"
                    "0000000000000000000000000000000000000000000000000000000000000000",
                    is_admin)
        .value();
  }
  /// A user with one permission on the experiment and the model; none: no grant.
  auth::User MakeUserWith(std::optional<Permission> permission) {
    const std::string name = permission ? std::string(auth::PermissionName(*permission)) : "none";
    const auth::User user = MakeUser(name);
    if (permission) {
      CHECK(users_.SetPersonalGrant(name, {"experiment", experiment_id_, *permission}, true).ok());
      CHECK(users_.SetPersonalGrant(name, {"registered_model", "hidden model", *permission}, true)
                .ok());
    }
    return user;
  }
  /// An Authorization field.
  std::string FieldFor(const auth::User& user, auth::TokenScope scope = {.is_admin = true}) {
    if (!user.is_admin) scope.is_admin = false;
    return "Bearer " + users_.CreateToken(user.id, {.name = "test", .scope = scope})->secret;
  }
  auth::User Find(std::string_view name) { return users_.GetUser(name).value(); }

  /// The row's paths with something for each {name}.
  std::vector<std::string> PathsOf(const Endpoint& row) {
    std::string path;
    std::string_view rest = row.path;
    while (!rest.empty()) {
      const size_t open = std::min(rest.find('{'), rest.size());
      path += rest.substr(0, open);
      rest.remove_prefix(open);
      if (rest.empty()) break;
      const std::string_view name = rest.substr(1, rest.find('}') - 1);
      path += name == "model_id"  ? model_id_
              : name == "path..." ? experiment_id_ + "/" + run_id_ + "/artifacts/file.txt"
                                  : std::string("x");
      rest.remove_prefix(name.size() + 2);
    }
    if (row.mount != Mount::kTwin) return {path};
    return {path, "/ajax-api" + path.substr(4)};
  }

  /// Calls it with every field that any finder reads.
  http::Response Call(Method method, const std::string& path, const std::string& authorization) {
    using formats::Json;
    Json fields = Json::MakeObject({{"experiment_id", experiment_id_},
                                    {"experiment_name", "hidden thing"},
                                    {"run_id", run_id_},
                                    {"run_uuid", run_id_},
                                    {"model_id", model_id_},
                                    {"name", "hidden model"},
                                    {"version", "1"},
                                    {"alias", "champion"},
                                    {"key", "key"},
                                    {"value", "value"},
                                    {"new_name", "other"},
                                    {"username", "victim"},
                                    {"resource_type", "experiment"},
                                    {"resource_id", experiment_id_},
                                    {"permission", "READ"},
                                    {"scorer_name", "scorer"},
                                    {"role_id", "1"},
                                    {"path", experiment_id_ + "/file.txt"},
                                    {"source", "s3://bucket/x"},
                                    {"is_admin", false},
                                    {"metric_key", "key"},
                                    {"upload_id", "0123456789abcdef0123456789abcdef"},
                                    {"part_number", "1"}});
    http::Request request;
    request.method = method;
    request.path = path;
    request.peer = "192.0.2.1:5000";
    request.id = "0123456789abcdef";
    if (!authorization.empty()) request.headers.Add("Authorization", authorization);
    for (const auto& [name, value] : fields.AsObject()) {
      request.query +=
          fmt::format("{}{}={}", request.query.empty() ? "" : "&", name,
                      value.is_string() ? http::PercentEncode(value.AsString()) : "false");
    }
    // There it would be a list.
    if (path.find("/runs/move") != std::string::npos) fields.Remove("run_id");
    for (const char* name : {"experiment_ids", "run_ids"}) {
      Json list = Json::MakeArray();
      list.Append(name == std::string_view("run_ids") ? run_id_ : experiment_id_);
      request.query += fmt::format("&{}={}", name, list.At(0).AsString());
      fields[name] = std::move(list);
    }
    http::Router::Match match = router_->Find(method, path);
    NoBody no_body;
    if (match.route) {
      if (match.route->streams_body) request.body_stream = &no_body;
      if (method != Method::kGet && !match.route->streams_body) {
        request.headers.Add("Content-Type", "application/json");
        request.body = formats::PrintJson(fields);
      }
      request.path_params = std::move(match.path_params);
      return match.route->handler(request);
    }
    return router_->fallback()(request, match.allow);
  }

 private:
  std::shared_ptr<sql::Db> db_ = sql::OpenTestDb(sql::TestEngine::kSqliteMemory);
  std::unique_ptr<tracking::Store> tracking_;
  tracking::LoggedModelStore logged_models_{*db_};
  tracking::MetricHistory history_{*db_};
  tracking::Purger purger_{*db_};
  tracking::Search search_{*db_};
  std::unique_ptr<registry::Store> registry_;
  std::unique_ptr<ArtifactService> artifacts_;
  std::unique_ptr<registry::Webhooks> webhooks_;
  http::Metrics metrics_;
  auth::PasswordHasher hasher_;
  auth::Store users_{*db_, hasher_};
  auth::Authenticator authenticator_{users_, hasher_};
  std::unique_ptr<UserAuthorization> authorization_;
  Services services_;
  std::unique_ptr<http::Router> router_;
  std::string experiment_id_, run_id_, model_id_;
};

class EveryEndpoint : public testing::Test {
 protected:
  std::unique_ptr<World> Make() { return std::make_unique<World>(folder_.Join("artifacts")); }
  static std::string Name(const Endpoint& row, const std::string& path) {
    return fmt::format("{} ({} {})", row.name, http::MethodName(row.method), path);
  }

  /// Refused at the door. (Handlers have a 403 of their own, in JSON, for places they do not
  /// serve.)
  static bool IsForbidden(const http::Response& response) {
    return response.status == 403 && response.body == "Permission denied";
  }

  ScratchFolder folder_;
};

TEST_F(EveryEndpoint, IsClosedToStrangers) {
  const std::unique_ptr<World> world = Make();
  size_t count = 0;
  for (const Endpoint& row : AllEndpoints(world->services())) {
    for (const std::string& path : world->PathsOf(row)) {
      for (const char* field : {"", "Basic eDp", "Bearer slt_nothing", "nonsense"}) {
        const http::Response response = world->Call(row.method, path, field);
        if (kPublic.contains(row.name)) {
          EXPECT_EQ(response.status, 200) << Name(row, path);
        } else if (kByUploadId.contains(row.name)) {
          EXPECT_EQ(response.status, 404) << Name(row, path);
        } else {
          EXPECT_EQ(response.status, 401) << Name(row, path);
          EXPECT_NE(response.headers.Find("WWW-Authenticate"), nullptr) << Name(row, path);
          EXPECT_EQ(response.body.find("hidden"), std::string::npos) << Name(row, path);
        }
      }
      ++count;
    }
  }
  EXPECT_GT(count, 200U);
}

TEST_F(EveryEndpoint, SaysWhoMay) {
  const std::unique_ptr<World> world = Make();
  for (const Endpoint& row : AllEndpoints(world->services())) {
    switch (row.access.form()) {
      case Access::Form::kPublic:
        EXPECT_TRUE(kPublic.contains(row.name) || kByUploadId.contains(row.name)) << row.name;
        break;
      case Access::Form::kSignedIn: EXPECT_TRUE(kSignedIn.contains(row.name)) << row.name; break;
      case Access::Form::kCreates: EXPECT_TRUE(kCreates.contains(row.name)) << row.name; break;
      case Access::Form::kAdmin: break;
      case Access::Form::kLevel: EXPECT_NE(row.access.finder(), nullptr) << row.name; break;
    }
  }
}

TEST_F(EveryEndpoint, NeedsTheLevelItSays) {
  const std::map<Level, Permission> levels = {{Level::kRead, Permission::kRead},
                                              {Level::kUse, Permission::kUse},
                                              {Level::kEdit, Permission::kEdit},
                                              {Level::kManage, Permission::kManage}};
  const std::vector<Endpoint> rows = AllEndpoints(Make()->services());
  for (const Endpoint& row : rows) {
    const std::unique_ptr<World> world = Make();
    const auth::User none = world->MakeUserWith(std::nullopt);
    const bool is_open = row.access.form() == Access::Form::kSignedIn ||
                         row.access.form() == Access::Form::kCreates ||
                         row.access.form() == Access::Form::kPublic;
    // Before anything is changed: users with too little.
    for (const std::string& path : world->PathsOf(row)) {
      const http::Response response = world->Call(row.method, path, world->FieldFor(none));
      if (is_open) {
        EXPECT_NE(response.status, 403) << Name(row, path);
      } else {
        EXPECT_EQ(response.status, 403) << Name(row, path);
        EXPECT_EQ(response.body, "Permission denied") << Name(row, path);
      }
    }
    const std::string path = world->PathsOf(row).back();
    if (row.access.form() == Access::Form::kLevel) {
      for (const auto& [level, permission] : levels) {
        if (level >= row.access.level()) break;
        const auth::User user = world->MakeUserWith(permission);
        EXPECT_EQ(world->Call(row.method, path, world->FieldFor(user)).status, 403)
            << Name(row, path) << " with " << auth::PermissionName(permission);
      }
      const auth::User user = world->MakeUserWith(levels.at(row.access.level()));
      const auth::User denied = world->MakeUserWith(Permission::kDeny);
      // Roles may be looked at by whoever has one.
      if (row.access.finder() != internal::RolesOfWorkspace) {
        EXPECT_EQ(world->Call(row.method, path, world->FieldFor(denied)).status, 403)
            << Name(row, path);
      }
      if (row.access.level() != Level::kRead) {
        EXPECT_EQ(
            world->Call(row.method, path, world->FieldFor(user, {.is_read_only = true})).status,
            403)
            << Name(row, path) << " with a read-only token";
      }
      const std::string stray = world->FieldFor(user, {.only = {{{"experiment", "12345"}}}});
      EXPECT_EQ(world->Call(row.method, path, stray).status, 403)
          << Name(row, path) << " with a token for something else";
      const bool is_about_others = row.access.finder() == TheWorkspace ||
                                   row.access.finder() == internal::OwnUser ||
                                   row.access.finder() == internal::OwnUserOrWorkspace;
      const http::Response response = world->Call(row.method, path, world->FieldFor(user));
      EXPECT_EQ(IsForbidden(response), is_about_others) << Name(row, path) << response.body;
      EXPECT_NE(response.status, 401) << Name(row, path);
    } else if (row.access.form() == Access::Form::kAdmin) {
      const auth::User manager = world->MakeUserWith(Permission::kManage);
      EXPECT_EQ(world->Call(row.method, path, world->FieldFor(manager)).status, 403)
          << Name(row, path);
      EXPECT_EQ(world->Call(row.method, path, world->FieldFor(world->Find("root"), {})).status, 403)
          << Name(row, path) << " with an administrator's token that is not for that";
    } else if (row.access.form() == Access::Form::kCreates) {
      for (const auth::TokenScope& scope :
           {auth::TokenScope{.is_read_only = true},
            auth::TokenScope{.only = {{{"experiment", world->experiment_id()}}}}}) {
        EXPECT_EQ(world->Call(row.method, path, world->FieldFor(none, scope)).status, 403)
            << Name(row, path);
      }
    }
    const http::Response response =
        world->Call(row.method, path, world->FieldFor(world->Find("root")));
    EXPECT_FALSE(IsForbidden(response)) << Name(row, path);
    EXPECT_NE(response.status, 401) << Name(row, path);
    EXPECT_NE(response.status, 500) << Name(row, path) << response.body;
  }
}

TEST_F(EveryEndpoint, ThatDoesNotExistIsForbiddenToAllButAdministrators) {
  const std::unique_ptr<World> world = Make();
  const auth::User manager = world->MakeUserWith(Permission::kManage);
  for (const auto& [method, path] :
       {std::pair(Method::kGet, "/api/2.0/mlflow/no/such/path"), std::pair(Method::kGet, "/"),
        std::pair(Method::kDelete, "/api/2.0/mlflow/runs/get")}) {
    EXPECT_EQ(world->Call(method, path, "").status, 401) << path;
    EXPECT_EQ(world->Call(method, path, world->FieldFor(manager)).status, 403) << path;
    const int status = world->Call(method, path, world->FieldFor(world->Find("root"))).status;
    EXPECT_TRUE(status == 404 || status == 405) << path << status;
  }
}

TEST_F(EveryEndpoint, LeavesOutOfItsListsWhatTheUserMayNotRead) {
  const std::unique_ptr<World> world = Make();
  const std::string none = world->FieldFor(world->MakeUserWith(std::nullopt));
  const std::string reader = world->FieldFor(world->MakeUserWith(Permission::kRead));
  for (const Endpoint& row : AllEndpoints(world->services())) {
    if (row.access.form() != Access::Form::kSignedIn) continue;
    for (const std::string& path : world->PathsOf(row)) {
      const http::Response response = world->Call(row.method, path, none);
      for (const char* word : {"hidden", "mlflow-artifacts:/"}) {
        EXPECT_EQ(response.body.find(word), std::string::npos) << Name(row, path) << response.body;
      }
    }
  }
  EXPECT_NE(world->Call(Method::kGet, "/api/2.0/mlflow/experiments/search", reader)
                .body.find("hidden thing"),
            std::string::npos);
  EXPECT_NE(world->Call(Method::kGet, "/api/2.0/mlflow/registered-models/search", reader)
                .body.find("\"hidden model\""),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::api
