// Whose a proxied path is. The path says it itself, as the server lays artifacts out:
//
//   <experiment id>/<run id>/artifacts/...
//   <experiment id>/models/<model id>/artifacts/...
//   <experiment id>/traces/<trace id>/artifacts/...
//
// Where an experiment has a location of its own, the path begins otherwise; then the run or model
// in it is asked where its artifacts are.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "api/artifact_location.h"
#include "api/endpoint.h"
#include "api/internal/artifact_answers.h"
#include "auth/permission.h"
#include "objects/remote_path.h"
#include "tracking/logged_models.h"
#include "tracking/store.h"

namespace sluice::api::internal {

namespace {

using Components = std::vector<std::string_view>;

Components Split(std::string_view path) {
  Components components;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    components.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return components;
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool IsRunId(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// What of the experiment the components behind its id are. Deleting takes a whole tree with it, so
/// there the parts that the tree may hold count.
std::vector<std::string_view> PartsOf(const Components& below, bool is_deleting) {
  if (below.empty()) {
    if (!is_deleting) return {std::string_view()};
    return {auth::kRun, auth::kTrace, auth::kLoggedModel};
  }
  if (below[0] == "models") return {auth::kLoggedModel};
  if (below[0] == "traces") return {auth::kTrace};
  if (is_deleting || IsRunId(below[0]) || (below.size() > 1 && below[1] == "artifacts")) {
    return {auth::kRun};
  }
  return {std::string_view()};
}

/// Whether artifacts at `uri` lie at or above `path`.
bool Holds(const std::string& uri, const std::string& path) {
  const Result<ArtifactLocation> at = ParseArtifactLocation(uri);
  return at.ok() && at->scheme == ArtifactScheme::kProxied && !at->path.empty() &&
         (path == at->path || path.starts_with(at->path + "/"));
}

/// The run or logged model in a path that begins with no experiment's id.
Result<Resource> OwnerInside(Services& services, const std::string& path,
                             const Components& components) {
  Resource resource = {.kind = ResourceKind::kExperiment, .id = {}};
  const auto folder = std::ranges::find(components, std::string_view("artifacts"));
  if (folder == components.end() || folder == components.begin()) return resource;
  const std::string id(*(folder - 1));
  if (IsRunId(id)) {
    const Result<tracking::RunInfo> run = services.tracking->GetRunInfo(id);
    if (!run.ok() && run.error().code() != ErrorCode::kNotFound) return run.error();
    if (run.ok() && Holds(run->artifact_uri, path)) {
      resource.id = run->experiment_id;
      resource.part = auth::kRun;
    }
    return resource;
  }
  const Result<tracking::LoggedModel> model = services.logged_models->GetInfo(id);
  if (!model.ok() && model.error().code() != ErrorCode::kNotFound) return model.error();
  if (model.ok() && Holds(model->artifact_uri, path)) {
    resource.id = model->experiment_id;
    resource.part = auth::kLoggedModel;
  }
  return resource;
}

Result<std::vector<Resource>> OwnersOf(Services& services, Call& call, bool is_deleting) {
  ASSIGN_OR_RETURN(std::string path, ProxiedPath(call));
  if (path.empty()) {
    // As the handler will read it: what is checked is what is used.
    ASSIGN_OR_RETURN(path, objects::NormalRemotePath(call.fields.StringOr("path")));
  }
  const Components components = Split(path);
  if (components.empty() || !IsNumber(components[0])) {
    ASSIGN_OR_RETURN(Resource owner, OwnerInside(services, path, components));
    return std::vector<Resource>{std::move(owner)};
  }
  std::vector<Resource> resources;
  const Components below(components.begin() + 1, components.end());
  for (const std::string_view part : PartsOf(below, is_deleting)) {
    resources.push_back(
        {.kind = ResourceKind::kExperiment, .id = std::string(components[0]), .part = part});
  }
  return resources;
}

}  // namespace

Result<std::string> ProxiedPath(const Call& call) {
  for (const auto& [name, value] : call.request.path_params) {
    if (name == "path") return objects::NormalRemotePath(value);
  }
  return std::string();
}

Result<std::vector<Resource>> OwnerOfProxiedPath(Services& services, Call& call) {
  return OwnersOf(services, call, false);
}

Result<std::vector<Resource>> OwnersOfProxiedTree(Services& services, Call& call) {
  return OwnersOf(services, call, true);
}

}  // namespace sluice::api::internal
