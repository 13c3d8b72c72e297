// Where artifacts are: the server's destination, and whatever else an artifact URI may name.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/artifact_location.h"
#include "base/guarded.h"
#include "base/result.h"
#include "objects/remote.h"

namespace sluice::api {

struct ArtifactServiceOptions {
  /// Behind mlflow-artifacts: URIs: a path, a file URI or s3://bucket/prefix. Empty: none, such
  /// URIs are refused (--no-serve-artifacts).
  std::string destination;
  /// Folders of this machine below which plain paths and file URIs are served, besides
  /// `destination`: usually the default artifact root. Whoever may create an experiment chooses
  /// its URI, so without this list everybody could read the server's disc.
  std::vector<std::string> local_roots;
  /// Give out URLs that lead straight to the bucket: for parts of uploads, and for downloads that
  /// the client fetches in ranges. Only right where every client reaches the bucket's endpoint.
  bool sends_clients_to_bucket = false;
  /// The URL under which clients reach this server, with its path prefix if it has one:
  /// "https://ml.example.com/team". Empty: what each request's Host and X-Forwarded-* say.
  std::string public_url;
  bool is_tls = false;  ///< the server itself speaks TLS
  int64_t presigned_expiry_s = 300;
  objects::RemoteOptions remote;
};

/// Artifacts in a remote: everything below `path`.
struct ArtifactPlace {
  objects::Remote* remote = nullptr;  ///< never null; lives as long as the service
  std::string path;                   ///< normalised; "" is all of the remote

  std::string Join(std::string_view relative) const;
};

/// Thread-safe.
class ArtifactService {
 public:
  /// Opens the destination, if there is one. Errors: those of objects::OpenRemote.
  static Result<std::unique_ptr<ArtifactService>> Open(ArtifactServiceOptions options);

  const ArtifactServiceOptions& options() const { return options_; }
  bool has_destination() const { return destination_ != nullptr; }
  /// CHECK: there is one.
  objects::Remote& destination() const;
  /// What server-info may promise.
  bool offers_multipart_uploads() const { return has_destination(); }
  bool offers_multipart_downloads() const;

  /// Where the artifacts of a run, a model or an experiment are. Errors: kInvalidArgument for a URI
  /// that means nothing here (artifact_location.h); kPermissionDenied for a path outside of the
  /// local roots; kFailedPrecondition for a proxied URI without a destination; those of opening.
  Result<ArtifactPlace> Find(std::string_view artifact_uri);

  /// Deletes all artifacts below the URI, as after a permanent deletion. What is not there is fine.
  /// Never a whole destination or bucket: kInvalidArgument for a URI without a path.
  Status Delete(std::string_view artifact_uri);

  /// Frees uploads that nobody goes on with. To be called every hour or so.
  Status RemoveStaleUploads();

 private:
  explicit ArtifactService(ArtifactServiceOptions options);
  Result<ArtifactPlace> FindFolder(const std::string& path);
  Result<objects::Remote*> Opened(const std::string& uri);

  ArtifactServiceOptions options_;
  std::vector<std::string> roots_;  ///< absolute, normalised, without a trailing slash
  std::unique_ptr<objects::Remote> destination_;
  Guarded<std::map<std::string, std::unique_ptr<objects::Remote>>> others_;  ///< by URI
};

}  // namespace sluice::api
