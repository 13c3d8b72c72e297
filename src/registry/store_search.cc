#include "registry/internal/sql_store.h"

namespace sluice::registry::internal {
namespace {
Error NotYet() { return FailedPrecondition("this part of the registry is being built"); }
}  // namespace

Result<ModelPage> SqlStore::SearchModels(const SearchRequest&) { return NotYet(); }
Result<RegisteredModel> SqlStore::RenameModel(std::string_view, std::string_view) {
  return NotYet();
}
Status SqlStore::DeleteModel(std::string_view) { return NotYet(); }
Result<ModelVersion> SqlStore::GetLiveVersion(std::string_view, int64_t) { return NotYet(); }
Result<VersionPage> SqlStore::SearchVersions(const SearchRequest&) { return NotYet(); }
Result<std::vector<ModelVersion>> SqlStore::GetLatestVersions(std::string_view,
                                                              const std::vector<Stage>&) {
  return NotYet();
}
Result<std::string> SqlStore::GetDownloadUri(std::string_view, int64_t) { return NotYet(); }
Result<ModelVersion> SqlStore::SetStage(const StageChange&) { return NotYet(); }
Status SqlStore::SetVersionStatus(std::string_view, int64_t, VersionStatus, std::string_view) {
  return NotYet();
}
Result<ModelVersion> SqlStore::GetVersionByAlias(std::string_view, std::string_view) {
  return NotYet();
}

}  // namespace sluice::registry::internal
