// Tags whose value is a JSON list. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "formats/json.h"

namespace sluice::tracking {
enum class ListItemRule : uint8_t;
}  // namespace sluice::tracking

namespace sluice::tracking::internal {

/// The list with `item` at its end, as text; nothing if the item is there and need not be twice. A
/// tag that is absent or holds no list begins a new one. Errors: kInvalidArgument where the list
/// would be longer than Limits::kListTagLength.
Result<std::optional<std::string>> AppendedList(const std::optional<std::string>& value,
                                                const formats::Json& item, ListItemRule rule);

}  // namespace sluice::tracking::internal
