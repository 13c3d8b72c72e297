#include "registry/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "registry/internal/regex.h"
#include "registry/internal/uri.h"

namespace sluice::registry {
namespace {

using internal::HostAndPort;
using internal::SplitUri;
using internal::Uri;

constexpr std::string_view kHostSchemes[] = {
    "ftp", "sftp", "hdfs", "viewfs", "http", "https", "mlflow-artifacts", "r2", "b2", "abfss"};
constexpr std::string_view kPromptPlaceholders[] = {"dummy-source", "prompt-template"};

/// Schemes that lead to the same service.
std::string_view FamilyOf(std::string_view scheme) {
  if (scheme == "viewfs") return "hdfs";
  if (scheme == "https" || scheme == "mlflow-artifacts") return "http";
  return scheme;
}

/// What a URI without a port connects to; -1: it depends on more than the URI.
std::vector<int> DefaultPortsOf(std::string_view scheme) {
  if (scheme == "ftp") return {21};
  if (scheme == "sftp") return {22};
  if (scheme == "http") return {80};
  if (scheme == "mlflow-artifacts") return {80, 443};
  if (scheme == "https" || scheme == "r2" || scheme == "b2" || scheme == "abfss") return {443};
  return {-1};
}

/// A host that the URI makes its reader connect to.
struct Target {
  std::string family;
  std::string host;
  int port = 0;
  friend bool operator==(const Target&, const Target&) = default;
};

/// Nothing if the URI chooses no host; one that equals no other if its host cannot be told.
std::vector<Target> TargetsOf(const Uri& uri) {
  if (std::find(std::begin(kHostSchemes), std::end(kHostSchemes), uri.scheme) ==
      std::end(kHostSchemes)) {
    return {};
  }
  if (uri.scheme == "mlflow-artifacts" && uri.authority.empty()) return {};
  HostAndPort address = internal::SplitAuthority(uri.authority);
  if (address.is_malformed) return {{"malformed", uri.authority, 0}};
  std::vector<Target> targets;
  for (int port : address.port ? std::vector{*address.port} : DefaultPortsOf(uri.scheme))
    targets.push_back({std::string(FamilyOf(uri.scheme)), address.host, port});
  return targets;
}

Error Invalid(std::string_view source, std::string_view why = {}) {
  return InvalidArgument(
      fmt::format("Invalid model version source: '{}'.{}{}", source, why.empty() ? "" : " ", why));
}

/// `parameter` is run_id or model_id.
Error NotIdentified(std::string_view source, std::string_view parameter) {
  return Invalid(source, fmt::format("The {} request parameter must identify the resource that "
                                     "contains the source.",
                                     parameter));
}

/// A path of this machine, or a file: URI of it. Errors: kInvalidArgument for file: on another
/// host.
Result<bool> IsLocal(std::string_view source, const Uri& uri) {
  if (uri.scheme.empty()) return true;
  if (uri.scheme.size() == 1) return true;  // a drive's letter
  if (uri.scheme != "file") return false;
  const HostAndPort address = internal::SplitAuthority(uri.authority);
  const std::string_view host = address.host;
  if (host.empty() || host == "." || host.starts_with("localhost") || host.starts_with("127.0.0.1"))
    return true;
  return Invalid(source, "A file: URI cannot name another host.");
}

std::vector<std::string> LocalParts(std::string_view text, const Uri& uri) {
  return internal::NormalParts(
      internal::Unquote(uri.scheme == "file" ? std::string_view(uri.path) : text, false));
}

/// Climbing is refused in every spelling, and so is what has no path. `uri` is of `source`.
Status CheckRemotePath(std::string_view source) {
  const std::string plain = internal::UnquoteWholly(source, true);
  const Uri uri = SplitUri(plain);
  bool is_safe = uri.path.starts_with('/') && plain.find('\0') == std::string::npos;
  std::string_view rest = plain;
  while (is_safe && !rest.empty()) {
    size_t slash = std::min(rest.find('/'), rest.size());
    is_safe = rest.substr(0, slash) != "..";
    rest.remove_prefix(std::min(slash + 1, rest.size()));
  }
  if (is_safe) {
    // Repeated slashes are one; what else a path can say twice ("/./") is refused.
    std::string normal;
    for (const std::string& part : internal::NormalParts(uri.path)) normal += "/" + part;
    std::string once;
    for (char c : uri.path) {
      if (c != '/' || !once.ends_with('/')) once += c;
    }
    while (once.ends_with('/')) once.pop_back();
    is_safe = !once.empty() && once == normal;
  }
  if (is_safe) return Ok();
  return Invalid(source,
                 "A source that is a URI must have an absolute path without relative references.");
}

bool IsWithinRoot(std::string_view source, std::string_view root) {
  auto parts_of = [](const Uri& uri) {
    std::vector<std::string> parts;
    std::string_view path = uri.path;
    while (!path.empty()) {
      size_t slash = std::min(path.find('/'), path.size());
      if (slash > 0) parts.push_back(internal::UnquoteWholly(path.substr(0, slash), false));
      path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return parts;
  };
  const Uri source_uri = SplitUri(source);
  const Uri root_uri = SplitUri(root);
  const std::vector<std::string> root_parts = parts_of(root_uri);
  auto same = [](std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return std::tolower(x) == std::tolower(y); });
  };
  return source_uri.scheme == root_uri.scheme && same(source_uri.authority, root_uri.authority) &&
         !root_parts.empty() && internal::IsWithin(parts_of(source_uri), root_parts);
}

/// Served by a tracking server's artifact proxy.
bool IsProxied(const Uri& uri) {
  if (uri.scheme == "mlflow-artifacts") return true;
  if (uri.scheme != "http" && uri.scheme != "https") return false;
  return ("/" + internal::UnquoteWholly(uri.path, false) + "/")
             .find("/api/2.0/mlflow-artifacts/artifacts/") != std::string::npos;
}

/// "models:/m-1" → "m-1"; nothing for the forms with a name and a version.
std::optional<std::string> ModelIdOf(const Uri& uri) {
  std::string_view rest = uri.path;
  while (rest.starts_with('/')) rest.remove_prefix(1);
  if (rest.empty() || rest.find_first_of("/@") != std::string_view::npos) return std::nullopt;
  return std::string(rest);
}

/// Whoever names a run or a logged model must mean the one that holds the source.
class OwnershipCheck {
 public:
  OwnershipCheck(const CheckedSource& checked, SourceResolver& resolver)
      : source_(checked.source),
        uri_(SplitUri(checked.source)),
        by_model_(!checked.logged_model_id.empty()),
        id_(by_model_ ? checked.logged_model_id : checked.run_id),
        resolver_(resolver) {}

