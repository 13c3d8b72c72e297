// The door for importers: registered models, versions and webhooks as they are in another store,
// with their numbers and times. Nothing is checked against the rules for what clients may write,
// no webhook is told, and what is here already stays as it is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "registry/model_version.h"
#include "registry/webhooks.h"
#include "sql/db.h"

namespace sluice::registry {

// All of these belong into a write transaction of the caller. Adding the same again changes
// nothing. Errors: those of sql::Tx.

/// With tags; neither versions nor aliases (they come after the versions).
Status AddModelsIn(sql::Tx& tx, std::span<const RegisteredModel> models);
/// With tags; a deleted one keeps its number taken. The model is here; its next version will be
/// greater than all of these.
Status AddVersionsIn(sql::Tx& tx, std::span<const ModelVersion> versions);
/// How many were left out, because the version they name is not here or deleted. The log of alias
/// moves says whence they came: `reason`. An alias that is here stays where it is.
Result<int64_t> AddAliasesIn(sql::Tx& tx, std::string_view model, std::span<const Alias> aliases,
                             std::string_view reason, int64_t now_ms);
/// Without secret. Ids are kept.
Status AddWebhooksIn(sql::Tx& tx, std::span<const Webhook> webhooks);

}  // namespace sluice::registry
