// Versions of registered models.
#include <fmt/format.h>

#include <charconv>

#include "api/encode.h"
#include "api/endpoint.h"
#include "formats/json.h"
#include "registry/store.h"
#include "tracking/logged_models.h"
#include "tracking/store.h"

namespace sluice::api {

Result<int64_t> ParseVersionNumber(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidArgument(fmt::format("Parameter 'version' must be an integer, got '{}'.", text));
  }
  return number;
}

namespace {

using http::Method;
using registry::ModelVersion;

constexpr std::string_view kModelVersionsTag = "mlflow.modelVersions";

Answer AnswerVersion(const ModelVersion& version) {
  return Answer::Printed(
      PrintWrapped("model_version", [&](JsonWriter& out) { AppendModelVersion(version, out); }));
}

/// Which version a call means.
struct VersionKey {
  std::string name;
  int64_t number = 0;
};

Result<VersionKey> ReadKey(const Fields& fields) {
  VersionKey key;
  key.name = fields.RequireString("name");
  const std::string version = fields.RequireString("version");
  RETURN_IF_ERROR(fields.status());
  ASSIGN_OR_RETURN(key.number, ParseVersionNumber(version));
  return key;
}

/// Answers the registry's questions about sources from the other stores.
class StoresResolver final : public registry::SourceResolver {
 public:
  explicit StoresResolver(Services& services) : services_(services) {}

  Result<std::string> GetRunArtifactUri(std::string_view run_id) override {
    ASSIGN_OR_RETURN(tracking::RunInfo run, services_.tracking->GetRunInfo(run_id));
    return std::move(run.artifact_uri);
  }
  Result<LoggedModel> GetLoggedModel(std::string_view model_id) override {
    ASSIGN_OR_RETURN(tracking::LoggedModel model, services_.logged_models->GetInfo(model_id));
    return LoggedModel{.artifact_uri = std::move(model.artifact_uri),
                       .run_id = std::move(model.source_run_id)};
  }

 private:
  Services& services_;
};

/// Tells the logged model that it is registered: its tag lists the versions made of it.
Status AddToModelVersionsTag(Services& services, const ModelVersion& version) {
  const formats::Json entry =
      formats::Json::MakeObject({{"name", version.name}, {"version", version.version}});
  return services.logged_models->AppendToListTag(version.logged_model_id, kModelVersionsTag, entry,
                                                 tracking::ListItemRule::kOnce);
}

Result<Answer> Create(Services& services, Call& call) {
  const Fields& fields = call.fields;
  registry::NewVersion version;
  version.name = fields.RequireString("name");
  version.make_model_if_absent = false;
  version.source = fields.RequireString("source");
  for (const Fields& tag : fields.Messages("tags")) {
    version.tags.push_back({tag.RequireString("key"), tag.StringOr("value")});
  }
  version.run_link = fields.StringOr("run_link");
  version.description = fields.StringOr("description");
  version.user_id = std::string(call.caller.username());
  RETURN_IF_ERROR(fields.status());

  StoresResolver resolver(services);
  const bool is_prompt = registry::HasPromptTag(version.tags);
  ASSIGN_OR_RETURN(registry::CheckedSource checked,
                   registry::CheckSource({.source = version.source,
                                          .run_id = fields.FindString("run_id"),
                                          .logged_model_id = fields.FindString("model_id"),
                                          .is_prompt = is_prompt},
                                         services.options.sources, *services.registry, resolver));
  version.source = std::move(checked.source);
  version.storage_location = std::move(checked.storage_location);
  version.run_id = std::move(checked.run_id);
  version.logged_model_id = std::move(checked.logged_model_id);
  ASSIGN_OR_RETURN(const ModelVersion created, services.registry->CreateVersion(version));
  if (!is_prompt && !created.logged_model_id.empty()) {
    RETURN_IF_ERROR(AddToModelVersionsTag(services, created));
  }
  return AnswerVersion(created);
}

Result<Answer> Get(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const VersionKey key, ReadKey(call.fields));
  ASSIGN_OR_RETURN(const ModelVersion version,
                   services.registry->GetLiveVersion(key.name, key.number));
  return AnswerVersion(version);
}

Result<Answer> Update(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const VersionKey key, ReadKey(call.fields));
  // None given clears what is there, as MLflow.
  const std::string description = call.fields.StringOr("description");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.registry->SetVersionDescription(key.name, key.number, description));
  ASSIGN_OR_RETURN(const ModelVersion version,
                   services.registry->GetLiveVersion(key.name, key.number));
  return AnswerVersion(version);
}

Result<Answer> TransitionStage(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const VersionKey key, ReadKey(call.fields));
  const std::string stage = call.fields.RequireString("stage");
  registry::StageChange change;
  change.name = key.name;
  change.version = key.number;
  change.archive_existing = call.fields.BoolOr("archive_existing_versions", false);
  RETURN_IF_ERROR(call.fields.status());
  ASSIGN_OR_RETURN(change.stage, registry::ParseStage(stage));
  ASSIGN_OR_RETURN(const ModelVersion version, services.registry->SetStage(change));
  return AnswerVersion(version);
}

