// What an artifact URI means. Everything here is pure; artifact_service.h opens what it names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::api {

enum class ArtifactScheme : uint8_t {
  kProxied,  ///< in the server's own destination
  kFolder,   ///< a path of this machine
  kS3,
};

struct ArtifactLocation {
  ArtifactScheme scheme = ArtifactScheme::kProxied;
  std::string bucket;  ///< kS3 only
  /// kProxied: relative to the destination, normalised; "" is the destination itself. kFolder: as
  /// written, without "file:". kS3: the key's beginning, without slashes around it.
  std::string path;

  friend bool operator==(const ArtifactLocation&, const ArtifactLocation&) = default;
};

/// The location that a run's, model's or experiment's artifact URI names:
///
///   mlflow-artifacts:/p, mlflow-artifacts://host[:port]/p            kProxied
///   http(s)://host[/prefix]/api/2.0/mlflow-artifacts/artifacts/p     kProxied
///   /p, p, file:/p, file:///p, file://localhost/p                    kFolder
///   s3://bucket[/p]                                                  kS3
///
/// A query or fragment behind a URI with a scheme is not part of the place. The host of the first
/// two is not compared with our own: as in MLflow, whoever gave it says that this server has those
/// artifacts.
///
/// Errors: kInvalidArgument for another scheme, an http URL without that route, a file URI of
/// another host, an S3 URI without a bucket, and a proxied path that leaves the destination
/// ("Invalid path").
Result<ArtifactLocation> ParseArtifactLocation(std::string_view uri);

/// "s3" of "s3://b/p", "" of "/p" and "C:/p", "mlflow-artifacts" of "mlflow-artifacts:/p"; in lower
/// case.
std::string ArtifactUriScheme(std::string_view uri);

}  // namespace sluice::api
