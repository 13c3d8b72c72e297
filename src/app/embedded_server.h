// The tracking server that `sluice run` is to its own command steps.
#pragma once

#include <memory>

#include "app/api_server.h"
#include "app/project.h"
#include "app/run_recorder.h"
#include "base/result.h"

namespace sluice::app {

/// Serves the project's own store on loopback, to whoever has the token. Listens from the first
/// Find on, until it is destroyed. One thread at a time.
class EmbeddedServer {
 public:
  /// `project` must outlive it.
  explicit EmbeddedServer(Project& project) : project_(project) {}

  /// Errors: those of ApiServer::StartOver.
  Result<TrackingServer> Find();

 private:
  Project& project_;
  TrackingServer address_;
  std::unique_ptr<ApiServer> server_;
};

}  // namespace sluice::app