Result<Answer> Delete(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const VersionKey key, ReadKey(call.fields));
  RETURN_IF_ERROR(
      services.registry->DeleteVersion(key.name, key.number, registry::DeleteRule::kDropAliases));
  return Answer::Empty();
}

Result<Answer> GetDownloadUri(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const VersionKey key, ReadKey(call.fields));
  ASSIGN_OR_RETURN(const std::string uri, services.registry->GetDownloadUri(key.name, key.number));
  return Answer::Printed(PrintWrapped("artifact_uri", [&](JsonWriter& out) { out.String(uri); }));
}

Result<Answer> Search(Services& services, Call& call) {
  const Fields& fields = call.fields;
  registry::SearchRequest request;
  request.filter = fields.StringOr("filter");
  request.max_results = fields.Int64Or("max_results", registry::kSearchVersionsMax);
  request.order_by = fields.Strings("order_by");
  request.page_token = fields.StringOr("page_token");
  if (request.max_results > registry::kSearchVersionsMax) fields.RefuseType("max_results");
  RETURN_IF_ERROR(fields.status());
  if (request.max_results < 1) {
    return InvalidArgument(
        fmt::format("Invalid value for max_results. It must be a positive integer, but got {}",
                    request.max_results));
  }
  ASSIGN_OR_RETURN(const bool reads_all, call.caller.MayReadAll(ResourceKind::kRegisteredModel));
  registry::VersionPage page;
  const size_t wanted_count = static_cast<size_t>(request.max_results);
  // What the caller may not read is left out, and the page filled up from what follows.
  while (true) {
    ASSIGN_OR_RETURN(registry::VersionPage next, services.registry->SearchVersions(request));
    for (ModelVersion& version : next.versions) {
      bool may = reads_all;
      if (!may) {
        ASSIGN_OR_RETURN(
            may, call.caller.May(Level::kRead, {ResourceKind::kRegisteredModel, version.name}));
      }
      if (may) page.versions.push_back(std::move(version));
    }
    page.next_page_token = next.next_page_token;
    if (page.next_page_token.empty() || page.versions.size() >= wanted_count) break;
    request.page_token = page.next_page_token;
    request.max_results = static_cast<int64_t>(wanted_count - page.versions.size());
  }
  return Answer::Printed(
      PrintPage("model_versions", page.versions, page.next_page_token, AppendModelVersion));
}

Result<Answer> SetTag(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const VersionKey key, ReadKey(call.fields));
  const registry::Tag tag = {call.fields.RequireString("key"), call.fields.StringOr("value")};
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.registry->SetVersionTag(key.name, key.number, tag));
  return Answer::Empty();
}

Result<Answer> DeleteTag(Services& services, Call& call) {
  ASSIGN_OR_RETURN(const VersionKey key, ReadKey(call.fields));
  const std::string tag_key = call.fields.RequireString("key");
  RETURN_IF_ERROR(call.fields.status());
  RETURN_IF_ERROR(services.registry->DeleteVersionTag(key.name, key.number, tag_key));
  return Answer::Empty();
}

}  // namespace

std::vector<Endpoint> ModelVersionEndpoints() {
  const Access reads = Access::Needs(Level::kRead, RegisteredModelVersionByName);
  const Access edits = Access::Needs(Level::kEdit, RegisteredModelVersionByName);
  const Access manages = Access::Needs(Level::kManage, RegisteredModelVersionByName);
  return {
      {Method::kPost, "/api/2.0/mlflow/model-versions/create", "model_versions.create",
       Access::Needs(Level::kEdit, NewModelVersion), Create},
      {Method::kGet, "/api/2.0/mlflow/model-versions/get", "model_versions.get", reads, Get},
      {Method::kPatch, "/api/2.0/mlflow/model-versions/update", "model_versions.update", edits,
       Update},
      {Method::kPost, "/api/2.0/mlflow/model-versions/transition-stage",
       "model_versions.transition_stage", edits, TransitionStage},
      {Method::kDelete, "/api/2.0/mlflow/model-versions/delete", "model_versions.delete", manages,
       Delete},
      {Method::kGet, "/api/2.0/mlflow/model-versions/get-download-uri",
       "model_versions.get_download_uri", reads, GetDownloadUri},
      {Method::kGet, "/api/2.0/mlflow/model-versions/search", "model_versions.search",
       Access::SignedIn(), Search},
      {Method::kPost, "/api/2.0/mlflow/model-versions/set-tag", "model_versions.set_tag", edits,
       SetTag},
      {Method::kDelete, "/api/2.0/mlflow/model-versions/delete-tag", "model_versions.delete_tag",
       manages, DeleteTag},
  };
}

}  // namespace sluice::api
