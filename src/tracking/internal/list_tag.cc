#include "tracking/internal/list_tag.h"

#include <fmt/format.h>

#include <algorithm>

#include "tracking/internal/rules.h"
#include "tracking/store.h"

namespace sluice::tracking::internal {

using formats::Json;

// An item is as deep as a request may be; the list is deeper by one.
constexpr int kMaxDepth = 2 * formats::JsonParseOptions{}.max_depth;

Result<std::optional<std::string>> AppendedList(const std::optional<std::string>& value,
                                                const Json& item, ListItemRule rule) {
  Json list = Json::MakeArray();
  if (value) {
    Result<Json> known = formats::ParseJson(*value, {.max_depth = kMaxDepth});
    if (known.ok() && known->is_array()) list = std::move(known).value();
  }
  if (rule == ListItemRule::kOnce) {
    const auto& items = list.AsArray();
    if (std::find(items.begin(), items.end(), item) != items.end())
      return std::optional<std::string>();
  }
  list.Append(item);
  std::string text = formats::PrintJson(list, {.spaced = true});
  RETURN_IF_ERROR(CheckLength("the list", text, Limits::kListTagLength));
  return std::optional(std::move(text));
}

}  // namespace sluice::tracking::internal
