// The small language of a schema's rules.
#pragma once

#include <string_view>

#include "base/result.h"
#include "data/schema.h"
#include "formats/yaml.h"

namespace sluice::data::internal {

/// A scalar node such as `start <= end` or `status != "closed"`: a name with blanks or operators
/// stands in backquotes, text in double quotes. Pure. Errors: kInvalidArgument at the node: not
/// this shape, an unknown column (with the nearest name), sides that cannot be compared.
Result<RuleSchema> ParseRule(const formats::YamlNode& node, const Schema& schema);

/// Errors: kInvalidArgument at the node, with the nearest name, unless `name` is one of the
/// schema's columns.
Status CheckKnownColumn(const Schema& schema, std::string_view name, const formats::YamlNode& node);

}  // namespace sluice::data::internal
