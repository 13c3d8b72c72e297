// Where a page of a search ends: the values of its last row, and which search it was.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tracking/internal/run_reads.h"

namespace sluice::tracking::internal {

/// `search` is all that must be equal on the next page. Printable, safe in a URL, opaque to
/// clients.
std::string PrintPageToken(std::string_view search, const std::vector<OrderValue>& last);
/// Errors: kInvalidArgument for a token of another search or no token at all.
Result<std::vector<OrderValue>> ParsePageToken(std::string_view search, std::string_view token,
                                               size_t value_count);

}  // namespace sluice::tracking::internal
