#include "api/internal/artifact_answers.h"

#include <fmt/format.h>

#include <utility>

#include "api/errors.h"
#include "api/json_writer.h"
#include "http/ranges.h"
#include "objects/remote_path.h"

namespace sluice::api::internal {

namespace {

using http::Method;
using http::Request;
using http::Response;

/// Stands for a body that is announced and not sent, so that HEAD opens nothing.
class NoBody final : public http::BodySource {
 public:
  Result<size_t> Read(std::span<char>) override { return size_t{0}; }
};

/// The body of `selection`, out of the file itself where there is one.
Status AttachBody(const Request& request, objects::RemoteReader& reader,
                  const http::Selection& selection, Response& response) {
  if (selection.status != 200 && selection.status != 206) return Ok();
  if (io::Descriptor file = reader.TakeDescriptor(); file.is_open()) {
    response.file = http::FileBody{
        .file = std::move(file), .offset = selection.offset, .size_bytes = selection.size_bytes};
    return Ok();
  }
  response.stream_bytes = selection.size_bytes;
  if (request.method == Method::kHead || selection.size_bytes == 0) {
    response.stream = std::make_unique<NoBody>();
    return Ok();
  }
  ASSIGN_OR_RETURN(response.stream, reader.Read(selection.offset, selection.size_bytes));
  return Ok();
}

Response DetailAnswer(int status, std::string_view detail) {
  return Response::Json(status, formats::Json::MakeObject({{"detail", detail}}));
}

}  // namespace

Result<Answer> SendArtifact(const Request& request, objects::Remote& remote,
                            const std::string& path, ErrorShape shape) {
  Result<std::unique_ptr<objects::RemoteReader>> opened = remote.Open(path);
  if (!opened.ok()) {
    if (shape == ErrorShape::kDetail && opened.error().code() == ErrorCode::kInvalidArgument) {
      const Result<std::optional<objects::RemoteStat>> stat = remote.Stat(path);
      if (stat.ok() && *stat && (*stat)->is_directory) {
        return Answer(DetailAnswer(400, opened.error().message()));
      }
    }
    return std::move(opened).error();
  }
  objects::RemoteReader& reader = **opened;
  const http::Selection selection =
      http::SelectRange(request, {.size_bytes = reader.stat().size_bytes,
                                  .etag = reader.stat().etag,
                                  .modified_s = reader.stat().mtime_ms / 1000});
  Response response;
  response.status = selection.status;
  response.headers = selection.headers;
  response.may_compress = false;
  if (selection.status != 304) {
    response.content_type = ArtifactContentType(path);
    response.headers.Add("Content-Disposition",
                         http::ContentDisposition(objects::RemoteBaseName(path)));
    response.headers.Add("X-Content-Type-Options", "nosniff");
  }
  RETURN_IF_ERROR(AttachBody(request, reader, selection, response));
  return Answer(std::move(response));
}

Answer PrintFiles(std::string_view root_uri, std::string_view shown_folder,
                  const std::vector<objects::RemoteEntry>& entries) {
  JsonWriter out(64 + entries.size() * 64);
  out.BeginObject().FieldIfAny("root_uri", root_uri);
  if (!entries.empty()) {
    out.Key("files").BeginArray();
    for (const objects::RemoteEntry& entry : entries) {
      out.BeginObject()
          .Field("path", objects::JoinRemotePath(shown_folder, entry.name))
          .Field("is_dir", entry.is_directory);
      if (!entry.is_directory) out.Field("file_size", entry.size_bytes);
      out.EndObject();
    }
    out.EndArray();
  }
  out.EndObject();
  return Answer::Printed(std::move(out).Take());
}

RequestBody::RequestBody(const Request& request) : source_(*request.body_stream) {
  // The announced size is that of the coded bytes.
  if (request.headers.Find("Content-Encoding") == nullptr) {
    size_bytes_ = request.body_stream_bytes.value_or(-1);
  }
}

Result<size_t> RequestBody::Read(std::span<char> into) {
  Result<size_t> count = source_.Read(into);
  if (!count.ok()) error_ = count.error();
  return count;
}

std::optional<Response> RequestBody::refusal() const {
  if (!error_) return std::nullopt;
  return http::BodyErrorResponse(*error_);
}

Result<Answer> ReceiveArtifact(const Request& request, objects::Remote& remote,
                               const std::string& path) {
  RequestBody body(request);
  const std::string type(ArtifactContentType(path));
  const Result<objects::RemoteStat> stored =
      remote.Put(path, body, {.size_bytes = body.size_bytes(), .content_type = type});
  if (stored.ok()) return Answer(Response());
  if (std::optional<Response> refusal = body.refusal()) return Answer(*std::move(refusal));
  // A full disc is not better in a second: a status that clients do not repeat the upload for.
  if (stored.error().code() == ErrorCode::kResourceExhausted) {
    return Answer(ErrorAnswer(507, "RESOURCE_EXHAUSTED", stored.error().message()));
  }
  return stored.error();
}

std::optional<Answer> RefuseUnlessServed(const Services& services, std::string_view rule) {
  if (services.options.serves_artifacts && services.artifacts->has_destination()) {
    return std::nullopt;
  }
  return Answer(Response::Text(
      503, fmt::format("Endpoint: {} disabled due to the mlflow server running with "
                       "`--no-serve-artifacts`. To enable artifacts server functionality, run "
                       "`mlflow server` with `--serve-artifacts`",
                       rule)));
}

}  // namespace sluice::api::internal
