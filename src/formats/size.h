// Sizes in bytes as people write them: "512MiB", "2GB", "1.5 GiB", "4096". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::formats {

/// Bytes. A number, at most one blank, then a unit: B, kB, MB, GB, TB (powers of 1,000), KiB, MiB,
/// GiB, TiB (powers of 1,024); case does not matter; without a unit, bytes. A fraction is rounded
/// down to whole bytes. Errors: kInvalidArgument saying what is wrong and how it is written; sizes
/// beyond int64 too.
Result<int64_t> ParseSizeBytes(std::string_view text);

/// Exact: the largest binary unit that divides `size_bytes`: 536870912 → "512MiB", 1000 → "1000B".
std::string PrintSizeBytes(int64_t size_bytes);

}  // namespace sluice::formats
