#include "api/artifact_service.h"

#include <optional>
#include <utility>

#include "base/check.h"
#include "io/fs.h"
#include "objects/remote_path.h"

namespace sluice::api {
namespace {

/// Each open remote keeps a descriptor or connections; this many buckets and roots are enough.
constexpr size_t kOtherRemoteCountMax = 256;

/// What `path` is below `root`, or nothing. Both absolute and normalised.
std::optional<std::string> Below(const std::string& root, const std::string& path) {
  if (path == root) return std::string();
  const std::string folder = root == "/" ? root : root + "/";
  if (!path.starts_with(folder)) return std::nullopt;
  return path.substr(folder.size());
}

}  // namespace

std::string ArtifactPlace::Join(std::string_view relative) const {
  return objects::JoinRemotePath(path, relative);
}

ArtifactService::ArtifactService(ArtifactServiceOptions options) : options_(std::move(options)) {}

Result<std::unique_ptr<ArtifactService>> ArtifactService::Open(ArtifactServiceOptions options) {
  std::unique_ptr<ArtifactService> service(new ArtifactService(std::move(options)));
  const ArtifactServiceOptions& given = service->options_;
  std::vector<std::string> roots = given.local_roots;
  if (!given.destination.empty()) {
    ASSIGN_OR_RETURN(service->destination_, objects::OpenRemote(given.destination, given.remote));
    roots.push_back(given.destination);
  }
  for (const std::string& root : roots) {
    ASSIGN_OR_RETURN(const ArtifactLocation location, ParseArtifactLocation(root));
    if (location.scheme != ArtifactScheme::kFolder) continue;
    ASSIGN_OR_RETURN(std::string absolute, io::AbsolutePath(location.path));
    service->roots_.push_back(std::move(absolute));
  }
  return service;
}

objects::Remote& ArtifactService::destination() const {
  CHECK(destination_ != nullptr);
  return *destination_;
}

bool ArtifactService::offers_multipart_downloads() const {
  return has_destination() && options_.sends_clients_to_bucket && destination_->can_presign();
}

Result<objects::Remote*> ArtifactService::Opened(const std::string& uri) {
  // Opening makes a folder or looks at the environment, never asks another machine: it may happen
  // under the lock.
  return others_.With([&](auto& others) -> Result<objects::Remote*> {
    if (const auto found = others.find(uri); found != others.end()) return found->second.get();
    if (others.size() == kOtherRemoteCountMax) {
      return ResourceExhausted("artifacts lie in more than " +
                               std::to_string(kOtherRemoteCountMax) + " buckets and folders");
    }
    ASSIGN_OR_RETURN(std::unique_ptr<objects::Remote> remote,
                     objects::OpenRemote(uri, options_.remote));
    return others.emplace(uri, std::move(remote)).first->second.get();
  });
}

Result<ArtifactPlace> ArtifactService::FindFolder(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string absolute, io::AbsolutePath(path));
  for (const std::string& root : roots_) {
    const std::optional<std::string> below = Below(root, absolute);
    if (!below) continue;
    const std::string_view first = std::string_view(*below).substr(0, below->find('/'));
    if (first == objects::kRemoteReservedName || below->find('\0') != std::string::npos) {
      return InvalidArgument("Invalid path");
    }
    ASSIGN_OR_RETURN(objects::Remote* const remote, Opened(root));
    return ArtifactPlace{.remote = remote, .path = *below};
  }
  return PermissionDenied(
      "the artifacts lie in a folder that this server does not serve. Start it with that folder "
      "as --default-artifact-root or --artifacts-destination, or read them there directly");
}

Result<ArtifactPlace> ArtifactService::Find(std::string_view artifact_uri) {
  ASSIGN_OR_RETURN(const ArtifactLocation location, ParseArtifactLocation(artifact_uri));
  switch (location.scheme) {
    case ArtifactScheme::kProxied:
      if (!destination_) {
        return FailedPrecondition(
            "artifacts at mlflow-artifacts: URIs are not served, since the server runs with "
            "--no-serve-artifacts. Start it with --serve-artifacts");
      }
      return ArtifactPlace{.remote = destination_.get(), .path = location.path};
    case ArtifactScheme::kFolder: return FindFolder(location.path);
    case ArtifactScheme::kS3: {
      ASSIGN_OR_RETURN(objects::Remote* const remote, Opened("s3://" + location.bucket));
      return ArtifactPlace{.remote = remote, .path = location.path};
    }
  }
  return Internal("an artifact scheme without a place");
}

Status ArtifactService::Delete(std::string_view artifact_uri) {
  ASSIGN_OR_RETURN(const ArtifactPlace place, Find(artifact_uri));
  if (place.path.empty()) {
    return InvalidArgument("'" + std::string(artifact_uri) +
                           "' is a whole artifact destination; it is not deleted as one");
  }
  return place.remote->Delete(place.path);
}

Status ArtifactService::RemoveStaleUploads() {
  if (!destination_) return Ok();
  return destination_->RemoveStaleUploads(options_.remote.stale_upload_age_ms);
}

}  // namespace sluice::api
