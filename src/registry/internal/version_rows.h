// Rows of model_versions as values, for every query that reads them.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "registry/model_version.h"
#include "sql/db.h"

/// The columns VersionFromRow reads, of a table or subquery named v.
#define SLUICE_VERSION_COLUMNS                                                                    \
  "v.name, v.version, v.source, v.model_id, v.run_id, v.description, v.verdict, "                 \
  "v.verdict_digest, v.provenance, v.created_ms, v.updated_ms, v.is_deleted, v.stage, v.status, " \
  "v.status_message, v.run_link, v.logged_model_id, v.storage_location, v.user_id"
/// Rows of one column `value`: the texts of a JSON array in $1.
#define SLUICE_NAMES_SQLITE "json_each($1) AS n"
#define SLUICE_NAMES_POSTGRES "jsonb_array_elements_text(CAST($1 AS JSONB)) AS n(value)"

namespace sluice::registry::internal {

/// Without tags and aliases.
ModelVersion VersionFromRow(const sql::Row& row);
/// One query for all.
Status LoadTags(sql::Reader& reader, std::vector<ModelVersion>& versions);
/// The newest version of each stage of each of the models, with tags, sorted by model and number.
/// Two queries for all.
Result<std::vector<ModelVersion>> FindLatestVersions(sql::Reader& reader,
                                                     const std::vector<std::string>& names);
/// ["a","b"]
std::string JsonOfNames(const std::vector<std::string>& names);

}  // namespace sluice::registry::internal
