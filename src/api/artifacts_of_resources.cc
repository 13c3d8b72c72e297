// Artifacts by whom they belong to: a run, a logged model, a model version. Where they are is in
// the resource's artifact URI.
#include <utility>

#include "api/endpoint.h"
#include "api/errors.h"
#include "api/internal/artifact_answers.h"
#include "objects/remote_path.h"
#include "registry/store.h"
#include "tracking/logged_models.h"
#include "tracking/store.h"

namespace sluice::api {

namespace {

using http::Method;

/// What the page uploads as one body in memory.
constexpr size_t kUploadBytesMax = 10 * 1024 * 1024;

struct Located {
  std::string root_uri;
  ArtifactPlace place;
};

Result<Located> Locate(Services& services, std::string uri) {
  ASSIGN_OR_RETURN(ArtifactPlace place, services.artifacts->Find(uri));
  return Located{.root_uri = std::move(uri), .place = std::move(place)};
}

Result<Located> OfRun(Services& services, const std::string& run_id) {
  ASSIGN_OR_RETURN(tracking::RunInfo run, services.tracking->GetRunInfo(run_id));
  return Locate(services, std::move(run.artifact_uri));
}

Result<Located> OfLoggedModel(Services& services, const Call& call) {
  ASSIGN_OR_RETURN(tracking::LoggedModel model,
                   services.logged_models->GetInfo(call.request.PathParam("model_id")));
  return Locate(services, std::move(model.artifact_uri));
}

Result<Answer> List(const Located& located, const std::string& path) {
  ASSIGN_OR_RETURN(const std::vector<objects::RemoteEntry> entries,
                   located.place.remote->List(located.place.Join(path)));
  return internal::PrintFiles(located.root_uri, path, entries);
}

Result<Answer> Send(const Call& call, const Located& located, const std::string& path) {
  if (path.empty()) {
    return InvalidArgument("Artifact path refers to a directory, not a file: ''");
  }
  return internal::SendArtifact(call.request, *located.place.remote, located.place.Join(path));
}

/// The field, checked as a path below the resource.
Result<std::string> PathField(const Call& call, std::string_view name) {
  const std::string text = call.fields.StringOr(name);
  RETURN_IF_ERROR(call.fields.status());
  return objects::NormalRemotePath(text);
}

Result<Answer> ListOfRun(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  ASSIGN_OR_RETURN(const std::string path, PathField(call, "path"));
  ASSIGN_OR_RETURN(const Located located, OfRun(services, run_id));
  return List(located, path);
}

Result<Answer> GetOfRun(Services& services, Call& call) {
  const std::string run_id = RunIdOf(call.fields);
  call.fields.RequireString("path");
  ASSIGN_OR_RETURN(const std::string path, PathField(call, "path"));
  ASSIGN_OR_RETURN(const Located located, OfRun(services, run_id));
  return Send(call, located, path);
}

Result<Answer> UploadToRun(Services& services, Call& call) {
  const std::string run_id = call.fields.StringOr("run_uuid");
  const std::string text = call.fields.StringOr("path");
  RETURN_IF_ERROR(call.fields.status());
  if (run_id.empty()) return InvalidArgument("Request must specify run_uuid.");
  if (text.empty()) return InvalidArgument("Request must specify path.");
  ASSIGN_OR_RETURN(const std::string path, objects::NormalRemotePath(text));
  if (path.empty() || !objects::NamesAFile(text)) return InvalidArgument("Invalid path");
  const std::string& body = call.request.body;
  if (body.size() > kUploadBytesMax) {
    return InvalidArgument("Artifact size is too large. Max size is 10MB.");
  }
  if (body.empty()) return InvalidArgument("Request must specify data.");
  ASSIGN_OR_RETURN(const Located located, OfRun(services, run_id));
  const std::unique_ptr<http::BodySource> source = objects::SourceOf(body);
  const std::string type(internal::ArtifactContentType(path));
  RETURN_IF_ERROR(located.place.remote->Put(
      located.place.Join(path), *source,
      {.size_bytes = static_cast<int64_t>(body.size()), .content_type = type}));
  http::Response response;
  response.content_type = "application/json";
  return Answer(std::move(response));
}

Result<Answer> GetOfVersion(Services& services, Call& call) {
  const std::string name = call.fields.RequireString("name");
  const int64_t version = call.fields.RequireInt64("version");
  call.fields.RequireString("path");
  ASSIGN_OR_RETURN(const std::string path, PathField(call, "path"));
  ASSIGN_OR_RETURN(std::string uri, services.registry->GetDownloadUri(name, version));
  ASSIGN_OR_RETURN(const Located located, Locate(services, std::move(uri)));
  return Send(call, located, path);
}

Result<Answer> ListOfLoggedModel(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const std::string path, PathField(call, "artifact_directory_path"));
  ASSIGN_OR_RETURN(const Located located, OfLoggedModel(services, call));
  return List(located, path);
}

Result<Answer> GetOfLoggedModel(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const std::string path, PathField(call, "artifact_file_path"));
  if (path.empty()) {
    return Answer(ErrorAnswer(400, "BAD_REQUEST",
                              "Request must include the \"artifact_file_path\" query parameter."));
  }
  ASSIGN_OR_RETURN(const Located located, OfLoggedModel(services, call));
  return Send(call, located, path);
}

}  // namespace

std::vector<Endpoint> internal::ResourceArtifactRows(const Services& services) {
  const BodyUse reading = ReadUse(services);
  const Access reads_run = Access::Needs(Level::kRead, ExperimentOfRun);
  const Access reads_model = Access::Needs(Level::kRead, ExperimentOfLoggedModel);
  return {
      {Method::kGet, "/api/2.0/mlflow/artifacts/list", "artifacts.list_of_run", reads_run,
       ListOfRun, Mount::kTwin, reading},
      {Method::kGet, "/get-artifact", "artifacts.get_of_run", reads_run, GetOfRun, Mount::kPrefixed,
       reading},
      {Method::kPost, "/ajax-api/2.0/mlflow/upload-artifact", "artifacts.upload_to_run",
       Access::Needs(Level::kEdit, ExperimentOfRun), UploadToRun, Mount::kAjaxOnly, BodyUse::kRaw},
      {Method::kGet, "/model-versions/get-artifact", "artifacts.get_of_version",
       Access::Needs(Level::kRead, RegisteredModelByName), GetOfVersion, Mount::kPrefixed, reading},
      {Method::kGet, "/api/2.0/mlflow/logged-models/{model_id}/artifacts/directories",
       "artifacts.list_of_logged_model", reads_model, ListOfLoggedModel, Mount::kTwin, reading},
      {Method::kGet, "/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files",
       "artifacts.get_of_logged_model", reads_model, GetOfLoggedModel, Mount::kAjaxOnly, reading},
  };
}

}  // namespace sluice::api
