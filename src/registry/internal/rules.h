// What may be a name, an alias or a tag. Pure.
#pragma once

#include <string_view>

#include "base/result.h"
#include "registry/model_version.h"

namespace sluice::registry::internal {

/// Errors: kInvalidArgument naming it.
Status CheckModelName(std::string_view name);
/// 1 to 255 of letters, digits, '_' and '-'.
bool IsAliasText(std::string_view alias);
/// Also refuses what could be taken for a version: "latest", "v1", "12". Errors: kInvalidArgument
/// naming it.
Status CheckAlias(std::string_view alias);
Status CheckTag(const Tag& tag);

}  // namespace sluice::registry::internal
