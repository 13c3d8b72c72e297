// Regular expressions of an administrator, over PCRE2 with bounded work.
#pragma once

#include <string_view>

#include "base/result.h"

namespace sluice::registry::internal {

/// Is there a match anywhere in `text`? Pure. Errors: kInvalidArgument for an expression that
/// cannot be read; kResourceExhausted if the answer takes more than a million steps.
Result<bool> HoldsMatch(std::string_view regex, std::string_view text);

}  // namespace sluice::registry::internal
