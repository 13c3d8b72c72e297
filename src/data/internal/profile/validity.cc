#include "data/internal/profile/validity.h"

#include <arrow/array.h>

namespace sluice::data::internal {

int64_t ExpandBits(const uint8_t* bitmap, int64_t first, int64_t count, uint8_t* bytes) {
  int64_t set_count = 0;
  for (int64_t i = 0; i < count; ++i) {
    int64_t at = first + i;
    auto bit = static_cast<uint8_t>((bitmap[at >> 3] >> (at & 7)) & 1);
    bytes[i] = bit;
    set_count += bit;
  }
  return set_count;
}

int64_t ExpandValidity(const arrow::Array& array, int64_t offset, int64_t row_count,
                       uint8_t* is_valid) {
  if (array.null_count() == 0) return row_count;
  return ExpandBits(array.null_bitmap_data(), array.offset() + offset, row_count, is_valid);
}

}  // namespace sluice::data::internal
