// What handlers work with. Filled once before the server starts and never changed: thread-safe, as
// each member is.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "registry/source.h"

namespace sluice::http {
class Metrics;
}
namespace sluice::sql {
class Db;
}
namespace sluice::tracking {
class LoggedModelStore;
class MetricHistory;
class Purger;
class Search;
class Store;
}  // namespace sluice::tracking
namespace sluice::registry {
class Store;
class Webhooks;
}  // namespace sluice::registry
namespace sluice::auth {
class Store;
}

namespace sluice::api {

class Authorization;
class ArtifactService;
class Security;

struct ServiceOptions {
  /// What GET /version answers. MLflow's clients compare it: below 3.4 they send no OTLP spans.
  std::string mlflow_version = "3.1.4";
  std::string static_prefix;  ///< "" or "/team": before /ajax-api, /get-artifact, ...
  bool serves_artifacts = true;
  bool artifacts_only = false;
  bool offers_multipart_uploads = false;
  bool offers_multipart_downloads = false;
  registry::SourceOptions sources;
  int json_depth_max = 64;
  int64_t json_body_bytes_max = int64_t{64} << 20;
};

/// Nothing here is owned; everything must outlive the server. Pointers without a note are never
/// null.
struct Services {
  tracking::Store* tracking = nullptr;
  tracking::LoggedModelStore* logged_models = nullptr;
  tracking::MetricHistory* history = nullptr;
  tracking::Purger* purger = nullptr;
  tracking::Search* search = nullptr;
  registry::Store* registry = nullptr;
  sql::Db* tracking_db = nullptr;
  sql::Db* registry_db = nullptr;          ///< often the same database
  registry::Webhooks* webhooks = nullptr;  ///< null: no webhook rows
  const http::Metrics* metrics = nullptr;  ///< null: no row /metrics
  ArtifactService* artifacts = nullptr;    ///< null: no artifact rows
  auth::Store* auth = nullptr;             ///< null: no users, no user rows
  Authorization* authorization = nullptr;  ///< null: everybody may everything
  const Security* security = nullptr;      ///< null: no rules about hosts and origins
  Clock* clock = &SystemClock();
  ServiceOptions options;
};

}  // namespace sluice::api
