// URLs that lead straight to a bucket, for clients that fetch or send large files without us in
// between.
#include <fmt/format.h>

#include <utility>

#include "api/endpoint.h"
#include "api/errors.h"
#include "api/internal/artifact_answers.h"
#include "api/json_writer.h"
#include "objects/remote_path.h"
#include "tracking/logged_models.h"
#include "tracking/store.h"

namespace sluice::api {

namespace {

using http::Method;
using objects::PresignedMethod;
using objects::PresignedUrl;

constexpr int64_t kUploadExpiryS = 900;

Answer NotSupported(std::string_view what) {
  return Answer(
      ErrorAnswer(501, "NOT_IMPLEMENTED",
                  fmt::format("{} is not supported for the current artifact repository", what)));
}

/// `size_bytes` negative: left out.
Answer PrintUrl(std::string_view url_name, const PresignedUrl& url, int64_t size_bytes) {
  JsonWriter out;
  out.BeginObject().Field(url_name, url.url).Key("headers").BeginObject();
  for (const auto& [name, value] : url.headers) out.Key(name).String(value);
  out.EndObject();
  if (size_bytes >= 0) out.Field("file_size", size_bytes);
  out.EndObject();
  return Answer::Printed(std::move(out).Take());
}

/// The size of a file that must be there.
Result<int64_t> SizeOf(objects::Remote& remote, const std::string& path) {
  ASSIGN_OR_RETURN(const std::optional<objects::RemoteStat> stat, remote.Stat(path));
  if (!stat) return NotFound("No such artifact: '" + path + "'");
  if (stat->is_directory) {
    return InvalidArgument("Artifact path refers to a directory, not a file: '" + path + "'");
  }
  return stat->size_bytes;
}

Result<Answer> ProxiedDownload(Services& services, Call& call) {
  if (std::optional<Answer> refusal = internal::RefuseUnlessServed(
          services, "/api/2.0/mlflow-artifacts/presigned/<path:artifact_path>")) {
    return *std::move(refusal);
  }
  ASSIGN_OR_RETURN(const std::string path, internal::ProxiedPath(call));
  objects::Remote& remote = services.artifacts->destination();
  if (!remote.can_presign()) return NotSupported("Multipart download");
  ASSIGN_OR_RETURN(const int64_t size_bytes, SizeOf(remote, path));
  ASSIGN_OR_RETURN(const PresignedUrl url,
                   remote.Presign(PresignedMethod::kGet, path,
                                  services.artifacts->options().presigned_expiry_s, {}));
  return PrintUrl("url", url, size_bytes);
}

/// The two routes for artifacts that lie in a bucket of their own.
struct DirectPlace {
  ArtifactPlace place;
  std::string path;
};

Result<DirectPlace> FindDirect(Services& services, const std::string& uri, std::string_view path,
                               std::string_view refused_what, std::string_view refused_where,
                               std::string_view needed) {
  const std::string scheme = ArtifactUriScheme(uri);
  if (scheme == "http" || scheme == "https" || scheme == "mlflow-artifacts") {
    return InvalidArgument(
        fmt::format("{} is not supported for {} (artifact URI scheme: {}). This endpoint "
                    "requires {}direct cloud storage artifact URI.",
                    refused_what, refused_where, scheme, needed));
  }
  ASSIGN_OR_RETURN(const std::string normal, objects::NormalRemotePath(path));
  if (normal.empty()) return InvalidArgument("Invalid path");
  ASSIGN_OR_RETURN(ArtifactPlace place, services.artifacts->Find(uri));
  std::string full = place.Join(normal);
  return DirectPlace{.place = std::move(place), .path = std::move(full)};
}

Status CheckExpiry(int64_t expires_s) {
  if (expires_s >= 1 && expires_s <= objects::kPresignedExpiryMaxS) return Ok();
  return InvalidArgument(fmt::format("expiration must be between 1 and {} seconds (got {}).",
                                     objects::kPresignedExpiryMaxS, expires_s));
}

Result<Answer> UploadUrl(Services& services, Call& call) {
  const std::string run_id = call.fields.StringOr("run_id");
  const std::string model_id = call.fields.StringOr("model_id");
  const std::string path = call.fields.RequireString("path");
  const int64_t expires_s = call.fields.Int64Or("expiration", kUploadExpiryS);
  RETURN_IF_ERROR(call.fields.status());
  if (run_id.empty() == model_id.empty()) {
    return InvalidArgument("Exactly one of run_id and model_id must be provided.");
  }
  RETURN_IF_ERROR(CheckExpiry(expires_s));
  RETURN_IF_ERROR(objects::NormalRemotePath(path));
  std::string uri;
  if (!run_id.empty()) {
    ASSIGN_OR_RETURN(const tracking::RunInfo run, services.tracking->GetRunInfo(run_id));
    uri = run.artifact_uri;
  } else {
    ASSIGN_OR_RETURN(const tracking::LoggedModel model, services.logged_models->GetInfo(model_id));
    uri = model.artifact_uri;
  }
  ASSIGN_OR_RETURN(const DirectPlace direct, FindDirect(services, uri, path, "Presigned upload",
                                                        "proxied artifact storage", "a "));
  if (!direct.place.remote->can_presign()) return NotSupported("Presigned upload");
  ASSIGN_OR_RETURN(
      const PresignedUrl url,
      direct.place.remote->Presign(PresignedMethod::kPut, direct.path, expires_s,
                                   std::string(internal::ArtifactContentType(direct.path))));
  return PrintUrl("presigned_url", url, -1);
}

Result<Answer> DownloadUrl(Services& services, Call& call) {
  const std::string run_id = call.fields.RequireString("run_id");
  const std::string path = call.fields.RequireString("path");
  const int64_t expires_s =
      call.fields.Int64Or("expiration", services.artifacts->options().presigned_expiry_s);
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(CheckExpiry(expires_s));
  RETURN_IF_ERROR(objects::NormalRemotePath(path));
  ASSIGN_OR_RETURN(const tracking::RunInfo run, services.tracking->GetRunInfo(run_id));
  ASSIGN_OR_RETURN(const DirectPlace direct,
                   FindDirect(services, run.artifact_uri, path, "Presigned download",
                              "runs with proxied artifact storage", "a run with a "));
  objects::Remote& remote = *direct.place.remote;
  if (!remote.can_presign()) return NotSupported("Presigned download");
  ASSIGN_OR_RETURN(const int64_t size_bytes, SizeOf(remote, direct.path));
  ASSIGN_OR_RETURN(const PresignedUrl url,
                   remote.Presign(PresignedMethod::kGet, direct.path, expires_s, {}));
  return PrintUrl("presigned_url", url, size_bytes);
}

/// run_id, or the logged model of model_id; neither: nothing to protect, the handler refuses.
Result<std::vector<Resource>> ExperimentOfRunOrModel(Services& services, Call& call) {
  if (call.fields.Has("run_id")) return ExperimentOfRun(services, call);
  if (call.fields.Has("model_id")) return ExperimentOfLoggedModel(services, call);
  return std::vector<Resource>();
}

}  // namespace

std::vector<Endpoint> internal::PresignedRows(const Services& services) {
  return {
      {Method::kGet, "/api/2.0/mlflow-artifacts/presigned/{path...}", "artifacts.presigned",
       Access::Needs(Level::kRead, OwnerOfProxiedPath), ProxiedDownload, Mount::kTwin,
       ReadUse(services)},
      {Method::kPost, "/api/2.0/mlflow/artifacts/presigned-upload-url", "artifacts.upload_url",
       Access::Needs(Level::kEdit, ExperimentOfRunOrModel), UploadUrl},
      {Method::kPost, "/api/2.0/mlflow/artifacts/presigned-download-url", "artifacts.download_url",
       Access::Needs(Level::kRead, ExperimentOfRun), DownloadUrl},
  };
}

}  // namespace sluice::api
