// CHECK: what must hold unless the program itself is wrong. Stays on in release builds. Never for
// input.
#pragma once

#include <string_view>

namespace sluice {

/// Prints file, line and the condition to standard error and aborts. Thread-safe.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              std::string_view message);

}  // namespace sluice

#define CHECK(condition)                                         \
  do {                                                           \
    if (!(condition)) [[unlikely]]                               \
      ::sluice::CheckFailed(__FILE__, __LINE__, #condition, {}); \
  } while (false)

/// As CHECK, with a text (evaluated only on failure) that says what the values were.
#define CHECK_MSG(condition, message)                                   \
  do {                                                                  \
    if (!(condition)) [[unlikely]]                                      \
      ::sluice::CheckFailed(__FILE__, __LINE__, #condition, (message)); \
  } while (false)
