// Hyperparameters as a table: one row gives a parameter's type, default, bounds and help; checking,
// documentation and search spaces come from it. Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/json.h"

namespace sluice::learn {

enum class ParamType : uint8_t { kInteger, kNumber, kBool, kChoice, kClassWeight, kMonotone };

struct ParamSpec {
  std::string_view name;
  std::vector<std::string_view> aliases =
      {};  ///< other spellings users know ("eta" for "learning_rate")
  ParamType type = ParamType::kNumber;
  formats::Json default_value;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool is_min_excluded = false;
  std::vector<std::string_view> choices = {};  ///< kChoice
  std::string_view help;
};

/// "learning_rate (eta): number in (0, 1], default 0.1. Step size ..." for documentation and
/// messages.
std::string DescribeParam(const ParamSpec& spec);

/// Every parameter of the table with its value, in the table's order: given values checked, others
/// at their default. Errors: kInvalidArgument for an unknown name (with a suggestion), a name given
/// twice under two spellings, a wrong type, a value out of bounds. `given` is an object or null;
/// whole numbers are taken where numbers are asked, and numbers that are whole where integers are.
Result<formats::Json> ResolveParams(std::string_view learner, const std::vector<ParamSpec>& specs,
                                    const formats::Json& given);

}  // namespace sluice::learn
