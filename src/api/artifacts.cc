// The artifact proxy: files of the server's destination by their path, as mlflow-artifacts: URIs
// name them.
#include <utility>

#include "api/endpoint.h"
#include "api/internal/artifact_answers.h"
#include "objects/remote_path.h"

namespace sluice::api {

namespace {

using http::Method;
using internal::ErrorShape;
using internal::ProxiedPath;
using internal::RefuseUnlessServed;

constexpr std::string_view kFileRoute = "/api/2.0/mlflow-artifacts/artifacts/{path...}";
constexpr std::string_view kFileRule = "/api/2.0/mlflow-artifacts/artifacts/<path:artifact_path>";
constexpr std::string_view kListRoute = "/api/2.0/mlflow-artifacts/artifacts";

Result<Answer> Download(Services& services, Call& call) {
  if (std::optional<Answer> refusal = RefuseUnlessServed(services, kFileRule)) {
    return *std::move(refusal);
  }
  ASSIGN_OR_RETURN(const std::string path, ProxiedPath(call));
  return internal::SendArtifact(call.request, services.artifacts->destination(), path,
                                ErrorShape::kDetail);
}

Result<Answer> Upload(Services& services, Call& call) {
  if (std::optional<Answer> refusal = RefuseUnlessServed(services, kFileRule)) {
    return *std::move(refusal);
  }
  ASSIGN_OR_RETURN(const std::string path, ProxiedPath(call));
  if (!objects::NamesAFile(call.request.PathParam("path"))) {
    return Answer(http::Response::Json(
        400, formats::Json::MakeObject(
                 {{"detail", "Artifact path must include a filename (cannot end with '/')."}})));
  }
  return internal::ReceiveArtifact(call.request, services.artifacts->destination(), path);
}

Result<Answer> Delete(Services& services, Call& call) {
  if (std::optional<Answer> refusal = RefuseUnlessServed(services, kFileRule)) {
    return *std::move(refusal);
  }
  ASSIGN_OR_RETURN(const std::string path, ProxiedPath(call));
  if (path.empty()) return InvalidArgument("Invalid path");
  RETURN_IF_ERROR(services.artifacts->destination().Delete(path));
  return Answer::Empty();
}

Result<Answer> List(Services& services, Call& call) {
  if (std::optional<Answer> refusal = RefuseUnlessServed(services, kListRoute)) {
    return *std::move(refusal);
  }
  const std::string asked = call.fields.StringOr("path");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const std::string path, objects::NormalRemotePath(asked));
  ASSIGN_OR_RETURN(const std::vector<objects::RemoteEntry> entries,
                   services.artifacts->destination().List(path));
  return internal::PrintFiles({}, {}, entries);
}

}  // namespace

std::vector<Endpoint> internal::ProxyRows(const Services& services) {
  const Access reads = Access::Needs(Level::kRead, OwnerOfProxiedPath);
  const Access edits = Access::Needs(Level::kEdit, OwnerOfProxiedPath);
  const Access manages = Access::Needs(Level::kManage, OwnersOfProxiedTree);
  return {
      {Method::kGet, kFileRoute, "artifacts.download", reads, Download, Mount::kTwin,
       internal::ReadUse(services)},
      {Method::kPut, kFileRoute, "artifacts.upload", edits, Upload, Mount::kTwin, BodyUse::kStream},
      {Method::kDelete, kFileRoute, "artifacts.delete", manages, Delete, Mount::kTwin,
       BodyUse::kRaw},
      {Method::kGet, kListRoute, "artifacts.list", reads, List, Mount::kTwin,
       internal::ReadUse(services)},
  };
}

BodyUse internal::ReadUse(const Services& services) {
  const bool is_near = !services.artifacts->has_destination() ||
                       services.artifacts->destination().kind() == "folder";
  return is_near ? BodyUse::kRaw : BodyUse::kStream;
}

std::vector<Endpoint> ArtifactEndpoints(const Services& services) {
  std::vector<Endpoint> all = internal::ProxyRows(services);
  for (std::vector<Endpoint> rows : {internal::ResourceArtifactRows(services),
                                     internal::UploadRows(), internal::PresignedRows(services)}) {
    for (Endpoint& row : rows) all.push_back(row);
  }
  return all;
}

}  // namespace sluice::api
