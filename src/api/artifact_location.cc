#include "api/artifact_location.h"

#include <algorithm>

#include "http/target.h"
#include "objects/remote_path.h"

namespace sluice::api {
namespace {

constexpr std::string_view kRoute = "/api/2.0/mlflow-artifacts/artifacts";

bool IsSchemeByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '.';
}

std::string_view StripSlashes(std::string_view text) {
  while (text.starts_with('/')) text.remove_prefix(1);
  while (text.ends_with('/')) text.remove_suffix(1);
  return text;
}

/// "//host/p" → "host", leaving "/p"; "" where there is no authority.
std::string_view TakeAuthority(std::string_view& rest) {
  if (!rest.starts_with("//")) return {};
  rest.remove_prefix(2);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  rest.remove_prefix(authority.size());
  return authority;
}

Result<ArtifactLocation> Proxied(std::string_view path) {
  ASSIGN_OR_RETURN(std::string normal, objects::NormalRemotePath(StripSlashes(path)));
  return ArtifactLocation{.scheme = ArtifactScheme::kProxied, .path = std::move(normal)};
}

Result<ArtifactLocation> FromHttp(std::string_view uri, std::string_view rest) {
  TakeAuthority(rest);
  const size_t at = rest.find(kRoute);
  const size_t end = at + kRoute.size();
  if (at == std::string_view::npos || (end < rest.size() && rest[end] != '/')) {
    return InvalidArgument("the artifact URI '" + std::string(uri) +
                           "' is no place that this server serves: an http URL must contain '" +
                           std::string(kRoute) + "/'");
  }
  return Proxied(rest.substr(end));
}

Result<ArtifactLocation> FromFile(std::string_view uri, std::string_view rest) {
  const std::string_view host = TakeAuthority(rest);
  if (!host.empty() && host != "localhost" && host != "127.0.0.1") {
    return InvalidArgument("the artifact URI '" + std::string(uri) +
                           "' names a file of another host");
  }
  ASSIGN_OR_RETURN(std::string path, http::PercentDecode(rest));
  return ArtifactLocation{.scheme = ArtifactScheme::kFolder, .path = std::move(path)};
}

Result<ArtifactLocation> FromS3(std::string_view uri, std::string_view rest) {
  const std::string bucket(TakeAuthority(rest));
  if (bucket.empty()) {
    return InvalidArgument("the artifact URI '" + std::string(uri) +
                           "' names no bucket: write s3://bucket/path");
  }
  ASSIGN_OR_RETURN(std::string path, objects::NormalRemotePath(StripSlashes(rest)));
  return ArtifactLocation{.scheme = ArtifactScheme::kS3, .bucket = bucket, .path = std::move(path)};
}

}  // namespace

std::string ArtifactUriScheme(std::string_view uri) {
  const size_t colon = uri.find(':');
  // One letter is a drive of Windows, not a scheme.
  if (colon == std::string_view::npos || colon < 2 ||
      !std::ranges::all_of(uri.substr(0, colon), IsSchemeByte) ||
      (uri[0] >= '0' && uri[0] <= '9')) {
    return {};
  }
  std::string scheme(uri.substr(0, colon));
  for (char& c : scheme) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return scheme;
}

Result<ArtifactLocation> ParseArtifactLocation(std::string_view uri) {
  const std::string scheme = ArtifactUriScheme(uri);
  if (scheme.empty()) {
    return ArtifactLocation{.scheme = ArtifactScheme::kFolder, .path = std::string(uri)};
  }
  std::string_view rest = uri.substr(scheme.size() + 1);
  rest = rest.substr(0, rest.find_first_of("?#"));
  if (scheme == "mlflow-artifacts") {
    TakeAuthority(rest);
    return Proxied(rest);
  }
  if (scheme == "http" || scheme == "https") return FromHttp(uri, rest);
  if (scheme == "file") return FromFile(uri, rest);
  if (scheme == "s3") return FromS3(uri, rest);
  return InvalidArgument("artifacts at '" + scheme +
                         ":' URIs are not served by this server; it knows mlflow-artifacts, http, "
                         "https, file, s3 and plain paths");
}

}  // namespace sluice::api
