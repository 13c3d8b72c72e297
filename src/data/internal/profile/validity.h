// The null bits of a slice. Pure.
#pragma once

#include <cstdint>

namespace arrow {
class Array;
}

namespace sluice::data::internal {

/// Writes 1 for each row with a value and 0 for each null into `is_valid` and returns the number of
/// values; leaves `is_valid` alone if the array has no nulls.
int64_t ExpandValidity(const arrow::Array& array, int64_t offset, int64_t row_count,
                       uint8_t* is_valid);

/// Bits [first, first + count) of `bitmap`, one byte each.
int64_t ExpandBits(const uint8_t* bitmap, int64_t first, int64_t count, uint8_t* bytes);

}  // namespace sluice::data::internal
