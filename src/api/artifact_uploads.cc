// Uploads in parts over the artifact proxy. MLflow's client asks for an upload, sends each part to
// the URL it is given, and completes. The URLs are ours, so that this works for every destination,
// or lead straight to the bucket.
//
// The client sends no credentials with a part, only what is in the URL. So a part's URL is its own
// right: it carries the upload's id, which nobody can guess and only whoever may write there was
// told. It ends with the upload.
#include <fmt/format.h>

#include <utility>

#include "api/endpoint.h"
#include "api/errors.h"
#include "api/internal/artifact_answers.h"
#include "api/internal/public_url.h"
#include "api/json_writer.h"
#include "http/target.h"
#include "objects/remote_path.h"

namespace sluice::api {

namespace {

using http::Method;
using internal::RefuseUnlessServed;

constexpr std::string_view kRoute = "/api/2.0/mlflow-artifacts/mpu/";

std::string Rule(std::string_view verb) {
  return fmt::format("{}{}/<path:artifact_path>", kRoute, verb);
}

/// Where the upload goes: the folder is the route's {path}, the name the last component of the
/// field `path`, which is the file's path on the client's machine, whatever that is.
Result<std::string> UploadPath(const Call& call) {
  const std::string local = call.fields.RequireString("path");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const std::string folder, internal::ProxiedPath(call));
  const std::string_view name = std::string_view(local).substr(local.find_last_of("/\\") + 1);
  ASSIGN_OR_RETURN(const std::string normal, objects::NormalRemotePath(name));
  if (normal.empty() || normal.find('/') != std::string::npos) {
    return InvalidArgument("Invalid path");
  }
  // As a whole again: a name that is harmless in a folder may be reserved at the top.
  return objects::NormalRemotePath(objects::JoinRemotePath(folder, normal));
}

/// "a b/c" → "a%20b/c".
std::string EncodePath(std::string_view path) {
  std::string encoded;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (begin != 0) encoded += '/';
    encoded += http::PercentEncode(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return encoded;
}

Result<objects::PresignedUrl> PartUrl(const ArtifactService& artifacts, const std::string& base_url,
                                      const std::string& path, const std::string& upload_id,
                                      int part_number) {
  objects::Remote& remote = artifacts.destination();
  if (artifacts.options().sends_clients_to_bucket && remote.can_presign()) {
    constexpr int64_t kPartExpiryS = 3600;  // as long as a large upload may take
    return remote.PresignPart(path, upload_id, part_number, kPartExpiryS);
  }
  return objects::PresignedUrl{.url = fmt::format("{}{}part/{}?upload_id={}&part_number={}",
                                                  base_url, kRoute, EncodePath(path),
                                                  http::PercentEncode(upload_id), part_number)};
}

Result<Answer> Create(Services& services, Call& call) {
  if (std::optional<Answer> refusal = RefuseUnlessServed(services, Rule("create"))) {
    return *std::move(refusal);
  }
  ASSIGN_OR_RETURN(const std::string path, UploadPath(call));
  const int64_t part_count = call.fields.Int64Or("num_parts", 1);
  RETURN_IF_ERROR(call.fields.status());
  if (part_count < 1 || part_count > objects::kPartNumberMax) {
    return InvalidArgument(fmt::format("num_parts must be between 1 and {} (got {}).",
                                       objects::kPartNumberMax, part_count));
  }
  ASSIGN_OR_RETURN(const std::string base_url,
                   internal::PublicUrl(call.request, services.artifacts->options()));
  const std::string type(internal::ArtifactContentType(path));
  ASSIGN_OR_RETURN(const std::string upload_id,
                   services.artifacts->destination().CreateUpload(path, type));
  JsonWriter out(256 + static_cast<size_t>(part_count) * 256);
  out.BeginObject().Field("upload_id", upload_id).Key("credentials").BeginArray();
  for (int number = 1; number <= part_count; ++number) {
    ASSIGN_OR_RETURN(const objects::PresignedUrl part,
                     PartUrl(*services.artifacts, base_url, path, upload_id, number));
    out.BeginObject().Field("url", part.url).Field("part_number", int64_t{number});
    out.Key("headers").BeginObject();
    for (const auto& [name, value] : part.headers) out.Key(name).String(value);
    out.EndObject().EndObject();
  }
  out.EndArray().EndObject();
  return Answer::Printed(std::move(out).Take());
}

Result<Answer> PutPart(Services& services, Call& call) {
  if (std::optional<Answer> refusal = RefuseUnlessServed(services, Rule("part"))) {
    return *std::move(refusal);
  }
  const std::string upload_id = call.fields.RequireString("upload_id");
  const int64_t part_number = call.fields.RequireInt64("part_number");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const std::string path, internal::ProxiedPath(call));
  if (part_number < 1 || part_number > objects::kPartNumberMax) {
    return InvalidArgument(fmt::format("part_number must be between 1 and {} (got {}).",
                                       objects::kPartNumberMax, part_number));
  }
  internal::RequestBody body(call.request);
  Result<std::string> etag = services.artifacts->destination().PutPart(
      path, upload_id, static_cast<int>(part_number), body, body.size_bytes());
  if (!etag.ok()) {
    if (std::optional<http::Response> refusal = body.refusal()) return Answer(*std::move(refusal));
    return std::move(etag).error();
  }
  http::Response response;
  response.headers.Add("ETag", *std::move(etag));
  return Answer(std::move(response));
}

Result<Answer> Complete(Services& services, Call& call) {
  if (std::optional<Answer> refusal = RefuseUnlessServed(services, Rule("complete"))) {
    return *std::move(refusal);
  }
  const std::string upload_id = call.fields.RequireString("upload_id");
  std::vector<objects::RemotePart> parts;
  for (const Fields& part : call.fields.Messages("parts")) {
    const int64_t number = part.RequireInt64("part_number");
    if (number < 1 || number > objects::kPartNumberMax) {
      part.Refuse("part_number", fmt::format("must be between 1 and {}", objects::kPartNumberMax));
      break;
    }
    parts.push_back({.part_number = static_cast<int>(number), .etag = part.StringOr("etag")});
  }
  ASSIGN_OR_RETURN(const std::string path, UploadPath(call));
  if (parts.empty()) return InvalidArgument("Missing value for required parameter 'parts'.");
  RETURN_IF_ERROR(services.artifacts->destination().CompleteUpload(path, upload_id, parts));
  return Answer::Empty();
}

Result<Answer> Abort(Services& services, Call& call) {
  if (std::optional<Answer> refusal = RefuseUnlessServed(services, Rule("abort"))) {
    return *std::move(refusal);
  }
  const std::string upload_id = call.fields.RequireString("upload_id");
  ASSIGN_OR_RETURN(const std::string path, UploadPath(call));
  RETURN_IF_ERROR(services.artifacts->destination().AbortUpload(path, upload_id));
  return Answer::Empty();
}

/// Ours: what a client that goes on with an interrupted upload need not send again.
Result<Answer> ListParts(Services& services, Call& call) {
  if (std::optional<Answer> refusal = RefuseUnlessServed(services, Rule("parts"))) {
    return *std::move(refusal);
  }
  const std::string upload_id = call.fields.RequireString("upload_id");
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(const std::string path, internal::ProxiedPath(call));
  ASSIGN_OR_RETURN(const std::vector<objects::RemotePart> parts,
                   services.artifacts->destination().ListParts(path, upload_id));
  JsonWriter out(64 + parts.size() * 96);
  out.BeginObject().Key("parts").BeginArray();
  for (const objects::RemotePart& part : parts) {
    out.BeginObject()
        .Field("part_number", int64_t{part.part_number})
        .Field("etag", part.etag)
        .Field("size", part.size_bytes)
        .EndObject();
  }
  out.EndArray().EndObject();
  return Answer::Printed(std::move(out).Take());
}

}  // namespace

std::vector<Endpoint> internal::UploadRows() {
  const Access edits = Access::Needs(Level::kEdit, OwnerOfProxiedPath);
  return {
      {Method::kPost, "/api/2.0/mlflow-artifacts/mpu/create/{path...}", "artifacts.mpu_create",
       edits, Create},
      {Method::kPost, "/api/2.0/mlflow-artifacts/mpu/complete/{path...}", "artifacts.mpu_complete",
       edits, Complete},
      {Method::kPost, "/api/2.0/mlflow-artifacts/mpu/abort/{path...}", "artifacts.mpu_abort", edits,
       Abort},
      {Method::kPut, "/api/2.0/mlflow-artifacts/mpu/part/{path...}", "artifacts.mpu_part",
       Access::Public(), PutPart, Mount::kTwin, BodyUse::kStream},
      {Method::kGet, "/api/2.0/mlflow-artifacts/mpu/parts/{path...}", "artifacts.mpu_parts", edits,
       ListParts},
  };
}

}  // namespace sluice::api
