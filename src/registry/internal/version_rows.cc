#include "registry/internal/version_rows.h"

#include <map>
#include <utility>

#include "formats/json.h"

namespace sluice::registry::internal {
namespace {

using formats::Json;
using sql::Query;
using sql::Row;

#define SLUICE_LATEST(names)                                                                   \
  "WITH stages (stage) AS (VALUES (0), (1), (2), (3)) SELECT " SLUICE_VERSION_COLUMNS          \
  " FROM " names                                                                               \
  " CROSS JOIN stages s JOIN model_versions v ON v.name = n.value AND v.version = "            \
  "(SELECT MAX(x.version) FROM model_versions x WHERE x.name = n.value AND x.stage = s.stage " \
  "AND x.is_deleted = 0) ORDER BY v.name, v.version"
constexpr Query kLatest{"registry.latest_versions", SLUICE_LATEST(SLUICE_NAMES_SQLITE),
                        SLUICE_LATEST(SLUICE_NAMES_POSTGRES)};
#undef SLUICE_LATEST

constexpr Query kTagsOfMany{
    "registry.list_tags_of_versions",
    "SELECT t.name, t.version, t.key, t.value FROM json_each($1) AS n CROSS JOIN "
    "model_version_tags "
    "t ON t.name = json_extract(n.value, '$[0]') AND t.version = json_extract(n.value, '$[1]') "
    "ORDER BY t.name, t.version, t.key",
    "SELECT t.name, t.version, t.key, t.value FROM jsonb_array_elements(CAST($1 AS JSONB)) AS "
    "n(value) JOIN model_version_tags t ON t.name = n.value->>0 AND t.version = "
    "CAST(n.value->>1 AS BIGINT) ORDER BY t.name, t.version, t.key"};

}  // namespace

ModelVersion VersionFromRow(const Row& row) {
  ModelVersion version;
  version.name = row.GetText(0);
  version.version = row.GetInt64(1);
  version.source = row.GetText(2);
  version.model_id = row.GetText(3);
  version.run_id = row.GetText(4);
  version.description = row.GetText(5);
  version.verdict = static_cast<Verdict>(row.GetInt64(6));
  version.verdict_digest = row.GetText(7);
  version.provenance = row.GetText(8);
  version.created_ms = row.GetInt64(9);
  version.updated_ms = row.GetInt64(10);
  version.is_deleted = row.GetBool(11);
  version.stage = static_cast<Stage>(row.GetInt64(12));
  version.status = static_cast<VersionStatus>(row.GetInt64(13));
  version.status_message = row.GetText(14);
  version.run_link = row.GetText(15);
  version.logged_model_id = row.GetText(16);
  version.storage_location = row.GetText(17);
  version.user_id = row.GetText(18);
  return version;
}

Status LoadTags(sql::Reader& reader, std::vector<ModelVersion>& versions) {
  if (versions.empty()) return Ok();
  Json keys = Json::MakeArray();
  std::map<std::pair<std::string_view, int64_t>, ModelVersion*> by_key;
  for (ModelVersion& version : versions) {
    keys.Append(Json(Json::Array{version.name, version.version}));
    by_key[{version.name, version.version}] = &version;
  }
  const std::string text = formats::PrintJson(keys);
  return reader.ForEach(kTagsOfMany, {text}, [&](const Row& row) -> Status {
    auto found = by_key.find({row.GetTextView(0), row.GetInt64(1)});
    if (found != by_key.end()) found->second->tags.push_back({row.GetText(2), row.GetText(3)});
    return Ok();
  });
}

Result<std::vector<ModelVersion>> FindLatestVersions(sql::Reader& reader,
                                                     const std::vector<std::string>& names) {
  const std::string text = JsonOfNames(names);
  ASSIGN_OR_RETURN(std::vector<ModelVersion> versions,
                   reader.FindAll(kLatest, {text}, VersionFromRow));
  RETURN_IF_ERROR(LoadTags(reader, versions));
  return versions;
}

std::string JsonOfNames(const std::vector<std::string>& names) {
  Json array = Json::MakeArray();
  for (const std::string& name : names) array.Append(name);
  return formats::PrintJson(array);
}

}  // namespace sluice::registry::internal