  Status Run() {
    ASSIGN_OR_RETURN(bool is_local, IsLocal(source_, uri_));
    if (is_local) return CheckLocal();
    RETURN_IF_ERROR(CheckRemotePath(source_));
    if (uri_.scheme == "runs") return CheckRuns();
    if (uri_.scheme == "models") {
      std::optional<std::string> model_id = ModelIdOf(uri_);
      if (!uri_.authority.empty() || (model_id && (!by_model_ || *model_id != id_)))
        return NotIdentified(source_, "model_id");
      return Ok();
    }
    if (!IsProxied(uri_)) return Ok();
    if (id_.empty()) return NotIdentified(source_, Parameter());
    ASSIGN_OR_RETURN(std::string root, Root());
    return IsWithinRoot(source_, root) ? Ok() : Status(NotIdentified(source_, Parameter()));
  }

 private:
  std::string_view Parameter() const { return by_model_ ? "model_id" : "run_id"; }

  Result<std::string> Root() {
    if (by_model_) {
      Result<SourceResolver::LoggedModel> model = resolver_.GetLoggedModel(id_);
      if (model.ok()) return std::move(model->artifact_uri);
      if (model.error().code() != ErrorCode::kNotFound) return std::move(model).error();
    } else {
      Result<std::string> root = resolver_.GetRunArtifactUri(id_);
      if (root.ok() || root.error().code() != ErrorCode::kNotFound) return root;
    }
    return NotIdentified(source_, Parameter());
  }

  Status CheckLocal() {
    if (!id_.empty() && source_.find('\0') == std::string::npos) {
      ASSIGN_OR_RETURN(std::string root, Root());
      const Uri root_uri = SplitUri(root);
      ASSIGN_OR_RETURN(bool is_local, IsLocal(root, root_uri));
      const std::vector<std::string> root_parts = LocalParts(root, root_uri);
      if (is_local && !root_parts.empty() &&
          internal::IsWithin(LocalParts(source_, uri_), root_parts)) {
        return Ok();
      }
    }
    return Invalid(
        source_,
        fmt::format("To use a local path as a model version source, the {0} request parameter has "
                    "to be specified and the local path has to be contained within the artifact "
                    "directory of the run specified by the {0}.",
                    Parameter()));
  }

  Status CheckRuns() {
    std::string_view path = uri_.path;
    std::string_view run_id = path.starts_with('/') ? path.substr(1) : std::string_view();
    run_id = run_id.substr(0, run_id.find('/'));
    if (by_model_ || !uri_.authority.empty() || run_id.empty() || run_id != id_)
      return NotIdentified(source_, Parameter());
    return Ok();
  }

