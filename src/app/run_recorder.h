// Where `sluice run` writes its runs: the project's own store, or a tracking server that speaks
// MLflow's REST API.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tracking/store.h"

namespace sluice::app {

/// One thread at a time. Errors: those of tracking::Store; for a server also kUnavailable naming
/// it.
class RunRecorder {
 public:
  virtual ~RunRecorder() = default;

  /// The id of the active experiment of that name: made if absent, restored if deleted.
  virtual Result<std::string> EnsureExperiment(const std::string& name) = 0;
  /// Its id. A server gives its own and ignores NewRun::run_id.
  virtual Result<std::string> CreateRun(const tracking::NewRun& run) = 0;
  virtual Status LogBatch(const std::string& run_id, const tracking::Batch& batch) = 0;
  virtual Status LogInputs(const std::string& run_id,
                           std::span<const tracking::DatasetLink> inputs) = 0;
  /// A server has no datasets that a run wrote: there they become tags "sluice.output.<name>".
  virtual Status LogOutputs(const std::string& run_id,
                            std::span<const tracking::DatasetLink> outputs) = 0;
  virtual Status EndRun(const std::string& run_id, tracking::RunStatus status, int64_t end_ms) = 0;
};

/// `store` must outlive it.
std::unique_ptr<RunRecorder> MakeStoreRecorder(tracking::Store& store);

/// How to reach a tracking server, as MLflow's clients have it.
struct TrackingServer {
  std::string uri;  ///< "http://host:5000", without a slash at its end
  std::string username;
  std::string password;
  std::string token;  ///< goes out as Bearer, before username and password

  /// Its address and credentials as MLFLOW_TRACKING_* variables for a child process.
  std::vector<std::pair<std::string, std::string>> Environment() const;
};

/// `uri` with what MLFLOW_TRACKING_USERNAME, _PASSWORD and _TOKEN say. Errors: kInvalidArgument if
/// it is not http:// or https://.
Result<TrackingServer> FindTrackingServer(std::string_view uri);

/// Calls are repeated a few times when the server is busy or away. No connection is made yet.
std::unique_ptr<RunRecorder> MakeServerRecorder(TrackingServer server);

}  // namespace sluice::app
