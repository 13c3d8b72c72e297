// The page docs/reference/rest.md, from the table of endpoints.
#pragma once

#include <string>

namespace sluice::api {

/// Every row that any server has, in the order of the table. Pure.
std::string PrintRestReference();

}  // namespace sluice::api
