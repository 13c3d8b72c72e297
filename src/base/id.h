// Identifiers. Thread-safe.
#pragma once

#include <cstddef>
#include <string>

namespace sluice {

/// 32 lower-case hexadecimal digits from the kernel's random source, as MLflow's run ids (a UUID4
/// without dashes).
std::string NewRunId();
/// `digits` lower-case hexadecimal digits from the kernel's random source.
std::string NewRandomHex(size_t digits);

}  // namespace sluice
