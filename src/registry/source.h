// What may be the source of a model version (and the artifact location of an experiment): MLflow's
// rules against reading what the caller does not own. Pure, but for the questions asked of the
// stores.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "registry/store.h"

namespace sluice::registry {

struct SourceOptions {
  /// MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX: a source must hold a match; empty: any.
  /// See CheckSourceRegex.
  std::string required_regex;
  /// MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES, lower case: "http", "hdfs", ... whose URIs may
  /// name any host.
  std::vector<std::string> allowed_host_schemes;
  /// The server's own artifact stores ("hdfs://namenode:9000/mlflow"), whose hosts may be named
  /// always; may be empty.
  std::string server_artifact_root;
  std::string artifacts_destination;
};

inline constexpr size_t kSourceLengthMax = 2048;  ///< in bytes

/// What only the other stores know. Each call may read a database; called outside of transactions.
class SourceResolver {
 public:
  virtual ~SourceResolver() = default;

  /// The artifact URI of a run. Errors: kNotFound.
  virtual Result<std::string> GetRunArtifactUri(std::string_view run_id) = 0;
  struct LoggedModel {
    std::string artifact_uri;
    std::string run_id;  ///< that logged it, or empty
  };
  /// Errors: kNotFound.
  virtual Result<LoggedModel> GetLoggedModel(std::string_view model_id) = 0;
};

struct SourceRequest {
  std::string source;
  std::optional<std::string> run_id;           ///< as far as the request says
  std::optional<std::string> logged_model_id;  ///< MLflow's model_id
  bool is_prompt = false;                      ///< tagged mlflow.prompt.is_prompt
};

/// What a new version gets. Of a version made of another one run and logged model are those of that
/// other one; of a version of a logged model the run is that model's, unless the request said it.
struct CheckedSource {
  std::string source;            ///< "models:/name@alias" has become "models:/name/3"
  std::string storage_location;  ///< where the files are, if source is "models:/..."; else empty
  std::string run_id;            ///< or empty
  std::string logged_model_id;   ///< or empty
};

/// The rules of model-versions/create. Errors: kInvalidArgument in MLflow's words; kNotFound for a
/// registered model or version that the source names; those of the stores.
Result<CheckedSource> CheckSource(const SourceRequest& request, const SourceOptions& options,
                                  Store& registry, SourceResolver& resolver);

/// The rule about hosts, which artifact locations of experiments obey as well: a scheme addressed
/// by host (http, https, mlflow-artifacts with a host, ftp, sftp, hdfs, viewfs, r2, b2, abfss) must
/// be allowed or name the server's own stores. `parameter` is "source" or "artifact_location".
/// Errors: kInvalidArgument.
Status CheckHostAddressedUri(std::string_view uri, std::string_view parameter,
                             const SourceOptions& options);

/// For reading the option at start. The syntax is PCRE2's, which takes what Python's `re` does.
/// Errors: kInvalidArgument for an expression that cannot be read, with the place.
Status CheckSourceRegex(std::string_view regex);

}  // namespace sluice::registry
