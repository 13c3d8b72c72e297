// The door for verifying an import and for exporters: the whole registry, deleted versions too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "registry/model_version.h"
#include "registry/webhooks.h"
#include "sql/db.h"

namespace sluice::registry {

struct BulkCounts {
  int64_t models = 0;
  int64_t model_tags = 0;
  int64_t versions = 0;
  int64_t deleted_versions = 0;
  int64_t version_tags = 0;
  int64_t aliases = 0;
  int64_t webhooks = 0;
};
/// Of these models, and of these webhooks.
Result<BulkCounts> CountIn(sql::Reader& reader, const std::vector<std::string>& models,
                           const std::vector<std::string>& webhook_ids);

/// Pieces: what comes behind a name, at most max_count models, with tags, aliases and without
/// latest versions. Empty: the end.
Result<std::vector<RegisteredModel>> ReadModelsIn(sql::Reader& reader, std::string_view after_name,
                                                  int64_t max_count);
/// Likewise, by name and number, with tags.
Result<std::vector<ModelVersion>> ReadVersionsIn(sql::Reader& reader, std::string_view after_name,
                                                 int64_t after_version, int64_t max_count);

}  // namespace sluice::registry