  const std::string& source_;
  const Uri uri_;
  const bool by_model_;
  const std::string id_;
  SourceResolver& resolver_;
};

/// A source "models:/name/..." stands for a version of this registry.
Status FollowVersion(const SourceRequest& request, Store& registry, CheckedSource& checked) {
  Result<ModelUri> uri = ParseModelUri(checked.source);
  if (!uri.ok()) return NotIdentified(request.source, "model_id");
  ASSIGN_OR_RETURN(RegisteredModel model, registry.GetModel(uri->name));
  if (HasPromptTag(model.tags))
    return Invalid(request.source, "Prompt versions cannot be used as model version sources.");
  ASSIGN_OR_RETURN(ModelVersion version, uri->alias
                                             ? registry.GetVersionByAlias(uri->name, *uri->alias)
                                             : registry.Resolve(checked.source));
  if ((request.run_id && *request.run_id != version.run_id) ||
      (request.logged_model_id && *request.logged_model_id != version.logged_model_id)) {
    return Invalid(request.source,
                   "The run_id and model_id request parameters must match the referenced model "
                   "version.");
  }
  checked.source = fmt::format("models:/{}/{}", version.name, version.version);
  checked.run_id = version.run_id;
  checked.logged_model_id = version.logged_model_id;
  checked.storage_location =
      version.storage_location.empty() ? version.source : version.storage_location;
  return Ok();
}

}  // namespace

Result<CheckedSource> CheckSource(const SourceRequest& request, const SourceOptions& options,
                                  Store& registry, SourceResolver& resolver) {
  const std::string& source = request.source;
  if (source.size() > kSourceLengthMax) {
    return InvalidArgument(
        fmt::format("'source' exceeds the maximum length of {} characters", kSourceLengthMax));
  }
  if (!options.required_regex.empty()) {
    Result<bool> matches = internal::HoldsMatch(options.required_regex, source);
    if (!matches.ok() || !*matches) return Invalid(source);
  }
  CheckedSource checked{.source = source,
                        .storage_location = {},
                        .run_id = request.run_id.value_or(""),
                        .logged_model_id = request.logged_model_id.value_or("")};
  RETURN_IF_ERROR(CheckHostAddressedUri(source, "source", options));
  if (request.is_prompt) {
    if (std::find(std::begin(kPromptPlaceholders), std::end(kPromptPlaceholders), source) ==
        std::end(kPromptPlaceholders)) {
      return InvalidArgument(fmt::format(
          "Invalid prompt source: '{}'. Prompt sources must use an MLflow placeholder.", source));
    }
    return checked;
  }
  const Uri uri = SplitUri(source);
  const std::optional<std::string> model_id =
      uri.scheme == "models" ? ModelIdOf(uri) : std::nullopt;
  if (uri.scheme == "models") {
    if (!uri.authority.empty())
      return Invalid(source, "Registered model sources must use the active model registry.");
    if (!model_id) RETURN_IF_ERROR(FollowVersion(request, registry, checked));
  }
  RETURN_IF_ERROR(OwnershipCheck(checked, resolver).Run());
  const std::string& known_id = model_id ? *model_id : checked.logged_model_id;
  if (model_id || (checked.run_id.empty() && !known_id.empty())) {
    ASSIGN_OR_RETURN(SourceResolver::LoggedModel model, resolver.GetLoggedModel(known_id));
    if (model_id) checked.storage_location = std::move(model.artifact_uri);
    if (checked.run_id.empty()) checked.run_id = std::move(model.run_id);
  }
  return checked;
}

Status CheckHostAddressedUri(std::string_view uri, std::string_view parameter,
                             const SourceOptions& options) {
  const Uri parts = SplitUri(uri);
  const std::vector<Target> targets = TargetsOf(parts);
  if (targets.empty()) return Ok();
  const std::vector<std::string>& allowed = options.allowed_host_schemes;
  if (std::find(allowed.begin(), allowed.end(), parts.scheme) != allowed.end()) return Ok();
  for (const std::string* own : {&options.server_artifact_root, &options.artifacts_destination}) {
    for (const Target& trusted : TargetsOf(SplitUri(*own))) {
      if (trusted.family != "malformed" &&
          std::find(targets.begin(), targets.end(), trusted) != targets.end())
        return Ok();
    }
  }
  return InvalidArgument(fmt::format(
      "'{0}' cannot use the '{1}' scheme: it names a host other than the server's own artifact "
      "store. To allow that, start the server with "
      "MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES={1}.",
      parameter, parts.scheme));
}

Status CheckSourceRegex(std::string_view regex) {
  Result<bool> read = internal::HoldsMatch(regex, "");
  if (!read.ok() && read.error().code() == ErrorCode::kInvalidArgument)
    return std::move(read).error();
  return Ok();
}

}  // namespace sluice::registry
