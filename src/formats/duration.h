// Lengths of time as people write them: "250ms", "30s", "5m", "1h30m", "2d". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::formats {

/// Milliseconds. One or more whole numbers, each with a unit (ms, s, m, h, d), largest unit first,
/// each unit once, no blanks. Errors: kInvalidArgument saying what is wrong and how it is written;
/// more than 10,000 days too.
Result<int64_t> ParseDurationMs(std::string_view text);

/// The shortest text that ParseDurationMs reads back: 5400000 → "1h30m", 0 → "0s". `ms` must not be
/// negative (CHECK).
std::string PrintDurationMs(int64_t ms);

}  // namespace sluice::formats
