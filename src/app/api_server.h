// `sluice server` as an object: stores over a database, the REST surface over the stores, HTTP in
// front. The command serves a database it opens; `sluice run` serves its project's own to its
// steps.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/security.h"
#include "api/services.h"
#include "auth/config.h"
#include "base/result.h"
#include "http/server.h"
#include "registry/webhook_delivery.h"
#include "registry/webhooks.h"
#include "sql/db.h"

namespace sluice::app {

struct ApiServerOptions {
  http::ServerOptions http;
  api::ServiceOptions service;
  /// Location of experiments that name none; empty: "mlflow-artifacts:/" where artifacts are
  /// served, else "./mlruns".
  std::string default_artifact_root;
  std::string artifacts_destination = "./mlartifacts";
  bool sends_clients_to_bucket = false;  ///< see api::ArtifactServiceOptions, all three
  std::string public_url;
  int64_t presigned_expiry_s = 300;
  bool exposes_metrics = false;
  /// Not empty: every request must bear it.
  std::string bearer_token;
  std::optional<auth::Config> users;  ///< nothing: no users, everybody may everything
  /// Nothing: no rules about hosts and origins.
  std::optional<api::SecurityOptions> security;
  bool delivers_webhooks = false;
  registry::WebhookOptions webhooks;
  registry::DeliveryOptions webhook_deliveries;
};

/// Runs from Start until Stop or its end. Thread-safe.
class ApiServer {
 public:
  /// Over a database of its own, opened and migrated. `registry_uri` may be empty: the same.
  /// Errors: those of OpenStoreDatabase, of http::Server::Start, and of opening the artifacts.
  static Result<std::unique_ptr<ApiServer>> Start(ApiServerOptions options,
                                                  const std::string& backend_uri,
                                                  const std::string& registry_uri);
  /// Over a migrated database that outlives it.
  static Result<std::unique_ptr<ApiServer>> StartOver(ApiServerOptions options, sql::Db& db);
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  std::string url() const;
  /// The password that was made up for the first administrator, to be shown once.
  const std::optional<std::string>& generated_password() const;
  /// Takes no new request, answers those under way for at most `drain_ms`. May be repeated.
  void Stop(int64_t drain_ms);

 private:
  class Impl;
  explicit ApiServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::app
