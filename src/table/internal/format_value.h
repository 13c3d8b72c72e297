// One value of a canonical column as text.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string>

namespace sluice::table::internal {

/// Appends value `row` (not null) of an array of canonical type (CHECK): "true", digits, the
/// shortest text that reads back to the same double and shows that it is one ("1.0", "nan", "inf",
/// "-inf"), the string itself, ISO 8601. Pure.
void AppendValue(const arrow::Array& array, int64_t row, std::string& out);

/// The double of AppendValue.
void AppendDouble(double value, std::string& out);

}  // namespace sluice::table::internal
