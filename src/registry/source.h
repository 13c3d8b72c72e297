// What may be the source of a model version (and the artifact location of an experiment): MLflow's
// rules against reading what the caller does not own. Pure, but for the questions asked of
// SourceResolver.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::registry {

struct SourceOptions {
  /// MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX: a source must hold a match; empty: any.
  /// ECMAScript syntax; see CheckSourceRegex.
  std::string required_regex;
  /// MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES, lower case: "http", "hdfs", ... whose URIs may
  /// name any host.
  std::vector<std::string> allowed_host_schemes;
  /// The server's own artifact store ("hdfs://namenode:9000/mlflow"), whose scheme and host may be
  /// named always; may be empty.
  std::string server_artifact_root;
};

/// What only the other stores know. Each call may read a database; called outside of transactions.
class SourceResolver {
 public:
  virtual ~SourceResolver() = default;
  /// The artifact URI of a run. Errors: kNotFound "Run with id=X not found".
  virtual Result<std::string> GetRunArtifactUri(std::string_view run_id) = 0;
  /// The artifact location of a logged model. Errors: kNotFound.
  virtual Result<std::string> GetLoggedModelArtifactUri(std::string_view model_id) = 0;
  /// registry::Store::GetDownloadUri. Errors: kNotFound.
  virtual Result<std::string> GetVersionDownloadUri(std::string_view name, int64_t version) = 0;
};

struct SourceRequest {
  std::string source;
  std::string run_id;           ///< empty: none
  std::string logged_model_id;  ///< empty: none
  bool is_prompt = false;       ///< tagged mlflow.prompt.is_prompt
};

struct CheckedSource {
  /// Where the files are, when `source` is "models:/..."; else empty (the source says it itself).
  std::string storage_location;
  /// The run of a logged model's version whose request named none, or empty.
  std::string run_id;
};

/// The rules of model-versions/create. Errors: kInvalidArgument in MLflow's words; those of the
/// resolver.
Result<CheckedSource> CheckSource(const SourceRequest& request, const SourceOptions& options,
                                  SourceResolver& resolver);

/// The rule about hosts, which artifact locations of experiments obey as well: a scheme addressed
/// by host (http, https, ftp, sftp, hdfs, viewfs, r2, b2, abfss, ...) must be allowed or name the
/// server's own store. `parameter` is "source" or "artifact_location". Errors: kInvalidArgument.
Status CheckHostAddressedUri(std::string_view uri, std::string_view parameter,
                             const SourceOptions& options);

/// For reading the option at start. Errors: kInvalidArgument for a regular expression that cannot
/// be read.
Status CheckSourceRegex(std::string_view regex);

/// Whether `path`, decoded as often as it can be, climbs with ".." or hides a NUL or another
/// control character.
bool IsUnsafePath(std::string_view path);

}  // namespace sluice::registry
