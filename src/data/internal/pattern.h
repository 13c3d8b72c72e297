// Regular expressions over text that outsiders wrote, in time linear in the text.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace sluice::data::internal {

/// RE2 by way of Arrow's compute functions, which carry it: no further library, bounded memory, no
/// recursion. Errors: kInvalidArgument with RE2's reason; kResourceExhausted for an expression over
/// kMaxPatternBytes.
Status CheckPattern(const std::string& pattern);

inline constexpr size_t kMaxPatternBytes = 4'096;

/// One bool a row: whether the whole text matches; null where the text is. `texts` is a string
/// array, `pattern` has passed CheckPattern.
std::shared_ptr<arrow::BooleanArray> MatchPattern(const std::shared_ptr<arrow::Array>& texts,
                                                  const std::string& pattern);

}  // namespace sluice::data::internal
