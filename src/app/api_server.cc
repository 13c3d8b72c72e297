#include "app/api_server.h"

#include <fmt/format.h>

#include <chrono>
#include <vector>

#include "api/artifact_service.h"
#include "api/authorization.h"
#include "api/endpoint.h"
#include "api/token_authorization.h"
#include "api/webhook_listener.h"
#include "app/store_database.h"
#include "auth/authenticator.h"
#include "auth/password.h"
#include "auth/store.h"
#include "base/log.h"
#include "base/periodic.h"
#include "http/metrics.h"
#include "io/fs.h"
#include "registry/store.h"
#include "tracking/logged_models.h"
#include "tracking/metric_history.h"
#include "tracking/purge.h"
#include "tracking/search.h"
#include "tracking/store.h"

namespace sluice::app {

namespace {

constexpr std::string_view kProxiedRoot = "mlflow-artifacts:/";
constexpr std::chrono::minutes kCareInterval{1};
constexpr int kTicksPerUploadCare = 60;
constexpr size_t kArtifactRemovalsAtOnce = 1000;
constexpr int64_t kArtifactRemovalRetryMs = int64_t{3600} * 1000;

/// MLflow's rule: proxied where this server serves artifacts, else a folder beside it.
Result<std::string> ArtifactRoot(const ApiServerOptions& options) {
  if (options.default_artifact_root.empty() && options.service.serves_artifacts) {
    return std::string(kProxiedRoot);
  }
  std::string root =
      options.default_artifact_root.empty() ? "./mlruns" : options.default_artifact_root;
  // A path is the same for whoever reads it from the database later.
  if (api::ArtifactUriScheme(root).empty()) return io::AbsolutePath(root);
  return root;
}

api::ArtifactServiceOptions ArtifactOptions(const ApiServerOptions& options,
                                            const std::string& root) {
  api::ArtifactServiceOptions artifacts;
  if (options.service.serves_artifacts) artifacts.destination = options.artifacts_destination;
  const std::string scheme = api::ArtifactUriScheme(root);
  if (scheme.empty() || scheme == "file") artifacts.local_roots.push_back(root);
  artifacts.is_tls = !options.http.tls_certificate_file.empty();
  artifacts.sends_clients_to_bucket = options.sends_clients_to_bucket;
  artifacts.public_url = options.public_url;
  artifacts.presigned_expiry_s = options.presigned_expiry_s;
  return artifacts;
}

}  // namespace

/// Members in the order they are made; they go in reverse.
class ApiServer::Impl {
 public:
  Status OpenStores(const ApiServerOptions& options, sql::Db& tracking_db, sql::Db& registry_db) {
    ASSIGN_OR_RETURN(const std::string root, ArtifactRoot(options));
    registry::WebhookOptions webhooks = options.webhooks;
    webhooks.has_run_events = &tracking_db == &registry_db;
    registry::SendFunction send = registry::HttpSender(webhooks);
    webhooks_ = registry::OpenWebhooks(registry_db, webhooks, send);
    webhook_listener_ = std::make_unique<api::WebhookListener>(*webhooks_);
    dispatcher_ = registry::MakeWebhookDispatcher(registry_db, *webhooks_, webhooks,
                                                  options.webhook_deliveries, send);
    ASSIGN_OR_RETURN(
        tracking_, tracking::OpenStore(
                       tracking_db,
                       {.artifact_root = root,
                        .listener = webhooks.has_run_events ? webhook_listener_.get() : nullptr}));
    logged_models_ = std::make_unique<tracking::LoggedModelStore>(tracking_db);
    history_ = std::make_unique<tracking::MetricHistory>(tracking_db);
    purger_ = std::make_unique<tracking::Purger>(tracking_db);
    search_ = std::make_unique<tracking::Search>(tracking_db);
    registry_ = registry::OpenStore(registry_db);
    ASSIGN_OR_RETURN(artifacts_, api::ArtifactService::Open(ArtifactOptions(options, root)));
    if (!options.bearer_token.empty()) {
      authorization_ = api::MakeTokenAuthorization(options.bearer_token);
    } else if (options.users) {
      RETURN_IF_ERROR(OpenUsers(*options.users, tracking_db));
    }
    if (options.security) security_.emplace(*options.security);
    metrics_ = std::make_shared<http::Metrics>();

    services_.tracking = tracking_.get();
    services_.logged_models = logged_models_.get();
    services_.history = history_.get();
    services_.purger = purger_.get();
    services_.search = search_.get();
    services_.registry = registry_.get();
    services_.tracking_db = &tracking_db;
    services_.registry_db = &registry_db;
    services_.webhooks = webhooks_.get();
    services_.artifacts = artifacts_.get();
    services_.auth = users_.get();
    services_.authorization = authorization_.get();
    if (security_) services_.security = &*security_;
    if (options.exposes_metrics) services_.metrics = metrics_.get();
    services_.options = options.service;
    services_.options.offers_multipart_uploads = artifacts_->offers_multipart_uploads();
    services_.options.offers_multipart_downloads = artifacts_->offers_multipart_downloads();
    return Ok();
  }

