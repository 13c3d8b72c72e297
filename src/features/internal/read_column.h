// From Arrow arrays to blocks, and the rules for which types may stand in for which.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "features/graph.h"
#include "features/internal/block.h"
#include "table/canonical.h"

namespace arrow {
class Array;
class DataType;
}  // namespace arrow

namespace sluice::features::internal {

/// The kind of values that a chain starts with.
ValueKind KindOf(ColumnType type);

/// Whether a column of `given` may be read where `input` was trained: numbers and bool as
/// themselves, integers as doubles, doubles as integers (values are checked when read), dates and
/// timestamps as each other. Errors: kInvalidArgument in MLflow's words. An unknown type passes if
/// `is_all_null`.
Status CheckConvertible(const InputColumn& input, const arrow::DataType& given, bool is_all_null);

/// Rows [offset, offset + count) of `array` as the block's values. Null, NaN and infinite numbers
/// are missing. Errors: kInvalidArgument as CheckConvertible, and for a fraction where integers
/// were trained.
Status ReadColumn(const InputColumn& input, const arrow::Array& array, int64_t offset,
                  int64_t count, Block& block);

}  // namespace sluice::features::internal
