// ParseFilter takes any bytes; what it accepts must be a well-formed tree with places inside the
// text, and the checks and matchers on it must hold.
#include "formats/filter.h"

namespace {

using namespace sluice;
using namespace sluice::formats;

void Walk(const Filter& filter, const FilterNode& node, size_t depth) {
  CHECK(depth <= 4 * FilterLimits::kDepth);
  if (node.kind != FilterNode::Kind::kCondition) {
    CHECK(node.kind == FilterNode::Kind::kNot ? node.children.size() == 1
                                              : node.children.size() >= 2);
    for (const FilterNode& child : node.children) Walk(filter, child, depth + 1);
    return;
  }
  const FilterCondition& condition = node.condition;
  CHECK(condition.key.position < filter.text.size());
  CHECK(condition.position <= filter.text.size());
  for (const FilterValue& value : condition.values) CHECK(value.position < filter.text.size());
  for (FilterValueType type : {FilterValueType::kText, FilterValueType::kNumber}) {
    Status status = CheckFilterValues(filter, condition, FilterEntity::kTag, type);
    if (!status.ok()) {
      CHECK(!status.error().message().empty());
    } else if (type == FilterValueType::kText) {
      bool matches = MatchesText(condition, "some text");
      FilterCondition positive = condition;
      positive.comparator = PositiveOf(condition.comparator);
      CHECK(matches == (MatchesText(positive, "some text") != IsNegative(condition.comparator)));
    } else {
      static_cast<void>(MatchesNumber(condition, 0.5));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Result<Filter> filter = ParseFilter(text);
  if (!filter.ok()) {
    CHECK(!filter.error().message().empty());
  } else if (filter->root) {
    Walk(*filter, *filter->root, 0);
  }
  Result<OrderBy> order = ParseOrderBy(text);
  if (!order.ok()) CHECK(!order.error().message().empty());
  return 0;
}
