// Page tokens of searches: where the last page ended, and what it was a page of. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/json.h"

namespace sluice::registry::internal {

/// `request` is the filter and the order; `position` the ordered values of the last row.
std::string MakePageToken(const std::vector<std::string>& request, const formats::Json& position);
/// The position. Errors: kInvalidArgument for what MakePageToken did not make, or made of another
/// request, or with other than `value_count` values.
Result<formats::Json::Array> ReadPageToken(std::string_view token,
                                           const std::vector<std::string>& request,
                                           size_t value_count);

}  // namespace sluice::registry::internal