  Status Serve(const ApiServerOptions& options) {
    http::ServerOptions http = options.http;
    http.metrics = metrics_;
    ASSIGN_OR_RETURN(http_, http::Server::Start(std::move(http), api::BuildRouter(services_)));
    if (options.delivers_webhooks) dispatcher_->Start();
    care_ = std::make_unique<Periodic>("care", kCareInterval, [this] { TakeCare(); });
    return Ok();
  }

  void Stop(int64_t drain_ms) {
    care_.reset();
    if (http_) http_->Stop(drain_ms);
  }

  std::unique_ptr<sql::Db> tracking_db_;
  std::unique_ptr<sql::Db> registry_db_;  ///< null: the same
  std::unique_ptr<http::Server> http_;
  std::optional<std::string> generated_password_;

 private:
  Status OpenUsers(const auth::Config& config, sql::Db& tracking_db) {
    if (!config.database_uri.empty()) {
      ASSIGN_OR_RETURN(users_db_, OpenStoreDatabase(config.database_uri));
    }
    users_ = std::make_unique<auth::Store>(users_db_ ? *users_db_ : tracking_db, hasher_);
    ASSIGN_OR_RETURN(auth::FirstStart first, auth::EnsureAdmin(*users_, config));
    generated_password_ = std::move(first.generated_password);
    auth::AuthenticatorOptions options;
    if (config.cache_ttl_s) options.cache_ttl_ms = *config.cache_ttl_s * 1000;
    authenticator_ =
        std::make_unique<auth::Authenticator>(*users_, hasher_, SystemClock(), options);
    authorization_ = std::make_unique<api::UserAuthorization>(*users_, *authenticator_, *registry_,
                                                              config.default_permission);
    return Ok();
  }

  /// What may wait: artifacts of what was purged, uploads nobody goes on with.
  void TakeCare() {
    const Result<std::vector<tracking::ArtifactRemoval>> removals =
        purger_->ListArtifactRemovals(kArtifactRemovalsAtOnce, true);
    if (!removals.ok()) {
      Log(LogLevel::kWarning, "artifacts to remove: {}", removals.error().message());
      return;
    }
    for (const tracking::ArtifactRemoval& removal : *removals) {
      Status status = artifacts_->Delete(removal.artifact_uri);
      if (status.ok()) {
        status = purger_->FinishArtifactRemoval(removal.id);
      } else {
        (void)purger_->PostponeArtifactRemoval(removal.id, kArtifactRemovalRetryMs);
      }
      if (!status.ok()) {
        Log(LogLevel::kWarning, "remove the purged artifacts '{}': {}", removal.artifact_uri,
            status.error().message());
      }
    }
    if (care_tick_count_++ % kTicksPerUploadCare != 0) return;
    const Status status = artifacts_->RemoveStaleUploads();
    if (!status.ok()) Log(LogLevel::kWarning, "stale uploads: {}", status.error().message());
  }

  std::unique_ptr<registry::Webhooks> webhooks_;
  std::unique_ptr<api::WebhookListener> webhook_listener_;
  std::unique_ptr<tracking::Store> tracking_;
  std::unique_ptr<tracking::LoggedModelStore> logged_models_;
  std::unique_ptr<tracking::MetricHistory> history_;
  std::unique_ptr<tracking::Purger> purger_;
  std::unique_ptr<tracking::Search> search_;
  std::unique_ptr<registry::Store> registry_;
  std::unique_ptr<api::ArtifactService> artifacts_;
  std::unique_ptr<registry::WebhookDispatcher> dispatcher_;
  auth::PasswordHasher hasher_;
  std::unique_ptr<sql::Db> users_db_;  ///< null: the users stand beside the runs
  std::unique_ptr<auth::Store> users_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::unique_ptr<api::Authorization> authorization_;
  std::optional<api::Security> security_;
  std::shared_ptr<http::Metrics> metrics_;
  api::Services services_;
  int64_t care_tick_count_ = 0;
  std::unique_ptr<Periodic> care_;
};

ApiServer::ApiServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiServer::~ApiServer() { Stop(0); }

Result<std::unique_ptr<ApiServer>> ApiServer::Start(ApiServerOptions options,
                                                    const std::string& backend_uri,
                                                    const std::string& registry_uri) {
  auto impl = std::make_unique<Impl>();
  ASSIGN_OR_RETURN(impl->tracking_db_, OpenStoreDatabase(backend_uri));
  if (!registry_uri.empty() && registry_uri != backend_uri) {
    ASSIGN_OR_RETURN(impl->registry_db_, OpenStoreDatabase(registry_uri));
  }
  sql::Db& registry_db = impl->registry_db_ ? *impl->registry_db_ : *impl->tracking_db_;
  RETURN_IF_ERROR(impl->OpenStores(options, *impl->tracking_db_, registry_db));
  RETURN_IF_ERROR(impl->Serve(options));
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(impl)));
}

Result<std::unique_ptr<ApiServer>> ApiServer::StartOver(ApiServerOptions options, sql::Db& db) {
  auto impl = std::make_unique<Impl>();
  RETURN_IF_ERROR(impl->OpenStores(options, db, db));
  RETURN_IF_ERROR(impl->Serve(options));
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(impl)));
}

std::string ApiServer::url() const { return impl_->http_->url(); }
const std::optional<std::string>& ApiServer::generated_password() const {
  return impl_->generated_password_;
}
void ApiServer::Stop(int64_t drain_ms) { impl_->Stop(drain_ms); }

}  // namespace sluice::app
