// From a URI to a remote.
#include <string>
#include <utility>

#include "http/target.h"
#include "objects/remote.h"
#include "objects/remote_folder.h"
#include "objects/remote_s3.h"

namespace sluice::objects {
namespace {

/// "file:///a%20b", "file:/a", "file://localhost/a" → the path.
Result<std::string> PathOfFileUri(std::string_view uri) {
  std::string_view rest = uri.substr(std::string_view("file:").size());
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::string_view host = rest.substr(0, rest.find('/'));
    if (!host.empty() && host != "localhost") {
      return InvalidArgument("'" + std::string(uri) + "' names a folder of another host");
    }
    rest.remove_prefix(host.size());
  }
  if (rest.empty()) return InvalidArgument("'" + std::string(uri) + "' has no path");
  return http::PercentDecode(rest);
}

}  // namespace

Result<std::unique_ptr<Remote>> OpenRemote(std::string_view uri, const RemoteOptions& options) {
  if (uri.starts_with("s3://")) {
    ASSIGN_OR_RETURN(S3Options s3, S3OptionsFrom(ProcessEnvironment));
    return OpenS3Remote(uri, std::move(s3),
                        DefaultS3Credentials(ProcessEnvironment, SystemClock()));
  }
  if (uri.starts_with("file:")) {
    ASSIGN_OR_RETURN(const std::string path, PathOfFileUri(uri));
    return OpenFolderRemote(path, options);
  }
  if (uri.find("://") != std::string_view::npos || uri.empty()) {
    return InvalidArgument("'" + std::string(uri) +
                           "' is no artifact destination that this server can open: give a path, "
                           "a file: URI or s3://bucket/prefix");
  }
  return OpenFolderRemote(std::string(uri), options);
}

}  // namespace sluice::objects
