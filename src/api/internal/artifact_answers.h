// What the artifact rows have in common: sending a file, listing a folder, the answers of switches.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/artifact_service.h"
#include "api/endpoint.h"
#include "base/result.h"
#include "http/message.h"

namespace sluice::api::internal {

/// What a GET of a directory is answered with: the proxy speaks {"detail": ...}, as its clients
/// expect of that route.
enum class ErrorShape : uint8_t { kMlflow, kDetail };

/// The file at `path`, or the part that the request asks for, as an attachment. Errors: kNotFound
/// "No such artifact: 'x'", and the remote's.
Result<Answer> SendArtifact(const http::Request& request, objects::Remote& remote,
                            const std::string& path, ErrorShape shape = ErrorShape::kMlflow);

/// {"root_uri": ..., "files": [{"path", "is_dir", "file_size"}]}, paths below `shown_folder`; no
/// root where `root_uri` is empty, no list where there are no files.
Answer PrintFiles(std::string_view root_uri, std::string_view shown_folder,
                  const std::vector<objects::RemoteEntry>& entries);

/// Stores the request's streamed body. Errors that are the body's own become their answer.
Result<Answer> ReceiveArtifact(const http::Request& request, objects::Remote& remote,
                               const std::string& path);

/// A streamed body that remembers its own failure, so that it is not taken for the destination's.
class RequestBody final : public http::BodySource {
 public:
  explicit RequestBody(const http::Request& request);
  Result<size_t> Read(std::span<char> into) override;
  /// Of the decoded body, when the request announces it; else -1.
  int64_t size_bytes() const { return size_bytes_; }
  /// The answer to an error that came out of reading this; nothing if none did.
  std::optional<http::Response> refusal() const;

 private:
  http::BodySource& source_;
  int64_t size_bytes_ = -1;
  std::optional<Error> error_;
};

/// 503 in MLflow's words where artifacts are not served; nothing where they are.
std::optional<Answer> RefuseUnlessServed(const Services& services, std::string_view rule);

/// The MLflow content type of a file's name: text/plain for what is text, a guess by suffix, else
/// application/octet-stream.
std::string_view ArtifactContentType(std::string_view path);

/// How rows that read run: those that must ask another machine stay off the pool that ordinary
/// requests need. Their fields come from the query either way.
BodyUse ReadUse(const Services& services);

// The rows, file by file.
std::vector<Endpoint> ProxyRows(const Services& services);             // artifacts.cc
std::vector<Endpoint> ResourceArtifactRows(const Services& services);  // artifacts_of_resources.cc
std::vector<Endpoint> UploadRows();                                    // artifact_uploads.cc
std::vector<Endpoint> PresignedRows(const Services& services);         // artifact_presigned.cc

/// Whose a proxied path is: its experiment, and the run, model or trace of it. What belongs to none
/// gives the experiment "", which only administrators may touch. The path is {path} of the route,
/// else the field `path`.
Result<std::vector<Resource>> OwnerOfProxiedPath(Services& services, Call& call);
/// As that, for deleting: all that a tree at the path may hold.
Result<std::vector<Resource>> OwnersOfProxiedTree(Services& services, Call& call);

/// {path} of the route, checked; "" where the route has none.
Result<std::string> ProxiedPath(const Call& call);

}  // namespace sluice::api::internal
