// What may be a name, an alias or a tag: MLflow's rules, in its words. Pure. Lengths are in
// characters.
#pragma once

#include <string_view>

#include "base/ascii.h"
#include "base/result.h"
#include "registry/model_version.h"

namespace sluice::registry::internal {

/// `parameter` is "name", or "new_name" of a rename. Errors: kInvalidArgument naming it.
Status CheckModelName(std::string_view name, std::string_view parameter = "name");
/// 1 to 255 of letters, digits, '_' and '-'.
bool IsAliasText(std::string_view alias);
/// What may be asked for: IsAliasText. Errors: kInvalidArgument naming it.
Status CheckAliasText(std::string_view alias);
/// What may be set: not "latest" and not "v1" either.
Status CheckAlias(std::string_view alias);
Status CheckTagKey(std::string_view key);
Status CheckTag(const Tag& tag);
Status CheckVersionTag(const Tag& tag);  ///< knows of the text of prompts

}  // namespace sluice::registry::internal
